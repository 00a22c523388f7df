"""How far a sweep or a run has come, told to a callback."""

from __future__ import annotations

import inspect
import logging
from typing import Protocol

from attrs import frozen

from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.fleet.target import Target

_log = logging.getLogger("srs_vsphere")


@frozen
class Progress:
    """How far a sweep or a run has come.

    Args:
        done: how many hosts have been dealt with, those that failed included.
        failed: how many of them have failed.
        total: how many there are.
        target: the latest.
    """

    done: int
    failed: int
    total: int
    target: Target


class ProgressCallback(Protocol):
    """What is told of each host, in the event loop: it should be quick, and what it raises is logged."""

    def __call__(self, progress: Progress, /) -> object:
        """Take note.

        Args:
            progress: how far it has come.
        """
        ...


def check_callback(name: str, callback: object) -> None:
    """Refuse a callback that cannot be called, or that nobody would await.

    Args:
        name: the argument's name.
        callback: its value.

    Raises:
        TypeError: it is neither None nor a plain function.
    """
    if callback is None:
        return
    if not callable(callback):
        raise InvalidArgumentTypeError(f"{name} must be callable, not {type(callback).__name__}")
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(type(callback).__call__):
        raise InvalidArgumentTypeError(f"{name} must be a plain function, not async: nobody awaits it")


class ProgressCount:
    """Counts hosts, and tells a callback.

    Args:
        total: how many there are.
        callback: who is told, or None.
        done: how many are done already.
    """

    def __init__(self, total: int, callback: ProgressCallback | None, done: int = 0) -> None:
        self._total = total
        self._callback = callback
        self._done = done
        self._failed = 0

    def count(self, target: Target, *, ok: bool) -> None:
        """Count a host."""
        self._done += 1
        self._failed += not ok
        if self._callback is None:
            return
        try:
            self._callback(Progress(self._done, self._failed, self._total, target))
        except Exception:  # noqa: BLE001 - it is the program's, and logged
            _log.exception("a progress callback failed; the sweep goes on")
