"""What modules share whose time is a virtual clock."""

from __future__ import annotations

import pytest

from srs_vsphere.simulator import VirtualClock
from tests._async.helping import AsyncLeadingClock


@pytest.fixture
def client_clock(clock: VirtualClock) -> AsyncLeadingClock:
    return AsyncLeadingClock(clock)
