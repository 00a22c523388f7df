"""`run()` while things go wrong: time, room, runspaces, connections and the service itself."""

from __future__ import annotations

import pytest
from attrs import evolve

from srs_vsphere import (
    DecodeError,
    QuotaExceededError,
    RetryPolicy,
    ScriptFailedError,
    ScriptOutcome,
    ServerError,
    WaitTimeoutError,
)
from srs_vsphere.simulator import (
    Fault,
    ScriptReply,
    Settings,
    SimServer,
    Simulator,
    StreamMessage,
    VirtualClock,
)
from tests._async.helping import AsyncLeadingClock, make_client


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.mark.anyio
async def test_a_runspace_dies(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock, clock: VirtualClock
) -> None:
    runspace = simulator.add_runspace()
    simulator.on_script(
        "long", ScriptReply(output=["late"], duration=50, records=[StreamMessage("warning", "w", 1)])
    )
    server.faults.add(Fault(operation="script_executions.streams", nth=20, runspace_death=True))
    async with make_client(server.url, clock=client_clock) as client:
        result = await client.run("long", runspace=runspace)
    assert (result.outcome, result.output) == (ScriptOutcome.LOST, "")
    assert [record.message for record in result.warnings] == ["w"]
    assert clock.seconds() < 50
    with pytest.raises(ScriptFailedError, match="may have run to its end"):
        result.raise_for_outcome()


@pytest.mark.anyio
async def test_a_runspace_dies_at_once(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    runspace = simulator.add_runspace()
    simulator.on_script("long", ScriptReply(duration=50))
    server.faults.add(Fault(operation="script_executions.get", nth=1, runspace_death=True))
    async with make_client(server.url, clock=client_clock) as client:
        # The service's record says running for ever, and has no id.
        result = await client.run("long", runspace=runspace, output="json", timeout=None)
    assert (result.outcome, result.output) == (ScriptOutcome.LOST, [])


@pytest.mark.anyio
async def test_the_service_restarts(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    records = [StreamMessage("warning", f"w{number}", number) for number in range(50)]
    simulator.on_script("long", ScriptReply(duration=50, records=records))
    server.faults.add(Fault(operation="script_executions.get", nth=5, restart=True))
    async with make_client(server.url, clock=client_clock) as client:
        result = await client.run("long")
    # Neither the session nor the runspace nor the script is known any more.
    assert (result.outcome, result.output, result.reason) == (ScriptOutcome.LOST, "", None)
    assert result.warnings[0].message == "w0"
    assert result.execution.state == "running"
    with pytest.raises(ScriptFailedError, match="does not know it any more"):
        result.raise_for_outcome()


@pytest.mark.anyio
async def test_too_long(server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock) -> None:
    simulator.on_script("long", ScriptReply(duration=1000))
    runspace = simulator.add_runspace()
    async with make_client(server.url, clock=client_clock) as client:
        for options in ({}, {"runspace": runspace}):
            began = client_clock.now()
            with pytest.raises(WaitTimeoutError, match=r"within 10 s.* asked to stop") as caught:
                await client.run("long", timeout=10, **options)
            assert client_clock.now() - began < 14
            assert list(simulator.runspaces) == [runspace]
            last = caught.value.last
            # Its runspace is gone or not: the script has stopped in any case.
            assert last is not None
            assert (await client.script_executions.wait(last.id)).ended
        assert (await client.script_executions.wait(last.id)).state == "canceled"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="script_executions.streams", times=9, status=503),
        Fault(operation="script_executions.streams", times=9, status=500),
        Fault(operation="script_executions.get", times=4, status=500),
        Fault(operation="script_executions.streams", times=9, reset="after"),
        Fault(operation="script_executions.streams", times=9, cut_after=1),
        Fault(operation="script_executions.streams", nth=1, stale_session=True),
    ],
)
@pytest.mark.anyio
async def test_failures_that_pass_do_no_harm(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock, fault: Fault
) -> None:
    records = [StreamMessage("warning", f"w{number}", at=number) for number in range(15)]
    simulator.on_script("steady", ScriptReply(records=records, duration=20))
    async with make_client(
        server.url, clock=client_clock, retry=RetryPolicy(attempts=2, backoff=0)
    ) as client:
        with server.faults.armed(fault):
            result = await client.run("steady", runspace=simulator.add_runspace())
    assert result.outcome is ScriptOutcome.SUCCEEDED
    assert [record.message for record in result.warnings] == [f"w{number}" for number in range(15)]


@pytest.mark.parametrize(
    "late",
    [
        Fault(operation="script_executions.output", times=3, status=204),
        Fault(
            operation="script_executions.output",
            times=3,
            status=200,
            body=b"[null]",
            content_type="application/json",
        ),
    ],
)
@pytest.mark.anyio
async def test_output_that_comes_late(
    server: SimServer, client_clock: AsyncLeadingClock, late: Fault
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(late):
            assert (await client.run("'x'")).output == "x"
        never = evolve(late, times=None)
        # Nothing is not the same as no output.
        with server.faults.armed(never), pytest.raises(DecodeError, match="although the script has ended"):
            await client.run("'x'")


@pytest.mark.anyio
async def test_streams_that_cannot_be_had_at_the_end(
    server: SimServer, client_clock: AsyncLeadingClock
) -> None:
    server.faults.add(Fault(operation="script_executions.streams", status=500))
    async with make_client(server.url, clock=client_clock) as client:
        # Without the error stream nobody can say that the script succeeded.
        with pytest.raises(ServerError) as caught:
            await client.run("1")
    assert caught.value.operation == "script_executions.streams"


@pytest.mark.anyio
async def test_no_room(server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock) -> None:
    simulator.fill_quota()
    async with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(QuotaExceededError):
            await client.run("1")
        assert client_clock.sleeps == []
        with pytest.raises(QuotaExceededError):
            await client.run("1", wait_for_quota=30)
        assert client_clock.now() == pytest.approx(30)
        assert simulator.execution_count == 0


@pytest.mark.anyio
async def test_a_result_outlives_a_failed_deletion(
    server: SimServer,
    simulator: Simulator,
    client_clock: AsyncLeadingClock,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    simulator.fail_deletion()
    async with make_client(server.url, clock=client_clock) as client:
        assert (await client.run("'x'")).output == "x"
    assert "was not deleted" in everything_logged.text


@pytest.mark.anyio
async def test_many_in_a_row(
    simulator: Simulator, clock: VirtualClock, client_clock: AsyncLeadingClock
) -> None:
    """More than the history keeps: whatever is pruned was read before."""
    settings = Settings(history=3, history_interval=1.0)
    crowded = Simulator(users={"alice": "sesame-7Qx"}, clock=clock, settings=settings)
    with SimServer(crowded) as server:
        async with make_client(server.url, clock=client_clock) as client:
            for number in range(8):
                assert (await client.run(f"{number}")).output == f"{number}"
        assert crowded.execution_count <= 4
