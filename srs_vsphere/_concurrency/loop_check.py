"""Which event loop a client belongs to."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyio.lowlevel import RunVar


@cache
def _loop_mark() -> RunVar[object]:
    from anyio.lowlevel import RunVar

    return RunVar("srs_vsphere.loop")


def _mark_of_loop() -> object:
    mark = _loop_mark()
    try:
        return mark.get()
    except LookupError:
        mark.set(object())
        return mark.get()


class AsyncLoopCheck:
    """The event loop that a client belongs to: the first one it is used from."""

    def __init__(self) -> None:
        # Loaded on use: threads need no event loop.
        from asyncio import get_running_loop

        self._running_loop = get_running_loop
        self._loop: object = None

    def check(self) -> None:
        """Remember the first event loop that is seen, and refuse any other.

        Raises:
            RuntimeError: the client was used from another event loop before.
        """
        try:
            # Ten times cheaper than asking anyio which kind of loop this is, and asked with every call.
            loop: object = self._running_loop()
        except RuntimeError:
            loop = _mark_of_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError(
                "this client belongs to another event loop: its connections live there; "
                "make one client per event loop"
            )


class LoopCheck:
    """A sync client may be used in every thread."""

    def check(self) -> None:
        """Accept any thread."""
