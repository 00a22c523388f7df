"""Cancellation at any moment leaves no connection, no slot and no task behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import httpx
import pytest

from srs_vsphere._http.asyncio_connection import Connection
from srs_vsphere._http.asyncio_transport import AsyncioTransport
from srs_vsphere._http.connection_pool import Address, ConnectionPool
from tests.http.serving import Server, Talk, ok, serving
from tests.http.test_asyncio_transport import WIRE, state
from tests.http.test_side_by_side import get, pieces, request

pytestmark = pytest.mark.anyio


async def settle(ours: AsyncioTransport, server: Server) -> None:
    """Let what was cancelled end, then check that all that is left is idle."""
    _, taken, idle, waiting = state(ours)
    assert taken == idle
    assert waiting == 0
    await server.until_open(idle)
    assert len(ours._pool.sockets) == idle


@pytest.mark.parametrize("seed", range(4))
async def test_random_cancellation(anyio_backend: str, seed: int) -> None:
    dice = random.Random(seed)

    async def script(talk: Talk) -> None:
        while True:
            head = await talk.request()
            if head.startswith(b"POST"):
                await talk.reader.readuntil(b"0\r\n\r\n")
            await asyncio.sleep(0)
            turn = dice.randrange(5)
            if turn == 0:
                await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[1")
                await asyncio.sleep(0)
                await talk.send(b"2]")
            elif turn == 1 and dice.random() < 0.3:
                return
            else:
                await talk.send(ok())

    async def one() -> None:
        kind = dice.randrange(3)
        if kind == 0:
            await ours.fetch(Address(False, server.host, server.port), WIRE)
        elif kind == 1:
            await get(ours, server)
        else:
            await ours.handle_async_request(request(server, "POST", content=pieces(b"1", b"2", b"3")))

    async with AsyncioTransport(max_connections=3) as ours, serving(script) as server:
        # A name, so that several addresses race.
        server.host = "localhost" if seed % 2 else "127.0.0.1"
        before = asyncio.all_tasks()
        for _ in range(30):
            tasks = [asyncio.create_task(one()) for _ in range(8)]
            for task in dice.sample(tasks, 5):
                for _ in range(dice.randrange(6)):
                    await asyncio.sleep(0)
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(
                result is None or isinstance(result, asyncio.CancelledError | httpx.TransportError)
                for result in results
            )
        await settle(ours, server)
        # Nothing was lost: as many as allowed still fit.
        done = [task for task in asyncio.all_tasks() - before if "play" not in repr(task)]
        assert done == []
        for _ in range(20):
            with_luck = await asyncio.gather(
                *(get(ours, server, pool=5.0) for _ in range(3)), return_exceptions=True
            )
            assert not any(isinstance(result, httpx.PoolTimeout) for result in with_luck)


def when_given(monkeypatch: pytest.MonkeyPatch, then: Callable[[Connection | None], None]) -> None:
    """Do something after a waiting request was given a connection or a slot, and before it takes that."""
    given = ConnectionPool._hand_over

    def hand_over(self: ConnectionPool, connection: Connection | None) -> bool:
        done = given(self, connection)
        if done:
            then(connection)
        return done

    monkeypatch.setattr(ConnectionPool, "_hand_over", hand_over)


@pytest.mark.parametrize("what", ["connection", "slot", "lost connection"])
async def test_what_is_given_to_a_cancelled_request_goes_to_the_next(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    go = asyncio.Event()

    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            await go.wait()
            await talk.send(ok(b"[%d]" % talk.number))

    def then(connection: Connection | None) -> None:
        assert (connection is None) == (what == "slot")
        second.cancel()
        monkeypatch.undo()
        if what == "lost connection":
            assert connection is not None
            connection.eof_received()

    async with AsyncioTransport(max_connections=1) as ours, serving(script) as server:
        first = asyncio.create_task(get(ours, server))
        await asyncio.sleep(0)
        second = asyncio.create_task(get(ours, server))
        third = asyncio.create_task(get(ours, server))
        await asyncio.sleep(0)
        when_given(monkeypatch, then)
        go.set()
        if what == "slot":
            first.cancel()
        else:
            assert (await first).content == b"[1]"
        await third
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(results[1], asyncio.CancelledError)
        if what != "slot":
            assert server.connections == (1 if what == "connection" else 2)
        assert state(ours) == (1, 1, 1, 0)


async def test_a_connection_that_is_lost_on_its_way_to_the_next_is_replaced(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then(connection: Connection | None) -> None:
        if connection is not None:
            connection.eof_received()

    when_given(monkeypatch, then)
    served: list[int] = []

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        await talk.hung_up()

    async def one(number: int) -> None:
        await get(ours, server)
        served.append(number)

    async with AsyncioTransport(max_connections=1) as ours, serving(script) as server:
        await asyncio.gather(*(one(number) for number in range(4)))
        assert served == [0, 1, 2, 3]
        assert server.connections == 4
        assert state(ours) == (1, 1, 1, 0)
