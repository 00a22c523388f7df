"""The runspaces of a real (simulated) server: list, stream, get, create, delete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from srs_vsphere import NotFoundError, QuotaExceededError, RunspaceState, ServerError
from srs_vsphere.simulator import Fault, SimServer, Simulator
from tests._sync.helping import make_client



def test_about_needs_no_credentials(server: SimServer) -> None:
    with make_client(server.url, auth=None) as client:
        about = client.about()
    assert (about.name, about.api_version) == ("Script Runtime Service for vSphere", "1.0.0")
    assert server.requests == (("GET", "/api/about"),)



def test_a_life_of_a_runspace(server: SimServer) -> None:
    with make_client(server.url) as client:
        created = client.runspaces.create("nächtlich")
        assert (created.name, created.state) == ("nächtlich", RunspaceState.CREATING)
        assert created.creation_time is not None
        assert abs(datetime.now(UTC) - created.creation_time) < timedelta(minutes=1)
        assert client.runspaces.get(created.id) == created
        assert client.runspaces.list() == [created]
        client.runspaces.delete(created.id)
        assert client.runspaces.list() == []
        with pytest.raises(NotFoundError) as caught:
            client.runspaces.get(created.id)
    assert (caught.value.status, caught.value.code, caught.value.attempts) == (404, 2030, 1)
    assert caught.value.operation == "runspaces.get"
    assert str(caught.value).startswith(f"runspaces.get on 127.0.0.1:{server.port}: Runspace with id")



def test_stream_gives_what_the_list_gives(server: SimServer, simulator: Simulator) -> None:
    for number in range(4):
        simulator.add_runspace(name=f"№ {number}")
    simulator.add_runspace(
        state="error", error_details={"code": 500, "error_message": "no pod"}, connected=True
    )
    with make_client(server.url) as client:
        listed = client.runspaces.list()
        with client.runspaces.stream() as runspaces:
            streamed = [runspace for runspace in runspaces]
    assert streamed == listed
    assert [runspace.name for runspace in listed] == ["№ 0", "№ 1", "№ 2", "№ 3", None]
    error = listed[4].error_details
    assert error is not None
    assert (listed[4].state, error.code, error.error_message) == (RunspaceState.ERROR, 500, "no pod")
    assert listed[4].run_vc_connection_script is True



def test_a_full_quota_is_an_error_of_its_own(server: SimServer) -> None:
    with make_client(server.url) as client:
        for _ in range(5):
            client.runspaces.create()
        with pytest.raises(QuotaExceededError) as caught:
            client.runspaces.create()
    assert (caught.value.status, caught.value.code) == (500, 2020)



def test_deleting_what_is_gone_is_fine(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as client:
        client.runspaces.delete("pcli-unknown")
        created = client.runspaces.create()
        with server.faults.armed(
            Fault(operation="runspaces.delete", times=1, reset="after", lost_answer=True)
        ):
            client.runspaces.delete(created.id)
        assert list(simulator.runspaces) == []
        assert [path for method, path in server.requests if method == "DELETE"] == [
            "/api/runspaces/pcli-unknown",
            f"/api/runspaces/{created.id}",
            f"/api/runspaces/{created.id}",
        ]



def test_what_cannot_be_deleted_is_an_error(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as client:
        created = client.runspaces.create()
        simulator.fail_deletion()
        with pytest.raises(ServerError) as caught:
            client.runspaces.delete(created.id)
    assert caught.value.code == 2040



def test_bad_arguments_are_refused_before_anything_is_sent(server: SimServer) -> None:
    client = make_client(server.url)
    for bad in ("", " ", "..", "."):
        with pytest.raises(ValueError, match="id"):
            client.runspaces.get(bad)
        with pytest.raises(ValueError, match="id"):
            client.runspaces.delete(bad)
    with pytest.raises(TypeError, match="id must be text"):
        client.runspaces.get(5)
    with pytest.raises(TypeError, match="name must be text"):
        client.runspaces.create(b"x")
    client.close()
    assert server.requests == ()



def test_use_after_close_is_refused(server: SimServer) -> None:
    client = make_client(server.url)
    client.about()
    client.close()
    client.close()
    assert "closed" in repr(client)
    for use in (client.about, client.login, client.logout, client.runspaces.list):
        with pytest.raises(RuntimeError, match="closed"):
            use()
    with pytest.raises(RuntimeError, match="closed"):
        with client.runspaces.stream():
            pass
    assert server.traffic.seen == 1
