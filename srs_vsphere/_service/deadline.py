"""The time that a caller gave for something of several steps."""

from __future__ import annotations

from collections.abc import Callable

#: So much of the time is kept back for what has to be undone at the end, and no more than so many seconds.
_PART_KEPT_BACK = 0.1
_MOST_KEPT_BACK = 5.0


class Deadline:
    """A number of seconds, counted from now.

    Args:
        seconds: how many; None for as long as it takes.
        now: a monotonic clock, in seconds.
    """

    def __init__(self, seconds: float | None, now: Callable[[], float]) -> None:
        self.seconds: float | None = seconds
        self._now = now
        self._end = None if seconds is None else now() + seconds

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self._end is not None and self._now() >= self._end

    def left(self, at_most: float | None = None) -> float | None:
        """Return how many seconds are left, never less than 0; None for as long as it takes.

        Args:
            at_most: no more than this; default no such bound.
        """
        if self._end is None:
            return at_most
        left = max(0.0, self._end - self._now())
        return left if at_most is None else min(left, at_most)

    def left_to_undo(self, at_most: float) -> float:
        """Return how many seconds undoing something may take: what is left, or what was kept back for it.

        Args:
            at_most: no more than this.
        """
        left = self.left()
        return at_most if left is None else min(at_most, max(left, self._to_keep_back()))

    def keeping_back(self) -> Deadline:
        """Return a deadline that comes sooner, so that something can be undone before this one."""
        sooner = Deadline(self.seconds, self._now)
        sooner._end = None if self._end is None else self._end - self._to_keep_back()
        return sooner

    def _to_keep_back(self) -> float:
        return 0.0 if self.seconds is None else min(_MOST_KEPT_BACK, _PART_KEPT_BACK * self.seconds)
