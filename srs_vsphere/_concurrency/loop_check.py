"""Which event loop a client belongs to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyio.lowlevel import RunVar

_NO_LOOP = object()


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
    """The event loop that a client belongs to: the first one it is used from.

    Attributes:
        loop: that loop, if it is asyncio's; what is called most compares it with the running one by itself.
        running: returns asyncio's running loop, or None; ten times cheaper than to ask anyio for any loop.
    """

    def __init__(self) -> None:
        # Loaded on use: threads need no event loop.
        from asyncio import _get_running_loop  # pyright: ignore[reportPrivateUsage] - documented all the same

        self.loop: object = _NO_LOOP
        self.running: Callable[[], object] = _get_running_loop
        self._mark: object = None

    def check(self) -> None:
        """Remember the first event loop that is seen, and refuse any other.

        Raises:
            RuntimeError: the client was used from another event loop before.
        """
        loop = self.running()
        mark = _mark_of_loop() if loop is None else loop
        if self._mark is None:
            self._mark = mark
            if loop is not None:
                self.loop = loop
        elif self._mark is not mark:
            raise RuntimeError(
                "this client belongs to another event loop: its connections live there; "
                "make one client per event loop"
            )


class LoopCheck:
    """A sync client may be used in every thread."""

    loop: object = None
    running: Callable[[], object] = staticmethod(type(None))

    def check(self) -> None:
        """Accept any thread."""
