"""What tests of the client share: a simulator, a real server for it, and both event loops."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from srs_vsphere.simulator import Settings, SimServer, Simulator


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(users={"alice": "secret", "bob": "secret"}, settings=Settings(quota=5))


@pytest.fixture
def server(simulator: Simulator) -> Iterator[SimServer]:
    with SimServer(simulator) as server:
        yield server


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("httpcore", "httpx", "srs_vsphere"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog
