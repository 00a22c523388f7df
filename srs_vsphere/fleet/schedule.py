"""When each host of a watch is polled: spread over the interval, at the same place in each; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar

from attrs import frozen

from srs_vsphere.fleet.target import Target

T = TypeVar("T")


def place_of(name: str) -> float:
    """Return a host's place in the interval, the same in every process and release.

    Returns:
        A number from 0 up to 1.
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48


def spread(targets: Iterable[Target]) -> list[tuple[float, Target]]:
    """Return each target with its place in the interval, in the order of the places."""
    return sorted(((place_of(target.name), target) for target in targets), key=lambda pair: pair[0])


@frozen
class Turn(Generic[T]):
    """A turn of a host, or of several together.

    Args:
        item: whose turn it is.
        at: when, in seconds on the schedule's clock.
        sweep: number of the sweep it belongs to, from 0.
        left_out: sweeps that are left out before it, because the watch lags by more than an interval.
        behind: seconds by which it lagged then.
    """

    item: T
    at: float
    sweep: int
    left_out: int = 0
    behind: float = 0.0


class Schedule(Generic[T]):
    """The turns of all, for ever.

    Args:
        places: whose turn it is at which place in the interval, from 0 up to 1; in the order of the places.
        interval: seconds between two turns of one.
        start: when the first sweep begins, in seconds on a monotonic clock.
    """

    def __init__(self, places: Sequence[tuple[float, T]], interval: float, start: float) -> None:
        self._turns = [(place * interval, item) for place, item in places]
        self._interval = interval
        self._start = start
        self._next = 0
        self._sweep = 0
        self._intervals = 0

    def take(self, now: float) -> Turn[T]:
        """Take the next turn; it may be in the future.

        Args:
            now: seconds on the same clock.
        """
        left_out, behind = 0, 0.0
        if self._next == len(self._turns):
            self._next = 0
            self._sweep += 1
            self._intervals += 1
        offset, item = self._turns[self._next]
        self._next += 1
        # Counted from the start, so that nothing adds up.
        at = self._start + self._intervals * self._interval + offset
        if now - at > self._interval:
            behind = now - at
            left_out = int(behind / self._interval)
            self._intervals += left_out
            at += left_out * self._interval
        return Turn(item, at, self._sweep, left_out, behind)
