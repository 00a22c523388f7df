"""A server that costs as little as it can: the same response to every request, on as many ports as wanted.

It must never be what a client waits for, so it does without asyncio: one poll of the kernel, one read and one
write for each response.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection

from attrs import define

from tests.benchmarks.bodies import runspace_list
from tests.benchmarks.measuring import cpu_seconds, raise_file_limit

RUNSPACES = 5
_HOST = "127.0.0.1"
_END = b"\r\n\r\n"


def serve(connection: Connection, hosts: int, first_port: int, key_file: str | None) -> None:
    """Serve until told to end; to be run as a process of its own.

    It sends its ports at first, then, each time it is asked, its processor time and its count of responses.

    Args:
        connection: to who asks.
        hosts: on how many ports to listen.
        first_port: where to begin, passing over ports that are taken: the kernel takes long to find so many.
        key_file: key and certificate for TLS; None for plain HTTP.
    """
    raise_file_limit()
    context = None
    if key_file is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(key_file)
    server = _Server(context)
    connection.send(server.listen(hosts, first_port))
    server.run_until_told(connection)


@define
class Cost:
    """What a server has used.

    Args:
        seconds: of processor time.
        responses: it gave.
    """

    seconds: float
    responses: int

    def each(self, before: Cost) -> float:
        """Return the seconds for one response since an earlier count."""
        return (self.seconds - before.seconds) / max(1, self.responses - before.responses)


class _Server:
    def __init__(self, context: ssl.SSLContext | None) -> None:
        body = runspace_list(RUNSPACES)
        self.response = (
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            "Date: Tue, 24 Nov 2026 02:18:15 GMT\r\nServer: Kestrel\r\n\r\n"
        ).encode() + body
        self.context = context
        self.responses = 0
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def listen(self, hosts: int, first_port: int) -> list[int]:
        ports: list[int] = []
        for port in range(first_port, 65536):
            listening = socket.socket()
            listening.setblocking(False)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((_HOST, port))
                listening.listen(4096)
            except OSError:
                listening.close()
                continue
            self.watch(listening, partial(self._accept, listening))
            ports.append(port)
            if len(ports) == hosts:
                break
        return ports

    def watch(self, sock: socket.socket, handler: Callable[[], None]) -> None:
        self._handlers[sock.fileno()] = handler
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def drop(self, sock: socket.socket) -> None:
        self._epoll.unregister(sock.fileno())
        del self._handlers[sock.fileno()]
        sock.close()

    def run_until_told(self, connection: Connection) -> None:
        told = connection.fileno()
        self._epoll.register(told, select.EPOLLIN)
        handlers = self._handlers
        while True:
            for ready, _ in self._epoll.poll():
                handler = handlers.get(ready)
                if handler is not None:
                    handler()
                elif ready == told:
                    if connection.recv() is None:
                        return
                    connection.send(Cost(cpu_seconds(), self.responses))

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except BlockingIOError:
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            visitor = (
                _Plain(self, accepted) if self.context is None else _Secure(self, accepted, self.context)
            )
            self.watch(accepted, visitor.read)


class _Plain:
    def __init__(self, server: _Server, sock: socket.socket) -> None:
        self._server = server
        self._sock = sock
        self._rest = b""

    def read(self) -> None:
        try:
            data = self._sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._server.drop(self._sock)
            return
        response = self.response_to(data)
        if response:
            self._sock.send(response)

    def response_to(self, data: bytes) -> bytes:
        if not data.endswith(_END):
            self._rest += data
            return b""
        requests = (self._rest + data).count(_END)
        self._rest = b""
        self._server.responses += requests
        return self._server.response * requests


class _Secure(_Plain):
    def __init__(self, server: _Server, sock: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(server, sock)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._greeted = False

    def read(self) -> None:
        try:
            data = self._sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._server.drop(self._sock)
            return
        self._incoming.write(data)
        try:
            if not self._greeted:
                self._tls.do_handshake()
                self._greeted = True
            response = self.response_to(self._tls.read(65536))
            if response:
                self._tls.write(response)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._server.drop(self._sock)
            return
        if self._outgoing.pending:
            self._sock.send(self._outgoing.read())
