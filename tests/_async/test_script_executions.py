"""Script executions by hand: created once, looked at while they run, canceled, and found again when lost."""

from __future__ import annotations

import pytest

from srs_vsphere import (
    BasicAuth,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    OutputFormat,
    RunspaceBusyError,
    RunspaceNotReadyError,
    ScriptExecutionState,
    ScriptParameter,
    ServerError,
    StreamType,
)
from srs_vsphere.simulator import (
    Fault,
    ScriptCall,
    ScriptReply,
    SimServer,
    Simulator,
    StreamMessage,
    VirtualClock,
)
from tests._async.helping import AsyncLeadingClock, make_client

CREATE = ("POST", "/api/script-executions")
LOST_ANSWERS = [
    Fault(operation="script_executions.create", times=1, reset="after", lost_answer=True),
    # A proxy that was too impatient: the script runs all the same.
    Fault(operation="script_executions.create", times=1, status=504, lost_answer=True),
    # What the service says of a runspace it cannot reach; to an HTTP parser that is no response.
    Fault(operation="script_executions.create", times=1, status=0, lost_answer=True),
]
NOT_CARRIED_OUT = [
    Fault(operation="script_executions.create", times=1, reset="after"),
    Fault(operation="script_executions.create", times=1, status=502),
]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def runspace(simulator: Simulator) -> str:
    simulator.on_script("long", ScriptReply(output=["late"], duration=10))
    return simulator.add_runspace()


@pytest.mark.anyio
async def test_a_life_of_a_script(server: SimServer, clock: VirtualClock, runspace: str) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        scripts = client.script_executions
        created = await scripts.create(runspace, "long", name="nächtlich")
        assert (created.name, created.state) == ("nächtlich", ScriptExecutionState.RUNNING)
        assert created.start_time is not None
        clock.advance(1)
        assert not (await scripts.get(created.id)).ended
        assert await scripts.output(created.id) == []
        ended = await scripts.wait(created.id)
        assert (ended.id, ended.state) == (created.id, ScriptExecutionState.SUCCESS)
        assert ended.end_time is not None
        assert (ended.end_time - created.start_time).total_seconds() == pytest.approx(10, abs=0.1)
        assert await scripts.output(created.id) == ["late"]
        assert await scripts.list() == [ended]


@pytest.mark.anyio
async def test_its_first_moments(server: SimServer, clock: VirtualClock, runspace: str) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        scripts = client.script_executions
        created = await scripts.create(runspace, "long", output="raw")
        assert created.output_objects_format == OutputFormat.JSON
        early = await scripts.get(created.id)
        assert (early.state, early.start_time) == (ScriptExecutionState.RUNNING, None)
        for ask in (lambda: scripts.output(created.id), lambda: scripts.records(created.id, "error")):
            with pytest.raises(NotFoundError) as caught:
                await ask()
            assert caught.value.code == 1040
        clock.advance(1)
        assert await scripts.output(created.id) == []
        assert await scripts.records(created.id, "error") == []


@pytest.mark.anyio
async def test_both_formats(server: SimServer, clock: VirtualClock, runspace: str) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        scripts = client.script_executions
        outputs: dict[OutputFormat, list[str]] = {}
        for output, form in (("text", OutputFormat.TEXT), ("raw", OutputFormat.JSON)):
            created = await scripts.create(runspace, "'one'; 2", output=output)
            assert (await scripts.wait(created.id)).output_objects_format == form
            outputs[form] = await scripts.output(created.id)
    assert outputs[OutputFormat.TEXT] == ["one\n2"]
    assert len(outputs[OutputFormat.JSON]) == 2
    assert '"Value": "one"' in outputs[OutputFormat.JSON][0]


@pytest.mark.anyio
async def test_records_know_their_stream(
    server: SimServer, simulator: Simulator, clock: VirtualClock, runspace: str
) -> None:
    messages = [StreamMessage(stream, f"a {stream}") for stream in StreamType]
    simulator.on_script("talk", ScriptReply(records=messages))
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        scripts = client.script_executions
        created = await scripts.create(runspace, "talk")
        await scripts.wait(created.id)
        for stream in StreamType:
            (record,) = await scripts.records(created.id, stream)
            assert (record.message, record.stream) == (f"a {stream}", stream)
            assert [record] == await scripts.records(created.id, str(stream))


@pytest.mark.anyio
async def test_parameters_in_the_services_own_form(
    server: SimServer, simulator: Simulator, clock: VirtualClock, runspace: str
) -> None:
    calls: list[ScriptCall] = []

    def note(call: ScriptCall) -> ScriptReply:
        calls.append(call)
        return ScriptReply()

    simulator.on_script("raw", note)
    parameters = [
        ScriptParameter("list", [1, 2]),
        ScriptParameter("switch"),
        ScriptParameter("sum", script="1 + 3"),
    ]
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        await client.script_executions.create(runspace, "raw", parameters=parameters)
    # What the service makes of them, which values by name do not suffer.
    assert calls[0].parameters == {"list": 1, "switch": True, "sum": 4}


@pytest.mark.anyio
async def test_cancel(server: SimServer, clock: VirtualClock, runspace: str) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        scripts = client.script_executions
        created = await scripts.create(runspace, "long")
        clock.advance(2)
        await scripts.cancel(created.id)
        ended = await scripts.wait(created.id)
        assert ended.state == ScriptExecutionState.CANCELED
        assert "The pipeline has been stopped" in (ended.reason or "")
        await scripts.cancel(created.id)
        assert await scripts.get(created.id) == ended
        with pytest.raises(NotFoundError) as caught:
            await scripts.cancel("00000000-0000-0000-0000-000000000000")
    # The service says 404 with the code of anything unforeseen.
    assert (caught.value.status, caught.value.code) == (404, 500)


@pytest.mark.anyio
async def test_what_a_runspace_refuses(
    server: SimServer, simulator: Simulator, clock: VirtualClock, runspace: str
) -> None:
    creating, failed = (simulator.add_runspace(state=state) for state in ("creating", "error"))
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        scripts = client.script_executions
        running = await scripts.create(runspace, "long")
        with pytest.raises(RunspaceBusyError, match=running.id) as busy:
            await scripts.create(runspace, "1")
        assert (busy.value.status, busy.value.code, busy.value.attempts) == (500, 1310, 1)
        for unready in (creating, failed):
            with pytest.raises(RunspaceNotReadyError) as caught:
                await scripts.create(unready, "1")
            assert caught.value.code == 2031
        with pytest.raises(NotFoundError) as unknown:
            await scripts.create("pcli-unknown", "1")
        assert unknown.value.code == 2030
        assert len(await scripts.list()) == 1


@pytest.mark.anyio
async def test_a_script_too_large_for_the_proxy(
    server: SimServer, clock: VirtualClock, runspace: str
) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        with pytest.raises((InvalidRequestError, OutcomeUnknownError)) as caught:
            await client.script_executions.create(runspace, "#" * 2_000_000, name="large")
        assert await client.script_executions.list() == []
    # The proxy may cut the connection while the body is still being sent; then nobody knows.
    if isinstance(caught.value, InvalidRequestError):
        assert caught.value.status == 413
        assert "smaller" in str(caught.value)


@pytest.mark.parametrize("fault", LOST_ANSWERS)
@pytest.mark.anyio
async def test_a_lost_answer_is_found_out(
    server: SimServer, simulator: Simulator, clock: VirtualClock, runspace: str, fault: Fault
) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        with server.faults.armed(fault):
            created = await client.script_executions.create(runspace, "long")
        assert [execution.id for execution in await client.script_executions.list()] == [created.id]
    assert server.requests.count(CREATE) == 1
    assert simulator.execution_count == 1


@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
@pytest.mark.anyio
async def test_a_lost_request_is_not_sent_again(
    server: SimServer, simulator: Simulator, clock: VirtualClock, runspace: str, fault: Fault
) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        with server.faults.armed(fault), pytest.raises(OutcomeUnknownError, match="may still appear"):
            await client.script_executions.create(runspace, "long")
    assert server.requests.count(CREATE) == 1
    assert simulator.execution_count == 0


@pytest.mark.parametrize("fault", LOST_ANSWERS)
@pytest.mark.anyio
async def test_under_a_name_of_ones_own_one_has_to_look(
    server: SimServer, clock: VirtualClock, runspace: str, fault: Fault
) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        with server.faults.armed(fault), pytest.raises(OutcomeUnknownError) as caught:
            await client.script_executions.create(runspace, "long", name="nightly")
    assert str(caught.value).endswith("Look for the name 'nightly' in script_executions.list().")
    assert server.requests.count(CREATE) == 1


@pytest.mark.anyio
async def test_a_look_that_fails_claims_nothing(
    server: SimServer, clock: VirtualClock, runspace: str
) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        await client.login()
        with (
            server.faults.armed(LOST_ANSWERS[0]),
            server.faults.armed(Fault(operation="script_executions.list", status=500)),
            pytest.raises(OutcomeUnknownError, match=r"Look for the name 'srs-vsphere-\w+'"),
        ):
            await client.script_executions.create(runspace, "long")


@pytest.mark.anyio
async def test_an_unreachable_runspace(
    server: SimServer, simulator: Simulator, clock: VirtualClock, runspace: str
) -> None:
    simulator.make_unreachable(runspace)
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        with pytest.raises((ServerError, OutcomeUnknownError)):
            await client.script_executions.create(runspace, "1")
    assert server.requests.count(CREATE) == 1


@pytest.mark.anyio
async def test_the_history_is_in_order_of_time_and_without_the_services_own(
    server: SimServer, clock: VirtualClock
) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        async with client.runspaces.open(run_vc_connection_script=True) as handle:
            names = ["first", "second", "third"]
            for name in names:
                await handle.run("1", name=name)
        scripts = client.script_executions
        assert [execution.name for execution in await scripts.list()] == names
        everything = [execution.name for execution in await scripts.list(skip_system=False)]
        assert everything == ["powerclivclogin", *names, "disconnectallservers"]
        async with scripts.stream(skip_system=False) as executions:
            assert sorted([str(execution.name) async for execution in executions]) == sorted(everything)


@pytest.mark.anyio
async def test_other_users(server: SimServer, clock: VirtualClock, runspace: str) -> None:
    async with (
        make_client(server.url, clock=AsyncLeadingClock(clock)) as alice,
        make_client(server.url, auth=BasicAuth("bob", "sesame-7Qx")) as bob,
    ):
        created = await alice.script_executions.create(runspace, "1")
        await alice.script_executions.wait(created.id)
        clock.advance(1)
        assert await bob.script_executions.list() == []
        with pytest.raises(NotFoundError):
            await bob.script_executions.get(created.id)
        with pytest.raises(NotFoundError):
            await bob.script_executions.create(runspace, "1")
