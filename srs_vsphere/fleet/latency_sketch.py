"""Quantiles of many durations in little memory.

This is DDSketch (Masson, Rim, Lee 2019): counts in buckets whose bounds grow by a constant factor. It is
written out here because it takes twenty lines, while its library is meant for arrays of any numbers and would
be a fifth runtime dependency of the package.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

from srs_vsphere.errors import InvalidArgumentValueError

_ACCURACY: Final = 0.01
_LOG_FACTOR: Final = math.log((1 + _ACCURACY) / (1 - _ACCURACY))
#: Seconds; whatever is shorter or longer counts as these, so that there are at most 1,400 buckets.
_SHORTEST: Final = 1e-6
_LONGEST: Final = 1e6


class LatencySketch:
    """Durations, of which it keeps quantiles that are right within one per cent; two can be put together."""

    __slots__ = ("_buckets", "_total", "longest")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._total = 0.0
        self.longest: float = 0.0

    def __len__(self) -> int:
        return self._buckets.total()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LatencySketch):
            return NotImplemented
        return self._buckets == other._buckets

    def __hash__(self) -> int:
        raise TypeError("a LatencySketch changes, so it cannot be hashed")

    def __repr__(self) -> str:
        if not self._buckets:
            return "LatencySketch(0)"
        return f"LatencySketch({len(self)}: p50 {self.quantile(0.5):.3g} s, p99 {self.quantile(0.99):.3g} s)"

    def add(self, seconds: float) -> None:
        """Count a duration.

        Args:
            seconds: how long it was.
        """
        bounded = min(max(seconds, _SHORTEST), _LONGEST)
        self._buckets[math.ceil(math.log(bounded) / _LOG_FACTOR)] += 1
        self._total += seconds
        self.longest = max(self.longest, seconds)

    def merge(self, other: LatencySketch) -> None:
        """Count all that another has counted.

        Args:
            other: a sketch, of this process or another.
        """
        self._buckets.update(other._buckets)
        self._total += other._total
        self.longest = max(self.longest, other.longest)

    def copy(self) -> LatencySketch:
        """Return a sketch of the same durations."""
        copy = LatencySketch()
        copy.merge(self)
        return copy

    @property
    def mean(self) -> float | None:
        """The average in seconds, None of no durations."""
        return self._total / len(self) if self._buckets else None

    def quantile(self, share: float) -> float | None:
        """Return the duration that a share of all did not exceed.

        Args:
            share: 0 to 1; 0.5 gives the median.

        Returns:
            Seconds, within one per cent; None of no durations.

        Raises:
            ValueError: the share is not from 0 to 1.
        """
        if not 0 <= share <= 1:
            raise InvalidArgumentValueError(f"share must be from 0 to 1, not {share!r}")
        rank = share * (len(self) - 1)
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen > rank:
                return 2 * math.exp(bucket * _LOG_FACTOR) / (1 + math.exp(_LOG_FACTOR))
        return None
