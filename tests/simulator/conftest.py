"""What tests of the simulated service share: the service on a virtual clock, and a user of it."""

from __future__ import annotations

import pytest

from tests.simulator.calling import Caller, ready_runspace, simulated


@pytest.fixture
def service():
    return simulated()


@pytest.fixture
def alice(service):
    return Caller(service)


@pytest.fixture
def bob(service):
    return Caller(service, "bob")


@pytest.fixture
def runspace(alice):
    return ready_runspace(alice)
