"""Waiting for a runspace or a script: patient, not too curious, and never for ever."""

from __future__ import annotations

from itertools import pairwise

import pytest

from srs_vsphere import (
    AuthenticationError,
    NotFoundError,
    Runspace,
    RunspaceNotReadyError,
    RunspaceState,
    ScriptExecution,
    ScriptExecutionState,
    WaitTimeoutError,
)
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, Simulator, VirtualClock
from tests._sync.helping import LeadingClock, make_client


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def runspace(simulator: Simulator) -> str:
    simulator.on_script("long", ScriptReply(output=["late"], duration=100))
    return simulator.add_runspace()


def gets(server: SimServer, id: str) -> int:
    return sum(method == "GET" and path.endswith(id) for method, path in server.requests)



def test_a_runspace_becomes_ready(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.slow_creation(60)
    with make_client(server.url, clock=client_clock) as client:
        created = client.runspaces.create()
        ready = client.runspaces.wait_ready(created.id)
    assert (ready.id, ready.state) == (created.id, RunspaceState.READY)
    # Half a second at first, then less and less often, up to every five seconds and a bit for chance.
    assert client_clock.sleeps[0] == pytest.approx(0.55)
    assert all(earlier <= later <= 6 for earlier, later in pairwise(client_clock.sleeps))
    assert gets(server, created.id) == len(client_clock.sleeps) + 1 < 20



def test_a_runspace_takes_too_long(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.slow_creation(60)
    with make_client(server.url, clock=client_clock) as client:
        created = client.runspaces.create()
        began = client_clock.now()
        with pytest.raises(WaitTimeoutError, match="did not become ready within 20 s") as caught:
            client.runspaces.wait_ready(created.id, timeout=20)
        assert client_clock.now() - began == pytest.approx(20)
        assert list(simulator.runspaces) == [created.id]
    assert isinstance(caught.value.last, Runspace)
    assert caught.value.last.state == RunspaceState.CREATING
    assert "wait again" in str(caught.value)



def test_a_runspace_fails(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.fail_pod("failed: ImagePullBackOff")
    with make_client(server.url, clock=client_clock) as client:
        created = client.runspaces.create()
        with pytest.raises(RunspaceNotReadyError, match="ImagePullBackOff") as caught:
            client.runspaces.wait_ready(created.id)
    assert (caught.value.code, caught.value.details is not None) == (500, True)



def test_a_runspace_is_gone(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.slow_creation(60)
    with make_client(server.url, clock=client_clock) as client:
        created = client.runspaces.create()
        simulator.kill_runspace(created.id)
        with pytest.raises(NotFoundError) as caught:
            client.runspaces.wait_ready(created.id)
    assert caught.value.code == 2030
    assert client_clock.now() < 5



def test_a_single_404_may_be_a_hiccup(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.slow_creation(60)
    with make_client(server.url, clock=client_clock) as client:
        created = client.runspaces.create()
        client_clock.sleep(30)
        # The service says 404 whenever it cannot ask its cluster.
        simulator.fail_get()
        assert (client.runspaces.wait_ready(created.id)).state == RunspaceState.READY


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="*.get", times=30, status=503),
        Fault(operation="*.get", times=30, status=500),
        Fault(operation="*.get", times=30, reset="after"),
        Fault(operation="*.get", times=30, cut_after=3),
    ],
)

def test_failures_that_pass_are_waited_out(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock, fault: Fault, runspace: str
) -> None:
    simulator.slow_creation(20)
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(fault):
            created = client.runspaces.create()
            assert (client.runspaces.wait_ready(created.id)).state == RunspaceState.READY
        with server.faults.armed(fault):
            execution = client.script_executions.create(runspace, "long")
            ended = client.script_executions.wait(execution.id)
    assert ended.state == ScriptExecutionState.SUCCESS



def test_failures_that_do_not_pass_are_told(
    server: SimServer, client_clock: LeadingClock, runspace: str
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        execution = client.script_executions.create(runspace, "long")
        with (
            server.faults.armed(Fault(operation="script_executions.get", status=503)),
            pytest.raises(WaitTimeoutError, match="503") as caught,
        ):
            client.script_executions.wait(execution.id, timeout=50)
        assert caught.value.last is None
        with (
            server.faults.armed(Fault(operation="script_executions.get", stale_session=True)),
            pytest.raises(AuthenticationError),
        ):
            client.script_executions.wait(execution.id)



def test_a_script_is_waited_for_without_being_stopped(
    server: SimServer, clock: VirtualClock, client_clock: LeadingClock, runspace: str
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        execution = client.script_executions.create(runspace, "long")
        with pytest.raises(WaitTimeoutError, match="did not end within 10 s") as caught:
            client.script_executions.wait(execution.id, timeout=10)
        assert isinstance(caught.value.last, ScriptExecution)
        assert caught.value.last.state == ScriptExecutionState.RUNNING
        assert "Nothing was stopped" in str(caught.value)
        ended = client.script_executions.wait(execution.id)
    assert ended.state == ScriptExecutionState.SUCCESS
    assert clock.seconds() == pytest.approx(100, abs=7)



def test_a_script_is_canceled_on_request(
    server: SimServer, client_clock: LeadingClock, runspace: str
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        execution = client.script_executions.create(runspace, "long")
        with pytest.raises(WaitTimeoutError, match="asked to stop"):
            client.script_executions.wait(execution.id, timeout=10, cancel_on_exit=True)
        ended = client.script_executions.wait(execution.id)
        assert ended.state == ScriptExecutionState.CANCELED
        # What has ended is not canceled.
        client.script_executions.wait(execution.id, cancel_on_exit=True)
    assert sum(path.endswith("/cancel") for _, path in server.requests) == 1



def test_a_cancel_that_fails_on_the_way_out_is_logged(
    server: SimServer,
    client_clock: LeadingClock,
    runspace: str,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        execution = client.script_executions.create(runspace, "long")
        with (
            server.faults.armed(Fault(operation="script_executions.cancel", status=500)),
            pytest.raises(WaitTimeoutError),
        ):
            client.script_executions.wait(execution.id, timeout=10, cancel_on_exit=True)
    assert f"script {execution.id} was not canceled" in everything_logged.text



def test_an_unknown_script(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(NotFoundError):
            client.script_executions.wait("00000000-0000-0000-0000-000000000000")
    assert client_clock.now() < 5



def test_a_record_that_the_service_lost(
    server: SimServer,
    simulator: Simulator,
    clock: VirtualClock,
    client_clock: LeadingClock,
    runspace: str,
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        execution = client.script_executions.create(runspace, "long")
        # It dies before the service has looked for the first time: the record says running for ever.
        simulator.kill_runspace(runspace)
        clock.advance(1)
        stuck = client.script_executions.wait(execution.id, timeout=None)
    assert (stuck.stuck, stuck.state) == (True, ScriptExecutionState.RUNNING)
    assert client_clock.now() < 10



def test_a_script_whose_runspace_dies(
    server: SimServer,
    simulator: Simulator,
    clock: VirtualClock,
    client_clock: LeadingClock,
    runspace: str,
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        execution = client.script_executions.create(runspace, "long")
        clock.advance(5)
        assert not (client.script_executions.get(execution.id)).ended
        simulator.kill_runspace(runspace)
        ended = client.script_executions.wait(execution.id, timeout=None)
    assert ended.state == ScriptExecutionState.ERROR
    assert client_clock.now() < 10
