"""Following a script: each record once, in order of time, while it runs; and a gap says that it is one."""

from __future__ import annotations

from itertools import pairwise

import pytest

from srs_vsphere import (
    AsyncSrsClient,
    AuthenticationError,
    NotFoundError,
    ServerError,
    StreamGap,
    StreamRecord,
    StreamType,
)
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, Simulator, StreamMessage, VirtualClock
from tests._async.helping import AsyncLeadingClock, make_client


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


async def started(client: AsyncSrsClient, simulator: Simulator, response: ScriptReply) -> str:
    simulator.on_script("talk", response)
    return (await client.script_executions.create(simulator.add_runspace(), "talk")).id


def messages(followed: list[StreamRecord | StreamGap]) -> list[str]:
    return [item.message for item in followed if isinstance(item, StreamRecord)]


@pytest.mark.anyio
async def test_records_of_all_streams_in_order_of_time(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    streams = list(StreamType)
    said = [StreamMessage(streams[at % 5], f"m{at}", at=at * 0.3) for at in range(60)]
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=20))
        followed = [item async for item in client.script_executions.follow(known)]
    assert messages(followed) == [f"m{at}" for at in range(60)]
    records = [item for item in followed if isinstance(item, StreamRecord)]
    assert [record.stream for record in records] == [streams[at % 5] for at in range(60)]
    assert all(
        one.time is not None and two.time is not None and one.time <= two.time
        for one, two in pairwise(records)
    )


@pytest.mark.anyio
async def test_they_come_while_it_runs(
    server: SimServer, simulator: Simulator, clock: VirtualClock, client_clock: AsyncLeadingClock
) -> None:
    said = [StreamMessage("information", f"m{at}", at=at) for at in range(100)]
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=100))
        begun = clock.seconds()
        lags: list[float] = []
        async for item in client.script_executions.follow(known):
            assert isinstance(item, StreamRecord)
            lags.append(clock.seconds() - begun - int(item.message[1:]))
    # The service looks twice a second, the client every two seconds or so, and holds each back for one look.
    assert len(lags) == 100
    assert max(lags) < 6


@pytest.mark.anyio
async def test_a_gap_says_so(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    said = [StreamMessage("warning", f"m{at}", at=5) for at in range(120)]
    said.append(StreamMessage("error", "after", at=8))
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=10))
        followed = [item async for item in client.script_executions.follow(known)]
    gap = followed[0]
    assert isinstance(gap, StreamGap)
    assert (gap.stream, gap.at_least >= 1) == ("warning", True)
    assert messages(followed) == [*(f"m{at}" for at in range(70, 120)), "after"]


@pytest.mark.anyio
async def test_equal_messages_are_not_taken_for_one(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    said = [StreamMessage("verbose", "again", at=at // 3) for at in range(30)]
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=12))
        followed = [item async for item in client.script_executions.follow(known)]
    assert messages(followed) == ["again"] * 30
    assert len(followed) == 30


@pytest.mark.anyio
async def test_a_script_that_has_ended(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    said = [StreamMessage("warning", "first", at=0), StreamMessage("error", "second", at=1)]
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=2, state="error"))
        await client.script_executions.wait(known)
        for _ in range(2):
            followed = [item async for item in client.script_executions.follow(known)]
            assert messages(followed) == ["first", "second"]


@pytest.mark.anyio
async def test_a_script_that_says_nothing(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(duration=5))
        assert [item async for item in client.script_executions.follow(known)] == []
        (execution,) = await client.script_executions.list()
    assert execution.ended


@pytest.mark.anyio
async def test_leaving_early_and_coming_back(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    said = [StreamMessage("warning", f"m{at}", at=at) for at in range(10)]
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=10))
        following = client.script_executions.follow(known)
        early: list[StreamRecord | StreamGap] = []
        async for item in following:
            early.append(item)
            if len(early) == 3:
                break
        # Nothing is open in between; it goes on where it was left.
        late = [item async for item in following]
        assert [item async for item in following] == []
    assert messages([*early, *late]) == [f"m{at}" for at in range(10)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="script_executions.*", times=20, status=500),
        Fault(operation="script_executions.*", times=20, status=503),
        Fault(operation="script_executions.streams", times=20, reset="after"),
        Fault(operation="script_executions.streams", times=20, cut_after=1),
    ],
)
@pytest.mark.anyio
async def test_failures_that_pass_lose_nothing(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock, fault: Fault
) -> None:
    said = [StreamMessage("warning", f"m{at}", at=at) for at in range(30)]
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=60))
        with server.faults.armed(fault):
            followed = [item async for item in client.script_executions.follow(known)]
    assert messages(followed) == [f"m{at}" for at in range(30)]
    assert len(followed) == 30


@pytest.mark.anyio
async def test_failures_that_do_not_pass(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(duration=5))
        with (
            server.faults.armed(Fault(operation="script_executions.streams", stale_session=True)),
            pytest.raises(AuthenticationError),
        ):
            [item async for item in client.script_executions.follow(known)]
        # At the end, what cannot be read is not passed over.
        with (
            server.faults.armed(Fault(operation="script_executions.streams", status=500)),
            pytest.raises(ServerError),
        ):
            [item async for item in client.script_executions.follow(known)]
        with pytest.raises(NotFoundError):
            [item async for item in client.script_executions.follow("00000000-0000-0000-0000-000000000000")]


@pytest.mark.anyio
async def test_a_script_whose_runspace_dies(
    server: SimServer, simulator: Simulator, clock: VirtualClock, client_clock: AsyncLeadingClock
) -> None:
    said = [StreamMessage("warning", f"m{at}", at=at) for at in range(100)]
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(records=said, duration=100))
        clock.advance(10)
        await client.script_executions.get(known)
        for runspace in list(simulator.runspaces):
            simulator.kill_runspace(runspace)
        followed = [item async for item in client.script_executions.follow(known)]
    assert messages(followed)[:10] == [f"m{at}" for at in range(10)]
    assert clock.seconds() < 30


@pytest.mark.anyio
async def test_a_record_that_the_service_lost(
    server: SimServer, simulator: Simulator, clock: VirtualClock, client_clock: AsyncLeadingClock
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        known = await started(client, simulator, ScriptReply(duration=100))
        for runspace in list(simulator.runspaces):
            simulator.kill_runspace(runspace)
        assert [item async for item in client.script_executions.follow(known)] == []
    assert clock.seconds() < 30
