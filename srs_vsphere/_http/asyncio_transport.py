"""The transport to one server on asyncio: httpx's requests in, httpx's responses out.

It has no bound on connections and no queue, for the client bounds what is under way.

What a poll of five runspaces costs, of 40-60 us in all, measured on one core with CPython 3.11:

- the event loop, one send, one recv, one wake-up of a task: 13-30 us, as with a bare `asyncio.Protocol`;
- ``json.loads``: 5 us, and as much for the models;
- connection, deadline, head and body: 4 us, if the head was seen before;
- `httpx.Response`: 1.2 us; a look for bytes that no request asked for: 0.6 us;
- all layers above, to the call of ``list()``: 6 us.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import AsyncIterator
from weakref import WeakKeyDictionary

import httpx

from srs_vsphere._http import limits
from srs_vsphere._http.address import Address
from srs_vsphere._http.asyncio_connection import Connection, forget
from srs_vsphere._http.asyncio_dialing import dial
from srs_vsphere._http.asyncio_tls import SecureConnection
from srs_vsphere._http.expiry import report_expiry
from srs_vsphere._http.prepared_request import IDEMPOTENT, PreparedRequest, request_bytes
from srs_vsphere._http.response_head import SEEN_HEADS
from srs_vsphere._http.response_parser import ResponseParser
from srs_vsphere._http.step_timeouts import StepTimeouts
from srs_vsphere._http.tls_in_memory import TlsInMemory

_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_get_loop = asyncio.get_running_loop


def can_be_used() -> bool:
    """Whether `AsyncioTransport` can be used here: in an asyncio task."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


class AsyncioTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 to one server, plain or TLS, for one event loop: the first it is used in.

    Args:
        address: of the server.
        ssl_context: for TLS; default: one that trusts the system's certificates, made when needed.
        keep_alive: how many seconds an idle connection is kept; default 90.
    """

    def __init__(
        self, address: Address, *, ssl_context: ssl.SSLContext | None = None, keep_alive: float = 90.0
    ) -> None:
        self._address = address
        self._ssl_context = ssl_context
        self._keep_alive = keep_alive
        self._loop: asyncio.AbstractEventLoop | None = None
        # The newest last.
        self._idle: list[Connection] = []
        self._sockets: set[Connection] = set()
        self._all_lost = asyncio.Event()
        self._closed = False
        self._known_url: httpx.URL | None = None

    def __repr__(self) -> str:
        state = "closed, " if self._closed else ""
        return (
            f"<{type(self).__name__} {state}{len(self._sockets)} connections, {len(self._idle)} of them idle>"
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response, whose body may be arriving still.

        Args:
            request: a prepared one, or any whose body is in one piece; its extension ``timeout`` is honoured.

        Raises:
            httpx.TransportError: it failed; one of httpx's own subclasses says how.
            RuntimeError: the transport was closed, or belongs to another event loop.
        """
        if isinstance(request, PreparedRequest):
            data, timeouts, enough, again = request.wire, request.timeouts, request.enough, request.repeatable
        else:
            self._check_url(request.url)
            data, timeouts, enough = request_bytes(request), StepTimeouts.of(request), 0
            again = request.method in IDEMPOTENT
        loop = _get_loop()
        if self._loop is not loop:
            self._settle(loop)
        if self._closed:
            raise RuntimeError("the transport was closed")
        now = loop.time()
        end = math.inf if timeouts.total is None else now + timeouts.total
        # What the response to a login holds is not remembered.
        keep = request.method == "GET"
        connection = self._take(now)
        if connection is None:
            connection = await self._connect(loop, timeouts.connect)
            now = loop.time()
        parser = ResponseParser(SEEN_HEADS, keep=keep)
        await connection.exchange(parser, data, timeouts, now, end, enough)
        if parser.error is not None and connection.requests > 1 and not parser.started:
            # A kept connection was dead: those that have been idle for longer are probably dead as well.
            self._close_idle(connection.idle_since)
            if again and isinstance(parser.error, _BROKEN) and not self._closed:
                connection = await self._connect(loop, timeouts.connect)
                parser = ResponseParser(SEEN_HEADS, keep=keep)
                await connection.exchange(parser, data, timeouts, loop.time(), end, enough)
        head = parser.head
        if parser.error is not None and (enough or head is None):
            raise parser.error
        assert head is not None  # an exchange ends with a head or an error
        return httpx.Response(
            head.status,
            headers=head.headers,
            stream=httpx.ByteStream(bytes(parser.body))
            if parser.done and not head.encoded
            else _Body(connection, parser),
            extensions={
                "http_version": head.version,
                "reason_phrase": head.reason,
                "network_stream": connection,
            },
        )

    async def aclose(self) -> None:
        """Close all connections and wait until they are closed; requests under way fail."""
        self._closed = True
        if self._loop is not _get_loop():
            # Its own event loop has ended, and the connections with it.
            self._idle.clear()
            self._sockets.clear()
        self._close_idle(math.inf)
        for connection in self._sockets.copy():
            if not connection.closed:
                connection.drop(httpx.ReadError("the transport was closed"))
        if self._sockets:
            await self._all_lost.wait()

    def start_afresh(self) -> None:
        """Let go of loop and connections, in a process that was forked from the one that opened them."""
        forget(self._sockets)
        self._loop = None
        self._idle = []
        self._sockets = set()
        self._all_lost = asyncio.Event()

    # What a connection tells.

    def released(self, connection: Connection) -> None:
        """It can carry another request."""
        if self._closed:
            connection.drop()
        else:
            self._idle.append(connection)

    def dropped(self, connection: Connection) -> None:
        """It will carry no other request."""
        if connection in self._idle:
            self._idle.remove(connection)

    def lost(self, connection: Connection) -> None:
        """Its socket is closed."""
        self._sockets.discard(connection)
        if not self._sockets:
            self._all_lost.set()

    # Within.

    def _check_url(self, url: httpx.URL) -> None:
        if url is not self._known_url:
            if Address.of_url(url) != self._address:
                raise httpx.UnsupportedProtocol("the request is for another server than the transport")
            self._known_url = url

    def _settle(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not None:
            raise RuntimeError("the transport belongs to another event loop")
        self._loop = loop

    def _take(self, now: float) -> Connection | None:
        """Take the idle connection that was used last, if it can still be used."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable(now):
                return connection
            connection.drop()
        return None

    async def _connect(self, loop: asyncio.AbstractEventLoop, timeout: float | None) -> Connection:
        _, host, port, _ = self._address
        try:
            connection = self._new_connection(loop)
            try:
                async with asyncio.timeout(timeout):
                    await loop.create_connection(lambda: connection, sock=await dial(host, port))
                    await connection.start()
            except BaseException:
                connection.drop()
                raise
        except TimeoutError:
            raise httpx.ConnectTimeout("it was not connected in time") from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error) or type(error).__name__) from error
        if self._closed:
            connection.drop()
            raise RuntimeError("the transport was closed")
        if connection.closed:
            raise httpx.ConnectError("the server closed the connection as soon as it stood")
        # Not before: what is cancelled on the way here is closed by the loop, and uvloop does not tell.
        self._sockets.add(connection)
        self._all_lost.clear()
        report_expiry(connection.get_extra_info("ssl_object"))
        return connection

    def _new_connection(self, loop: asyncio.AbstractEventLoop) -> Connection:
        secure, host, _, name = self._address
        read_buffer = _read_buffer_of(loop)
        if not secure:
            return Connection(loop, self, read_buffer, self._keep_alive)
        tls = TlsInMemory(self._context(), (name or host).rstrip("."))
        return SecureConnection(loop, self, read_buffer, self._keep_alive, tls)

    def _context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
        return self._ssl_context

    def _close_idle(self, since: float) -> None:
        """Close the connections that have been idle since this time or longer."""
        for connection in self._idle.copy():
            if connection.idle_since <= since:
                connection.close()


class _Body(httpx.AsyncByteStream):
    """The body of a response that is still arriving, or has to be decoded."""

    __slots__ = ("_connection", "_parser")

    def __init__(self, connection: Connection, parser: ResponseParser) -> None:
        self._connection = connection
        self._parser = parser

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parser = self._parser
        while True:
            if parser.waiting:
                yield parser.take()
            elif parser.done:
                return
            elif parser.error is not None:
                raise parser.error
            else:
                await self._connection.more(parser, 1)

    async def aclose(self) -> None:
        """Give up what did not arrive yet, and the connection with it."""
        self.give_up()

    def give_up(self) -> None:
        """Do what `aclose` does, without waiting."""
        self._connection.abandon(self._parser)


_read_buffers: WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = WeakKeyDictionary()


def _read_buffer_of(loop: asyncio.AbstractEventLoop) -> memoryview:
    """One for all transports of an event loop: thousands of clients would else take 64 KiB each.

    Not one for each thread: a loop may run in another thread than the one it was first used in.
    """
    # Without a lock: only the thread that runs a loop asks for its buffer.
    read_buffer = _read_buffers.get(loop)
    if read_buffer is None:
        read_buffer = _read_buffers[loop] = memoryview(bytearray(limits.READ_BYTES))
    return read_buffer
