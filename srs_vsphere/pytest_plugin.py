"""Fixtures that give a test the simulated service; where this package is installed, pytest knows them.

::

    import pytest

    def test_my_report(srs_client, srs_simulator):         # a SrsClient, entered; it logs in when it must
        srs_simulator.add_runspace(name="left over")
        assert [runspace.name for runspace in srs_client.runspaces.list()] == ["left over"]

    @pytest.mark.anyio
    async def test_my_service(async_srs_client):           # an AsyncSrsClient, for you to enter
        async with async_srs_client as client:
            assert await client.runspaces.list() == []

    @pytest.mark.srs_fault(operation="runspaces.list", times=1, status=503)
    def test_my_patience(srs_client, srs_server):
        srs_client.runspaces.list()
        assert srs_server.requests.count(("GET", "/api/runspaces")) == 2

``srs_simulator`` is the state behind them: its clock runs twenty times as fast as the wall's. ``srs_server``
serves it on loopback, from a thread, so that clients on any event loop and in any thread can use it. The
marker takes the arguments of `srs_vsphere.simulator.faults.Fault`; several markers are tried from top to
bottom.

Nothing but pytest is imported before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from srs_vsphere import AsyncSrsClient, SrsClient
    from srs_vsphere.simulator import Simulator
    from srs_vsphere.simulator.server import SimServer

USER = "alice"
PASSWORD = "secret"  # noqa: S105 - the simulated user's
SPEED = 20.0


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "srs_fault(**fault): let the simulated service fail; takes the arguments of "
        "srs_vsphere.simulator.faults.Fault",
    )


@pytest.fixture
def srs_simulator() -> Simulator:
    """A fresh simulated service, with the users alice and bob, password ``secret``."""
    from srs_vsphere.simulator import Simulator, SystemClock

    return Simulator(users={USER: PASSWORD, "bob": PASSWORD}, clock=SystemClock(SPEED))


@pytest.fixture
def srs_server(request: pytest.FixtureRequest, srs_simulator: Simulator) -> Iterator[SimServer]:
    """The simulated service on loopback, with the faults that the test is marked with."""
    from srs_vsphere.simulator.faults import Fault, FaultPlan
    from srs_vsphere.simulator.server import SimServer

    node: pytest.Item = request.node
    marks = reversed(list(node.iter_markers("srs_fault")))
    try:
        faults = FaultPlan([Fault(*mark.args, **mark.kwargs) for mark in marks])
    except (TypeError, ValueError) as error:
        raise pytest.UsageError(f"srs_fault: {error}") from None
    with SimServer(srs_simulator, faults=faults) as server:
        yield server


@pytest.fixture
def srs_client(srs_server: SimServer) -> Iterator[SrsClient]:
    """A client of the simulated service, for user alice."""
    from srs_vsphere import BasicAuth, SrsClient

    with SrsClient(srs_server.url, auth=BasicAuth(USER, PASSWORD)) as client:
        yield client


@pytest.fixture
def async_srs_client(srs_server: SimServer) -> AsyncSrsClient:
    """An asynchronous client of the simulated service, for user alice.

    The test enters it itself, with ``async with``: so it belongs to the test's own event loop, whichever
    plugin runs that.
    """
    from srs_vsphere import AsyncSrsClient, BasicAuth

    return AsyncSrsClient(srs_server.url, auth=BasicAuth(USER, PASSWORD))
