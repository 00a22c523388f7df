"""The time that a caller gave for something of several steps."""

from __future__ import annotations

from collections.abc import Callable


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

    def left(self, at_most: float | None = None) -> float | None:
        """Return how many seconds are left, never less than 0; None for as long as it takes.

        Args:
            at_most: no more than this; default no such bound.
        """
        if self._end is None:
            return at_most
        left = max(0.0, self._end - self._now())
        return left if at_most is None else min(left, at_most)

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self._end is not None and self._now() >= self._end

    def less(self, seconds: float) -> Deadline:
        """Return a deadline that ends so much earlier, for what has to be followed by something else.

        Args:
            seconds: how much earlier.
        """
        sooner = Deadline(self.seconds, self._now)
        sooner._end = None if self._end is None else self._end - seconds
        return sooner
