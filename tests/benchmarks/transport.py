"""What one poll costs the processor through the bare transport and through its peers.

Run as ``python tests/benchmarks/transport.py [--hosts 1000,4000] [--rounds 5] [--json FILE]``, with aiohttp
installed beside the package. The server answers from another process on another core; rounds are
interleaved, and the table shows medians of processor time, user and system, per poll.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import httpx

from srs_vsphere._transport import Address, FastTransport, Waits

WAITS = Waits(10.0, 30.0, 30.0, 10.0)

try:
    import aiohttp
except ImportError:
    aiohttp = None

BODY = json.dumps(
    [
        {
            "id": f"pcli-714240f2-6534-4990-930e-8197bbf96c2{n}",
            "name": f"nightly {n}",
            "state": "ready",
            "run_vc_connection_script": False,
            "vc_connection_script_id": "a4c3e5d2-1f8b-4c3c-9a51-33f1cf6ad9a1",
            "creation_time": "2024-05-04T10:11:12.1234567Z",
        }
        for n in range(5)
    ]
).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nDate: Sat, 04 May 2024 10:11:12 GMT\r\nContent-Type: application/json; charset=utf-8\r\n"
    b"Server: Kestrel\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
HEADERS = {
    "Accept": "application/json",
    "User-Agent": "bench",
    "X-SRS-API-KEY": "abde5a98-9742-4af5-a485-6b5adfd62d3f",
}

Poll = Callable[[str], Awaitable[object]]


class Server(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            self.transport.write(ANSWER)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "0.0.0.0", 0, backlog=8192)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class RawStreams:
    """The floor: asyncio's streams, no parsing to speak of."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: dict[str, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}
        head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        self.wire = f"GET /api/runspaces HTTP/1.1\r\nHost: srs\r\n{head}\r\n".encode()

    async def poll(self, host: str) -> object:
        idle = self.idle.setdefault(host, [])
        reader, writer = idle.pop() if idle else await asyncio.open_connection(host, self.port)
        writer.write(self.wire)
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.index(b"Content-Length: ") + 16
        body = await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
        idle.append((reader, writer))
        return json.loads(body)

    async def aclose(self) -> None:
        for idle in self.idle.values():
            for _, writer in idle:
                writer.transport.abort()


class Response:
    """Our transport as httpx uses it: a request built before, a response, its body read."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.transport = FastTransport(max_connections=500)
        self.requests: dict[str, httpx.Request] = {}

    async def poll(self, host: str) -> object:
        request = self.requests.get(host)
        if request is None:
            request = self.requests[host] = httpx.Request(
                "GET",
                f"http://{host}:{self.port}/api/runspaces",
                headers=HEADERS,
                extensions={"timeout": {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": 10.0}},
            )
        response = await self.transport.handle_async_request(request)
        return json.loads(await response.aread())

    async def aclose(self) -> None:
        await self.transport.aclose()


class Express:
    """Our transport without httpx's classes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.transport = FastTransport(max_connections=500)
        self.addresses: dict[str, Address] = {}
        self.wire = RawStreams(port).wire

    async def poll(self, host: str) -> object:
        address = self.addresses.get(host)
        if address is None:
            address = self.addresses[host] = Address(False, host, self.port)
        _, _, body = await self.transport.fetch(address, self.wire, waits=WAITS)
        return json.loads(body)

    async def aclose(self) -> None:
        await self.transport.aclose()


class Aiohttp:
    def __init__(self, port: int) -> None:
        self.port = port
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=90),
            headers=HEADERS,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30),
        )

    async def poll(self, host: str) -> object:
        async with self.session.get(f"http://{host}:{self.port}/api/runspaces") as response:
            return json.loads(await response.read())

    async def aclose(self) -> None:
        await self.session.close()


class DefaultHttpx:
    def __init__(self, port: int) -> None:
        self.port = port
        self.client = httpx.AsyncClient(
            headers=HEADERS, verify=False, limits=httpx.Limits(max_connections=None, keepalive_expiry=90)
        )

    async def poll(self, host: str) -> object:
        response = await self.client.get(f"http://{host}:{self.port}/api/runspaces")
        return json.loads(response.content)

    async def aclose(self) -> None:
        await self.client.aclose()


class OursInHttpx(DefaultHttpx):
    def __init__(self, port: int) -> None:
        self.port = port
        self.client = httpx.AsyncClient(headers=HEADERS, transport=FastTransport(max_connections=500))
        self.requests: dict[str, httpx.Request] = {}

    async def poll(self, host: str) -> object:
        request = self.requests.get(host)
        if request is None:
            request = self.requests[host] = self.client.build_request(
                "GET", f"http://{host}:{self.port}/api/runspaces"
            )
        response = await self.client.send(request)
        return json.loads(response.content)


LANES: dict[str, type] = {
    "raw streams": RawStreams,
    "express": Express,
    "response": Response,
    "client.send": OursInHttpx,
}
if aiohttp is not None:
    LANES["aiohttp"] = Aiohttp


def processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(poll: Poll, hosts: list[str], in_flight: int, polls: int) -> float:
    """Poll the hosts in turn, so many at a time; return microseconds of processor time per poll."""
    turn = iter(range(polls))

    async def worker() -> None:
        for n in turn:
            await poll(hosts[n % len(hosts)])

    before = processor_time()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return (processor_time() - before) / polls * 1e6


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def level(
    port: int, hosts: list[str], in_flight: int, polls: int, rounds: int, lanes: dict
) -> dict[str, float]:
    clients = {}
    for name, make in lanes.items():
        clients[name] = make(port)
    result: dict[str, list[float]] = {name: [] for name in clients}
    for name, client in clients.items():
        before = resident()
        await measure(client.poll, hosts, in_flight, max(len(hosts), in_flight * 4))
        if len(hosts) > 100:
            print(f"    {name:12} {(resident() - before) / len(hosts) / 1024:.1f} KiB a host")
    for _ in range(rounds):
        for name, client in clients.items():
            result[name].append(await measure(client.poll, hosts, in_flight, polls))
    for client in clients.values():
        await client.aclose()
    return {name: statistics.median(times) for name, times in result.items()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--serve", action="store_true")
    arguments.add_argument("--hosts", default="")
    arguments.add_argument("--flights", default="1,20,200")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--polls", type=int, default=4000)
    arguments.add_argument("--httpx", action="store_true", help="measure default httpx, too: slow")
    arguments.add_argument("--json")
    given = arguments.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if given.serve:
        os.sched_setaffinity(0, {cores[-1]})
        asyncio.run(serve())
        return
    os.sched_setaffinity(0, {cores[0]})
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    lanes = dict(LANES)
    if given.httpx:
        lanes["httpx"] = DefaultHttpx
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, env=environment)
    os.sched_setaffinity(server.pid, {cores[-1]})
    table: dict[str, dict[str, float]] = {}
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        levels = [
            (f"1 host, {n} in flight", ["127.0.0.1"], n) for n in map(int, given.flights.split(",")) if n
        ]
        for count in filter(None, map(int, filter(None, given.hosts.split(",")))):
            levels.append(
                (
                    f"{count} hosts, 20 in flight",
                    [f"127.0.{n // 250}.{n % 250 + 1}" for n in range(count)],
                    20,
                )
            )
        for name, hosts, in_flight in levels:
            started = time.perf_counter()
            row = asyncio.run(
                level(port, hosts, in_flight, max(given.polls, len(hosts)), given.rounds, lanes)
            )
            table[name] = row
            peer = row.get("aiohttp", float("nan"))
            print(name, f"({time.perf_counter() - started:.0f} s)")
            for lane, cost in row.items():
                print(
                    f"    {lane:12} {cost:7.1f} us   {cost / peer:5.2f} x aiohttp   {cost / row['raw streams']:5.2f} x floor"
                )
    finally:
        server.terminate()
        server.wait()
    if given.json:
        with open(given.json, "w") as file:
            json.dump(table, file, indent=1)


if __name__ == "__main__":
    main()
