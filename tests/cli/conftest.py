"""A service and a user's shell beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from srs_vsphere.simulator import Clock, SimServer, VirtualClock
from tests.cli.running import Shell


@pytest.fixture
def clock() -> Clock:
    """No program waits for what the service or a script takes its time for."""
    return VirtualClock(datetime.now(UTC), auto=True)


@pytest.fixture
def srs(server: SimServer, tmp_path: Path) -> Shell:
    return Shell(server.url, tmp_path)
