"""On a terminal: progress, questions, secrets, the prompt, and Ctrl-C."""

from __future__ import annotations

import re
import signal
import sys

import pytest

from srs_vsphere.simulator import ScriptReply, SimFleet, SystemClock
from tests.cli.running import Shell

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

from tests.cli.terminal import Terminal

CTRL_C = "\x03"
CTRL_D = "\x04"


@pytest.fixture
def clock():
    """The machine's: a virtual one would let a long script end at the first question."""
    return SystemClock()


def test_progress_is_shown_and_gone(srs):
    with Terminal(srs, "run", "-c", "Write-Warning 'careful'; 7") as terminal:
        assert terminal.end() == 0
    assert "running" in terminal.text
    assert "warning: careful" in terminal.text
    assert terminal.text.rstrip().endswith("7")


@pytest.mark.parametrize("silent", ["-q", "dumb"])
def test_no_progress_where_none_is_wanted(srs, silent):
    words = ("run", "-c", "7", *(["-q"] if silent == "-q" else []))
    with Terminal(srs, *words, **({"TERM": "dumb"} if silent == "dumb" else {})) as terminal:
        assert terminal.end() == 0
    assert terminal.text == "7\n"


def test_ctrl_c_stops_the_script_and_leaves_nothing(srs, simulator):
    forever = simulator.on_script("forever", ScriptReply(duration=3000))
    with Terminal(srs, "run", "-c", "forever") as terminal:
        terminal.read_until("running")
        wait_for_a_call(forever, terminal)
        terminal.type(CTRL_C)
        assert terminal.end() == 130
    assert "srs: interrupted" in terminal.text
    assert "Traceback" not in terminal.text
    assert not simulator.runspaces


def wait_for_a_call(behaviour, terminal):
    """Read what the program shows until its script is on the service."""
    while not behaviour.calls:
        terminal.read_more()


def test_rm_asks(srs, simulator):
    kept = simulator.add_runspace(name="mine")
    with Terminal(srs, "runspace", "rm", "mine") as terminal:
        terminal.read_until("Remove runspace mine? [y/N] ")
        terminal.type("\n")
        assert terminal.end() == 0
    assert "nothing was removed" in terminal.text
    assert list(simulator.runspaces) == [kept]
    with Terminal(srs, "runspace", "rm", "mine") as terminal:
        terminal.read_until("Remove runspace mine? [y/N] ")
        terminal.type("y\n")
        assert terminal.end() == 0
    assert not simulator.runspaces


def test_a_secret_is_asked_for_and_not_shown(srs, simulator):
    given = simulator.on_script("param($Password) 7", ScriptReply(output=[7]))
    with Terminal(srs, "run", "-c", "param($Password) 7", "--secret", "Password") as terminal:
        terminal.read_until("Password: ")
        terminal.type("hunter2\n")
        assert terminal.end() == 0
    assert "hunter2" not in terminal.text
    assert "Password" in given.calls[0].parameters


def test_the_prompt_keeps_what_was_set_and_survives_ctrl_c(srs, simulator):
    forever = simulator.on_script("forever", ScriptReply(duration=3000))
    with Terminal(srs, "shell") as terminal:
        place = terminal.read_until("srs> ")
        terminal.type("$a = 40\n")
        place = terminal.read_until("srs> ", after=place)
        terminal.type("if ($a) {\n")
        place = terminal.read_until(">> ", after=place)
        terminal.type("$a + 2 }\n")
        place = terminal.read_until("42\n", after=place)
        place = terminal.read_until("srs> ", after=place)
        terminal.type("throw 'no such VM'\n")
        place = terminal.read_until("srs: the script failed", after=place)
        place = terminal.read_until("srs> ", after=place)
        terminal.type("forever\n")
        wait_for_a_call(forever, terminal)
        terminal.type(CTRL_C)
        place = terminal.read_until("it was stopped", after=place)
        place = terminal.read_until("srs> ", after=place)
        terminal.type("half a line")
        # One that comes just before the prompt begins to wait is seen with the next.
        while "srs> " not in terminal.text[place:]:
            terminal.type(CTRL_C)
            terminal.read_for(10.0, until="srs> ", after=place)
        terminal.type("'still ' + 'here'\n")
        place = terminal.read_until("still here\n", after=place)
        terminal.read_until("srs> ", after=place)
        terminal.type(CTRL_D)
        assert terminal.end() == 0
    assert "Traceback" not in terminal.text
    assert not simulator.runspaces
    history = srs.home / ".local" / "state" / "srs" / "history"
    assert "$a = 40" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_a_signal_at_the_prompt_leaves_nothing(srs, simulator):
    with Terminal(srs, "shell") as terminal:
        terminal.read_until("srs> ")
        # One that comes just before the prompt begins to wait is seen with the next.
        while terminal.process.poll() is None:
            terminal.process.send_signal(signal.SIGTERM)
            terminal.read_for(1.0)
        assert terminal.end() == 143
    assert not simulator.runspaces


def test_a_table_has_colors_unless_nobody_wants_them(srs, simulator):
    simulator.add_runspace()
    for words, more, colored in (
        ((), {}, True),
        (("--no-color",), {}, False),
        ((), {"NO_COLOR": "1"}, False),
    ):
        with Terminal(srs, "runspace", "ls", *words, **more) as terminal:
            assert terminal.end() == 0
        assert ("\x1b[1m" in terminal.raw) is colored


def test_a_watch_is_a_table_that_changes(tmp_path):
    with SimFleet(2, users={"alice": "sesame-7Qx"}) as fleet:
        rows = "".join(f"{host.name},{host.url}\n" for host in fleet.hosts)
        (tmp_path / "hosts.csv").write_text(f"name,url\n{rows}")
        srs = Shell(fleet.hosts[0].url, tmp_path)
        with Terminal(srs, "fleet", "watch", "-f", "hosts.csv", "--every", "300ms") as terminal:
            while not re.search("srs-0001 +up", terminal.text):
                terminal.read_more()
            fleet.hosts[0].simulator.add_runspace(user="alice", name="new")
            terminal.read_until("runspace new is there")
            terminal.type(CTRL_C)
            assert terminal.end() == 130
    assert "Traceback" not in terminal.text
