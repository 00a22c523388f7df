"""A server in threads that plays what a test tells it, byte by byte, for async and sync clients."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

from tests.joining import join_all


class Visit:
    """One connection, as the server sees it."""

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number = number
        self.sock = sock
        self._read = b""

    def request(self) -> bytes:
        """Read a request with its body; raises `ConnectionError` when the client hangs up."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, rest = self._read.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        self._read = rest
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return head + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def hung_up(self) -> None:
        """Wait until the client closes its end."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError
        self._read += data


class RawServer:
    """Plays each connection in a thread of its own; closed at the end of its block."""

    def __init__(self, play: Callable[[Visit], None]) -> None:
        self.connections = 0
        self._play = play
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        join_all(self._threads[:1])
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        join_all(self._threads)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(Visit(self.connections, sock),), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, visit: Visit) -> None:
        with visit.sock, contextlib.suppress(OSError):
            self._play(visit)


def response(body: bytes, status: bytes = b"200 OK", *fields: bytes) -> bytes:
    extra = b"".join(field + b"\r\n" for field in fields)
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), extra, body)


def runspaces(*ids: str) -> bytes:
    """A list of runspaces."""
    return response(("[" + ",".join(f'{{"id": "{id}"}}' for id in ids) + "]").encode())
