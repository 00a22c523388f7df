"""For tests that run somebody's own tests: how pytest finds this package's plugin."""

from __future__ import annotations

from importlib.metadata import entry_points

PLUGIN = "srs_vsphere.pytest_plugin"

#: From a checkout that is not installed, pytest does not find it by itself.
WITH_PLUGIN: tuple[str, ...] = (
    () if any(point.value == PLUGIN for point in entry_points(group="pytest11")) else ("-p", PLUGIN)
)
