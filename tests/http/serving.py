"""A server for tests that does what it is told, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Talk:
    """One connection, as the server sees it."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """Read a request's head; raises `asyncio.IncompleteReadError` when the client hangs up."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hung_up(self) -> None:
        """Wait until the client closes its end."""
        with contextlib.suppress(OSError):
            while await self.reader.read(65536):
                pass


class Server:
    """What happened so far, and where."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.connections = 0
        self.open = 0
        self.changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/"

    async def until_open(self, count: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.open == count)


Script = Callable[[Talk], Awaitable[None]]


@asynccontextmanager
async def serving(script: Script, ssl: object = None) -> AsyncIterator[Server]:
    """Serve; each connection is played by the script and closed when that returns."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        server.open += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                await script(Talk(server.connections, reader, writer))
        except asyncio.CancelledError:
            # That is what the end of the test does to scripts that still run.
            writer.transport.abort()
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            server.open -= 1
            async with server.changed:
                server.changed.notify_all()
            tasks.discard(task)

    listener = await asyncio.start_server(play, "127.0.0.1", 0, ssl=ssl)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


def responding(*responses: bytes) -> Script:
    """Give these responses, one per request, on each connection; the last one again and again."""

    async def script(talk: Talk) -> None:
        turn = 0
        while True:
            await talk.request()
            await talk.send(responses[min(turn, len(responses) - 1)])
            turn += 1

    return script


def ok(body: bytes = b"[]", *fields: bytes) -> bytes:
    extra = b"".join(field + b"\r\n" for field in fields)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), extra, body)
