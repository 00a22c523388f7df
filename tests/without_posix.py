"""A stand-in for Windows where there is none: runs a program without what only POSIX systems have.

``python -m tests.without_posix PROGRAM [ARGUMENT...]``, or ``-m MODULE`` in the program's place. Forking,
polling, signals, users and modes of files are missing, and an event loop refuses to handle signals. Windows'
own event loop, consoles and paths it cannot show, nor trio, which here stands on epoll.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import select
import signal
import sys
from types import ModuleType

MISSING: dict[ModuleType, str] = {
    select: "poll epoll kqueue",
    os: "fork forkpty register_at_fork fchmod fchown chown getuid geteuid getgid getegid getgroups getpgid"
    " setsid setpgid killpg wait wait3 wait4 mkfifo sched_getaffinity",
    signal: "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 alarm setitimer pthread_sigmask"
    " sigwait sigpending siginterrupt pause",
}


class LoopWithoutSignals(asyncio.SelectorEventLoop):
    """An event loop that handles no signals, as Windows' own."""

    def add_signal_handler(self, *_: object) -> None:
        raise NotImplementedError

    def remove_signal_handler(self, *_: object) -> bool:
        raise NotImplementedError


class Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return LoopWithoutSignals()


def take_away() -> None:
    """Make this process like one on Windows."""
    for module, names in MISSING.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    asyncio.set_event_loop_policy(Policy())


if __name__ == "__main__":
    take_away()
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
