"""A lock on an open file, which ends with the process that holds it."""

from __future__ import annotations

import os
import sys

#: Windows keeps others from what is locked, so this lies behind all that is ever written.
_BEHIND_EVERYTHING = 2**31 - 2

if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int) -> None:
        """Lock a file until it is closed.

        Raises:
            OSError: it cannot be locked; a `BlockingIOError` or `PermissionError` if another holds the lock.
        """
        os.lseek(descriptor, _BEHIND_EVERYTHING, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Lock a file until it is closed.

        Raises:
            OSError: it cannot be locked; a `BlockingIOError` or `PermissionError` if another holds the lock.
        """
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
