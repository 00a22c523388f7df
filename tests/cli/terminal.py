"""A pseudo-terminal with the program in it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time

from tests.cli.running import PROGRAM, STRICT, Shell

_COMMANDS = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])")


class Terminal:
    """The program, on a terminal of its own; used in ``with``.

    Args:
        shell: where it runs.
        words: its command line.
        columns: width of the terminal.
    """

    def __init__(self, shell: Shell, *words: str, columns: int = 80, **more: str) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.raw = ""
        self.process = subprocess.Popen(
            [sys.executable, *STRICT, *PROGRAM, *words],
            env=shell.environment(**{"TERM": "xterm", **more}),
            cwd=shell.home,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            # A terminal of its own, whose Ctrl-C is a signal to it.
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """What is on the terminal, without its commands."""
        return _COMMANDS.sub("", self.raw).replace("\r", "")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def read_until(self, wanted: str, *, after: int = 0) -> int:
        """Read until a text stands behind a place; gives the place behind it."""
        deadline = time.monotonic() + 250
        while (found := self.text.find(wanted, after)) < 0:
            assert self._read(deadline), f"{wanted!r} did not come: {self.text!r}"
        return found + len(wanted)

    def read_more(self) -> None:
        """Read what comes next."""
        assert self._read(time.monotonic() + 250), f"nothing more came: {self.text!r}"

    def read_for(self, seconds: float, until: str = "", after: int = 0) -> None:
        """Read for some time, or until a text stands behind a place; by default until anything comes."""
        deadline = time.monotonic() + seconds
        while self._read(deadline) and until not in self.text[after:]:
            pass

    def end(self) -> int:
        """Read to the end; gives the exit code."""
        deadline = time.monotonic() + 250
        while self._read(deadline):
            pass
        return self.process.wait(timeout=60)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            content = os.read(self._master, 65536)
        except OSError:
            # How Linux tells that nobody writes any more.
            return False
        self.raw += content.decode(errors="replace")
        return bool(content)
