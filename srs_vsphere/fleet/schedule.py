"""When each host of a watch is polled: spread over the interval, at the same place in each; pure."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from attrs import frozen

from srs_vsphere.fleet.target import Target


def place_of(name: str) -> float:
    """Return a host's place in the interval, the same in every process and release.

    Args:
        name: the host's name.

    Returns:
        A number from 0 up to 1.
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48


@frozen
class Turn:
    """A host's turn to be polled.

    Args:
        target: the host.
        at: when, in seconds on the schedule's clock.
        sweep: number of the sweep it belongs to, from 0.
        left_out: sweeps that are left out before it, because the watch lags by more than an interval.
        behind: seconds by which it lagged then.
    """

    target: Target
    at: float
    sweep: int
    left_out: int = 0
    behind: float = 0.0


class Schedule:
    """The turns of all hosts, for ever.

    Args:
        targets: the hosts.
        interval: seconds between two turns of a host.
        start: when the first sweep begins, in seconds on a monotonic clock.
    """

    def __init__(self, targets: Sequence[Target], interval: float, start: float) -> None:
        places = sorted((place_of(target.name), number) for number, target in enumerate(targets))
        self._turns = [(place * interval, targets[number]) for place, number in places]
        self._interval = interval
        self._start = start
        self._next = 0
        self._sweep = 0
        self._intervals = 0

    def take(self, now: float) -> Turn:
        """Take the next turn; it may be in the future.

        Args:
            now: seconds on the same clock.
        """
        left_out, behind = 0, 0.0
        if self._next == len(self._turns):
            self._next = 0
            self._sweep += 1
            self._intervals += 1
        offset, target = self._turns[self._next]
        self._next += 1
        # Counted from the start, so that nothing adds up.
        at = self._start + self._intervals * self._interval + offset
        if now - at > self._interval:
            behind = now - at
            left_out = int(behind / self._interval)
            self._intervals += left_out
            at += left_out * self._interval
        return Turn(target, at, self._sweep, left_out, behind)
