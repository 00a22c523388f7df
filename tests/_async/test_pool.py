"""A pool of runspaces: leased, reused, replaced, bounded, emptied; and many inputs run through it."""

from __future__ import annotations

import anyio
import pytest

from srs_vsphere import (
    AsyncRunspacePool,
    AsyncSrsClient,
    ClosedError,
    Event,
    InvalidArgumentTypeError,
    OutcomeUnknownError,
    QuotaExceededError,
    RequestEnded,
    ServerError,
    WaitTimeoutError,
)
from srs_vsphere.simulator import Fault, ScriptCall, ScriptReply, Settings, SimServer, Simulator, VirtualClock
from tests._async.helping import AUTH, AsyncSimulatedClock, make_client

CREATE = ("POST", "/api/runspaces")


class AsyncServerClock(AsyncSimulatedClock):
    """The simulator's time passes while the client waits."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self._clock.advance(seconds)
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def simulator(clock: VirtualClock) -> Simulator:
    simulator = Simulator(users={"alice": "sesame-7Qx"}, settings=Settings(quota=3), clock=clock)
    simulator.on_script("fail", ScriptReply(state="error", reason="no such VM"))
    return simulator


def make_pool(client: AsyncSrsClient, size: int = 2, **options: float) -> AsyncRunspacePool:
    return AsyncRunspacePool(client, size=size, **options)


@pytest.mark.anyio
async def test_a_runspace_is_leased_again(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        async with make_pool(client) as pool:
            ids = []
            for number in range(3):
                async with pool.lease() as runspace:
                    ids.append(runspace.id)
                    result = await runspace.run(f"{number}", output="json", check=True)
                    assert result.output == [number]
            assert ids == [ids[0]] * 3
            assert server.requests.count(CREATE) == 1
            async with pool.lease() as one, pool.lease() as other:
                assert {one.id, other.id} == set(simulator.runspaces)
                with pytest.raises(WaitTimeoutError, match="stayed leased"):
                    async with pool.lease(timeout=0.01):
                        pass
        assert dict(simulator.runspaces) == {}
        with pytest.raises(RuntimeError, match="closed"):
            async with pool.lease():
                pass


@pytest.mark.anyio
async def test_dead_and_tired_runspaces_are_replaced(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    client_clock = AsyncServerClock(clock)
    async with (
        make_client(server.url, clock=client_clock) as client,
        make_pool(client, idle_limit=100.0) as pool,
    ):
        async with pool.lease() as runspace:
            first = runspace.id
        simulator.kill_runspace(first)
        async with pool.lease() as runspace:
            second = runspace.id
            assert second != first
        await client_clock.sleep(101)
        async with pool.lease() as runspace:
            assert runspace.id not in {first, second}
            assert list(simulator.runspaces) == [runspace.id]


@pytest.mark.anyio
async def test_a_warm_pool_is_ready(server: SimServer, simulator: Simulator, clock: VirtualClock) -> None:
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client, make_pool(client) as pool:
        await pool.warm()
        assert list(simulator.runspaces.values()) == ["ready", "ready"]
        async with pool.lease() as runspace:
            await pool.warm()
            assert runspace.id in simulator.runspaces
        assert server.requests.count(CREATE) == 2


@pytest.mark.anyio
async def test_lost_creations_never_make_it_larger(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    lost = Fault(operation="runspaces.create", reset="after", lost_answer=True)
    blind = Fault(operation="runspaces.list", status=500)
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        async with make_pool(client, size=1) as pool:
            with server.faults.armed(lost), server.faults.armed(blind), pytest.raises(OutcomeUnknownError):
                async with pool.lease():
                    pass
            # It was made, and nobody could see it; now that it shows, it goes first.
            assert len(simulator.runspaces) == 1
            orphan = list(simulator.runspaces)
            async with pool.lease() as runspace:
                assert list(simulator.runspaces) == [runspace.id] != orphan
            with server.faults.armed(lost):
                async with pool.lease() as runspace:
                    assert list(simulator.runspaces) == [runspace.id]
    assert dict(simulator.runspaces) == {}


@pytest.mark.anyio
async def test_a_runspace_that_cannot_be_looked_at_still_counts(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        async with make_pool(client, size=1) as pool:
            await pool.warm()
            with server.faults.armed(Fault(operation="runspaces.get", status=500)):
                with pytest.raises(ServerError):
                    async with pool.lease():
                        pass
            (made,) = simulator.runspaces
            async with pool.lease() as runspace:
                assert runspace.id == made
            assert list(simulator.runspaces) == [made]
    assert dict(simulator.runspaces) == {}


@pytest.mark.anyio
@pytest.mark.parametrize("dead", [False, True])
async def test_a_pool_that_is_closed_while_it_looks_at_a_runspace_lends_none(
    server: SimServer, simulator: Simulator, clock: VirtualClock, dead: bool
) -> None:
    looking: list[AsyncRunspacePool] = []

    async def close(event: Event) -> None:
        if isinstance(event, RequestEnded) and event.operation == "runspaces.get" and looking:
            await looking.pop().aclose()

    async with AsyncSrsClient(server.url, auth=AUTH, on_event=close) as client:
        client._session.sender.clock = AsyncServerClock(clock)
        pool = make_pool(client)
        async with pool.lease():
            pass
        if dead:
            server.faults.add(Fault(operation="runspaces.get", runspace_death=True, times=1))
        looking.append(pool)
        with pytest.raises(ClosedError, match="this pool is closed"):
            async with pool.lease():
                pytest.fail("it was lent")
        assert dict(simulator.runspaces) == {}


@pytest.mark.anyio
async def test_a_lease_that_is_about_to_create_a_runspace_ends_with_its_pool(
    server: SimServer, simulator: Simulator, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        pool = make_pool(client)
        create = pool._stock._open

        async def close_before() -> object:
            await pool.aclose()
            return await create()

        async with pool.lease():
            monkeypatch.setattr(pool._stock, "_open", close_before)
            with pytest.raises(ClosedError, match="this pool is closed"):
                async with pool.lease():
                    pytest.fail("it was lent")
        assert dict(simulator.runspaces) == {}


@pytest.mark.anyio
async def test_warming_tells_what_keeps_a_runspace_from_getting_ready(
    server: SimServer, clock: VirtualClock
) -> None:
    server.faults.add(Fault(operation="runspaces.create", slow_creation=600.0))
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        async with make_pool(client, timeout=5.0) as pool:
            with pytest.raises(WaitTimeoutError, match="did not become ready within 5 s"):
                await pool.warm()


@pytest.mark.anyio
@pytest.mark.parametrize("operation", ["runspaces.list", "runspaces.delete"])
async def test_what_is_left_on_closing_is_logged_and_hides_no_error(
    server: SimServer,
    simulator: Simulator,
    clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
    operation: str,
) -> None:
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        with pytest.raises(ValueError, match="of the block's own"):
            async with make_pool(client, size=2) as pool:
                await pool.warm()
                server.faults.add(Fault(operation=operation, nth=1, status=500))
                raise ValueError("of the block's own")
    assert len(simulator.runspaces) == (2 if operation == "runspaces.list" else 1)
    (told,) = caplog.messages
    assert told.startswith("runspaces named pool-")
    assert "HTTP 500" in told


@pytest.mark.anyio
async def test_what_keeps_a_runspace_from_opening_is_told(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        async with make_pool(client, size=1) as pool:
            simulator.fill_quota()
            with pytest.raises(QuotaExceededError):
                async with pool.lease():
                    pass
            simulator.clear_conditions()
            async with pool.lease() as runspace:
                assert simulator.runspaces[runspace.id] == "ready"


@pytest.mark.anyio
async def test_map_runs_all_inputs_and_tells_of_each(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    def square(call: ScriptCall) -> ScriptReply:
        number = call.parameters["n"]
        assert isinstance(number, int)
        return ScriptReply(output=[number * number], duration=1.0)

    simulator.on_script("square", square)
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client, make_pool(client) as pool:
        inputs = [{"n": number} for number in range(12)]
        found = {}
        async with pool.map("square", inputs, output="json") as results:
            async for result in results:
                assert result.parameters == inputs[result.index]
                found[result.index] = result.get().output
        assert found == {number: [number * number] for number in range(12)}
        assert server.requests.count(CREATE) == 2
        async with pool.map("fail", [{}]) as results:
            outcomes = [result.get().outcome async for result in results]
        assert outcomes == ["failed"]


@pytest.mark.anyio
async def test_one_input_that_fails_does_not_stop_the_others(server: SimServer, clock: VirtualClock) -> None:
    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        async with make_pool(client, size=1) as pool:
            refused = Fault(operation="script_executions.create", nth=2, status=500)
            with server.faults.armed(refused):
                async with pool.map("1", [{}, {}, {}]) as results:
                    errors = {result.index: result.error async for result in results}
    assert [type(errors[index]) for index in range(3)] == [type(None), ServerError, type(None)]


@pytest.mark.anyio
async def test_leaving_a_map_early_leaves_nothing(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    taken = []

    def inputs():
        for number in range(1000):
            taken.append(number)
            yield {"n": number}

    async with make_client(server.url, clock=AsyncServerClock(clock)) as client:
        async with make_pool(client) as pool:
            async with pool.map("param($n) $n", inputs()) as results:
                async for result in results:
                    assert result.get().output == str(result.index)
                    break
            assert len(taken) < 10
        assert dict(simulator.runspaces) == {}


@pytest.mark.anyio
async def test_bad_arguments_are_refused(server: SimServer) -> None:
    async with make_client(server.url) as client:
        with pytest.raises(ValueError, match="size"):
            AsyncRunspacePool(client, size=0)
        with pytest.raises(TypeError, match="name"):
            AsyncRunspacePool(client, name=3)
        async with AsyncRunspacePool(client) as pool:
            with pytest.raises(ValueError, match="timeout"):
                pool.lease(timeout=-1.0)
            with pytest.raises(ValueError, match="script"):
                pool.map(" ", [])
            for wrong in ({"Name": [1, 2]}, 5, None):
                with pytest.raises(InvalidArgumentTypeError, match="inputs must be parameters for each run"):
                    pool.map("1", wrong)
            with pytest.raises(TypeError, match="nme"):
                pool.map("1", [], nme="x")
    assert CREATE not in server.requests
