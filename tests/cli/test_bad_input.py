"""Bad input: exit code 2, one line with the argument's name, and nothing was sent that changes anything."""

from __future__ import annotations

import io
import signal
import sys
import warnings
from contextlib import contextmanager

import pytest

from srs_vsphere.cli.main import main
from tests.cli.running import Shell

URL = ("--url", "https://srs.example.com")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "FILE: give a file, - for standard input, or the script itself with -c"),
        (["run", "a.ps1", "-c", "1"], "FILE: give a file"),
        (["run", "missing.ps1"], "FILE: missing.ps1 cannot be read: "),
        (["run", "."], "FILE: . cannot be read: "),
        (["run", "-"], "FILE: standard input is blank"),
        (["run", "binary.ps1"], "save it as UTF-8"),
        (["run", "--nonsense"], "--nonsense: there is no such option"),
        (["run", "-c", " "], "-c: the script must not be blank"),
        (["run", "-c", "1", "-p", "novalue"], "-p: 'novalue' is not NAME=TEXT, NAME:=JSON or NAME=@FILE"),
        (["run", "-c", "1", "-p", "=1"], "-p: '=1' is not"),
        (["run", "-c", "1", "-p", "A:=nil"], "-p A: its value is not JSON: "),
        (["run", "-c", "1", "-p", "A:=NaN"], "-p A: its value is not JSON: NaN is not JSON"),
        (
            ["run", "-c", "1", "-p", "A:=" + "[" * 5000 + "]" * 5000],
            "-p A: its value is not JSON: nested deeper",
        ),
        (["run", "-c", "1", "-p", "A:=null"], "-p A: null cannot be given"),
        (["run", "-c", "1", "-p", "A=@missing"], "-p A: missing cannot be read: "),
        (["run", "-c", "1", "-p", "A=1", "-p", "a=2"], "-p: a is given twice"),
        (["run", "-c", "1", "-p", "__srs=1"], "'__srs'"),
        (
            ["run", "-c", "1", "--secret", "Password"],
            "--secret: Password: there is no terminal to ask for it at",
        ),
        (["run", "-c", "1", "--runspace", "x", "--keep"], "--runspace: "),
        (["run", "-c", "1", "--timeout", "soon"], "--timeout"),
        (["run", "-c", "1", "--timeout", "0"], "--timeout"),
        (["run", "-c", "1", "--timeout", "9" * 400], "--timeout"),
        (["run", "-c", "1", "--format", "xml"], "--format"),
        (["run", "-", "--password-stdin"], "FILE: standard input cannot hold"),
        (["runspace", "rm"], "RUNSPACES: name the runspaces"),
        (["runspace", "rm", "--all", "x"], "RUNSPACES: name the runspaces"),
        (["runspace", "ls", "--older", "-5m"], "--older"),
        (["runspace", "get", " "], "RUNSPACE: it must not be blank"),
        (["runspace", "nonsense"], "nonsense"),
        (["nonsense"], 'Unknown command "nonsense"'),
        (["about", "-o", "xml"], "-o"),
        (["about", "--url", "srs.example.com"], "url must begin with https:// or http://"),
        (["about", "--url", "https://alice:hunter2@srs.example.com"], "url must not hold credentials"),
        (["about", "--ca-file", "missing.pem", *URL], "--ca-file cannot be used"),
        (["about", "--thumbprint", "abc", *URL], "--thumbprint must be"),
        (["about", "--password", "hunter2"], "--password-stdin, set SRS_PASSWORD, or name a file in"),
        (["login", "--password=hunter2"], "--password-stdin"),
        (["login", "--password-stdin"], "--password-stdin: there is no password on standard input"),
        (["template", "render", "x", "-p", "id"], "-p: 'id' is not NAME=TEXT"),
        (["console", "rm"], "IDS: name the web consoles"),
        (["runspace", "ls", "--state", "nonsense"], 'Invalid value "nonsense" for --state.'),
        (["login", "extra"], "extra: the command takes no such argument or option"),
        (["runspace", "ls", "--nonsense"], "Unknown option: --nonsense."),
        (["--url"], "--url: a command must follow, or a value is missing"),
        (["about", "--profile", "lab", *URL], "give options, or name a profile with --profile"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_it_is_refused(srs, server, words, message, monkeypatch, capsys):
    (srs.home / "a.ps1").write_text("1")
    (srs.home / "binary.ps1").write_bytes(b"\xff\xf0\x00")
    monkeypatch.chdir(srs.home)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    for name, value in srs.environment().items():
        monkeypatch.setenv(name, value)
    with unchanged_signals():
        assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("srs: ")
    assert err.count("\n") == 1
    assert "hunter2" not in err
    assert server.requests == ()


@contextmanager
def unchanged_signals():
    """The program sets what signals and warnings do; a test puts it back."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    with warnings.catch_warnings():
        before = {number: signal.getsignal(number) for number in numbers}
        hook = sys.unraisablehook
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            sys.unraisablehook = hook


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "SRS_URL is not set; SRS_USERNAME is not set; SRS_PASSWORD is not set"),
        ({"SRS_URL": "https://x"}, "SRS_USERNAME is not set; SRS_PASSWORD is not set"),
        ({"SRS_URL": "https://x", "SRS_PASSWORD": "p"}, "SRS_USERNAME is not set"),
        ({"SRS_URL": "https://x", "SRS_USERNAME": "u"}, "SRS_PASSWORD is not set"),
        ({"SRS_URL": "https://x", "SRS_PROFILE": "lab"}, "profile 'lab' is not there"),
        ({"SRS_URL": "https://x", "SRS_API_KEY": "two words"}, "SRS_API_KEY: key must be"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_half_an_environment(tmp_path, settings, message):
    done = Shell(None, tmp_path)("runspace", "ls", **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_name_that_no_runspace_has_or_two(srs, simulator, server):
    first, second = (simulator.add_runspace(name="twin") for _ in range(2))
    for words in (["run", "-c", "1", "--runspace"], ["runspace", "get"], ["runspace", "rm", "--yes"]):
        unknown = srs(*words, "nobody")
        assert (unknown.returncode, unknown.stdout) == (2, "")
        assert "there is no runspace 'nobody'" in unknown.stderr
        twice = srs(*words, "twin")
        assert twice.returncode == 2
        assert first in twice.stderr
        assert second in twice.stderr
    assert {path for method, path in server.requests if method == "POST"} == {
        "/api/auth/login",
    }
    assert len(simulator.runspaces) == 2
    gone = srs("runspace", "get", first[:-12] + "0" * 12)
    assert gone.returncode == 6


def test_without_the_extra_it_says_how_to_get_it(tmp_path):
    (tmp_path / "cyclopts").mkdir()
    (tmp_path / "cyclopts" / "__init__.py").write_text("raise ModuleNotFoundError('no', name='cyclopts')")
    shell = Shell(None, tmp_path)
    path = shell.environment()["PYTHONPATH"]
    done = shell("about", PYTHONPATH=f"{tmp_path}:{path}")
    assert (done.returncode, done.stderr) == (
        2,
        "srs: this command needs the extra: pip install 'srs-vsphere[cli]'\n",
    )
