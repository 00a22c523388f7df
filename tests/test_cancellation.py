"""Tasks at once: cancelled at random moments, logging in together, in another event loop."""

from __future__ import annotations

import asyncio
import gc
import random

import anyio
import pytest

from srs_vsphere import (
    AsyncSrsClient,
    AuthenticationError,
    BasicAuth,
    Event,
    LoggedIn,
    TransportError,
)
from srs_vsphere.simulator import Fault, Settings, SimServer, Simulator
from tests.patience import often
from tests.test_script_cancellation import InProcess, cancelled_after

AUTH = BasicAuth("alice", "sesame-7Qx")
LOGIN = ("POST", "/api/auth/login")
SLOTS = 10


def free_slots(client: AsyncSrsClient) -> int:
    return client._session.sender.limiter.free


def others() -> int:
    """How many tasks there are besides this one, on asyncio; trio has none that it does not own."""
    try:
        return len(asyncio.all_tasks()) - 1
    except RuntimeError:
        return 0


@pytest.mark.parametrize(("anyio_backend", "rounds"), [("asyncio", often(100)), ("trio", often(20))])
@pytest.mark.anyio
@pytest.mark.timeout(300)
async def test_thousands_of_cancelled_requests_leave_nothing(
    server: SimServer, simulator: Simulator, anyio_backend: str, rounds: int
) -> None:
    """Each is cancelled somewhere between its first step and its end.

    SRS_TEST_SHARE=1 makes it 20,000 on asyncio and 4,000 on trio, which showed no more than a fifth of them.
    """
    for _ in range(20):
        simulator.add_runspace()
    chance = random.Random(f"cancelled {anyio_backend}")
    cancelled = 0

    async def call(client: AsyncSrsClient, patience: float, streamed: bool) -> None:
        nonlocal cancelled
        with anyio.move_on_after(patience) as scope:
            if streamed:
                async with client.runspaces.stream() as runspaces:
                    async for _ in runspaces:
                        pass
            else:
                await client.runspaces.list()
        cancelled += scope.cancelled_caught

    before = others()
    async with AsyncSrsClient(server.url, auth=AUTH, max_connections=SLOTS) as client:
        await client.login()
        for _ in range(rounds):
            async with anyio.create_task_group() as tasks:
                for number in range(200):
                    tasks.start_soon(call, client, chance.expovariate(20), number % 4 == 0)
            assert free_slots(client) == SLOTS
        # All limiter still work, all at once.
        async with anyio.create_task_group() as tasks:
            for _ in range(SLOTS):
                tasks.start_soon(call, client, 60.0, False)
        assert free_slots(client) == SLOTS
    gc.collect()
    await server.wait_idle_async()
    assert cancelled > rounds * 50
    assert others() == before


@pytest.mark.anyio
async def test_a_cancelled_caller_is_not_retried(server: SimServer) -> None:
    server.faults.add(Fault(operation="runspaces.list", delay=3600.0))
    async with AsyncSrsClient(server.url, auth=AUTH) as client:
        await client.login()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.runspaces.list)
            await server.wait_for_async(lambda traffic: traffic.seen == 2)
            tasks.cancel_scope.cancel()
        assert free_slots(client) == 20
    assert server.requests.count(("GET", "/api/runspaces")) == 1


@pytest.mark.anyio
async def test_cancelling_the_block_still_logs_out(server: SimServer, simulator: Simulator) -> None:
    with anyio.CancelScope() as scope:
        async with AsyncSrsClient(server.url, auth=AUTH) as client:
            await client.login()
            scope.cancel()
            await anyio.sleep_forever()
    assert simulator.session_count == 0
    await server.wait_idle_async()


@pytest.mark.anyio
async def test_many_who_need_a_login_share_one(server: SimServer, simulator: Simulator) -> None:
    async with AsyncSrsClient(server.url, auth=AUTH) as client:
        for logins in (1, 2):
            async with anyio.create_task_group() as tasks:
                for _ in range(50):
                    tasks.start_soon(client.runspaces.list)
            assert server.requests.count(LOGIN) == logins
            simulator.expire_sessions()


@pytest.mark.anyio
async def test_many_who_wait_for_a_refused_login_share_its_failure(server: SimServer) -> None:
    refusals: list[AuthenticationError] = []

    async def call(client: AsyncSrsClient) -> None:
        try:
            await client.runspaces.list()
        except AuthenticationError as error:
            refusals.append(error)

    async with AsyncSrsClient(server.url, auth=BasicAuth("alice", "wrong")) as client:
        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(call, client)
        assert len({id(error) for error in refusals}) == 30
        assert server.requests.count(LOGIN) == 1
        # Whoever comes soon after is told the same: asking again would lock the account.
        await call(client)
        assert "were not sent again" in str(refusals[-1])
        assert server.requests.count(LOGIN) == 1
        clock = client._session.sender.clock
        now = clock.now
        clock.now = lambda: now() + 181.0
        await call(client)
    assert server.requests.count(LOGIN) == 2


@pytest.mark.anyio
async def test_a_cancelled_login_is_taken_over_by_who_waits(
    server: SimServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("srs_vsphere._concurrency.completion._SECONDS_TO_GO_ON", 0.0)
    lists: list[int] = []

    async def call(client: AsyncSrsClient) -> None:
        lists.append(len(await client.runspaces.list()))

    server.faults.add(Fault(operation="auth.login", nth=1, delay=3600.0))
    async with AsyncSrsClient(server.url, auth=AUTH) as client, anyio.create_task_group() as tasks:
        with anyio.CancelScope() as first:

            async def watch() -> None:
                await server.wait_for_async(lambda traffic: traffic.seen == 1)
                for _ in range(5):
                    tasks.start_soon(call, client)
                await anyio.lowlevel.checkpoint()
                first.cancel()

            tasks.start_soon(watch)
            await client.runspaces.list()
    assert lists == [0] * 5
    assert server.requests.count(LOGIN) == 2
    assert "was broken off: a session that it made stays until it has idled" in caplog.text


@pytest.mark.anyio
async def test_a_login_cancelled_at_any_step_leaves_no_session() -> None:
    steps, cancelled = 0, True
    while cancelled:
        place = InProcess()
        async with place.client as client:
            cancelled = await cancelled_after(steps, client.login)
        assert place.simulator.session_count == 0
        assert client._session._login.is_settled
        place.check()
        steps += 1
    assert steps > 2


@pytest.mark.anyio
async def test_a_key_that_comes_too_late_is_ended(server: SimServer, simulator: Simulator) -> None:
    server.faults.add(Fault(operation="auth.login", nth=1, delay=0.2))
    async with AsyncSrsClient(server.url, auth=AUTH) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.login)
        await server.wait_for_async(lambda traffic: traffic.seen == 1)
        tasks.cancel_scope.cancel()
    assert simulator.session_count == 0
    assert [path for _, path in server.requests] == ["/api/auth/login", "/api/auth/logout"]


@pytest.mark.anyio
async def test_a_hook_cancelled_after_the_login_leaves_no_session(
    server: SimServer, simulator: Simulator
) -> None:
    async def hook(event: Event) -> None:
        if isinstance(event, LoggedIn):
            tasks.cancel_scope.cancel()
            await anyio.sleep_forever()

    async with AsyncSrsClient(server.url, auth=AUTH, on_event=hook) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.login)
    assert simulator.session_count == 0


@pytest.mark.anyio
async def test_a_login_that_one_deadline_ends_is_no_failure_of_others(server: SimServer) -> None:
    client = AsyncSrsClient(server.url, auth=AUTH)
    with server.faults.armed(Fault(operation="auth.login", delay=3600.0)), pytest.raises(TransportError):
        await client.with_options(timeout=0.3).runspaces.list()
    assert await client.runspaces.list() == []
    await client.aclose()


def test_another_event_loop_is_refused() -> None:
    with SimServer(Simulator(users={"alice": "sesame-7Qx"}, settings=Settings())) as server:
        client = AsyncSrsClient(server.url, auth=AUTH)

        async def first() -> None:
            await client.about()
            await client.aclose()
            client._session._state.closed = client._session.sender.closed = False

        asyncio.run(first())

        async def second() -> None:
            await client.about()

        with pytest.raises(RuntimeError, match="another event loop"):
            asyncio.run(second())
        assert server.traffic.seen == 1
