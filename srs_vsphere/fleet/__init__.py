"""Many hosts: sweeps, watches and scripts over thousands of services, from one process or several.

::

    targets = read_targets("hosts.csv", auth=BasicAuth("administrator@vsphere.local", password))
    async with AsyncSrsFleet(targets) as fleet:
        async for report in fleet.poll(deadline=5):
            print(report.target.name, report.runspaces if report.ok else report.error)

`SrsFleet` is the same for code without an event loop; `srs_vsphere.fleet.dask` spreads the hosts over the
workers of a Dask cluster, without a change to the loop.
"""

from srs_vsphere.fleet.breaker import BreakerPolicy as BreakerPolicy
from srs_vsphere.fleet.errors import HostMissingError as HostMissingError
from srs_vsphere.fleet.errors import HostSkippedError as HostSkippedError
from srs_vsphere.fleet.events import FleetEvent as FleetEvent
from srs_vsphere.fleet.events import HostDown as HostDown
from srs_vsphere.fleet.events import HostEvent as HostEvent
from srs_vsphere.fleet.events import HostUp as HostUp
from srs_vsphere.fleet.events import RunspaceChanged as RunspaceChanged
from srs_vsphere.fleet.events import RunspaceCreated as RunspaceCreated
from srs_vsphere.fleet.events import RunspaceFailed as RunspaceFailed
from srs_vsphere.fleet.events import RunspaceGone as RunspaceGone
from srs_vsphere.fleet.events import RunspaceReady as RunspaceReady
from srs_vsphere.fleet.events import SweepEnded as SweepEnded
from srs_vsphere.fleet.events import SweepLate as SweepLate
from srs_vsphere.fleet.fleet import AsyncSrsFleet as AsyncSrsFleet
from srs_vsphere.fleet.latency_sketch import LatencySketch as LatencySketch
from srs_vsphere.fleet.progress import Progress as Progress
from srs_vsphere.fleet.progress import ProgressCallback as ProgressCallback
from srs_vsphere.fleet.reports import FleetStatistics as FleetStatistics
from srs_vsphere.fleet.reports import HostReport as HostReport
from srs_vsphere.fleet.running import HostResult as HostResult
from srs_vsphere.fleet.snapshot import FleetSnapshot as FleetSnapshot
from srs_vsphere.fleet.snapshot import HostSnapshot as HostSnapshot
from srs_vsphere.fleet.stream import AsyncFleetStream as AsyncFleetStream
from srs_vsphere.fleet.sync_fleet import FleetStream as FleetStream
from srs_vsphere.fleet.sync_fleet import FleetWatch as FleetWatch
from srs_vsphere.fleet.sync_fleet import SrsFleet as SrsFleet
from srs_vsphere.fleet.target import Target as Target
from srs_vsphere.fleet.target_files import read_targets as read_targets
from srs_vsphere.fleet.watching import AsyncFleetWatch as AsyncFleetWatch
