"""Many hosts: sweeps, watches and scripts over thousands of services, from one process or several.

::

    targets = read_targets("hosts.csv", auth=BasicAuth("administrator@vsphere.local", password))
    async with AsyncSrsFleet(targets) as fleet:
        async for report in fleet.poll(deadline=5):
            print(report.target.name, report.runspaces if report.ok else report.error)

`SrsFleet` is the same for code without an event loop; `srs_vsphere.fleet.dask` spreads the hosts over the
workers of a Dask cluster, without a change to the loop.
"""

from importlib import import_module

#: The public names by the module that defines them, loaded on first use; type checkers read the stub.
_NAMES = {
    "breaker": ("BreakerPolicy",),
    "errors": ("HostMissingError", "HostSkippedError"),
    "events": (
        "FleetEvent",
        "HostDown",
        "HostEvent",
        "HostUp",
        "RunspaceChanged",
        "RunspaceCreated",
        "RunspaceFailed",
        "RunspaceGone",
        "RunspaceReady",
        "SweepEnded",
        "SweepLate",
    ),
    "fleet": ("AsyncSrsFleet",),
    "latency_sketch": ("LatencySketch",),
    "progress": ("Progress", "ProgressCallback"),
    "reports": ("FleetStatistics", "HostReport"),
    "running": ("HostResult",),
    "snapshot": ("FleetSnapshot", "HostSnapshot"),
    "stream": ("AsyncFleetStream",),
    "sync_fleet": ("FleetStream", "FleetWatch", "SrsFleet"),
    "target": ("Target",),
    "target_files": ("profile_targets", "read_targets"),
    "watching": ("AsyncFleetWatch",),
}

_MODULES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}

__all__: list[str] = sorted(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll] - type checkers read the stub


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
