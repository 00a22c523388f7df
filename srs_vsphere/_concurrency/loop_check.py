"""Which event loop a client belongs to."""

from __future__ import annotations

import asyncio

from anyio.lowlevel import RunVar

_loop_mark: RunVar[object] = RunVar("srs_vsphere.loop")


def _mark_of_loop() -> object:
    try:
        return _loop_mark.get()
    except LookupError:
        mark = object()
        _loop_mark.set(mark)
        return mark


class AsyncLoopCheck:
    """The event loop that a client belongs to: the first one it is used from."""

    def __init__(self) -> None:
        self._loop: object = None

    def check(self) -> None:
        """Remember the first event loop that is seen, and refuse any other.

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


class LoopCheck:
    """A sync client may be used in every thread."""

    def check(self) -> None:
        """Accept any thread."""
