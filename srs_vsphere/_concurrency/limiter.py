"""A bound on how many calls are under way, for tasks and for threads."""

from __future__ import annotations

import queue
import threading

import anyio


class AsyncLimiter:
    """A number of limiter, each held by one task at a time; of size 1, a lock with a timeout.

    Args:
        size: how many there are.
    """

    def __init__(self, size: int) -> None:
        self._semaphore = anyio.Semaphore(size)

    @property
    def free(self) -> int:
        """How many limiter nobody holds."""
        return self._semaphore.value

    async def acquire(self, timeout: float) -> None:
        """Take a slot.

        Args:
            timeout: seconds to wait for one.

        Raises:
            TimeoutError: none became free in time.
        """
        try:
            self._semaphore.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.fail_after(timeout):
                await self._semaphore.acquire()

    def release(self) -> None:
        """Give a slot back."""
        self._semaphore.release()


class Limiter:
    """A number of limiter, each held by one thread at a time; of size 1, a lock with a timeout.

    Args:
        size: how many there are.
    """

    def __init__(self, size: int) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(size):
            self._queue.put(None)

    @property
    def free(self) -> int:
        """How many limiter nobody holds."""
        return self._queue.qsize()

    def acquire(self, timeout: float) -> None:
        """Take a slot.

        Args:
            timeout: seconds to wait for one.

        Raises:
            TimeoutError: none became free in time.
        """
        try:
            self._queue.get(timeout=min(max(0.0, timeout), threading.TIMEOUT_MAX))
        except queue.Empty:
            raise TimeoutError from None

    def release(self) -> None:
        """Give a slot back."""
        self._queue.put(None)
