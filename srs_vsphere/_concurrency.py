"""The one place where tasks and threads differ: each class here has an async and a sync twin.

Everything under ``_async`` is linear code over these names; its translation to ``_sync`` swaps them.
"""

from __future__ import annotations

import asyncio
import queue
import random
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import RunVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

_loop_mark: RunVar[object] = RunVar("srs_vsphere.loop")


def _mark_of_loop() -> object:
    try:
        return _loop_mark.get()
    except LookupError:
        mark = object()
        _loop_mark.set(mark)
        return mark


class AsyncHome:
    """The event loop that a client belongs to: the first one it is used from."""

    def __init__(self) -> None:
        self._loop: object = None

    def check(self) -> None:
        """Take the running event loop for home, or refuse any other.

        Raises:
            RuntimeError: the client was used from another event loop before.
        """
        try:
            # Ten times cheaper than asking anyio which kind of loop this is, and asked with every call.
            loop: object = asyncio.get_running_loop()
        except RuntimeError:
            loop = _mark_of_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError(
                "this client belongs to another event loop: its connections live there; "
                "make one client per event loop"
            )


class Home:
    """A sync client is at home in every thread."""

    def check(self) -> None:
        """Accept any thread."""


class AsyncSlots:
    """A number of slots, each held by one task at a time; of size 1, a lock with a timeout.

    Args:
        size: how many there are.
    """

    def __init__(self, size: int) -> None:
        self._semaphore = anyio.Semaphore(size)

    @property
    def free(self) -> int:
        """How many slots nobody holds."""
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


class Slots:
    """A number of slots, each held by one thread at a time; of size 1, a lock with a timeout.

    Args:
        size: how many there are.
    """

    def __init__(self, size: int) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(size):
            self._queue.put(None)

    @property
    def free(self) -> int:
        """How many slots nobody holds."""
        return self._queue.qsize()

    def acquire(self, timeout: float) -> None:
        """Take a slot.

        Args:
            timeout: seconds to wait for one.

        Raises:
            TimeoutError: none became free in time.
        """
        try:
            self._queue.get(timeout=max(0.0, timeout))
        except queue.Empty:
            raise TimeoutError from None

    def release(self) -> None:
        """Give a slot back."""
        self._queue.put(None)


class AsyncPace:
    """Time and chance as a client sees them; a test may stand in for it."""

    now: Callable[[], float] = staticmethod(time.monotonic)
    random: Callable[[], float] = staticmethod(random.random)

    async def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: how long.
        """
        await anyio.sleep(seconds)

    def limit(self, seconds: float) -> AbstractContextManager[object]:
        """Return a context whose body is cancelled after some time.

        Args:
            seconds: how long it may take; then it ends with `TimeoutError`.
        """
        return anyio.fail_after(seconds)

    def shielded(self, seconds: float) -> AbstractContextManager[object]:
        """Return a context that a caller's cancellation does not reach, left silently after some time.

        Args:
            seconds: how long it may take.
        """
        return anyio.move_on_after(seconds, shield=True)


class Pace:
    """Time and chance as a client sees them; a test may stand in for it."""

    now: Callable[[], float] = staticmethod(time.monotonic)
    random: Callable[[], float] = staticmethod(random.random)

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: how long.
        """
        time.sleep(seconds)

    def limit(self, seconds: float) -> AbstractContextManager[object]:
        """Return a context without effect: a thread cannot be cancelled, its sockets' timeouts bound it.

        Args:
            seconds: how long it may take.
        """
        del seconds
        return nullcontext()

    def shielded(self, seconds: float) -> AbstractContextManager[object]:
        """Return a context without effect: there is no cancellation between threads.

        Args:
            seconds: how long it may take.
        """
        del seconds
        return nullcontext()
