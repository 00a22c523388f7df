"""Sweeps and watches by the workers of a Dask cluster (extra ``dask``).

::

    async with Client("tcp://scheduler:8786", asynchronous=True) as client:
        async for report in sweep(targets, client=client):
            print(report.target.name, report.ok)

One worker or many, the loop is the same. Each worker has a share of the hosts, and keeps their clients from
sweep to sweep; when it is lost, others poll its hosts in the same sweep. Credentials travel with the fleet's
plugin, never in a task: by name, or as `BasicAuth` made with ``allow_pickle=True``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

from srs_vsphere._signatures import shows_keywords_of
from srs_vsphere._validation import check_seconds, check_timeout
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.fleet.progress import ProgressCallback, ProgressCount, check_callback
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.snapshot import FleetSnapshot, keep_hosts
from srs_vsphere.fleet.target import Target
from srs_vsphere.fleet.watching import AsyncFleetWatch

try:
    from srs_vsphere.fleet.dask_stream import AsyncDaskStream, DaskFleet, DaskSettings
    from srs_vsphere.fleet.dask_sweep import DaskSweep
    from srs_vsphere.fleet.dask_watch import DaskWatch
except ModuleNotFoundError as _missing:
    raise ImportError("srs_vsphere.fleet.dask needs Dask: pip install srs-vsphere[dask]") from _missing

if TYPE_CHECKING:
    from distributed import Client


@shows_keywords_of(DaskSettings)
def sweep(
    targets: Iterable[Target],
    *,
    client: Client,
    deadline: float | None = None,
    on_progress: ProgressCallback | None = None,
    **settings: Unpack[DaskSettings],
) -> AsyncDaskStream[HostReport]:
    """Poll every host once, by all workers of a cluster (``GET /api/runspaces``).

    Args:
        targets: the hosts; a later sweep of the same hosts finds their clients on the workers.
        client: the cluster's client, asynchronous or not.
        deadline: seconds after which the hosts that have not answered are reported as missing; default None:
            each host has its `timeout`.
        on_progress: told of each report before it is handed out; default None.
        **settings: as for `AsyncSrsFleet`; `concurrency` and `login_rate` count for each worker.

    Returns:
        The reports, one for each host, in the order in which they arrive. What goes wrong on a host is in its
        report.

    Raises:
        TypeError: an argument is of the wrong kind, or a target cannot be pickled; nothing was scheduled.
        ValueError: an argument makes no sense, two targets have one name, or there is none.
        RuntimeError: the cluster has no workers; raised when the first report is asked for.
        TimeoutError: the scheduler has not answered for 60 s; raised when a report is asked for.
    """
    check_timeout("deadline", deadline)
    check_callback("on_progress", on_progress)
    fleet = DaskFleet.of(targets, client, settings)
    return DaskSweep(fleet, deadline, ProgressCount(len(fleet.targets), on_progress))


@shows_keywords_of(DaskSettings)
def watch(
    targets: Iterable[Target],
    *,
    client: Client,
    interval: float,
    resume: FleetSnapshot | None = None,
    **settings: Unpack[DaskSettings],
) -> AsyncFleetWatch:
    """Poll every host once in each interval, by all workers of a cluster, and tell what changes.

    Args:
        targets: the hosts.
        client: the cluster's client, asynchronous or not.
        interval: seconds between two polls of a host.
        resume: how things stood when an earlier watch was left; default None: nothing is known.
        **settings: as for `sweep`.

    Returns:
        The events, as of `AsyncSrsFleet.watch`.

    Raises:
        TypeError: an argument is of the wrong kind, or a target cannot be pickled; nothing was scheduled.
        ValueError: an argument makes no sense, two targets have one name, or there is none.
        RuntimeError: the cluster has no workers; raised when the first event is asked for.
        TimeoutError: the scheduler has not answered for 60 s; raised when an event is asked for.
    """
    check_seconds("interval", interval)
    if resume is not None and not isinstance(resume, FleetSnapshot):
        raise InvalidArgumentTypeError(f"resume must be a FleetSnapshot, not {type(resume).__name__}")
    fleet = DaskFleet.of(targets, client, settings)
    snapshot = FleetSnapshot() if resume is None else resume.copy()
    keep_hosts(snapshot, fleet.targets.values())
    return AsyncFleetWatch(DaskWatch(fleet, interval), snapshot, lambda: None)
