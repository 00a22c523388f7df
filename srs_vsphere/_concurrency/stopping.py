"""Telling a thread to stop: the sync form of a cancellation.

A thread cannot be cancelled. One that works for a worker pool asks, wherever it waits, whether it is to stop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager


class Stopped(BaseException):
    """This thread was told to stop; not an `Exception`, as a cancellation is none."""


class _Local(threading.local):
    event: threading.Event | None = None


_local = _Local()


def event() -> threading.Event | None:
    """Return what tells this thread to stop; None if nothing does."""
    return _local.event


@contextmanager
def told_by(event: threading.Event | None) -> Generator[None, None, None]:
    """Return a context in which this thread stops once an event is set.

    Args:
        event: the event; None for a thread that is not to stop.
    """
    before, _local.event = _local.event, event
    try:
        yield
    finally:
        _local.event = before


def out_of_reach() -> AbstractContextManager[None]:
    """Return a context in which this thread goes on, whatever it was told."""
    return told_by(None)


def sleep(seconds: float) -> None:
    """Wait, unless this thread is told to stop.

    Raises:
        Stopped: it was told to stop.
    """
    if _local.event is None:
        time.sleep(seconds)
    elif _local.event.wait(seconds):
        raise Stopped
