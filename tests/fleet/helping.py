"""Fleets for tests: simulated hosts, and targets that lead to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CancelScope, to_thread

from srs_vsphere import BasicAuth
from srs_vsphere.fleet import Target
from srs_vsphere.simulator import SimFleet

USERS = {"alice": "sesame-7Qx"}
AUTH = BasicAuth("alice", USERS["alice"])


def targets_of(fleet: SimFleet) -> list[Target]:
    return [Target(host.name, host.url, AUTH, labels={"port": str(host.port)}) for host in fleet.hosts]


@asynccontextmanager
async def simulated(hosts: int, **options: object) -> AsyncIterator[SimFleet]:
    """Serve hosts from a thread of their own, on any event loop."""
    fleet = SimFleet(hosts, **{"users": USERS, **options})
    await to_thread.run_sync(fleet.__enter__)
    try:
        yield fleet
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(fleet.__exit__, None, None, None)
