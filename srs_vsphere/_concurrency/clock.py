"""The clock and random source of a client, and the time limits that follow from them."""

from __future__ import annotations

import random
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import anyio

from srs_vsphere._concurrency import stopping

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


class AsyncClock:
    """Clock and random source of a client; a test may replace it."""

    now: Callable[[], float] = staticmethod(time.monotonic)
    random: Callable[[], float] = staticmethod(random.random)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
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


class Clock:
    """Clock and random source of a client; a test may replace it."""

    now: Callable[[], float] = staticmethod(time.monotonic)
    random: Callable[[], float] = staticmethod(random.random)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        stopping.sleep(seconds)

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
