"""Whenever a signal comes, nothing is left on the service."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from srs_vsphere.simulator import ScriptReply, SystemClock
from tests.cli.running import PROGRAM, STRICT

#: 200 for all of them.
MOMENTS = int(os.environ.get("SRS_SIGNAL_MOMENTS", "12"))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send these signals")


@pytest.fixture
def clock():
    """The machine's: a virtual one would let a long script end at the first question."""
    return SystemClock()


@pytest.mark.parametrize("number", range(MOMENTS))
def test_nothing_is_left_after_a_signal_at_a_random_moment(srs, server, simulator, number):
    chance = random.Random(number)
    how = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    simulator.on_script("work", ScriptReply(output=[7], duration=chance.choice([0.1, 3000])))
    words = chance.choice(
        [
            ("run", "-c", "work"),
            ("run", "-c", "work", "--vcenter"),
            ("run", "-c", "work", "--format", "json", "-p", "A:=[1]"),
            ("runspace", "create", "--vcenter", "--wait-quota", "1m"),
            ("fleet", "run", "-f", "hosts.csv", "-c", "work"),
        ]
    )
    kept = chance.choice([True, False])
    (srs.home / "hosts.csv").write_text(f"name,url\none,{server.url}\n")
    with subprocess.Popen(
        [sys.executable, *STRICT, *PROGRAM, *([] if kept else ["--no-session"]), *words],
        env=srs.environment(),
        cwd=srs.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            after = chance.randrange(14)
            # Some moments come with a request, others between two, or while the program starts.
            while process.poll() is None and server.traffic.seen < after:
                with suppress(TimeoutError):
                    server.wait_for(lambda traffic: traffic.seen >= after, timeout=0.5)
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(how)
            out, err = process.communicate(timeout=250)
        finally:
            process.kill()
    # Before the program has begun, the signal ends it in the system's own way.
    assert process.returncode in {0, 128 + how, -how}, err
    if process.returncode == 128 + how:
        # Not always last: Python may warn of a socket whose connection was broken off.
        assert f"srs: {'interrupted' if how == signal.SIGINT else 'terminated'}" in err.splitlines()
    # What was created and told of is to stay.
    assert [runspace for runspace in simulator.runspaces if runspace not in out] == []
    # The session that commands share is to stay, too.
    assert simulator.session_count <= (1 if kept and words[0] != "fleet" else 0)


def test_a_closed_pipe_ends_it_quietly(srs, simulator):
    simulator.on_script("much", ScriptReply(output=["x" * 200_000]))
    with subprocess.Popen(
        [sys.executable, *STRICT, *PROGRAM, "run", "-c", "much"],
        env=srs.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.read(10) == "x" * 10
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=100) == 0


@pytest.mark.parametrize("words", [["--help"], ["about"]])
def test_a_pipe_that_nobody_reads_ends_it_quietly(srs, words):
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, *STRICT, *PROGRAM, *words],
        env=srs.environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(writing)
        assert process.communicate(timeout=100)[1] == ""
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "redirection", "code"),
    [
        ("about", "<&- >&-", 0),
        ("runspace ls", ">&-", 0),
        ("about", ">&- 2>&-", 0),
        ("run -", "<&-", 2),
        ("about --password-stdin", "<&-", 2),
    ],
)
def test_a_closed_stream_is_an_empty_one(srs, words, redirection, code):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" {" ".join((*STRICT, *PROGRAM))} {words} {redirection}', sys.executable],
        env=srs.environment(),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == code
    assert done.stderr.count("\n") == (1 if code else 0), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "Terminated(15)"])
def test_a_signal_that_python_had_to_ignore_comes_again(kind):
    code = f"""
import time
from srs_vsphere.cli.problems import Terminated
from srs_vsphere.cli.signals import end_on_signals
class Dropped:
    def __del__(self):
        raise {kind}
end_on_signals()
Dropped()
try:
    time.sleep(100)
except BaseException as error:
    print(repr(error))
"""
    done = subprocess.run([sys.executable, *STRICT, "-c", code], capture_output=True, text=True, timeout=90)
    assert (done.stdout.rstrip("\n"), done.stderr) == (kind if "(" in kind else f"{kind}()", "")


@pytest.mark.parametrize(
    ("name", "again", "end"),
    [
        ("SIGTERM", "signal.raise_signal(signal.SIGTERM)", "Terminated(15)"),
        ("SIGINT", "", "KeyboardInterrupt()"),
    ],
)
def test_a_signal_within_another_task_cancels_the_command(name, again, end):
    code = f"""
import asyncio, signal
from srs_vsphere.cli.signals import end_on_signals, run_until_signal
async def meets_it():
    signal.raise_signal(signal.{name})
async def work():
    other = asyncio.create_task(meets_it())
    try:
        await asyncio.sleep(100)
    finally:
        print(other.exception())
        {again}
        print("cleaned up")
end_on_signals()
try:
    run_until_signal(work())
except BaseException as error:
    print(repr(error))
"""
    done = subprocess.run([sys.executable, *STRICT, "-c", code], capture_output=True, text=True, timeout=90)
    assert (done.stdout.splitlines(), done.stderr) == (["None", "cleaned up", end], "")
