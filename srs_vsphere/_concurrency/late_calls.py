"""Having something done in an event loop, from wherever the garbage collector runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

#: Takes what is to be done.
Scheduler = Callable[[Callable[[], object]], None]


def scheduler_async() -> Scheduler:
    """Return a function that has something done in the event loop that runs now; any thread may call it."""
    # Loaded on use, here as below: threads need no event loop.
    import asyncio

    schedule: Callable[[Callable[[], object]], object]
    try:
        schedule = asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        from trio.lowlevel import current_trio_token

        schedule = current_trio_token().run_sync_soon

    def later(action: Callable[[], object]) -> None:
        # An event loop that has ended needs nothing any more.
        with suppress(RuntimeError):
            schedule(action)

    return later


def scheduler_sync() -> Scheduler:
    """Return a function that does something at once: threads have no event loop."""

    def at_once(action: Callable[[], object]) -> None:
        action()

    return at_once
