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
        """Let go of it, without a word to the server and without waiting for anything."""
        ...


_all: weakref.WeakSet[StartsAfresh] = weakref.WeakSet()


def start_afresh_in_children(holder: StartsAfresh) -> None:
    """Have an object start afresh in every process that is forked from this one, as long as it lives.

    Args:
        holder: the object.
    """
    _all.add(holder)


def _start_all_afresh() -> None:
    for holder in list(_all):
        holder.start_afresh()


# Where it is missing, there is no fork either.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_afresh)
