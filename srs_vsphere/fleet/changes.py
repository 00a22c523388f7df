"""From one report to the events it means, and to how its host stands then; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from srs_vsphere.fleet.errors import HostMissingError, HostSkippedError
from srs_vsphere.fleet.events import (
    HostDown,
    HostEvent,
    HostUp,
    RunspaceChanged,
    RunspaceCreated,
    RunspaceFailed,
    RunspaceGone,
    RunspaceReady,
)
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.snapshot import FleetSnapshot, HostSnapshot
from srs_vsphere.models import Runspace, RunspaceState
from srs_vsphere.settings import Origin


def changes(snapshot: FleetSnapshot, report: HostReport) -> Iterator[HostEvent]:
    """Go through the events that a report means; each is part of the snapshot once it is handed out.

    So a copy made between two events of one report holds the first and not the second.

    Args:
        snapshot: how the hosts stand; it is changed.
        report: what a poll found. One of a host that was not asked changes nothing.

    Yields:
        What changed, each change once. The first answer of a host is what later ones are compared with.
    """
    error = report.error
    if isinstance(error, HostSkippedError | HostMissingError):
        return
    host = snapshot.hosts.get(report.target.name)
    if host is None:
        host = HostSnapshot(url=Origin.parse(report.target.url).url)
        snapshot.hosts[report.target.name] = host
    if error is not None:
        if host.up is not False:
            host.up = False
            yield HostDown(report.target, report.at, error)
        return
    host.seen = report.at
    if host.up is not True:
        told_down, host.up = host.up is False, True
        if told_down:
            yield HostUp(report.target, report.at)
    found = {runspace.id: runspace for runspace in report.runspaces or ()}
    if host.runspaces is None:
        host.runspaces = found
    elif host.runspaces != found:
        yield from _differences(report, host.runspaces, found)


def _differences(
    report: HostReport, known: dict[str, Runspace], found: Mapping[str, Runspace]
) -> Iterator[HostEvent]:
    target, at = report.target, report.at
    for id_ in [id_ for id_ in known if id_ not in found]:
        yield RunspaceGone(target, at, known.pop(id_))
    for id_, runspace in found.items():
        before = known.get(id_)
        known[id_] = runspace
        if before is None:
            # What it has become since is told next, by comparison with a runspace that is only being created.
            known[id_] = Runspace(id_, runspace.name, RunspaceState.CREATING)
            yield RunspaceCreated(target, at, runspace)
            known[id_] = runspace
            if runspace.state == RunspaceState.CREATING:
                continue
        elif before.state == runspace.state:
            continue
        match runspace.state:
            case RunspaceState.READY:
                yield RunspaceReady(target, at, runspace)
            case RunspaceState.ERROR:
                yield RunspaceFailed(target, at, runspace)
            case _:
                yield RunspaceChanged(target, at, runspace)
