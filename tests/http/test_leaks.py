"""Cancellation at any moment leaves no connection, no slot and no task behind."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest

from tests.http.ours import Ours, fetch, state
from tests.http.serving import Server, Talk, ok, serving
from tests.http.test_side_by_side import get, request

pytestmark = pytest.mark.anyio


async def settle(ours: Ours, server: Server) -> None:
    """Let what was cancelled end, then check that all that is left is idle."""
    sockets, idle = state(ours)
    assert sockets == idle
    await server.until_open(idle)


@pytest.mark.parametrize("seed", range(4))
async def test_random_cancellation(anyio_backend: str, seed: int) -> None:
    dice = random.Random(seed)

    async def script(talk: Talk) -> None:
        while True:
            head = await talk.request()
            if head.startswith(b"POST"):
                await talk.reader.readexactly(3)
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
            await fetch(ours, server)
        elif kind == 1:
            await get(ours, server)
        else:
            await ours.handle_async_request(request(server, "POST", content=b"123"))

    async with Ours() as ours, serving(script) as server:
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
        done = [task for task in asyncio.all_tasks() - before if "play" not in repr(task)]
        assert done == []
