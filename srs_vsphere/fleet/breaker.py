"""The circuit breaker of a host: after several failures in a row, it is left alone for a while.

Written out here, without I/O: the libraries for it (purgatory, aiobreaker, circuitbreaker) wrap calls, ask
the wall clock and raise; a sweep asks first, tells afterwards, and reports.
"""

from __future__ import annotations

from attrs import field, frozen

from srs_vsphere._validation import count, number


@frozen(kw_only=True)
class BreakerPolicy:
    """When a host that fails is left alone, and for how long.

    Args:
        failures: so many failures in a row open the breaker; default 5.
        probe_after: seconds until an open breaker lets one poll through, as a probe; each probe that fails
            doubles them. Half to one and a half of it is waited, at random, so that hosts that failed
            together are not asked together. Default 10.
        probe_cap: seconds; no wait is drawn from more than this; default 300.

    Raises:
        TypeError: one of them is not a number.
        ValueError: `failures` is less than 1, or a time is negative or not finite.
    """

    failures: int = field(default=5, validator=count)
    probe_after: float = field(default=10.0, validator=number)
    probe_cap: float = field(default=300.0, validator=number)


class Breaker:
    """The circuit breaker of one host.

    Args:
        policy: when it opens, and for how long.
    """

    __slots__ = ("_failures", "_policy", "_probing", "_until")

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._until = 0.0
        self._probing = False

    @property
    def failures(self) -> int:
        """How many polls in a row have failed."""
        return self._failures

    @property
    def open(self) -> bool:
        """Whether polls are held back, but for probes."""
        return self._failures >= self._policy.failures

    def wait(self, now: float) -> float | None:
        """Ask for a poll; after one that goes ahead, `succeeded`, `undecided` or `failed` must be called.

        Args:
            now: seconds on a monotonic clock.

        Returns:
            None to go ahead, else seconds until the next probe.
        """
        if not self.open:
            return None
        if self._probing or now < self._until:
            return max(0.0, self._until - now)
        self._probing = True
        return None

    def succeeded(self) -> None:
        """Note that a poll succeeded."""
        self._failures = 0
        self._probing = False

    def undecided(self) -> None:
        """Note that a poll ended in a way that says nothing about the host."""
        self._probing = False

    def failed(self, now: float, random: float) -> None:
        """Note that a poll failed.

        Args:
            now: seconds on a monotonic clock.
            random: a number from 0 up to 1, drawn anew each time.
        """
        self._failures += 1
        self._probing = False
        if self.open:
            # The exponent is bounded because 2.0**1024 overflows.
            times = 2.0 ** min(self._failures - self._policy.failures, 60)
            self._until = now + min(self._policy.probe_cap, self._policy.probe_after * times) * (0.5 + random)
