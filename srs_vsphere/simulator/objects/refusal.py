"""How the simulator gives up on a script."""

from __future__ import annotations


class NotUnderstoodError(Exception):
    """A script uses what the simulator does not have, or puts out what it cannot show for certain.

    Args:
        what: the construct.
        line: where it stands in the script, counted from 1; None while that is not known.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
