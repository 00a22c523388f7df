"""A bound on how many calls are under way, for tasks and for threads."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable
from functools import partial

import anyio

from srs_vsphere._concurrency import stopping

#: How often a thread that waits for a slot looks whether it is to stop.
_SECONDS_BETWEEN_LOOKS = 0.1


class AsyncLimiter:
    """A number of slots, each held by one task at a time; of size 1, a lock with a timeout.

    Args:
        size: how many there are.

    Attributes:
        streams: how many are held by open streams, for errors.
        take: takes a slot at once, or raises `none_free`.
        release: gives a slot back.
    """

    none_free: type[Exception] = anyio.WouldBlock

    def __init__(self, size: int) -> None:
        self.streams: int = 0
        self._semaphore = anyio.Semaphore(size)
        self.take: Callable[[], None] = self._semaphore.acquire_nowait
        self.release: Callable[[], None] = self._semaphore.release

    @property
    def free(self) -> int:
        """How many slots are free."""
        return self._semaphore.value

    async def acquire(self, timeout: float | None) -> None:
        """Take a slot.

        Args:
            timeout: seconds to wait for one; None for as long as it takes.

        Raises:
            TimeoutError: none became free in time.
        """
        try:
            self.take()
        except anyio.WouldBlock:
            with anyio.fail_after(timeout):
                await self._semaphore.acquire()


class Limiter:
    """A number of slots, each held by one thread at a time; of size 1, a lock with a timeout.

    Args:
        size: how many there are.

    Attributes:
        streams: how many are held by open streams, for errors.
        take: takes a slot at once, or raises `none_free`.
        release: gives a slot back.
    """

    none_free: type[Exception] = queue.Empty

    def __init__(self, size: int) -> None:
        self.streams: int = 0
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.take: Callable[[], None] = self._queue.get_nowait
        self.release: Callable[[], None] = partial(self._queue.put, None)
        for _ in range(size):
            self.release()

    @property
    def free(self) -> int:
        """How many slots are free."""
        return self._queue.qsize()

    def acquire(self, timeout: float | None) -> None:
        """Take a slot.

        Args:
            timeout: seconds to wait for one; None for as long as it takes.

        Raises:
            TimeoutError: none became free in time.
            Stopped: this thread was told to stop.
        """
        try:
            self.take()
        except queue.Empty:
            self._wait(math.inf if timeout is None else time.monotonic() + timeout)

    def _wait(self, ends: float) -> None:
        while True:
            stop = stopping.event()
            left = max(0.0, ends - time.monotonic())
            try:
                # Nothing waits for a queue and an event at once, and a Ctrl-C does not end every wait.
                self._queue.get(timeout=min(left, _SECONDS_BETWEEN_LOOKS))
            except queue.Empty:
                if stop is not None and stop.is_set():
                    raise stopping.Stopped from None
                if time.monotonic() >= ends:
                    raise TimeoutError from None
            else:
                return
