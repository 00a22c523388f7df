"""Waiting for a socket: with ``select.poll``, or with what Windows has in its place."""

from __future__ import annotations

import select
from collections.abc import Callable

Wait = Callable[[float], object]
"""Waits for so many milliseconds at most; what it returns is true if what it waits for came about."""


def waiting_for(fd: int, *, write: bool = False) -> Wait:
    """Return a function that waits until a socket can be read.

    Args:
        fd: the socket's descriptor.
        write: whether it is enough that the socket can be written.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(fd, select.POLLIN | select.POLLOUT if write else select.POLLIN)
        return poll.poll
    # That is Windows, where the numbers of sockets have no bound that matters here.
    writing = [fd] if write else []
    return lambda milliseconds: any(select.select([fd], writing, [], milliseconds / 1000))
