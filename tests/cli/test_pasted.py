"""What the README and the examples have for a shell runs as it stands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from srs_vsphere.simulator import ScriptReply

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
(SECTION,) = re.findall(r"^## From a shell\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
LINES = [line.partition("  #")[0].strip() for line in SECTION.splitlines() if line.startswith("srs ")]

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="this system has no sh")


@pytest.fixture
def path(tmp_path):
    """A PATH on which `srs` is."""
    program = tmp_path / "bin" / "srs"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m srs_vsphere "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


def sh(srs, *words, **more):
    return subprocess.run(
        ["sh", *words],
        cwd=srs.home,
        env=srs.environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=250,
    )


def test_there_are_six_lines():
    assert len(LINES) == 6


@pytest.mark.parametrize("line", LINES)
def test_the_readmes_lines_run(srs, server, path, line):
    (srs.home / "report.ps1").write_text("param($Pattern) $Pattern")
    (srs.home / "hosts.csv").write_text(f"name,url\none,{server.url}\n")
    done = sh(srs, "-c", line, PATH=path)
    if line.startswith(("srs cert", "srs shell")):
        # There is no certificate on this service, and no terminal here: they say so, and nothing else.
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
    else:
        assert done.returncode == 0
        assert "srs: " not in done.stderr


def test_the_alarms_action(srs, simulator, path):
    script = "param($Alarm, $Target, $TargetId, $OldStatus, $NewStatus, $Summary) notify"
    calls = simulator.on_script(script, ScriptReply(output=["told"]))
    (srs.home / "notify.ps1").write_text(script)
    example = str(ROOT / "examples" / "alarm_action.sh")
    evil = "@/etc/passwd'; $(touch harm) `touch harm` \"\n日本"
    done = sh(srs, example, "notify.ps1", PATH=path, VMWARE_ALARM_NAME="CPU", VMWARE_ALARM_TARGET_NAME=evil)
    assert (done.returncode, done.stdout) == (0, "told\n"), done
    assert calls.calls[0].parameters["Target"] == evil
    assert json.dumps(calls.calls[0].parameters["Alarm"]) == '"CPU"'
    assert not (srs.home / "harm").exists()
    assert not simulator.runspaces
    assert simulator.session_count == 0
    assert sh(srs, example, PATH=path).returncode == 2
