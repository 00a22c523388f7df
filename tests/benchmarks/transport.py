"""What one poll costs the processor through the bare transport and through its peers.

Run as ``python -m tests.benchmarks.transport``, with aiohttp installed beside the package; ``--help`` tells
more. The server answers from another process on another core; the client is pinned to one core, rounds are
interleaved, and the table shows medians of processor time, user and system, per poll of five runspaces,
``json.loads`` included in all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import httpx

from srs_vsphere._transport import Address, FastTransport, Waits

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
HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Sat, 04 May 2024 10:11:%02d GMT\r\n"
    b"Content-Type: application/json; charset=utf-8\r\n"
    b"Server: Kestrel\r\n"
    b"Content-Length: %d\r\n\r\n"
)
HEADERS = {
    "Accept": "application/json",
    "User-Agent": "bench",
    "X-SRS-API-KEY": "abde5a98-9742-4af5-a485-6b5adfd62d3f",
}
WIRE = b"GET /api/runspaces HTTP/1.1\r\nHost: srs\r\n%b\r\n" % b"".join(
    f"{name}: {value}\r\n".encode() for name, value in HEADERS.items()
)
WAITS = Waits(10.0, 30.0, 30.0, 10.0)
MANY = 500


class Server(asyncio.Protocol):
    """Answers at once; its date moves on with the clock, as a real server's does."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        answer = HEAD % (int(time.time()) % 60, len(BODY)) + BODY
        self.transport.write(answer * data.count(b"\r\n\r\n"))


async def serve(certificate: str | None) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.get_running_loop().create_server(Server, "0.0.0.0", 0, backlog=8192, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Lane(Protocol):
    async def poll(self, host: str) -> object: ...
    async def aclose(self) -> None: ...


class RawStreams:
    """The floor: asyncio's streams, and as little parsing as will do."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.port = port
        self.context = context
        self.idle: dict[str, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}

    async def poll(self, host: str) -> object:
        idle = self.idle.setdefault(host, [])
        reader, writer = (
            idle.pop() if idle else await asyncio.open_connection(host, self.port, ssl=self.context)
        )
        writer.write(WIRE)
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.index(b"Content-Length: ") + 16
        body = await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
        idle.append((reader, writer))
        return json.loads(body)

    async def aclose(self) -> None:
        for idle in self.idle.values():
            for _, writer in idle:
                writer.transport.abort()


class Express:
    """Our transport without httpx's classes."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.port = port
        self.secure = context is not None
        self.transport = FastTransport(ssl_context=context, max_connections=MANY)
        self.addresses: dict[str, Address] = {}

    async def poll(self, host: str) -> object:
        address = self.addresses.get(host)
        if address is None:
            address = self.addresses[host] = Address(self.secure, host, self.port)
        _, _, body = await self.transport.fetch(address, WIRE, waits=WAITS)
        return json.loads(body)

    async def aclose(self) -> None:
        await self.transport.aclose()


class Response:
    """Our transport as httpx uses it: a request built before, a response, its body read."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.url = f"{'https' if context else 'http'}://%s:{port}/api/runspaces"
        self.transport: httpx.AsyncBaseTransport = FastTransport(ssl_context=context, max_connections=MANY)
        self.requests: dict[str, httpx.Request] = {}

    async def poll(self, host: str) -> object:
        request = self.requests.get(host)
        if request is None:
            timeout = dict(zip(WAITS._fields, WAITS, strict=True))
            request = self.requests[host] = httpx.Request(
                "GET", self.url % host, headers=HEADERS, extensions={"timeout": timeout}
            )
        return json.loads(await self.send(request))

    async def send(self, request: httpx.Request) -> bytes:
        response = await self.transport.handle_async_request(request)
        return await response.aread()

    async def aclose(self) -> None:
        await self.transport.aclose()


class ClientSend(Response):
    """Our transport below an httpx client; the request is built once."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(port, context)
        self.client = httpx.AsyncClient(transport=self.transport)

    async def send(self, request: httpx.Request) -> bytes:
        return (await self.client.send(request)).content


class Httpx(ClientSend):
    """httpx with its own transport."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(port, context)
        limits = httpx.Limits(max_connections=None, keepalive_expiry=90)
        verify = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.transport = httpx.AsyncHTTPTransport(verify=verify, limits=limits)
        self.client = httpx.AsyncClient(transport=self.transport)


class Aiohttp:
    """Bare aiohttp."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.url = f"{'https' if context else 'http'}://%s:{port}/api/runspaces"
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=90, ssl=context or True),
            headers=HEADERS,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30),
        )

    async def poll(self, host: str) -> object:
        async with self.session.get(self.url % host) as response:
            return json.loads(await response.read())

    async def aclose(self) -> None:
        await self.session.close()


LANES: dict[str, Callable[[int, ssl.SSLContext | None], Lane]] = {
    "raw streams": RawStreams,
    "express": Express,
    "response": Response,
    "client.send": ClientSend,
    "httpx": Httpx,
    "aiohttp": Aiohttp,
}


def processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(
    poll: Callable[[str], Awaitable[object]], hosts: list[str], flight: int, polls: int
) -> float:
    """Poll the hosts in turn, so many at a time; return microseconds of processor time per poll."""
    turn = iter(range(polls))

    async def worker() -> None:
        for n in turn:
            await poll(hosts[n % len(hosts)])

    before = processor_time()
    await asyncio.gather(*(worker() for _ in range(flight)))
    return (processor_time() - before) / polls * 1e6


def hosts_of(count: int) -> list[str]:
    return [f"127.0.{n // 250}.{n % 250 + 1}" for n in range(count)]


def no_check() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def level(
    names: list[str], port: int, tls: bool, hosts: list[str], flight: int, polls: int, rounds: int
) -> dict[str, float]:
    context = no_check() if tls else None
    lanes = {name: LANES[name](port, context) for name in names}
    costs: dict[str, list[float]] = {name: [] for name in names}
    for lane in lanes.values():
        await measure(lane.poll, hosts, flight, max(len(hosts), flight * 4))
    for _ in range(rounds):
        for name, lane in lanes.items():
            costs[name].append(await measure(lane.poll, hosts, flight, polls))
    for lane in lanes.values():
        await lane.aclose()
    return {name: statistics.median(times) for name, times in costs.items()}


async def memory(name: str, port: int, tls: bool, count: int) -> float:
    """KiB per polled host with a live connection, in a process that does nothing else."""
    lane = LANES[name](port, no_check() if tls else None)
    page = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * page

    await measure(lane.poll, hosts_of(20), 20, 200)
    before = resident()
    await measure(lane.poll, hosts_of(count + 20), 20, count + 20)
    used = resident() - before
    await lane.aclose()
    return used / count / 1024


@contextmanager
def served(tls: bool, core: int) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __spec__.name, "--serve"]
        if tls:
            pem = f"{folder}/srs.pem"
            wanted = (
                f"-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=srs -keyout {pem} -out {folder}/cert"
            )
            subprocess.run(
                ["openssl", "req", "-x509", "-nodes", *wanted.split()], check=True, capture_output=True
            )
            with Path(pem).open("a") as file:
                file.write(Path(f"{folder}/cert").read_text())
            command += ["--certificate", pem]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        os.sched_setaffinity(server.pid, {core})
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.terminate()
            server.wait()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flights", default="1,20,200", help="requests in flight on one host")
    parser.add_argument("--hosts", default="", help="numbers of hosts, polled 20 at a time; 1000,4000")
    parser.add_argument("--lanes", default="raw streams,express,response,client.send,aiohttp")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--polls", type=int, default=3000)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--json", help="a file for the numbers")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--certificate", help=argparse.SUPPRESS)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    given = options()
    if given.serve:
        asyncio.run(serve(given.certificate))
        return
    if given.memory:
        name, port, count = given.memory.split("/")
        print(asyncio.run(memory(name, int(port), given.tls, int(count))))
        return
    cores = sorted(os.sched_getaffinity(0))
    # Each lane keeps a connection to each host: 4000 hosts and four lanes are 16,000.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.sched_setaffinity(0, {cores[0]})
    names = [name for name in given.lanes.split(",") if name != "aiohttp" or aiohttp is not None]
    table: dict[str, dict[str, float]] = {}
    with served(given.tls, cores[-1]) as port:
        levels = [(f"1 host, {n} in flight", hosts_of(1), int(n)) for n in given.flights.split(",") if n]
        levels += [(f"{n} hosts, 20 in flight", hosts_of(int(n)), 20) for n in given.hosts.split(",") if n]
        for title, hosts, flight in levels:
            polls = max(given.polls, len(hosts))
            row = asyncio.run(level(names, port, given.tls, hosts, flight, polls, given.rounds))
            table[title] = row
            print(f"{title}{', TLS' if given.tls else ''}")
            for name, cost in row.items():
                ratios = "  ".join(
                    f"{cost / row[peer]:5.2f} x {peer}" for peer in ("raw streams", "aiohttp") if peer in row
                )
                line = f"    {name:12} {cost:7.1f} us  {ratios}"
                if len(hosts) > 100:
                    command = [sys.executable, "-m", __spec__.name, "--memory", f"{name}/{port}/{len(hosts)}"]
                    kib = subprocess.run(
                        command + ["--tls"] * given.tls, check=True, capture_output=True, text=True
                    )
                    table[f"{title}, KiB per host"] = table.get(f"{title}, KiB per host", {}) | {
                        name: float(kib.stdout)
                    }
                    line += f"  {float(kib.stdout):6.1f} KiB a host"
                print(line, flush=True)
    if given.json:
        Path(given.json).write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
