"""The transport of the sync client: HTTP/1.1 to one server over blocking calls, shared by threads.

Idle connections are kept in a deque, the last used one at its right end. Threads take from it and give back
to it without a lock, for each step is one call that Python does not interrupt.
"""

from __future__ import annotations

import contextlib
import math
import ssl
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

import httpx

from srs_vsphere._http.address import Address
from srs_vsphere._http.blocking_connection import BlockingConnection
from srs_vsphere._http.blocking_dialing import dial_blocking
from srs_vsphere._http.expiry import report_expiry
from srs_vsphere._http.prepared_request import IDEMPOTENT, PreparedRequest, request_bytes
from srs_vsphere._http.response_head import SEEN_HEADS, MalformedResponse
from srs_vsphere._http.response_parser import ResponseParser
from srs_vsphere._http.step_timeouts import StepTimeouts

_BROKEN: Final = (httpx.ReadError, httpx.RemoteProtocolError)
_now = time.monotonic


class BlockingTransport(httpx.BaseTransport):
    """HTTP/1.1 to one server, plain or TLS, on connections that are kept and shared by threads.

    Args:
        address: of the server.
        ssl_context: for TLS; default: one that trusts the system's certificates, made when needed.
        keep_alive: how many seconds an idle connection is kept; default 90.
    """

    def __init__(
        self,
        address: Address,
        *,
        ssl_context: ssl.SSLContext | None = None,
        keep_alive: float = 90.0,
    ) -> None:
        self._address = address
        self._ssl_context = ssl_context
        self._keep_alive = keep_alive
        self._idle: deque[BlockingConnection] = deque()
        self._open: set[BlockingConnection] = set()
        self._closed = False
        self._known_url: httpx.URL | None = None

    def __repr__(self) -> str:
        state = "closed, " if self._closed else ""
        return f"<{type(self).__name__} {state}{len(self._open)} connections, {len(self._idle)} of them idle>"

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response, whose body may still be arriving.

        Args:
            request: a `PreparedRequest`, or another whose extension ``timeout`` is that of httpx, or has also
                ``total``: seconds until the response must be whole.

        Raises:
            httpx.TransportError: it failed; one of httpx's own subclasses says how.
            RuntimeError: the transport was closed.
        """
        if isinstance(request, PreparedRequest):
            data, timeouts, enough, again = request.wire, request.timeouts, request.enough, request.repeatable
        else:
            self._check_url(request.url)
            data, timeouts, enough = request_bytes(request), StepTimeouts.of(request), 0
            again = request.method in IDEMPOTENT
        total = timeouts.total
        now = _now()
        end = math.inf if total is None else now + total
        # What the response to a login holds is not remembered.
        keep = request.method == "GET"
        connection = self._take(now) or self._connect(timeouts, end)
        again = again and connection.requests > 0
        parser = ResponseParser(SEEN_HEADS, keep=keep)
        try:
            self._exchange(connection, parser, data, timeouts, end, enough)
        except _BROKEN:
            if not again or parser.started or self._closed:
                raise
            # The server closed the kept connection at the moment it was used.
            connection = self._connect(timeouts, end)
            parser = ResponseParser(SEEN_HEADS, keep=keep)
            self._exchange(connection, parser, data, timeouts, end, enough)
        head = parser.head
        assert head is not None  # an exchange ends with a head, or raises
        if parser.done and not head.encoded:
            stream: httpx.SyncByteStream = httpx.ByteStream(bytes(parser.body))
        else:
            # How long a body takes that was not asked for as a whole is up to whoever reads it.
            prepared_part = isinstance(request, PreparedRequest) and not enough
            stream = _Body(self, connection, parser, timeouts.read, math.inf if prepared_part else end)
        return httpx.Response(
            head.status,
            headers=head.headers,
            stream=stream,
            extensions={
                "http_version": head.version,
                "reason_phrase": head.reason,
                "network_stream": connection,
            },
        )

    def close(self) -> None:
        """Close all connections; requests under way in other threads fail."""
        self._closed = True
        self._close_idle(math.inf)
        for connection in self._open.copy():
            connection.abort()

    def start_afresh(self) -> None:
        """Let go of all connections, in a process that was forked from the one that opened them."""
        for connection in self._open:
            connection.forget()
        self._open = set()
        self._idle = deque()

    # What the body of a response asks of the transport.

    def receive(
        self, connection: BlockingConnection, parser: ResponseParser, timeout: float | None, end: float
    ) -> None:
        """Read on in a response; give its connection back when that was its end.

        Args:
            connection: that carries it.
            parser: of the response.
            timeout: seconds until the next bytes must come; None for ever.
            end: when they must have come, on `time.monotonic`.

        Raises:
            httpx.TransportError: it broke off; its connection is closed.
        """
        try:
            data = connection.receive(timeout, end)
            if data:
                parser.feed(data)
            else:
                parser.eof()
        except MalformedResponse as fault:
            self.discard(connection)
            problem = httpx.ReadError("the transport was closed") if self._closed else None
            raise problem or httpx.RemoteProtocolError(str(fault)) from None
        except BaseException:
            self.discard(connection)
            raise
        if parser.done:
            if parser.reusable:
                connection.idle_since = _now()
                self._idle.append(connection)
                # Not looked at before: it might be closed in between.
                if self._closed:
                    self._close_idle(math.inf)
            else:
                self.discard(connection)

    def discard(self, connection: BlockingConnection) -> None:
        """Close a connection.

        Args:
            connection: one that nobody else has.
        """
        self._open.discard(connection)
        connection.close()

    # Within.

    def _check_url(self, url: httpx.URL) -> None:
        if url is not self._known_url:
            if Address.of_url(url) != self._address:
                raise httpx.UnsupportedProtocol("the request is for another server than the transport")
            self._known_url = url

    def _take(self, now: float) -> BlockingConnection | None:
        """Take the connection that was used last, if it can still be used."""
        oldest = now - self._keep_alive
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.idle_since > oldest and not connection.has_unexpected_bytes():
                return connection
            self.discard(connection)

    def _connect(self, timeouts: StepTimeouts, end: float) -> BlockingConnection:
        self._check_open()
        secure, host, port, name = self._address
        if timeouts.connect is not None:
            end = min(_now() + timeouts.connect, end)
        try:
            connection = BlockingConnection(dial_blocking(host, port, end))
            self._open.add(connection)
            try:
                if secure:
                    report_expiry(connection.start_tls(self._context(), (name or host).rstrip("."), end))
            except BaseException:
                self.discard(connection)
                raise
        except TimeoutError:
            raise httpx.ConnectTimeout("it was not connected in time") from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error) or type(error).__name__) from error
        if self._closed:
            self.discard(connection)
        self._check_open()
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the transport was closed")

    def _context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
        return self._ssl_context

    def _exchange(
        self,
        connection: BlockingConnection,
        parser: ResponseParser,
        data: bytes,
        timeouts: StepTimeouts,
        end: float,
        enough: int,
    ) -> None:
        """Send a request and read until the head of its response is there, and so much of the body."""
        kept_since = connection.idle_since if connection.requests else None
        try:
            try:
                connection.send(data, timeouts.write, end)
            except BaseException:
                self.discard(connection)
                raise
            while parser.head is None or (parser.waiting < enough and not parser.done):
                self.receive(connection, parser, timeouts.read, end)
        except httpx.TransportError:
            if kept_since is not None and not parser.started:
                # Those that have waited longer are probably dead as well.
                self._close_idle(kept_since)
            raise

    def _close_idle(self, since: float) -> None:
        """Close the connections that have been idle since this time or longer."""
        with contextlib.suppress(IndexError):
            while self._idle[0].idle_since <= since:
                self.discard(self._idle.popleft())


class _Body(httpx.SyncByteStream):
    """The body of a response that is still arriving."""

    def __init__(
        self,
        transport: BlockingTransport,
        connection: BlockingConnection,
        parser: ResponseParser,
        timeout: float | None,
        end: float,
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._parser = parser
        self._timeout = timeout
        self._end = end
        self._over = False

    def __iter__(self) -> Iterator[bytes]:
        while not self._over:
            if self._parser.waiting:
                yield self._parser.take()
            if self._parser.done:
                return
            try:
                self._transport.receive(self._connection, self._parser, self._timeout, self._end)
            except BaseException:
                self._over = True
                raise

    def close(self) -> None:
        """Give up what has not arrived yet, and the connection with it."""
        self.give_up()

    def give_up(self) -> None:
        """Do what `close` does."""
        if not self._over and not self._parser.done:
            self._transport.discard(self._connection)
        self._over = True
