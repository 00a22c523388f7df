"""How soon the first runspace of a long list is there, and how little memory the whole list takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import cast

from srs_vsphere import ApiKeyAuth, AsyncSrsClient, SrsClient
from srs_vsphere.simulator.clock import Clock, SystemClock
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.server import SimServer
from tests.benchmarks.bodies import runspace_list
from tests.benchmarks.generated import Peers
from tests.benchmarks.measuring import Process, cores, forget_peak, in_turns, median, memory_bytes
from tests.benchmarks.results import Bound, Result, Table

_PIECE = 65536
_BLOCK = 10_000
_LONG = 100_000
_MOST_WAIT = 0.01
_MOST_MEMORY = 10.0
_WAYS = ("AsyncSrsClient", "SrsClient")
_MEGABYTE = 1e6


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    del peers
    huge = 200_000 if quick else 1_000_000
    client_core, server_core = cores()
    table = Table(
        f"Streaming over a socket: a list of {_LONG:,}, and the memory for one of {huge:,}",
        ("", "whole list ms", "first runspace ms", "first / whole", "us per runspace", "peak above idle MB"),
    )
    result = Result("streaming", [table], [], {"runspaces": _LONG, "runspaces_for_memory": huge})
    with Process(_serve, core=server_core) as server:
        times = _times(server, client_core)
        for way in _WAYS:
            whole, first = (median(pairs) for pairs in zip(*times[way], strict=True))
            peak = _peak(server, way, client_core, huge) / _MEGABYTE
            each = whole / _LONG * 1e6
            table.rows.append(
                (
                    way,
                    f"{whole * 1e3:.0f}",
                    f"{first * 1e3:.2f}",
                    f"{first / whole:.2%}",
                    f"{each:.2f}",
                    f"{peak:.1f}",
                )
            )
            share = Bound(f"{way}: first runspace, share of the whole", first / whole, _MOST_WAIT)
            memory = Bound(f"{way}: peak memory above idle", peak, _MOST_MEMORY, " MB")
            result.bounds += [share, memory]
            result.numbers[way] = {"whole_s": whole, "first_s": first, "peak_above_idle_mb": peak}
    table.notes.append("idle: connected, and a short list has been read, so that all modules are loaded")
    return result


def _times(server: Process, core: int) -> dict[str, list[tuple[float, float]]]:
    """Return the seconds until the end and until the first runspace, of five lists each."""
    pairs: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}

    def measured(way: str, client: Process) -> Callable[[], float]:
        def measure() -> float:
            pair = cast("tuple[float, float]", client.ask("times"))
            pairs[way].append(pair)
            return pair[0]

        return measure

    with ExitStack() as stack:
        clients = {way: stack.enter_context(_ready_client(server, way, core)) for way in _WAYS}
        server.ask(_LONG)
        in_turns(5, {way: measured(way, client) for way, client in clients.items()})
        server.ask(0)
    return {way: found[1:] for way, found in pairs.items()}


def _peak(server: Process, way: str, core: int, count: int) -> int:
    """Return how many bytes a process takes at most for a list, above what it took after a short one."""
    with _ready_client(server, way, core) as client:
        server.ask(count)
        peak = cast("int", client.ask("peak"))
        server.ask(0)
    return peak


def _ready_client(server: Process, way: str, core: int) -> Process:
    client = Process(_client, way, server.ready, core=core)
    # It has read a short list when it is ready; only then may the server's list become long.
    _ = client.ready
    return client


class _Lists:
    """A service whose list is as long as one wants, sent in pieces."""

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()
        self.count = 0
        self._short = runspace_list(5)
        block = b"," + runspace_list(_BLOCK)[1:-1]
        self._pieces = [block[at : at + _PIECE] for at in range(0, len(block), _PIECE)]

    def operation_of(self, request: Request) -> str | None:
        del request
        return None

    def handle(self, request: Request) -> Reply:
        del request
        body = self._body() if self.count else self._short
        return Reply(200, (("Content-Type", "application/json; charset=utf-8"),), body)

    def _body(self) -> Iterator[bytes]:
        yield b"[" + self._pieces[0][1:]
        yield from self._pieces[1:]
        for _ in range(self.count // _BLOCK - 1):
            yield from self._pieces
        yield b"]"


def _serve(connection: Connection) -> None:
    service = _Lists()
    with SimServer(service) as server:
        connection.send(server.url)
        while (count := connection.recv()) is not None:
            service.count = count
            connection.send(None)


def _client(connection: Connection, way: str, url: str) -> None:
    auth = ApiKeyAuth("benchmark")
    if way == "SrsClient":
        with SrsClient(url, auth=auth) as client:
            client.runspaces.list()
            connection.send(None)
            while (question := connection.recv()) is not None:
                idle = _idle()
                connection.send(_answer(question, idle, _read(client)))
        return

    async def answer() -> None:
        async with AsyncSrsClient(url, auth=auth) as client:
            await client.runspaces.list()
            connection.send(None)
            while (question := connection.recv()) is not None:
                idle = _idle()
                connection.send(_answer(question, idle, await _read_async(client)))

    asyncio.run(answer())


def _idle() -> int:
    forget_peak()
    return memory_bytes("VmRSS")


def _answer(question: object, idle: int, times: tuple[float, float]) -> object:
    return times if question == "times" else memory_bytes("VmHWM") - idle


async def _read_async(client: AsyncSrsClient) -> tuple[float, float]:
    begun = time.perf_counter()
    first = None
    async with client.runspaces.stream() as runspaces:
        async for _ in runspaces:
            if first is None:
                first = time.perf_counter() - begun
    return time.perf_counter() - begun, first or 0.0


def _read(client: SrsClient) -> tuple[float, float]:
    begun = time.perf_counter()
    first = None
    with client.runspaces.stream() as runspaces:
        for _ in runspaces:
            if first is None:
                first = time.perf_counter() - begun
    return time.perf_counter() - begun, first or 0.0
