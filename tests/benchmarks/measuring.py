"""How everything here is measured: turns on one core, processor time, medians, and processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self, TypeVar

Name = TypeVar("Name")

#: Seconds that a process may take for one answer.
_PATIENCE = 300.0
_processes = multiprocessing.get_context("spawn")
_allowed = sorted(os.sched_getaffinity(0))


def cores() -> tuple[int, int]:
    """Return the core of the clients and the core of the servers; the same one if there is only one."""
    return _allowed[0], _allowed[-1]


def pin(core: int) -> None:
    """Keep this process, and those it starts, on one core."""
    os.sched_setaffinity(0, {core})


def cpu_seconds() -> float:
    """Return the processor time that this process has used, in user code and in the kernel."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def memory_bytes(field: str) -> int:
    """Return a size from this process's status: ``VmRSS`` is now, ``VmHWM`` is the most there ever was."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    raise LookupError(field)


def forget_peak() -> None:
    """Let ``VmHWM`` begin anew from what is in use now."""
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")


def raise_file_limit() -> int:
    """Allow this process as many open files as it may ask for; return how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def in_turns(rounds: int, contenders: Mapping[Name, Callable[[], float]]) -> dict[Name, list[float]]:
    """Measure each contender once per round, A B C A B C, so that a noisy minute hits them all.

    Args:
        rounds: how many; one more goes before them to warm up, and does not count.
        contenders: functions that do the work and return what it cost.
    """
    costs: dict[Name, list[float]] = {name: [] for name in contenders}
    for turn in range(-1, rounds):
        for name, measure in contenders.items():
            cost = measure()
            if turn >= 0:
                costs[name].append(cost)
    return costs


def median(values: Iterable[float]) -> float:
    """Return the middle one."""
    return statistics.median(values)


def percentile(values: list[float], percent: float) -> float:
    """Return the value that so many per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class Process:
    """Another interpreter on a core of its own, which answers questions one at a time.

    Args:
        target: a module's function; it is given a connection and the arguments, answers once when it is
            ready, then each question, and ends when it is told None.
        *args: what it is given besides; they are pickled.
        core: where it runs.
        parent: whether it starts processes of its own.
    """

    def __init__(self, target: Callable[..., None], *args: object, core: int, parent: bool = False) -> None:
        self._ours, theirs = _processes.Pipe()
        arguments = (core, target, theirs, args)
        self._process = _processes.Process(target=_run, args=arguments, daemon=not parent)
        self._process.start()
        theirs.close()

    @cached_property
    def ready(self) -> object:
        """What it says when it is ready; this waits for it."""
        return self._answer()

    def ask(self, question: object) -> object:
        """Ask, and wait for the answer.

        Raises:
            RuntimeError: the process failed or gives no answer.
        """
        _ = self.ready
        self._ours.send(question)
        return self._answer()

    def _answer(self) -> object:
        try:
            if self._ours.poll(_PATIENCE):
                return self._ours.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError("a process of the benchmark failed; its traceback is above") from None
        raise RuntimeError("a process of the benchmark gives no answer")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        with suppress(OSError):
            self._ours.send(None)
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _run(core: int, target: Callable[..., None], connection: Connection, args: tuple[object, ...]) -> None:
    pin(core)
    target(connection, *args)
