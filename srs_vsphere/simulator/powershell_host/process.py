"""One host process: started, spoken to, listened to, and ended with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread

from srs_vsphere.simulator.powershell_host.program import environment

# What a dead process may keep its listener waiting, in seconds: another process may hold its output open.
_PATIENCE = 2.0
_MOST_WORDS = 2000


class HostProcess:
    """A process that takes lines and gives lines.

    It is killed by `end`; if this program is killed, its input ends, and then it ends itself.

    Args:
        command: the command line.
        hear: called with each line, in a thread of its own.
        ended: called once after the last line, in a thread of its own, with what the process said of its end.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], hear: Callable[[bytes], None], ended: Callable[[str], None]
    ) -> None:
        self._ended = ended
        self._owner = os.getpid()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        # A group of its own: a Ctrl+C is for this program only, and what a script starts ends with it.
        group = 0 if hasattr(os, "killpg") else None
        no_window: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self._lock = Lock()
        self._is_there = True
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._listener = Thread(target=self._listen, args=(hear,), daemon=True)
        self._waiter = Thread(target=self._wait, daemon=True)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the program that the user names
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env=environment(),
                creationflags=no_window,
                process_group=group,
            )
            for thread in (self._listener, self._waiter, Thread(target=self._speak, daemon=True)):
                thread.start()
        except BaseException:
            self._give_up()
            raise

    def send(self, line: bytes) -> None:
        """Send a line; returns at once, whether the process reads or not.

        Args:
            line: the line, with its end.
        """
        self._lines.put(line)

    def end(self) -> None:
        """Kill the process and what it has started; a process that was forked from this one leaves it."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            if self._is_there:
                self._kill()

    def join(self, timeout: float) -> None:
        """Wait until it has ended.

        Args:
            timeout: seconds to wait at most.
        """
        self._waiter.join(timeout)

    def _give_up(self) -> None:
        """End what has begun of it: nobody else will."""
        process: subprocess.Popen[bytes] | None = getattr(self, "_process", None)
        if process is not None:
            with process:
                self.end()
        self._words.close()

    def _speak(self) -> None:
        pipe = self._process.stdin
        if pipe is not None:
            with suppress(OSError, ValueError):
                while (line := self._lines.get()) is not None:
                    pipe.write(line)
                    pipe.flush()
            with suppress(OSError, ValueError):
                pipe.close()

    def _listen(self, hear: Callable[[bytes], None]) -> None:
        pipe = self._process.stdout
        if pipe is not None:
            with suppress(OSError, ValueError), pipe:
                for line in pipe:
                    hear(line)

    def _wait(self) -> None:
        status = self._process.wait()
        with self._lock:
            self._is_there = False
            self._kill()
        self._lines.put(None)
        self._listener.join(_PATIENCE)
        self._ended(f"the process ended with status {status}{self._last_words()}")

    def _last_words(self) -> str:
        with suppress(OSError, ValueError), self._words as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_WORDS))
            words = file.read().decode("utf-8", "replace").strip()
            return f": {words}" if words else ""
        return ""

    def _kill(self) -> None:
        kill_group: Callable[[int, int], None] | None = getattr(os, "killpg", None)
        # On Windows there are no groups, and this is the kill.
        if kill_group is None:
            self._process.terminate()
        else:
            # macOS denies a group in which nobody is alive.
            with suppress(ProcessLookupError, PermissionError):
                kill_group(self._process.pid, signal.SIGKILL)
