"""The processes of the fleet's benchmark: each keeps a fleet, and measures what it is told to."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any

from attrs import define

from tests.benchmarks.measuring import cpu_seconds, memory_bytes, percentile, raise_file_limit
from tests.benchmarks.places import KEY

#: Longer than the process waits for its next turn.
_IDLE = 3600.0


@define
class Swept:
    """What some sweeps took.

    Args:
        cost: processor seconds for each host.
        rate: hosts per second.
        p99: seconds that the slowest per cent of the polls took at least, of those that succeeded.
        ok: how many succeeded.
    """

    cost: float
    rate: float
    p99: float
    ok: int


def _targets(ports: list[int]) -> list[Any]:
    from srs_vsphere import ApiKeyAuth, Target

    auth = ApiKeyAuth(KEY)
    return [Target(f"host-{port}", f"http://127.0.0.1:{port}", auth) for port in ports]


@asynccontextmanager
async def _fleet(ports: list[int], **options: Any) -> AsyncIterator[Any]:
    from srs_vsphere import AsyncSrsFleet

    async with AsyncSrsFleet(_targets(ports), idle=_IDLE, **options) as fleet:
        yield fleet


def sweep_when_told(connection: Connection, ports: list[int], options: dict[str, Any]) -> None:
    """Sweep as often as told, again and again; to be run as a process of its own.

    Args:
        connection: to who asks: a number is how many sweeps the next turn has.
        ports: of the hosts, on loopback.
        options: of the fleet.
    """
    raise_file_limit()
    asyncio.run(_sweep_when_told(connection, ports, options))


async def _sweep_when_told(connection: Connection, ports: list[int], options: dict[str, Any]) -> None:
    async with _fleet(ports, **options) as fleet:
        await _sweeps(fleet.poll, len(ports), 1)
        connection.send(None)
        while (count := connection.recv()) is not None:
            connection.send(await _sweeps(fleet.poll, len(ports), count))


async def _sweeps(poll: Callable[[], Any], hosts: int, count: int) -> Swept:
    latencies: list[float] = []
    begun, cpu = time.perf_counter(), cpu_seconds()
    for _ in range(count):
        async for report in poll():
            if report.error is None:
                latencies.append(report.elapsed)
    cost, seconds = cpu_seconds() - cpu, time.perf_counter() - begun
    polls = hosts * count
    return Swept(cost / polls, polls / seconds, percentile(latencies or [0.0], 99), len(latencies))


@define
class Watched:
    """How much memory a watch took.

    Args:
        second: bytes more than before the fleet was there, after the second sweep.
        last: the same after the last.
        late: how often the interval was too short.
        cost: processor seconds for each host and sweep.
    """

    second: int
    last: int
    late: int
    cost: float


def watch_once(connection: Connection, ports: list[int], interval: float, sweeps: int) -> None:
    """Watch for some sweeps, and say how much memory that took; to be run as a process of its own.

    Args:
        connection: to who asks.
        ports: of the hosts, on loopback.
        interval: of the watch.
        sweeps: how many.
    """
    raise_file_limit()
    connection.send(asyncio.run(_watch(ports, interval, sweeps)))
    connection.recv()


async def _watch(ports: list[int], interval: float, sweeps: int) -> Watched:
    from srs_vsphere import SweepEnded, SweepLate

    # A first poll loads all modules, which is not what a host costs.
    async with _fleet(ports[:1]) as fleet:
        await _sweeps(fleet.poll, 1, 1)
    gc.collect()
    before = memory_bytes("VmRSS")
    second = late = ended = 0
    async with _fleet(ports) as fleet, fleet.watch(interval=interval) as events:
        cpu = cpu_seconds()
        async for event in events:
            late += isinstance(event, SweepLate)
            if not isinstance(event, SweepEnded):
                continue
            ended += 1
            if ended == 2:
                gc.collect()
                second = memory_bytes("VmRSS") - before
            if ended == sweeps:
                break
        cost = (cpu_seconds() - cpu) / sweeps / len(ports)
        gc.collect()
        return Watched(second, memory_bytes("VmRSS") - before, late, cost)


def sweep_by_dask(connection: Connection, ports: list[int], options: dict[str, Any], workers: int) -> None:
    """Sweep by the workers of a Dask cluster as often as told; to be run as a process of its own.

    Args:
        connection: to who asks: a number is how many sweeps the next turn has.
        ports: of the hosts, on loopback.
        options: of each worker's share of the fleet.
        workers: how many processes.
    """
    raise_file_limit()
    # The workers are not to share the one core that this process was given.
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    asyncio.run(_sweep_by_dask(connection, ports, options, workers))


async def _sweep_by_dask(
    connection: Connection, ports: list[int], options: dict[str, Any], workers: int
) -> None:
    from distributed import Client, LocalCluster

    from srs_vsphere import BasicAuth, Target
    from srs_vsphere.fleet.dask import sweep

    auth = BasicAuth("benchmark", KEY, allow_pickle=True)
    targets = [Target(f"host-{port}", f"http://127.0.0.1:{port}", auth) for port in ports]
    async with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", asynchronous=True
        ) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):

        def poll() -> Any:
            return sweep(targets, client=client, idle=_IDLE, **options)

        await _sweeps(poll, len(ports), 1)
        connection.send(None)
        while (count := connection.recv()) is not None:
            before = sum((await client.run(cpu_seconds)).values())
            swept = await _sweeps(poll, len(ports), count)
            after = sum((await client.run(cpu_seconds)).values())
            connection.send((swept, (after - before) / count / len(ports)))


def respond_late(
    connection: Connection, hosts: int, first_port: int, seconds: float, response: bytes
) -> None:
    """Serve the same response on many ports, each after some time; to be run as a process of its own.

    Args:
        connection: to who asks; it is told the ports.
        hosts: on how many ports.
        first_port: where to begin.
        seconds: how long a response is held back.
        response: the whole of it.
    """
    raise_file_limit()
    asyncio.run(_serve(connection, hosts, first_port, lambda: _Late(seconds, response)))


def trickle(connection: Connection, first_port: int, response: bytes) -> None:
    """Serve a response a byte at a time, without end; to be run as a process of its own."""
    asyncio.run(_serve(connection, 1, first_port, lambda: _Trickle(response)))


async def _serve(
    connection: Connection, hosts: int, first_port: int, make: Callable[[], asyncio.Protocol]
) -> None:
    loop = asyncio.get_running_loop()
    ports: list[int] = []
    port = first_port
    servers = []
    while len(ports) < hosts:
        try:
            servers.append(await loop.create_server(make, "127.0.0.1", port, backlog=100))
            ports.append(port)
        except OSError:
            pass
        port += 1
    connection.send(ports)
    wait: Awaitable[object] = loop.run_in_executor(None, connection.recv)
    await wait


class _Late(asyncio.Protocol):
    def __init__(self, seconds: float, response: bytes) -> None:
        self._seconds = seconds
        self._response = response

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            asyncio.get_running_loop().call_later(self._seconds, self._transport.write, self._response)


class _Trickle(_Late):
    def __init__(self, response: bytes) -> None:
        super().__init__(0.05, response)

    def data_received(self, data: bytes) -> None:
        self._next(0)

    def _next(self, at: int) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._response[at : at + 1])
            asyncio.get_running_loop().call_later(self._seconds, self._next, at + 1)
