"""One connection for one thread at a time: a socket that never blocks, and waits that always end.

The socket is not left to wait by itself: its own timeout would begin anew with every read, and a deadline of
many years does not fit into it. TLS is done in memory, so that plain and encrypted connections wait in the
same way.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from typing import Final

import httpx

from srs_vsphere._http.limits import READ_BYTES as _READ_BYTES
from srs_vsphere._http.socket_waits import waiting_for
from srs_vsphere._http.tls_in_memory import TlsInMemory

#: Seconds; polling takes no more than some weeks.
_LONGEST_WAIT: Final = 86_400.0
_INFO: Final = {"client_addr": "getsockname", "server_addr": "getpeername"}

_now = time.monotonic


class BlockingConnection:
    """A connection to the server.

    Every time called `end` is one on `time.monotonic`.

    Args:
        sock: its socket, connected and not blocking.

    Attributes:
        idle_since: when it was last given back, on `time.monotonic`.
        requests: how many it was given.
    """

    __slots__ = ("_early", "_readable", "_sock", "_tls", "idle_since", "requests")

    def __init__(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.idle_since: float = 0.0
        self.requests: int = 0
        self._sock = sock
        self._readable = waiting_for(sock.fileno())
        self._early: bytes | None = None
        self._tls: TlsInMemory | None = None

    def start_tls(self, context: ssl.SSLContext, name: str, end: float) -> ssl.SSLObject:
        """Do the handshake of TLS.

        Args:
            context: whom to trust.
            name: what the certificate must name.
            end: when it must be done.

        Returns:
            What TLS knows of the server.

        Raises:
            TimeoutError: the time is over.
            OSError: the handshake failed.
        """
        tls = TlsInMemory(context, name)
        try:
            while not tls.shake_hands():
                self._write(tls.outgoing(), None, end)
                data = self._read(None, end)
                if not data:
                    raise ConnectionResetError("the server closed the connection during the TLS handshake")
                tls.feed(data)
        except ssl.SSLError:
            # It tells the server why; whether that arrives makes no difference.
            with contextlib.suppress(OSError):
                self._sock.send(tls.outgoing())
            raise
        self._tls = tls
        self._write(tls.outgoing(), None, end)
        return tls.ssl_object

    def has_unexpected_bytes(self) -> bool:
        """Whether something came that no request asked for: bytes of a response, or the server's close."""
        if self._tls is None:
            return self._early is not None or bool(self._readable(0))
        # Over TLS it may be a session ticket, which is not part of a response.
        try:
            if self._decrypt(self._tls) is not None:
                return True
            if not self._readable(0):
                return False
            self._tls.feed(self._sock.recv(_READ_BYTES))
            return self._decrypt(self._tls) is not None
        except OSError:
            return True

    def send(self, request: bytes, timeout: float | None, end: float) -> None:
        """Send a request; stop if the server responds, or closes the connection, before it has all of it.

        Args:
            request: head and body.
            timeout: seconds until the server must take the next bytes; None for ever.
            end: when it must have taken all.

        Raises:
            httpx.WriteTimeout: it did not.
        """
        self.requests += 1
        try:
            if self._tls is not None:
                request = self._tls.encrypt(request)
            self._write(request, timeout, end)
        except TimeoutError:
            raise httpx.WriteTimeout("the server did not take the request in time") from None
        except OSError:
            # A response may lie there all the same; if none does, reading says what is wrong.
            return

    def receive(self, timeout: float | None, end: float) -> bytes:
        """Return the next bytes of the response; none once the server has sent all it will.

        Args:
            timeout: seconds until they must come; None for ever.
            end: when they must have come.

        Raises:
            httpx.ReadTimeout: they did not.
            httpx.ReadError: the connection broke.
        """
        try:
            if self._early is not None:
                data, self._early = self._early, None
                return data
            if self._tls is None:
                return self._read(timeout, end)
            while (plain := self._decrypt(self._tls)) is None:
                self._tls.feed(self._read(timeout, end))
            return plain
        except TimeoutError:
            raise httpx.ReadTimeout("the server did not respond in time") from None
        except OSError as error:
            raise httpx.ReadError(str(error) or type(error).__name__) from None

    def close(self) -> None:
        """Close it; over TLS, send a ``close_notify`` before."""
        if self._tls is not None:
            with contextlib.suppress(OSError):
                self._sock.send(self._tls.close_notify())
        self._sock.close()

    def abort(self) -> None:
        """End it under another thread that waits for it; that thread closes it."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """Close it in this process only: the process that this one was forked from goes on using it."""
        # No ``close_notify`` must be sent, not even when a response that is still open here is closed.
        self._tls = None
        self._sock.close()

    def get_extra_info(self, info: str) -> object:
        """Tell about the connection, as ``response.extensions["network_stream"]`` does in httpx.

        Args:
            info: ``ssl_object``, ``client_addr``, ``server_addr`` or ``socket``; all else is unknown.

        Returns:
            What was asked for, or None.
        """
        if info == "ssl_object":
            return None if self._tls is None else self._tls.ssl_object
        if info == "socket":
            return self._sock
        return getattr(self._sock, _INFO[info])() if info in _INFO else None

    def _read(self, timeout: float | None, end: float) -> bytes:
        now = _now()
        until = end if timeout is None or now + timeout > end else now + timeout
        # What is there already counts for nothing after the end: a server that drips would go on for ever.
        while now < until:
            if self._readable(min(until - now, _LONGEST_WAIT) * 1000):
                try:
                    return self._sock.recv(_READ_BYTES)
                except BlockingIOError:
                    pass
            now = _now()
        raise TimeoutError

    def _write(self, data: bytes, timeout: float | None, end: float) -> None:
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._write_slowly(memoryview(data)[sent:], math.inf if timeout is None else timeout, end)

    def _write_slowly(self, data: memoryview, timeout: float, end: float) -> None:
        wait = waiting_for(self._sock.fileno(), write=True)
        now = _now()
        until = min(now + timeout, end)
        while now < until:
            wait(min(until - now, _LONGEST_WAIT) * 1000)
            with contextlib.suppress(BlockingIOError):
                self._early = self._early_bytes()
                if self._early is not None:
                    return
            now = _now()
            with contextlib.suppress(BlockingIOError):
                data = data[self._sock.send(data) :]
                until = min(now + timeout, end)
            if not data:
                return
        raise TimeoutError

    def _early_bytes(self) -> bytes | None:
        """Return what the server says while it is still being written to."""
        data = self._sock.recv(_READ_BYTES)
        if self._tls is None:
            return data
        self._tls.feed(data)
        return self._decrypt(self._tls)

    def _decrypt(self, tls: TlsInMemory) -> bytes | None:
        """Return the next bytes from the server, none if it ended the connection; None if more must come."""
        plain = tls.decrypt()
        # New keys, say: the server waits for them; one that ended the connection waits for nothing.
        if plain != b"" and (answer := tls.outgoing()):
            self._sock.send(answer)
        return plain
