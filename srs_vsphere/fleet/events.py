"""What a watch tells: how hosts and their runspaces changed, and how the watch itself fares."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from attrs import frozen

from srs_vsphere.errors import SrsError
from srs_vsphere.fleet.target import Target
from srs_vsphere.models import Runspace


@frozen
class HostUp:
    """A host answers again, or for the first time after it had been reported as down.

    Args:
        target: the host.
        at: when that was seen.
    """

    target: Target
    at: datetime


@frozen
class HostDown:
    """A host does not answer; what is known of its runspaces is kept.

    Args:
        target: the host.
        at: when that was seen.
        error: how its poll failed.
    """

    target: Target
    at: datetime
    error: SrsError


@frozen
class RunspaceEvent:
    """A runspace of a host has changed.

    Args:
        target: the host.
        at: when that was seen.
        runspace: the runspace; one that is gone, as it was last seen.
    """

    target: Target
    at: datetime
    runspace: Runspace


@frozen
class RunspaceCreated(RunspaceEvent):
    """A runspace is there that was not there before, in whatever state."""


@frozen
class RunspaceReady(RunspaceEvent):
    """A runspace has become ready; told of a new one, too, after its `RunspaceCreated`."""


@frozen
class RunspaceFailed(RunspaceEvent):
    """A runspace is in error, see its ``error_details``; told of a new one, too, after `RunspaceCreated`."""


@frozen
class RunspaceChanged(RunspaceEvent):
    """A runspace is in another state, which is neither ready nor error."""


@frozen
class RunspaceGone(RunspaceEvent):
    """A runspace is not there any more."""


@frozen
class SweepEnded:
    """Every host has had its turn once more.

    Args:
        number: of the sweep, from 0: the baseline.
        hosts: how many there are.
        failed: how many of them did not answer.
        skipped: how many were not asked: their circuit breaker is open, or their last poll still runs.
        elapsed: seconds from the sweep's first poll to its last report.
        at: when it ended.
    """

    number: int
    hosts: int
    failed: int
    skipped: int
    elapsed: float
    at: datetime


@frozen
class SweepLate:
    """The interval is too short: hosts have their turn later than it says, and some turns are left out.

    Args:
        interval: seconds between two polls of a host, as asked for.
        behind: seconds by which the watch lags.
        left_out: sweeps that are left out to catch up.
        at: when that was seen.
    """

    interval: float
    behind: float
    left_out: int
    at: datetime


HostEvent: TypeAlias = (
    HostUp | HostDown | RunspaceCreated | RunspaceReady | RunspaceFailed | RunspaceChanged | RunspaceGone
)
SweepEvent: TypeAlias = SweepEnded | SweepLate
FleetEvent: TypeAlias = HostEvent | SweepEvent
