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
from tests._async.helping import AsyncLeadingClock, make_client


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def runspace(simulator: Simulator) -> str:
    simulator.on_script("long", ScriptReply(output=["late"], duration=100))
    return simulator.add_runspace()


def gets(server: SimServer, id: str) -> int:
    return sum(method == "GET" and path.endswith(id) for method, path in server.requests)


@pytest.mark.anyio
async def test_a_runspace_becomes_ready(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    simulator.slow_creation(60)
    async with make_client(server.url, clock=client_clock) as client:
        created = await client.runspaces.create()
        ready = await client.runspaces.wait_ready(created.id)
    assert (ready.id, ready.state) == (created.id, RunspaceState.READY)
    # Half a second at first, then less and less often, up to every five seconds and a bit for chance.
    assert client_clock.sleeps[0] == pytest.approx(0.55)
    assert all(earlier <= later <= 6 for earlier, later in pairwise(client_clock.sleeps))
    assert gets(server, created.id) == len(client_clock.sleeps) + 1 < 20


@pytest.mark.anyio
async def test_a_runspace_takes_too_long(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    simulator.slow_creation(60)
    async with make_client(server.url, clock=client_clock) as client:
        created = await client.runspaces.create()
        began = client_clock.now()
        with pytest.raises(WaitTimeoutError, match="did not become ready within 20 s") as caught:
            await client.runspaces.wait_ready(created.id, timeout=20)
        assert client_clock.now() - began == pytest.approx(20)
        assert list(simulator.runspaces) == [created.id]
    assert isinstance(caught.value.last, Runspace)
    assert caught.value.last.state == RunspaceState.CREATING
    assert "wait again" in str(caught.value)


@pytest.mark.anyio
async def test_a_runspace_fails(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    simulator.fail_pod("failed: ImagePullBackOff")
    async with make_client(server.url, clock=client_clock) as client:
        created = await client.runspaces.create()
        with pytest.raises(RunspaceNotReadyError, match="ImagePullBackOff") as caught:
            await client.runspaces.wait_ready(created.id)
    assert (caught.value.code, caught.value.details is not None) == (500, True)


@pytest.mark.anyio
async def test_a_runspace_is_gone(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    simulator.slow_creation(60)
    async with make_client(server.url, clock=client_clock) as client:
        created = await client.runspaces.create()
        simulator.kill_runspace(created.id)
        with pytest.raises(NotFoundError) as caught:
            await client.runspaces.wait_ready(created.id)
    assert caught.value.code == 2030
    assert client_clock.now() < 5


@pytest.mark.anyio
async def test_a_single_404_may_be_a_hiccup(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    simulator.slow_creation(60)
    async with make_client(server.url, clock=client_clock) as client:
        created = await client.runspaces.create()
        await client_clock.sleep(30)
        # The service says 404 whenever it cannot ask its cluster.
        simulator.fail_get()
        assert (await client.runspaces.wait_ready(created.id)).state == RunspaceState.READY


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="*.get", times=30, status=503),
        Fault(operation="*.get", times=30, status=500),
        Fault(operation="*.get", times=30, reset="after"),
        Fault(operation="*.get", times=30, cut_after=3),
    ],
)
@pytest.mark.anyio
async def test_failures_that_pass_are_waited_out(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock, fault: Fault, runspace: str
) -> None:
    simulator.slow_creation(20)
    async with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(fault):
            created = await client.runspaces.create()
            assert (await client.runspaces.wait_ready(created.id)).state == RunspaceState.READY
        with server.faults.armed(fault):
            execution = await client.script_executions.create(runspace, "long")
            ended = await client.script_executions.wait(execution.id)
    assert ended.state == ScriptExecutionState.SUCCESS


@pytest.mark.anyio
async def test_failures_that_do_not_pass_are_told(
    server: SimServer, client_clock: AsyncLeadingClock, runspace: str
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        execution = await client.script_executions.create(runspace, "long")
        with (
            server.faults.armed(Fault(operation="script_executions.get", status=503)),
            pytest.raises(WaitTimeoutError, match="503") as caught,
        ):
            await client.script_executions.wait(execution.id, timeout=50)
        assert caught.value.last is None
        with (
            server.faults.armed(Fault(operation="script_executions.get", stale_session=True)),
            pytest.raises(AuthenticationError),
        ):
            await client.script_executions.wait(execution.id)


@pytest.mark.anyio
async def test_a_script_is_waited_for_without_being_stopped(
    server: SimServer, clock: VirtualClock, client_clock: AsyncLeadingClock, runspace: str
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        execution = await client.script_executions.create(runspace, "long")
        with pytest.raises(WaitTimeoutError, match="did not end within 10 s") as caught:
            await client.script_executions.wait(execution.id, timeout=10)
        assert isinstance(caught.value.last, ScriptExecution)
        assert caught.value.last.state == ScriptExecutionState.RUNNING
        assert "Nothing was stopped" in str(caught.value)
        ended = await client.script_executions.wait(execution.id)
    assert ended.state == ScriptExecutionState.SUCCESS
    assert clock.seconds() == pytest.approx(100, abs=7)


@pytest.mark.anyio
async def test_a_script_is_canceled_on_request(
    server: SimServer, client_clock: AsyncLeadingClock, runspace: str
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        execution = await client.script_executions.create(runspace, "long")
        with pytest.raises(WaitTimeoutError, match="asked to stop"):
            await client.script_executions.wait(execution.id, timeout=10, cancel_on_exit=True)
        ended = await client.script_executions.wait(execution.id)
        assert ended.state == ScriptExecutionState.CANCELED
        # What has ended is not canceled.
        await client.script_executions.wait(execution.id, cancel_on_exit=True)
    assert sum(path.endswith("/cancel") for _, path in server.requests) == 1


@pytest.mark.anyio
async def test_a_cancel_that_fails_on_the_way_out_is_logged(
    server: SimServer,
    client_clock: AsyncLeadingClock,
    runspace: str,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        execution = await client.script_executions.create(runspace, "long")
        with (
            server.faults.armed(Fault(operation="script_executions.cancel", status=500)),
            pytest.raises(WaitTimeoutError),
        ):
            await client.script_executions.wait(execution.id, timeout=10, cancel_on_exit=True)
    assert f"script {execution.id} was not canceled" in everything_logged.text


@pytest.mark.anyio
async def test_an_unknown_script(server: SimServer, client_clock: AsyncLeadingClock) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(NotFoundError):
            await client.script_executions.wait("00000000-0000-0000-0000-000000000000")
    assert client_clock.now() < 5


@pytest.mark.anyio
async def test_a_record_that_the_service_lost(
    server: SimServer,
    simulator: Simulator,
    clock: VirtualClock,
    client_clock: AsyncLeadingClock,
    runspace: str,
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        execution = await client.script_executions.create(runspace, "long")
        # It dies before the service has looked for the first time: the record says running for ever.
        simulator.kill_runspace(runspace)
        clock.advance(1)
        stuck = await client.script_executions.wait(execution.id, timeout=None)
    assert (stuck.stuck, stuck.state) == (True, ScriptExecutionState.RUNNING)
    assert client_clock.now() < 10


@pytest.mark.anyio
async def test_a_script_whose_runspace_dies(
    server: SimServer,
    simulator: Simulator,
    clock: VirtualClock,
    client_clock: AsyncLeadingClock,
    runspace: str,
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        execution = await client.script_executions.create(runspace, "long")
        clock.advance(5)
        assert not (await client.script_executions.get(execution.id)).ended
        simulator.kill_runspace(runspace)
        ended = await client.script_executions.wait(execution.id, timeout=None)
    assert ended.state == ScriptExecutionState.ERROR
    assert client_clock.now() < 10
