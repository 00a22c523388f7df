"""How often a running script's streams are read, and what that may lose."""

from __future__ import annotations

import pytest

from srs_vsphere import AsyncRunspacePool, ScriptOutcome, SrsError
from srs_vsphere._service.stream_schedule import StreamsChoice
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, Simulator, StreamMessage, VirtualClock
from tests._async.helping import AsyncLeadingClock, make_client

#: What stretches the delays between two looks: least, middle and most.
CHANCES = [0.0, 0.5, 0.999]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def bursts(stream: str, count: int, each: int, distance: float) -> list[StreamMessage]:
    return [
        StreamMessage(stream, f"m{burst}/{number}", at=1 + burst * distance)
        for burst in range(count)
        for number in range(each)
    ]


def reads(server: SimServer) -> int:
    return sum("/streams/" in path for _, path in server.requests)


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize(("streams", "most"), [(True, 88), ("sparse", 30), (False, 23)])
@pytest.mark.anyio
async def test_what_a_silent_script_of_20_seconds_costs(
    server: SimServer,
    simulator: Simulator,
    clock: VirtualClock,
    chance: float,
    streams: StreamsChoice,
    most: int,
) -> None:
    simulator.on_script("silent", ScriptReply(output=["done"], duration=20))
    async with make_client(server.url, clock=AsyncLeadingClock(clock, chance)) as client:
        result = await client.run("silent", streams=streams)
    assert result.output == "done"
    assert len(server.requests) <= most
    # Its end is seen soon.
    assert clock.seconds() < 26


@pytest.mark.parametrize("streams", [True, "sparse"])
@pytest.mark.anyio
async def test_streams_that_are_not_there_yet_are_not_asked_for(
    server: SimServer, simulator: Simulator, clock: VirtualClock, streams: StreamsChoice
) -> None:
    simulator.on_script("short", ScriptReply(records=[StreamMessage("warning", "w")], duration=0.2))
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        result = await client.run("short", runspace=simulator.add_runspace(), streams=streams)
    assert [warning.message for warning in result.warnings] == ["w"]
    assert reads(server) == 5


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize(
    ("stream", "attribute"), [("information", "information"), ("error", "errors"), ("debug", "debug")]
)
@pytest.mark.anyio
async def test_by_default_49_records_of_a_stream_in_three_seconds_are_kept(
    server: SimServer, simulator: Simulator, clock: VirtualClock, chance: float, stream: str, attribute: str
) -> None:
    said = bursts(stream, 8, 49, 3)
    simulator.on_script("talk", ScriptReply(records=said, duration=26))
    async with make_client(server.url, clock=AsyncLeadingClock(clock, chance)) as client:
        runspace = simulator.add_runspace()
        kept = await client.run("talk", runspace=runspace)
        thinned = await client.run("talk", runspace=runspace, streams="sparse")
    assert [record.message for record in getattr(kept, attribute)] == [message.message for message in said]
    assert kept.lost_records == 0
    # Nothing tells that the silent script has begun to write, so this choice cannot keep all of it.
    assert 0 < len(getattr(thinned, attribute)) < len(said)
    assert thinned.lost_records > 0
    assert thinned.outcome is kept.outcome


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.anyio
async def test_sparse_looks_keep_what_is_written_slowly(
    server: SimServer, simulator: Simulator, clock: VirtualClock, chance: float
) -> None:
    # Silent for a minute, then a line each second, and 49 errors at once at the end.
    said = [StreamMessage("information", f"m{at}", at=60 + at) for at in range(120)]
    said += [StreamMessage("error", f"e{number}", at=190) for number in range(49)]
    simulator.on_script("talk", ScriptReply(records=said, duration=200))
    async with make_client(server.url, clock=AsyncLeadingClock(clock, chance)) as client:
        result = await client.run("talk", runspace=simulator.add_runspace(), streams="sparse")
        sparse = reads(server)
        await client.run("talk", runspace=simulator.add_runspace())
    records = [*result.information, *result.errors]
    assert [record.message for record in records] == [message.message for message in said]
    assert result.lost_records == 0
    assert result.outcome is ScriptOutcome.SUCCEEDED_WITH_ERRORS
    assert sparse < (reads(server) - sparse) / 1.5


@pytest.mark.anyio
async def test_a_look_that_fails_is_made_up_for(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    said = [StreamMessage("warning", f"m{number}", at=1) for number in range(40)]
    said += [StreamMessage("warning", f"m{number}", at=20) for number in range(40, 80)]
    simulator.on_script("talk", ScriptReply(records=said, duration=40))
    server.faults.add(Fault(operation="script_executions.streams", times=2, status=500))
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        result = await client.run("talk", runspace=simulator.add_runspace(), streams="sparse")
    assert result.lost_records == 0
    assert len(result.warnings) == 80


@pytest.mark.anyio
async def test_without_streams_nobody_looks(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    said = [StreamMessage("error", "oops")]
    simulator.on_script("talk", ScriptReply(output=["x"], records=said, duration=9))
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        runspace = simulator.add_runspace()
        result = await client.run("talk", runspace=runspace, streams=False)
        assert (result.outcome, result.errors) == (ScriptOutcome.SUCCEEDED, [])
        assert result.output == "x"
        started = await client.start("talk", runspace=runspace, streams=False)
        assert (await started.result()).outcome is ScriptOutcome.SUCCEEDED
        async with AsyncRunspacePool(client) as pool:
            async with pool.map("talk", [{}, {}], streams=False) as results:
                assert [item.get().outcome async for item in results] == [ScriptOutcome.SUCCEEDED] * 2
    assert reads(server) == 0


@pytest.mark.parametrize(
    ("streams", "kind"), [("rarely", ValueError), (None, TypeError), (1, TypeError), ("", ValueError)]
)
@pytest.mark.anyio
async def test_another_choice_is_refused(server: SimServer, streams: StreamsChoice, kind: type) -> None:
    async with make_client(server.url) as client:
        with pytest.raises(SrsError, match="streams must be") as caught:
            await client.run("1", streams=streams)
        assert isinstance(caught.value, kind)
    assert server.requests == ()
