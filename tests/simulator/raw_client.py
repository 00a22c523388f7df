"""A client made of a bare socket, for tests that care about single bytes."""

from __future__ import annotations

import http.client
import io
import socket
from types import TracebackType
from typing import Self

ABOUT = b"GET /api/about HTTP/1.1\r\nHost: srs\r\n\r\n"


class RawClient:
    """One connection.

    Args:
        port: where to.
        receive_buffer: bytes that the kernel may keep for us; default: as many as it likes.
    """

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(60)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self._file = _Kept(self.socket.makefile("rb", buffering=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._file.raw.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def read(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Read one response: status, headers and body."""
        response = http.client.HTTPResponse(self, method=method)
        response.begin()
        body = response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body

    def ask(self, data: bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its response."""
        self.send(data)
        return self.read(method)

    def rest(self) -> bytes:
        """Read until the server closes."""
        return self._file.read()

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what responses are read from, one after the other."""
        return self._file


class _Kept(io.BufferedReader):
    """A reader that a finished response does not close: the next response may be in it already."""

    def close(self) -> None:
        pass
