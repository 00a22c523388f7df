"""What a client must let go of in a process that was forked from its own.

Parent and child would write to the same sockets and read each other's responses; a lock that another thread
held at that moment would never be released; and the child's logout would end the parent's session.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class StartsAfresh(Protocol):
    """What holds something that a forked process must not share."""

    def start_afresh(self) -> None:
        """Drop it: nothing is sent to the server, and nothing is waited for."""
        ...


#: Not a WeakSet, whose callback is Python code: a Ctrl-C that comes while it runs is lost.
_all: set[weakref.ref[StartsAfresh]] = set()


def start_afresh_in_children(holder: StartsAfresh) -> None:
    """Have an object start afresh in every process that is forked from this one, as long as it lives."""
    _all.add(weakref.ref(holder, _all.discard))


def _start_all_afresh() -> None:
    for found in list(_all):
        holder = found()
        if holder is not None:
            holder.start_afresh()


# Where it is missing, there is no fork either.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_afresh)
