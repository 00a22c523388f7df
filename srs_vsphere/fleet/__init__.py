"""Many hosts: sweeps, watches and scripts over thousands of services, from one process or several.

::

    targets = read_targets("hosts.csv", auth=BasicAuth("administrator@vsphere.local", password))
    async with AsyncSrsFleet(targets) as fleet:
        async for report in fleet.poll(deadline=5):
            print(report.target.name, report.runspaces if report.ok else report.error)

`SrsFleet` is the same for code without an event loop; `srs_vsphere.fleet.dask` spreads the hosts over the
workers of a Dask cluster, without a change to the loop.

On paper, 100,000 hosts with five runspaces each:

- Connections: one to each host, kept between polls, and so as many file descriptors: raise ``ulimit -n``, and
  ``fs.nr_open`` past a million. Eight workers have 12,500 each.
- Ephemeral ports: one port serves many connections as long as their other ends differ, so 28,000 are enough
  without a proxy. Through one proxy or NAT address they are not: give it several addresses, or workers of
  their own.
- TLS handshakes: 100,000 in the first sweep, about 1 ms of processor time each, and none later as long as
  both ends keep connections for longer than the interval: nginx keeps them for 75 seconds, a fleet for 300.
- Logins: 100,000 at 100 a second take 17 minutes; raise `login_rate` to what the sign-on servers bear. They
  last as long as the hosts are polled at least every 30 minutes.
- Memory: 25 kB for each host with its runspaces, client and connection, so 2.5 GB, and as much again for TLS.
- Processor: 0.1 ms for each poll, so 10 s of one core for a sweep. An interval of 5 s takes three workers.
- The next bottleneck: Dask's client unpickles every report, 0.03 ms each, in one process: 3 s for a sweep.
  Beyond it, watch in the workers, and send on only what changed.
"""

from srs_vsphere._lazy_names import loading, modules_of_names

#: The public names by the module that defines them, loaded on first use; type checkers read the stub.
_MODULES = modules_of_names(
    __name__,
    {
        "breaker": "BreakerPolicy",
        "errors": "HostMissingError HostSkippedError",
        "events": (
            "FleetEvent HostDown HostEvent HostUp RunspaceChanged RunspaceCreated RunspaceFailed "
            "RunspaceGone RunspaceReady SweepEnded SweepLate"
        ),
        "fleet": "AsyncSrsFleet",
        "latency_sketch": "LatencySketch",
        "progress": "Progress ProgressCallback",
        "reports": "FleetStatistics HostReport",
        "running": "HostResult",
        "snapshot": "FleetSnapshot HostSnapshot",
        "stream": "AsyncFleetStream",
        "sync_fleet": "FleetStream FleetWatch SrsFleet",
        "target": "Target",
        "target_files": "profile_targets read_targets",
        "watching": "AsyncFleetWatch",
    },
)

__all__: list[str] = sorted(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll] - type checkers read the stub

__getattr__ = loading(__name__, _MODULES)


def __dir__() -> list[str]:
    return __all__
