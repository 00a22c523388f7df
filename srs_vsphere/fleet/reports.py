"""What a sweep says of each host, and what a fleet has done so far."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field, frozen

from srs_vsphere.errors import SrsError
from srs_vsphere.fleet.latency_sketch import LatencySketch
from srs_vsphere.fleet.target import Target
from srs_vsphere.models import Runspace


@define
class HostReport:
    """What one poll of one host found; it can be pickled if the target's credentials can.

    Args:
        target: the host.
        runspaces: all runspaces of the user there; None if they could not be had.
        error: why not; None if they were.
        elapsed: seconds that the poll took.
        attempts: how many times the host was asked; 0 if it was not.
        at: when the poll ended, with its time zone.
    """

    target: Target
    runspaces: list[Runspace] | None
    error: SrsError | None
    elapsed: float
    attempts: int
    at: datetime

    @property
    def ok(self) -> bool:
        """Whether the host answered."""
        return self.error is None


@frozen
class FleetStatistics:
    """What a fleet has done since it was opened.

    Args:
        polls: polls that ended, those below included.
        failed: polls that failed.
        skipped: polls that were not made, for an open circuit breaker.
        missing: polls that a sweep's deadline ended or prevented.
        retries: second attempts among the polls.
        logins: logins that were begun, renewed ones included.
        clients: clients that are open now.
        latency: how long the polls took that succeeded.
        cpu_seconds: processor time of the fleet's thread, whatever else that did included.
    """

    polls: int = 0
    failed: int = 0
    skipped: int = 0
    missing: int = 0
    retries: int = 0
    logins: int = 0
    clients: int = 0
    latency: LatencySketch = field(factory=LatencySketch)
    cpu_seconds: float = 0.0

    @property
    def cpu_per_poll(self) -> float | None:
        """Seconds of processor time for one poll, None before the first."""
        return self.cpu_seconds / self.polls if self.polls else None
