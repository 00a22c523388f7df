"""Waiting for a socket: with ``select.poll``, or with what Windows has in its place."""

from __future__ import annotations

import select
import time
from collections.abc import Callable

Wait = Callable[[float], object]
"""Waits for so many milliseconds at most; what it returns is true if what it waits for came about."""

# In seconds. A Ctrl-C does not end ``select`` on Windows: it is heard between two of them.
_SLICE = 0.2


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

    def wait(milliseconds: float) -> bool:
        end = time.monotonic() + milliseconds / 1000
        left = milliseconds / 1000
        while not any(select.select([fd], writing, [], min(left, _SLICE))):
            left = end - time.monotonic()
            if left <= 0:
                return False
        return True

    return wait
