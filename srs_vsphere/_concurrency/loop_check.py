"""Which event loop a client belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from anyio.lowlevel import RunVar

_NO_LOOP = object()
_loop_mark: RunVar[object] = RunVar("srs_vsphere.loop")


def _mark_of_loop() -> object:
    try:
        return _loop_mark.get()
    except LookupError:
        mark = object()
        _loop_mark.set(mark)
        return mark


class AsyncLoopCheck:
    """The event loop that a client belongs to: the first one it is used from.

    Attributes:
        loop: that loop, if it is asyncio's; what is called most compares it with the running one by itself.
        running: returns asyncio's running loop, or None.
    """

    # Ten times cheaper than asking anyio which kind of loop this is, and asked with every call.
    running: Callable[[], object] = staticmethod(asyncio._get_running_loop)  # noqa: SLF001 - documented in spite of its name

    def __init__(self) -> None:
        self.loop: object = _NO_LOOP
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
