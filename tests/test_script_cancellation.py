"""Scripts and runspaces, cancelled at random moments or with their responses lost: nothing stays behind.

SRS_TEST_SHARE=1 tries 10,000 creates and 1,000 runs on asyncio, which showed no more than a fifth of them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from attrs import frozen

from srs_vsphere import (
    AsyncRunspaceHandle,
    AsyncScriptRecords,
    AsyncSrsClient,
    BasicAuth,
    OutcomeUnknownError,
    QuotaExceededError,
    RetryPolicy,
    ScriptOutcome,
    SrsError,
    WaitTimeoutError,
)
from srs_vsphere._async.session import AsyncSession
from srs_vsphere.simulator import (
    Fault,
    FaultPlan,
    ScriptReply,
    Settings,
    SimServer,
    SimTransport,
    Simulator,
    StreamMessage,
    SystemClock,
    VirtualClock,
)
from tests._async.helping import AUTH, AsyncLeadingClock, free_slots
from tests.patience import often

SLOTS = 20
#: The whole census takes minutes: 20,000 interruptions with SRS_TEST_CENSUS=20000.
CENSUS = int(os.environ.get("SRS_TEST_CENSUS", "0"))


def others() -> int:
    """How many tasks there are besides this one, on asyncio; trio has none that it does not own."""
    try:
        return len(asyncio.all_tasks()) - 1
    except RuntimeError:
        return 0


class InProcess:
    """A client and a simulator that share a clock: no time passes but while the client waits."""

    def __init__(self, *faults: Fault, quota: int = 100) -> None:
        clock = VirtualClock()
        self.simulator = Simulator(users={"alice": "sesame-7Qx"}, settings=Settings(quota=quota), clock=clock)
        self.simulator.on_script("long", ScriptReply(output=["late"], duration=30))
        self.transport = SimTransport(self.simulator, faults=FaultPlan(faults, seed=7))
        self.client = AsyncSrsClient(
            "http://srs.test",
            auth=AUTH,
            transport=self.transport,
            retry=RetryPolicy(backoff=0, budget=1e9),
            max_connections=SLOTS,
        )
        self.client._session.sender.clock = AsyncLeadingClock(clock)
        self.before = others()

    def check(self) -> None:
        """Nothing is left, on neither side."""
        assert self.simulator.runspaces == {}
        assert free_slots(self.client) == SLOTS
        assert self.transport.traffic.open == 0
        assert others() == self.before


async def cancelled_after(steps: int, work: Callable[[], Awaitable[object]]) -> bool:
    """Cancel some work after so many turns of the event loop; return whether it was still going on."""
    ended = False

    async def finish() -> None:
        nonlocal ended
        await work()
        ended = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(finish)
        for _ in range(steps):
            await checkpoint()
        tasks.cancel_scope.cancel()
    return not ended


async def steps_of(work: Callable[[], Awaitable[object]]) -> int:
    """Count the turns of the event loop that some work takes."""
    steps = 0
    while await cancelled_after(steps, work):
        steps += 1
    return steps


@pytest.mark.parametrize(
    ("anyio_backend", "times"), [("asyncio", max(often(1000), CENSUS)), ("trio", max(often(150, 60), CENSUS))]
)
@pytest.mark.anyio
async def test_run_cancelled_at_any_step_leaves_nothing(anyio_backend: str, times: int) -> None:
    place = InProcess()
    chance = random.Random(f"steps {anyio_backend}")
    cancelled = 0
    async with place.client as client:
        await client.login()
        whole = await steps_of(lambda: client.run("'x'"))
        for steps in [10 * whole, *(chance.randrange(whole + 2) for _ in range(times - 1))]:
            cancelled += await cancelled_after(steps, lambda: client.run("'x'"))
            place.check()
    # Trio shuffles its tasks, and the streams of a script that has just started are not read any more.
    assert whole > 20
    assert times * 0.8 < cancelled < times


@pytest.mark.anyio
async def test_a_task_of_asyncio_is_cancelled_natively(anyio_backend: str) -> None:
    if anyio_backend != "asyncio":
        pytest.skip("trio has no other way")
    place = InProcess()
    async with place.client as client:
        await client.login()
        whole = await steps_of(lambda: client.run("'x'"))
        for steps in range(1, whole):
            task = asyncio.ensure_future(client.run("long"))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            place.check()


@pytest.mark.parametrize(("anyio_backend", "times"), [("asyncio", often(200)), ("trio", often(60))])
@pytest.mark.anyio
async def test_a_handle_is_good_for_more_after_a_cancelled_run(anyio_backend: str, times: int) -> None:
    place = InProcess()
    chance = random.Random(f"handle {anyio_backend}")
    async with place.client as client:
        async with client.runspaces.open() as handle:
            for number in range(times):
                await cancelled_after(chance.randrange(40), lambda: handle.run("long"))
                result = await handle.run(f"{number}")
                assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, f"{number}")
        place.check()


@pytest.mark.anyio
async def test_a_script_in_a_runspace_of_ones_own_is_canceled() -> None:
    place = InProcess()
    clock = place.simulator.clock
    assert isinstance(clock, VirtualClock)
    async with place.client as client:
        await client.login()
        started = 0
        for steps in range(30):
            runspace = place.simulator.add_runspace()
            await cancelled_after(steps, lambda runspace=runspace: client.run("long", runspace=runspace))
            clock.advance(1)
            states = [execution.state for execution in await client.script_executions.list()]
            assert set(states) <= {"canceled"}
            started = len(states)
        assert started > 15


@pytest.mark.anyio
async def test_leaving_the_wait_for_a_started_script_leaves_the_script() -> None:
    place = InProcess()
    messages = [StreamMessage("warning", f"w{at}", at=at) for at in range(10)]
    place.simulator.on_script("talk", ScriptReply(output=["x"], records=messages, duration=30))
    leave = anyio.CancelScope()
    async with place.client as client:
        async with client.runspaces.open() as handle:
            started = await handle.start("talk", on_record=lambda _: leave.cancel())
            with leave:
                await started.result()
            assert leave.cancelled_caught
            result = await started.result()
        assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, "x")
        assert [record.message for record in result.warnings] == [f"w{at}" for at in range(10)]
        place.check()


@pytest.mark.anyio
async def test_waiters_that_are_cancelled_leave_nothing() -> None:
    place = InProcess()
    async with place.client as client:
        runspace = place.simulator.add_runspace()
        execution = await client.script_executions.create(runspace, "long")
        for steps in range(0, 60, 3):
            await cancelled_after(steps, lambda: client.script_executions.wait(execution.id, timeout=None))
            assert free_slots(client) == SLOTS
            assert place.transport.traffic.open == 0
        assert (await client.script_executions.wait(execution.id)).state == "success"
        # On request, the script is canceled too.
        execution = await client.script_executions.create(runspace, "long")
        wait = client.script_executions.wait
        await cancelled_after(5, lambda: wait(execution.id, timeout=None, cancel_on_exit=True))
        assert (await wait(execution.id)).state == "canceled"


@pytest.mark.anyio
async def test_following_goes_on_after_a_cancelled_look(anyio_backend: str) -> None:
    chance = random.Random(f"following {anyio_backend}")
    said = [StreamMessage("warning", f"m{at}", at=at) for at in range(30)]
    place = InProcess()
    place.simulator.on_script("talk", ScriptReply(records=said, duration=30))
    runspace = place.simulator.add_runspace()
    told: list[object] = []

    async def take(following: AsyncScriptRecords) -> None:
        told.append(await anext(following, None))

    async with place.client as client:
        for _ in range(20):
            told.clear()
            execution = await client.script_executions.create(runspace, "talk")
            following = client.script_executions.follow(execution.id)
            while not told or told[-1] is not None:
                await cancelled_after(chance.randrange(40), lambda following=following: take(following))
            assert [getattr(item, "message", None) for item in told] == [
                *(f"m{at}" for at in range(30)),
                None,
            ]


@pytest.mark.anyio
async def test_a_console_whose_creator_is_cancelled() -> None:
    place = InProcess()
    async with place.client as client:
        await client.login()
        created = 0
        for steps in range(30):
            cancelled = await cancelled_after(steps, client.web_consoles.create)
            left = await client.web_consoles.list()
            for console in left:
                await client.web_consoles.delete(console.id)
            # Within the request for it, nobody can know of it. Later it is deleted, unless it was returned.
            created += len(left)
            assert cancelled is False or steps < 12 or left == []
        assert created > 0
        place.check()


@pytest.mark.parametrize(("anyio_backend", "times"), [("asyncio", often(10_000)), ("trio", often(1000))])
@pytest.mark.anyio
async def test_creates_whose_responses_are_lost(anyio_backend: str, times: int) -> None:
    """As many runspaces are there as the caller was told of, whatever became of the responses."""
    place = InProcess(
        Fault(operation="runspaces.create", probability=0.15, reset="after", lost_answer=True),
        Fault(operation="runspaces.create", probability=0.05, status=504, lost_answer=True),
        Fault(operation="runspaces.create", probability=0.05, status=0, lost_answer=True),
        Fault(operation="runspaces.create", probability=0.05, cut_after=20),
        # These are not carried out.
        Fault(operation="runspaces.create", probability=0.1, reset="after"),
        Fault(operation="runspaces.create", probability=0.05, status=502),
        Fault(operation="runspaces.create", probability=0.05, full_quota=True),
        quota=10**6,
    )
    batch = 100
    unknown = refused = 0
    async with place.client as client:
        for _ in range(times // batch):
            told: list[str] = []

            async def create(told: list[str] = told) -> None:
                nonlocal unknown, refused
                try:
                    told.append((await client.runspaces.create()).id)
                except OutcomeUnknownError:
                    unknown += 1
                except QuotaExceededError:
                    refused += 1

            async with anyio.create_task_group() as tasks:
                for _ in range(batch):
                    tasks.start_soon(create)
            assert sorted(place.simulator.runspaces) == sorted(told)
            for id_ in told:
                place.simulator.kill_runspace(id_)
        requests = place.transport.traffic.seen
        assert free_slots(client) == SLOTS
    assert times * 0.05 < unknown < times * 0.25
    assert times * 0.01 < refused
    # Not one was sent twice: beside the creates there are the looks for those lost, the login and the logout.
    assert requests < times * 1.6


@pytest.mark.anyio
async def test_runs_whose_responses_are_lost_leave_nothing() -> None:
    """Any answer of any call may be lost, and yet nothing stays on the server."""
    place = InProcess(
        Fault(operation="runspaces.*", probability=0.15, reset="after", lost_answer=True),
        Fault(operation="script_executions.*", probability=0.05, reset="after", lost_answer=True),
    )
    succeeded = 0
    async with place.client as client:
        for number in range(100):
            try:
                result = await client.run(f"{number}")
            except SrsError:
                continue
            assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, f"{number}")
            succeeded += 1
        place.check()
    assert succeeded > 90


async def _is_lost(handle: AsyncRunspaceHandle, client: AsyncSrsClient, clock: VirtualClock) -> bool:
    """Start one script on the heels of another, as careless clients do; tell whether the first is lost."""
    scripts = client.script_executions
    first = await scripts.create(handle.id, "1")
    clock.advance(0.1)
    # The service takes a first look at it, and sees that it runs; then it ends.
    second = await scripts.create(handle.id, "2")
    await scripts.wait(second.id)
    return (await scripts.wait(first.id)).state == "error"


@pytest.mark.parametrize(("anyio_backend", "times"), [("asyncio", often(500)), ("trio", often(100))])
@pytest.mark.anyio
async def test_scripts_on_the_heels_of_each_other(anyio_backend: str, times: int) -> None:
    place = InProcess()
    clock = place.simulator.clock
    assert isinstance(clock, VirtualClock)
    async with place.client as client:
        async with client.runspaces.open() as handle:
            assert await _is_lost(handle, client, clock)
            for number in range(times):
                result = await handle.run(f"{number}")
                assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, f"{number}")
        place.check()


@pytest.mark.anyio
async def test_scripts_of_many_tasks_through_one_handle() -> None:
    place = InProcess()
    done: list[str] = []

    async def work(handle: AsyncRunspaceHandle, task: int) -> None:
        for number in range(5):
            result = await handle.run(f"'{task}/{number}'")
            assert result.outcome is ScriptOutcome.SUCCEEDED
            done.append(result.output)

    async with place.client as client:
        async with client.runspaces.open() as handle, anyio.create_task_group() as tasks:
            for task in range(20):
                tasks.start_soon(work, handle, task)
        place.check()
    assert sorted(done) == sorted(f"{task}/{number}" for task in range(20) for number in range(5))


@pytest.mark.anyio
async def test_a_turn_that_does_not_come_in_time() -> None:
    place = InProcess()
    async with place.client as client:
        async with client.runspaces.open() as handle, anyio.create_task_group() as tasks:
            tasks.start_soon(handle.run, "long")
            for _ in range(5):
                await checkpoint()
            with pytest.raises(WaitTimeoutError, match=r"ran other scripts for 0 s.* was not started"):
                await handle.run("1", timeout=0)
            # Whoever is cancelled while waiting for a turn does not take it along.
            await cancelled_after(3, lambda: handle.run("1"))
            assert (await handle.run("'next'")).output == "next"
        assert len(await client.script_executions.list()) == 2
        place.check()


#: A run makes more calls than this, however fast the machine is.
_LEAST_CALLS = 6


@frozen
class _Moment:
    """When a run is to be cancelled: some turns of the event loop after it has begun so many calls."""

    calls: list[None]
    turns: int
    scope: anyio.CancelScope
    tasks: TaskGroup

    def call_begins(self) -> None:
        if self.calls:
            self.calls.pop()
            if not self.calls:
                self.tasks.start_soon(self._cancel)

    async def _cancel(self) -> None:
        for _ in range(self.turns):
            await checkpoint()
        self.scope.cancel()


@pytest.mark.parametrize(("anyio_backend", "times"), [("asyncio", often(1000)), ("trio", often(100, 100))])
@pytest.mark.anyio
@pytest.mark.timeout(300)
async def test_run_cancelled_at_any_moment_leaves_nothing(
    anyio_backend: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over real sockets, fifty at once; three of four are cancelled, each at another moment of its way."""
    chance = random.Random(f"moments {anyio_backend}")
    # What lasts is short, and what is removed after a time stays: on a slow machine the runs take minutes.
    settings = Settings(
        quota=1000,
        history=10**6,
        creation_seconds=0.04,
        script_seconds=0.001,
        poll_interval=0.025,
        cancel_interval=0.005,
    )
    simulator = Simulator(users={"alice": "sesame-7Qx"}, settings=settings, clock=SystemClock())
    cancelled = finished = 0
    before = others()
    moment: ContextVar[_Moment] = ContextVar("moment")
    original = AsyncSession.call

    async def call(*args: Any, **options: Any) -> object:
        if moment.get(None) is not None:
            moment.get().call_begins()
        return await original(*args, **options)

    monkeypatch.setattr(AsyncSession, "call", call)
    with SimServer(simulator) as server:
        async with AsyncSrsClient(
            server.url, auth=BasicAuth("alice", "sesame-7Qx"), max_connections=SLOTS
        ) as client:
            await client.login()
            left = times

            async def work() -> None:
                nonlocal cancelled, finished, left
                while left > 0:
                    left -= 1
                    calls = chance.randint(1, _LEAST_CALLS) if chance.random() < 0.75 else 0
                    with anyio.CancelScope() as scope:
                        moment.set(_Moment([None] * calls, chance.randrange(6), scope, tasks))
                        result = await client.run("'x'")
                        assert result.output == "x"
                        finished += 1
                    cancelled += scope.cancelled_caught

            async with anyio.create_task_group() as tasks:
                for _ in range(50):
                    tasks.start_soon(work)
            assert simulator.runspaces == {}
            assert free_slots(client) == SLOTS
        gc.collect()
        await server.wait_idle_async()
    assert others() == before
    assert cancelled > times * 0.5
    assert finished > times * 0.1
    assert cancelled + finished == times
