"""The process of one contender: opens its connections, polls when it is its turn, and says what that cost."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

from attrs import define, evolve

from tests.benchmarks.contenders import CONTENDERS, ON_UVLOOP
from tests.benchmarks.measuring import cpu_seconds, memory_bytes, raise_file_limit
from tests.benchmarks.places import Places, Poll
from tests.benchmarks.server import RUNSPACES


@define
class Opened:
    """What a contender says when it is ready.

    Args:
        memory: bytes that its connections and clients take, all together.
        cost: processor seconds of one poll, roughly.
    """

    memory: int
    cost: float


@define
class Turn:
    """What a turn of polling took.

    Args:
        cost: processor seconds of one poll.
        rate: polls per second.
        latencies: seconds that each poll took.
    """

    cost: float
    rate: float
    latencies: list[float]


def poll_when_told(connection: Connection, name: str, places: Places) -> None:
    """Be a contender; to be run as a process of its own.

    Args:
        connection: to who asks: a number is how often every place is polled in the next turn.
        name: the contender's.
        places: where to poll.
    """
    raise_file_limit()
    factory = None
    if name in ON_UVLOOP:
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_poll_when_told(connection, name, places))


async def _poll_when_told(connection: Connection, name: str, places: Places) -> None:
    # A first poll loads all modules, which is not what a host costs.
    async with _opened(name, evolve(places, ports=places.ports[:1], at_once=1)) as polls:
        await _turn(polls, 1, 1)
    gc.collect()
    before = memory_bytes("VmRSS")
    async with _opened(name, places) as polls:
        await _turn(polls, places.at_once, 1)
        again = await _turn(polls, places.at_once, 2)
        gc.collect()
        connection.send(Opened(memory_bytes("VmRSS") - before, again.cost))
        while (repeats := connection.recv()) is not None:
            connection.send(await _turn(polls, places.at_once, repeats))


@asynccontextmanager
async def _opened(name: str, places: Places) -> AsyncIterator[list[Poll]]:
    async with CONTENDERS[name](places) as polls:
        runspaces = await polls[0]()
        if runspaces is None or len(runspaces) != RUNSPACES:
            raise RuntimeError(f"{name} does not find the {RUNSPACES} runspaces")
        yield polls


async def _turn(polls: list[Poll], at_once: int, repeats: int) -> Turn:
    latencies: list[float] = []
    clock = time.perf_counter

    async def work(mine: list[Poll]) -> None:
        for _ in range(repeats):
            for poll in mine:
                begun = clock()
                await poll()
                latencies.append(clock() - begun)

    begun, cpu = clock(), cpu_seconds()
    await asyncio.gather(*[work(polls[worker::at_once]) for worker in range(at_once)])
    cost, seconds = cpu_seconds() - cpu, clock() - begun
    return Turn(cost / len(latencies), len(latencies) / seconds, latencies)
