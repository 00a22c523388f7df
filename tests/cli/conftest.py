"""A service and a user's shell beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from srs_vsphere.simulator import Settings, SimServer, Simulator
from tests.cli.running import Shell


@pytest.fixture
def simulator() -> Simulator:
    """A service that never keeps the program waiting, unless a script of the test's own takes its time."""
    at_once = Settings(
        quota=5, creation_seconds=0, connection_seconds=0, console_seconds=0, script_seconds=0, first_poll=0
    )
    return Simulator(users={"alice": "sesame-7Qx", "bob": "sesame-7Qx"}, settings=at_once)


@pytest.fixture
def srs(server: SimServer, tmp_path: Path) -> Shell:
    return Shell(server.url, tmp_path)
