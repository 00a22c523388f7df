"""httpcore's connections for threads, whose reads all end in time, and when another thread closes them.

httpcore gives each read the same timeout, which a server that drips never reaches. On an event loop a caller
is cancelled in time; a thread can only stop reading by itself.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from collections.abc import Generator
from threading import local
from typing import Protocol

import httpx

from srs_vsphere._http.name_lookup import look_up


class _Stream(Protocol):
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    def write(self, buffer: bytes, timeout: float | None = None) -> None: ...
    def close(self) -> None: ...
    def get_extra_info(self, info: str) -> object: ...
    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream: ...


class _Backend(Protocol):
    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: object
    ) -> _Stream: ...
    def sleep(self, seconds: float) -> None: ...


class Bound(local):
    """When the present thread must have done what it reads and writes."""

    def __init__(self) -> None:
        self._end = math.inf

    @contextlib.contextmanager
    def until(self, end: float) -> Generator[None]:
        """Set it for the length of a ``with`` block.

        Args:
            end: on `time.monotonic`; infinite for no bound.
        """
        self._end = end
        try:
            yield
        finally:
            self._end = math.inf

    def within(
        self, timeout: float | None, late: type[httpx.TimeoutException] = httpx.ReadTimeout
    ) -> float | None:
        """Return how many seconds a step may take.

        Args:
            timeout: how many it may take at most; None for any number.
            late: what is raised if the end has come; it tells whether the request may have been sent.

        Raises:
            httpx.TimeoutException: the end has come.
        """
        if self._end == math.inf:
            return timeout
        left = self._end - time.monotonic()
        if left <= 0:
            raise late("the deadline passed before the response came")
        return left if timeout is None else min(timeout, left)


class BoundedBackend:
    """A network backend of httpcore, as its pools take one, that keeps within a bound.

    Args:
        backend: what opens the connections.
        bound: how long each thread may read.
    """

    def __init__(self, backend: _Backend, bound: Bound) -> None:
        self._backend = backend
        self._bound = bound

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: object
    ) -> BoundedStream:
        """Open a connection; its arguments are those of httpcore."""
        left = self._bound.within(timeout, httpx.ConnectTimeout)
        try:
            # The system's lookup, which the backend begins with, has no timeout.
            look_up(host, port, math.inf if left is None else left)
        except TimeoutError:
            raise httpx.ConnectTimeout("the host's name was not looked up in time") from None
        except (OSError, UnicodeError):
            # The backend comes upon it, too, and makes of it what httpcore knows.
            pass
        return BoundedStream(self._backend.connect_tcp(host, port, timeout=left, **options), self._bound)

    def sleep(self, seconds: float) -> None:
        """Wait; httpcore does so between attempts to connect."""
        self._backend.sleep(seconds)


class BoundedStream:
    """One of its connections, with the methods of httpcore's.

    Args:
        stream: the connection.
        bound: how long each thread may read.
    """

    def __init__(self, stream: _Stream, bound: Bound) -> None:
        self._stream = stream
        self._bound = bound

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        return self._stream.read(max_bytes, self._bound.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._stream.write(buffer, self._bound.within(timeout))

    def close(self) -> None:
        """Close the connection; another thread that waits for it wakes up."""
        sock = self._stream.get_extra_info("socket")
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                # Past TLS, which would wait for the other side.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> BoundedStream:
        """Do the handshake of TLS, and return the connection to go on with."""
        left = self._bound.within(timeout, httpx.ConnectTimeout)
        tls = self._stream.start_tls(ssl_context, server_hostname, left)
        return BoundedStream(tls, self._bound)

    def get_extra_info(self, info: str) -> object:
        """Tell about the connection."""
        return self._stream.get_extra_info(info)
