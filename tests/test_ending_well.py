"""Blocks, pools and clean-ups that are cancelled, closed and interrupted: nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from srs_vsphere import (
    AsyncRunspacePool,
    AsyncSrsClient,
    ClosedError,
    OutcomeUnknownError,
    RunspacePool,
    ScriptOutcome,
    SrsClient,
    SrsError,
)
from srs_vsphere._concurrency.clean_up import async_clean_up, clean_up
from srs_vsphere._service.session_file import SessionFile
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, Simulator, VirtualClock
from tests._async.helping import AUTH, free_slots
from tests.test_script_cancellation import InProcess, cancelled_after, others, steps_of

#: The whole census takes minutes: 20,000 interruptions with SRS_TEST_CENSUS=20000.
CENSUS = int(os.environ.get("SRS_TEST_CENSUS", "200"))


@pytest.mark.anyio
async def test_scripts_take_turns_however_they_are_started() -> None:
    place = InProcess()
    async with place.client as client:
        runspace = place.simulator.add_runspace()
        outcomes: list[ScriptOutcome] = []

        async def work(number: int) -> None:
            for step in range(4):
                result = await client.run(f"'{number}/{step}'", runspace=runspace)
                assert result.output == f"{number}/{step}"
                outcomes.append(result.outcome)

        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(work, number)
        assert outcomes == [ScriptOutcome.SUCCEEDED] * 12


@pytest.mark.anyio
async def test_waiting_leases_fail_when_the_pool_closes() -> None:
    place = InProcess()
    told: list[BaseException] = []

    async def lease(pool: AsyncRunspacePool) -> None:
        try:
            async with pool.lease():
                pytest.fail("leased after closing")
        except SrsError as error:
            told.append(error)

    async with place.client as client:
        pool = AsyncRunspacePool(client, size=1)
        async with anyio.create_task_group() as tasks:
            async with pool.lease():
                for _ in range(3):
                    tasks.start_soon(lease, pool)
                await anyio.wait_all_tasks_blocked()
                await pool.aclose()
        assert [type(error) for error in told] == [ClosedError] * 3
        assert place.simulator.runspaces == {}


@pytest.mark.anyio
async def test_what_is_being_opened_is_deleted_when_the_pool_closes() -> None:
    for steps in range(0, 60, 3):
        place = InProcess()
        async with place.client as client:
            pool = AsyncRunspacePool(client, size=1)

            async def lease(pool: AsyncRunspacePool = pool) -> None:
                with contextlib.suppress(ClosedError):
                    async with pool.lease():
                        pass

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lease)
                for _ in range(steps):
                    await checkpoint()
                await pool.aclose()
            place.check()


@pytest.mark.anyio
async def test_a_pool_that_waits_for_quota_opens_nothing_once_it_is_closed() -> None:
    place = InProcess(quota=1)
    other = place.simulator.add_runspace()
    async with place.client as client, anyio.create_task_group() as tasks:
        pool = AsyncRunspacePool(client, size=1, wait_for_quota=600.0)
        clock = client._session.sender.clock

        async def close_meanwhile(seconds: float) -> None:
            del seconds
            vars(clock).pop("sleep")
            tasks.start_soon(pool.aclose)
            await anyio.wait_all_tasks_blocked()
            place.simulator.kill_runspace(other)

        vars(clock)["sleep"] = close_meanwhile
        with pytest.raises(ClosedError, match="this pool is closed"):
            async with pool.lease():
                pytest.fail("it was lent")
    assert place.transport.traffic.requests.count(("POST", "/api/runspaces")) == 1
    place.check()


@pytest.mark.anyio
async def test_no_session_is_left_by_calls_that_are_under_way() -> None:
    for steps in range(40):
        place = InProcess()

        async def call(client: AsyncSrsClient) -> None:
            with contextlib.suppress(SrsError):
                while True:
                    await client.runspaces.list()

        async with anyio.create_task_group() as tasks:
            async with place.client as client:
                for _ in range(3):
                    tasks.start_soon(call, client)
                for _ in range(steps):
                    await checkpoint()
        assert place.simulator.session_count == 0


CREATIONS = [
    ("runspaces.create", lambda client: client.runspaces.create("mine"), "'mine' in runspaces.list"),
    (
        "script_executions.create",
        lambda client: client.script_executions.create("pcli-1", "1", name="mine"),
        "'mine' in script_executions.list",
    ),
    ("web_consoles.create", lambda client: client.web_consoles.create(), "web_consoles.list"),
]


@pytest.mark.parametrize(("operation", "create", "advice"), CREATIONS)
@pytest.mark.anyio
async def test_a_creation_under_way_when_the_client_is_closed_may_have_been_carried_out(
    server: SimServer,
    operation: str,
    create: Callable[[AsyncSrsClient], Awaitable[object]],
    advice: str,
) -> None:
    server.faults.add(Fault(operation=operation, delay=3600.0))
    client = AsyncSrsClient(server.url, auth=AUTH)
    await client.login()
    told: list[SrsError] = []

    async def call() -> None:
        with pytest.raises(OutcomeUnknownError) as caught:
            await create(client)
        told.append(caught.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await anyio.to_thread.run_sync(server.wait_for, lambda traffic: traffic.seen > 1)
        await client.aclose()
    assert re.search(f"Given up: the client was closed during the call.*{advice}", str(told[0]))


@pytest.mark.parametrize(("operation", "create", "advice"), CREATIONS)
def test_a_creation_of_a_thread_when_the_client_is_closed_may_have_been_carried_out(
    server: SimServer, operation: str, create: Callable[[SrsClient], object], advice: str
) -> None:
    server.faults.add(Fault(operation=operation, delay=3600.0))
    client = SrsClient(server.url, auth=AUTH)
    client.login()
    with ThreadPoolExecutor(1) as threads:
        creating = threads.submit(create, client)
        server.wait_for(lambda traffic: traffic.seen > 1)
        client.close()
        error = creating.exception()
    assert isinstance(error, OutcomeUnknownError)
    assert re.search(f"Given up: the client was closed during the call.*{advice}", str(error))


@pytest.mark.anyio
async def test_a_call_under_way_when_the_client_is_closed_says_so(server: SimServer) -> None:
    server.faults.add(Fault(operation="runspaces.list", delay=3600.0))
    client = AsyncSrsClient(server.url, auth=AUTH)
    await client.login()

    async def call() -> None:
        with pytest.raises(ClosedError, match="closed during the call"):
            await client.runspaces.list()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await anyio.to_thread.run_sync(server.wait_for, lambda traffic: traffic.seen > 1)
        await client.aclose()


@pytest.mark.anyio
async def test_a_logout_that_hangs_is_logged(server: SimServer, caplog: pytest.LogCaptureFixture) -> None:
    server.faults.add(Fault(operation="auth.logout", delay=3600.0))
    async with AsyncSrsClient(server.url, auth=AUTH) as client:
        await client.login()
        for nonsense in (0, -1.0, float("inf"), "soon"):
            with pytest.raises((TypeError, ValueError), match="timeout"):
                await client.aclose(timeout=nonsense)
        await client.aclose(timeout=0.05)
    assert "was not ended" in caplog.text


@pytest.mark.anyio
async def test_clean_up_bounds_logs_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise KeyError("own")

    assert await async_clean_up(fail, seconds=5, left="something") is None
    assert await async_clean_up(anyio.sleep_forever, seconds=0.01, left="another") is None
    assert "something: 'own'" in caplog.text
    assert "another: the service did not respond in time" in caplog.text
    done = False

    async def work() -> int:
        nonlocal done
        for _ in range(20):
            await checkpoint()
        done = True
        return 7

    with anyio.CancelScope() as scope:
        scope.cancel()
        assert await async_clean_up(work, seconds=30, left="x") == 7
        await checkpoint()
        pytest.fail("the cancellation was lost")
    assert done


def test_a_ctrl_c_within_a_clean_up_is_raised_after_it(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def interrupted() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return "done"

    with pytest.raises(KeyboardInterrupt):
        clean_up(interrupted, seconds=5, left="it")
    assert len(calls) == 2
    assert caplog.text == ""

    def always() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clean_up(always, seconds=5, left="runspace n")
    assert "runspace n: KeyboardInterrupt" in caplog.text


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_plain_cancels_twice_leave_nothing() -> None:
    """The census for asyncio: each task is cancelled twice, at random steps, once within its clean-up."""
    place = InProcess()
    chance = random.Random("plain cancels")
    async with place.client as client:
        await client.login()
        whole = await steps_of(lambda: client.run("'x'"))
        for _ in range(CENSUS):
            script = chance.choice(["'x'", "long"])
            task = asyncio.ensure_future(client.run(script))
            for _ in range(chance.randrange(whole)):
                await asyncio.sleep(0)
            for _ in range(2):
                task.cancel()
                for _ in range(chance.randrange(30)):
                    await asyncio.sleep(0)
            with contextlib.suppress(asyncio.CancelledError):
                await task
            place.check()
            assert not client._session.turns._turns


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_a_cancellation_within_the_delete_goes_on_afterwards() -> None:
    place = InProcess()

    async def block(client: AsyncSrsClient) -> None:
        async with client.runspaces.open():
            pass

    async with place.client as client:
        await client.login()
        whole = await steps_of(lambda: block(client))
        for steps in range(max(0, whole - 40), whole):
            task = asyncio.ensure_future(block(client))
            for _ in range(steps):
                await asyncio.sleep(0)
            if task.done():
                break
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            place.check()


@pytest.mark.anyio
async def test_a_map_in_a_generator_that_is_left(anyio_backend: str) -> None:
    place = InProcess()

    async def numbers(pool: AsyncRunspacePool) -> AsyncIterator[int]:
        async with pool.map("1", [{} for _ in range(10)]) as results:
            async for result in results:
                yield result.index

    async def leave(pool: AsyncRunspacePool) -> None:
        async for _ in numbers(pool):
            break
        gc.collect()
        # As many turns of the event loop as closing it may take.
        for _ in range(300):
            await checkpoint()

    async with place.client as client, AsyncRunspacePool(client) as pool:
        async with contextlib.aclosing(numbers(pool)) as generator:
            async for _ in generator:
                break
        if anyio_backend == "asyncio":
            # Closed by a task of the loop's own, as the collector has it.
            await leave(pool)
        else:
            # Trio closes it too, and says what to do.
            with pytest.warns(ResourceWarning, match="aclosing"):
                await leave(pool)
        async with pool.map("2", [{}]) as results:
            assert [result.get().output async for result in results] == ["2"]
    place.check()


class Blocking(Iterator[dict[str, int]]):
    """Inputs of which the second never comes, until the test lets it."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = 0

    def __next__(self) -> dict[str, int]:
        self.asked += 1
        if self.asked > 1:
            self.go.wait()
            raise StopIteration
        return {}


@pytest.mark.parametrize("clock", [VirtualClock(auto=True)], ids=["at once"])
def test_leaving_a_map_of_threads_waits_for_no_input(server: SimServer, simulator: Simulator) -> None:
    inputs = Blocking()
    with SrsClient(server.url, auth=AUTH) as client, RunspacePool(client) as pool:
        with pool.map("1", inputs) as results:
            next(results)
        inputs.go.set()
    assert simulator.runspaces == {}


def test_leaving_a_map_of_threads_cancels_its_scripts(server: SimServer, simulator: Simulator) -> None:
    simulator.on_script("long", ScriptReply(duration=3600))
    with SrsClient(server.url, auth=AUTH) as client, RunspacePool(client) as pool:
        with pytest.raises(KeyError), pool.map("long", [{}, {}, {}]):
            server.wait_for(
                lambda _: server.requests.count(("POST", "/api/script-executions")) == 2,
            )
            raise KeyError
        states = {execution.state for execution in client.script_executions.list()}
        cancels = sum(path.endswith("/cancel") for _, path in server.requests)
        assert cancels == 2
        assert "success" not in states
    assert simulator.runspaces == {}


@pytest.mark.parametrize(("anyio_backend", "times"), [("asyncio", CENSUS), ("trio", CENSUS // 4)])
@pytest.mark.anyio
async def test_pools_cancelled_at_random_leave_nothing(anyio_backend: str, times: int) -> None:
    """The census of pools: maps and leases, cancelled somewhere between their first step and their end."""
    place = InProcess()
    chance = random.Random(f"pools {anyio_backend}")

    async def use(client: AsyncSrsClient) -> None:
        async with AsyncRunspacePool(client) as pool:
            async with pool.map("1", [{} for _ in range(3)]) as results:
                async for result in results:
                    result.get()

    async with place.client as client:
        await client.login()
        for _ in range(max(10, times // 10)):
            await cancelled_after(chance.randrange(250), lambda: use(client))
            place.check()
        assert free_slots(client) == 20
    assert place.simulator.session_count == 0
    assert others() == place.before


def test_a_ctrl_c_while_a_key_is_saved_leaves_no_session(
    server: SimServer, simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SessionFile, "save", save)
    client = SrsClient(server.url, auth=AUTH, session_file=tmp_path / "session")
    with pytest.raises(KeyboardInterrupt), client:
        client.login()
    assert simulator.session_count == 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_a_delete_that_a_cancellation_waits_for_is_not_told_of_as_if_it_had_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    place = InProcess()
    async with place.client as client:
        block = client.runspaces.open()

        async def work() -> None:
            async with block:
                pass

        task = asyncio.create_task(work())
        while "DELETE" not in [method for method, _ in place.transport.traffic.requests]:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert place.simulator.runspaces == {}
        assert block.deleted
    assert caplog.messages == []
