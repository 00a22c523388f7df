"""What modules share whose time is a virtual clock."""

from __future__ import annotations

import pytest

from srs_vsphere.simulator import VirtualClock
from tests._sync.helping import LeadingClock


@pytest.fixture
def client_clock(clock: VirtualClock) -> LeadingClock:
    return LeadingClock(clock)
