"""Runs the program as a user would, in a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

STRICT = ("-W", "error")
PROGRAM = ("-m", "srs_vsphere")
#: What the program finds of its user's: passed on, but nothing of SRS.
_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


def environment(url: str | None, home: Path, **more: str) -> dict[str, str]:
    found = {name: os.environ[name] for name in _KEPT if name in os.environ}
    found |= {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONIOENCODING": "utf-8",
        "HOME": str(home),
        "USERPROFILE": str(home),
        "APPDATA": str(home),
        "TZ": "UTC",
    }
    if url is not None:
        found |= {"SRS_URL": url, "SRS_USERNAME": "alice", "SRS_PASSWORD": "sesame-7Qx"}
    return {**found, **more}


class Shell:
    """A user's shell, with a home folder and the address of a service.

    Args:
        url: the service; None for none.
        home: the user's home folder.
    """

    def __init__(self, url: str | None, home: Path) -> None:
        self.url = url
        self.home = home

    def environment(self, **more: str) -> dict[str, str]:
        return environment(self.url, self.home, **more)

    def __call__(
        self,
        *words: str,
        stdin: str | bytes = "",
        without: tuple[str, ...] = (),
        options: tuple[str, ...] = STRICT,
        **more: str,
    ) -> subprocess.CompletedProcess[str]:
        known = self.environment(**more)
        done = subprocess.run(
            [sys.executable, *options, *PROGRAM, *words],
            env={name: value for name, value in known.items() if name not in without},
            cwd=self.home,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=250,
        )
        out, err = (text.decode().replace("\r\n", "\n") for text in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def ok(self, *words: str, **more: str) -> str:
        """Run a command that succeeds without a word to standard error; gives its output."""
        done = self(*words, **more)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout
