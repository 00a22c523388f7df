"""Mutated responses against the whole transport, without sockets: each gives a result or an httpx error.

``python -m tests.http.fuzz 1000000 [SEED]`` runs as many; the suite runs some thousands. Servers in
memory answer with bytes that were damaged, cut into pieces at random, and followed by the end of the
connection, a reset, or silence until the client gives up; clients read, stream, stop early, or are cancelled.
After each round nothing may be left: no slot, no connection that is not idle, no task.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from unittest import mock

import httpx

from srs_vsphere._http import asyncio_dialing
from srs_vsphere._http.address import Address
from srs_vsphere._http.asyncio_transport import AsyncioTransport
from srs_vsphere._http.name_lookup import Place
from srs_vsphere._http.prepared_request import PreparedRequest
from srs_vsphere._http.step_timeouts import StepTimeouts
from tests.http.feeding import FRAGMENTS, outcome, split


class Pipe(asyncio.Transport):
    """The client's end of a connection to a server in memory."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BufferedProtocol,
        respond: Callable[[bytes], list[bytes | None]],
        quiet: socket.socket,
    ) -> None:
        super().__init__()
        self.loop = loop
        self.protocol = protocol
        self.respond = respond
        self.quiet = quiet
        self.coming: list[bytes | None] = []
        self.running = False
        self.held = False
        self.lost = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.coming += self.respond(bytes(data))
        self.run()

    def run(self) -> None:
        if self.coming and not (self.running or self.held or self.lost):
            self.running = True
            self.loop.call_soon(self.step)

    def step(self) -> None:
        self.running = False
        if self.lost or self.held:
            return
        piece = self.coming.pop(0)
        if piece is None:
            self.protocol.eof_received()
            self.close()
        elif piece == b"":
            self.lose(ConnectionResetError("reset"))
        else:
            while piece:
                room = self.protocol.get_buffer(-1)
                part, piece = piece[: len(room)], piece[len(room) :]
                memoryview(room)[: len(part)] = part
                self.protocol.buffer_updated(len(part))
                if self.lost:
                    return
        self.run()

    def lose(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            self.loop.call_soon(self.protocol.connection_lost, error)

    def close(self) -> None:
        self.lose(None)

    def abort(self) -> None:
        self.lose(None)

    def is_closing(self) -> bool:
        return self.lost

    def pause_reading(self) -> None:
        self.held = True

    def resume_reading(self) -> None:
        self.held = False
        self.run()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.quiet if name == "socket" else default


def compose(dice: random.Random) -> bytes:
    """A response that is well-formed, or nearly so."""
    body = dice.randbytes(dice.choice([0, 2, 2, 40, 900]))
    if dice.random() < 0.003:
        body = bytes(300_000)
    status = dice.choice(
        [b"200 OK", b"200 OK", b"202 Accepted", b"0 ", b"404 Not Found", b"204 No Content", b"500"]
    )
    fields = [
        b"Content-Type: application/json; charset=utf-8",
        b"Date: Sat, 04 May 2024 10:11:12 GMT",
        b"Server: Kestrel",
    ]
    del fields[dice.randrange(4) :]
    if dice.random() < 0.1:
        fields.append(
            dice.choice([b"Connection: close", b"Connection: keep-alive", b"X-SRS-API-KEY: k", b"A: \xff"])
        )
    framing = dice.random()
    if framing < 0.5:
        fields.append(b"Content-Length: %d" % len(body))
    elif framing < 0.9:
        fields.append(b"Transfer-Encoding: chunked")
        size = dice.choice([1, 7, 100, 10_000]) if len(body) < 1000 else 10_000
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        body += dice.choice([b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nX-Sum: 1\r\n\r\n", b""])
    version = b"HTTP/1.1 " if dice.random() < 0.95 else b"HTTP/1.0 "
    before = b"HTTP/1.1 100 Continue\r\n\r\n" if dice.random() < 0.05 else b""
    return before + b"\r\n".join([version + status, *fields, b"", body])


def mutate(dice: random.Random, data: bytes) -> bytes:
    for _ in range(dice.choice([0, 1, 1, 1, 2, 3, 6])):
        # Most of what matters is at the beginning.
        at = int(len(data) * dice.random() ** 2)
        kind = dice.randrange(5)
        if kind == 0:
            data = data[:at] + data[at + dice.randrange(1, 9) :]
        elif kind == 1:
            data = data[:at] + dice.choice(FRAGMENTS) + data[at:]
        elif kind == 2:
            data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        elif kind == 3:
            data = data[:at]
        else:
            data = data[:at] + data[max(at - dice.randrange(40), 0) :]
    return data


class Fuzz:
    """One run.

    Args:
        seed: of the dice; the same seed gives the same run.
    """

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.outcomes: Counter[str] = Counter()
        # What a connection looks at to see whether something came; here nothing ever does.
        self.quiet = socket.socketpair()
        self.request = httpx.Request("GET", "http://srs/", extensions={"timeout": {"read": 600.0}})
        self.prepared = PreparedRequest(
            "GET",
            httpx.URL("http://srs/"),
            {"Host": "srs"},
            None,
            timeouts=StepTimeouts(read=600.0),
            whole=True,
            repeatable=True,
        )
        self.post = httpx.Request("POST", "http://srs/", content=b"{}")

    def respond(self, _: bytes) -> list[bytes | None]:
        dice = self.dice
        data = mutate(dice, compose(dice))
        pieces: list[bytes | None] = []
        if dice.random() < 0.5:
            pieces += split(data, [dice.randrange(len(data) + 1) for _ in range(dice.randrange(5))])
        elif data:
            pieces.append(data)
        # A client that was promised more would wait for it; the timeouts that end this have their own tests.
        whole = outcome([data] if data else [])
        if whole[-1] is not True or dice.random() < 0.1:
            pieces.append(None if dice.random() < 0.9 else b"")
        return pieces

    async def look_up(self, host: str, port: int) -> list[Place]:
        await asyncio.sleep(0)
        count = self.dice.randrange(1, 4)
        return [(socket.AF_INET6 if n % 2 else socket.AF_INET, (host, port)) for n in range(count)]

    async def reach(self, sock: socket.socket, address: object) -> None:
        del address
        self.sockets.append(sock)
        for _ in range(self.dice.randrange(3)):
            await asyncio.sleep(0)
        if self.dice.random() < 0.1:
            raise ConnectionRefusedError("refused")

    async def connect(
        self, factory: Callable[[], asyncio.BufferedProtocol], *, sock: socket.socket, **_: object
    ) -> tuple[Pipe, object]:
        sock.close()
        await asyncio.sleep(0)
        if self.dice.random() < 0.02:
            raise ConnectionResetError("reset")
        protocol = factory()
        pipe = Pipe(self.loop, protocol, self.respond, self.quiet[0])
        self.pipes.append(pipe)
        protocol.connection_made(pipe)
        return pipe, protocol

    async def one(self, transport: AsyncioTransport) -> str:
        """One request, and one word for what became of it."""
        dice = self.dice
        kind = dice.randrange(6)
        try:
            if kind < 2:
                response = await transport.handle_async_request(self.prepared)
                await response.aclose()
                return "fetched"
            response = await transport.handle_async_request(self.request if kind < 5 else self.post)
            try:
                if dice.random() < 0.8:
                    await response.aread()
                    return "read"
                async with aclosing(response.aiter_raw()) as parts:
                    async for _ in parts:
                        return "left early"
                return "empty"
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            return type(error).__name__

    async def round(self, requests: int) -> None:
        """A new transport, some requests at a time, and a look at what is left."""
        self.loop = asyncio.get_running_loop()
        self.loop.create_connection = self.connect
        self.loop.sock_connect = self.reach
        self.pipes: list[Pipe] = []
        self.sockets: list[socket.socket] = []
        failures: list[dict[str, object]] = []
        self.loop.set_exception_handler(lambda _, context: failures.append(context))
        dice = self.dice
        transport = AsyncioTransport(Address(False, "srs", 80))
        left = requests
        async with asyncio.timeout(600):
            while left > 0:
                tasks = [
                    asyncio.create_task(self.one(transport))
                    for _ in range(min(dice.choice([1, 4, 12]), left))
                ]
                left -= len(tasks)
                while any(not task.done() for task in tasks):
                    if dice.random() < 0.02:
                        dice.choice(tasks).cancel()
                    await asyncio.sleep(0)
                self.outcomes.update("cancelled" if task.cancelled() else task.result() for task in tasks)
                self.look(transport)
            for _ in range(5):
                await asyncio.sleep(0)
            self.look(transport)
            await transport.aclose()
        assert not transport._sockets
        assert all(pipe.lost for pipe in self.pipes)
        assert all(sock.fileno() == -1 for sock in self.sockets)
        assert len(asyncio.all_tasks()) == 1
        assert not failures, failures

    def look(self, transport: AsyncioTransport) -> None:
        still_open = {connection for connection in transport._sockets if not connection.closed}
        assert still_open == set(transport._idle), transport
        assert all(connection._parser is None and not connection.closed for connection in transport._idle)
        assert all(connection._waiter is None and not connection._paused for connection in transport._idle)


def run(count: int, seed: int) -> Counter[str]:
    """Run so many requests and return what became of them."""
    fuzz = Fuzz(seed)
    # Names are looked up without a thread, which would not come back at the same moment in every run.
    with mock.patch.object(asyncio_dialing, "async_look_up", fuzz.look_up):
        for _ in range(count // 500):
            asyncio.run(fuzz.round(500))
    for sock in fuzz.quiet:
        sock.close()
    return fuzz.outcomes


if __name__ == "__main__":
    started = time.perf_counter()
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"seed {chosen}")
    for word, times in run(int(sys.argv[1]), chosen).most_common():
        print(f"{times:9} {word}")
    print(f"{time.perf_counter() - started:.0f} s")
