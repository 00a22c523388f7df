"""Web consoles: created, waited for without a long request, and deleted only if they are one's own."""

from __future__ import annotations

import pytest

from srs_vsphere import (
    BasicAuth,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExceededError,
    ServerError,
    WaitTimeoutError,
    WebConsole,
    WebConsoleState,
)
from srs_vsphere.simulator import Fault, SimServer, Simulator, VirtualClock
from tests._sync.helping import LeadingClock, make_client

CREATE = ("POST", "/api/webconsoles")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def deletes(server: SimServer) -> int:
    return sum(method == "DELETE" for method, _ in server.requests)



def test_a_life_of_a_console(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        console = client.web_consoles.create()
        assert console.state == WebConsoleState.AVAILABLE
        assert client_clock.sleeps
        assert client.web_consoles.get(console.id) == console
        assert client.web_consoles.list() == [console]
        assert client.web_consoles.url(console.id) == f"{server.url}/{console.id}"
        client.web_consoles.delete(console.id)
        assert simulator.web_console_count == 0
        with pytest.raises(NotFoundError) as caught:
            client.web_consoles.get(console.id)
    assert caught.value.code == 2070



def test_without_waiting(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        console = client.web_consoles.create(wait=False)
        assert console.state == WebConsoleState.CREATING
    assert client_clock.sleeps == []



def test_waiting_on_the_server(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        console = client.web_consoles.create(wait_on_server=True)
        assert console.state == WebConsoleState.AVAILABLE
    assert client_clock.sleeps == []



def test_the_server_waits_longer_than_a_proxy(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    server.faults.add(Fault(operation="web_consoles.create", status=504, lost_answer=True))
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(OutcomeUnknownError, match=r"web_consoles\.list\(\)"):
            client.web_consoles.create(wait_on_server=True)
        assert server.requests.count(CREATE) == 1
        assert len(client.web_consoles.list()) == simulator.web_console_count == 1



def test_a_console_that_fails(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        simulator.fail_pod("not found.")
        with pytest.raises(ServerError, match=r"not found.*delete it") as caught:
            client.web_consoles.create()
        (console,) = client.web_consoles.list()
        # The error names it, so that its reader can do as he is told.
        assert console.id in str(caught.value)
        assert caught.value.code == 500
        client.web_consoles.delete(console.id)
        simulator.fail_creation("no cluster")
        with pytest.raises(ServerError, match="no cluster"):
            client.web_consoles.create()
    assert simulator.web_console_count == 0



def test_no_room(server: SimServer, simulator: Simulator, client_clock: LeadingClock) -> None:
    simulator.fill_quota()
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(QuotaExceededError) as caught:
            client.web_consoles.create()
    assert caught.value.code == 2060



def test_a_console_takes_too_long(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(WaitTimeoutError, match="did not become available within 1 s") as caught:
            client.web_consoles.create(timeout=1)
        assert isinstance(caught.value.last, WebConsole)
        assert caught.value.last.id in str(caught.value)
    assert deletes(server) == 0



def test_failures_that_pass_are_waited_out(server: SimServer, client_clock: LeadingClock) -> None:
    server.faults.add(Fault(operation="web_consoles.get", times=30, status=503))
    with make_client(server.url, clock=client_clock) as client:
        assert (client.web_consoles.create()).state == WebConsoleState.AVAILABLE



def test_only_ones_own_is_deleted(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with (
        make_client(server.url, clock=client_clock) as alice,
        make_client(server.url, clock=client_clock, auth=BasicAuth("bob", "sesame-7Qx")) as bob,
    ):
        console = alice.web_consoles.create()
        # The service would delete it for anybody.
        bob.web_consoles.delete(console.id)
        bob.web_consoles.delete("wc0123456789ab")
        assert deletes(server) == 0
        assert bob.web_consoles.list() == []
        with server.faults.armed(
            Fault(operation="web_consoles.delete", times=1, reset="after", lost_answer=True)
        ):
            alice.web_consoles.delete(console.id)
        assert deletes(server) == 2
        assert simulator.web_console_count == 0
        alice.web_consoles.delete(console.id)



def test_what_cannot_be_deleted_is_an_error(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        console = client.web_consoles.create()
        simulator.fail_deletion()
        with pytest.raises(ServerError) as caught:
            client.web_consoles.delete(console.id)
    assert caught.value.code == 2080
