"""A service and a user's shell beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from srs_vsphere.simulator import Clock, Settings, SimServer, Simulator, VirtualClock
from tests.cli.running import Shell


@pytest.fixture
def clock() -> Clock:
    """No program waits for what the service or a script takes its time for."""
    return VirtualClock(datetime.now(UTC), auto=True)


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    """A service that takes no time by the machine's clock either, unless a test makes a script long."""
    at_once = Settings(
        quota=5, creation_seconds=0, connection_seconds=0, console_seconds=0, script_seconds=0, first_poll=0
    )
    return Simulator(users={"alice": "sesame-7Qx", "bob": "sesame-7Qx"}, settings=at_once, clock=clock)


@pytest.fixture
def srs(server: SimServer, tmp_path: Path) -> Shell:
    return Shell(server.url, tmp_path)
