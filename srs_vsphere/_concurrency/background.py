"""A task that belongs to no block: it may be started, cancelled and waited for in different tasks."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Protocol

import anyio


class BackgroundTask(Protocol):
    """A task under way."""

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        ...

    def cancel(self) -> None:
        """Cancel it, if it has not ended yet."""

    async def wait(self) -> None:
        """Wait for its end, whatever that is."""


def start_in_background(work: Callable[[], Coroutine[object, object, None]]) -> BackgroundTask:
    """Start a task.

    Args:
        work: what it does; it lets nothing out but its own cancellation.
    """
    try:
        is_asyncio = asyncio.current_task() is not None
    except RuntimeError:
        is_asyncio = False
    return _AsyncioTask(work) if is_asyncio else _TrioTask(work)


class _AsyncioTask:
    def __init__(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        self._task = asyncio.get_running_loop().create_task(work())

    @property
    def ended(self) -> bool:
        return self._task.done()

    def cancel(self) -> None:
        self._task.cancel()

    async def wait(self) -> None:
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            # Asked for, so that nothing complains that nobody did.
            self._task.exception()


class _TrioTask:
    def __init__(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        import trio

        self._work = work
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()
        trio.lowlevel.spawn_system_task(self._run, context=contextvars.copy_context())

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def cancel(self) -> None:
        self._scope.cancel()

    async def wait(self) -> None:
        await self._ended.wait()

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._work()
        finally:
            self._ended.set()
