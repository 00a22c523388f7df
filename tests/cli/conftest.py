"""A service and a user's shell beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from srs_vsphere.simulator import SimServer
from tests.cli.running import Shell


@pytest.fixture
def srs(server: SimServer, tmp_path: Path) -> Shell:
    return Shell(server.url, tmp_path)
