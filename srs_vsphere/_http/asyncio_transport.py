"""The transport: httpx's requests in, httpx's responses out.

What a poll of 1 kB costs, of 45-60 us in all on the express lane (`AsyncioTransport.fetch`), measured on one
core with CPython 3.11 by ``nox -s bench -- polling``:

- the event loop, one send, one recv, one wake-up of a task: 30 us, which asyncio's streams spend, too;
- ``json.loads``: 8 us;
- head and body: 2.5 us if the head was seen before, 10 us if not;
- place, connection, deadline: 5 us.

`AsyncioTransport.handle_async_request` adds httpx's classes: 5 us to write the request down, 1 us to read its
URL, 3 us for the response, 20 us for ``Response.aread``, which is httpx's own. ``httpx.AsyncClient.send``
adds 80-100 us more.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import httpx

from srs_vsphere._http.asyncio_connection import Connection
from srs_vsphere._http.connection_pool import Address
from srs_vsphere._http.connection_pools import ConnectionPools
from srs_vsphere._http.prepared_request import PreparedRequest
from srs_vsphere._http.request_bytes import IDEMPOTENT, RequestBytes, request_bytes
from srs_vsphere._http.response_head import Field, HeadMemory
from srs_vsphere._http.response_parser import ResponseParser
from srs_vsphere._http.step_timeouts import StepTimeouts

_PORTS: Final = {"http": 80, "https": 443}
_FOR_EVER: Final = StepTimeouts()
_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


def can_be_used() -> bool:
    """Whether `AsyncioTransport` can be used here: in an asyncio task."""
    try:
        if asyncio.current_task() is None:
            return False
    except RuntimeError:
        return False
    return True


class Stream(httpx.AsyncByteStream):
    """The body of an answer that is still arriving.

    Args:
        connection: that carries it.
        answer: it.
    """

    __slots__ = ("_answer", "_connection")

    def __init__(self, connection: Connection, answer: ResponseParser) -> None:
        self._connection = connection
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        answer = self._answer
        while True:
            if answer.waiting:
                yield answer.take()
            elif answer.done:
                return
            elif answer.error is not None:
                raise answer.error
            else:
                await self._connection.more(answer, 1)

    async def aclose(self) -> None:
        """Give up what did not arrive yet, and the connection with it."""
        self._connection.abandon(self._answer)


class Fetched(NamedTuple):
    """An answer as `AsyncioTransport.fetch` returns it.

    Args:
        status: HTTP status.
        fields: header fields, as they came.
        body: the whole body; empty if there is a rest.
        rest: a body that is too long to be waited for, from its beginning; to be read and closed.
    """

    status: int
    fields: list[Field]
    body: bytes
    rest: Stream | None


class AsyncioTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over asyncio, plain and TLS, for many polls of many servers.

    Args:
        ssl_context: for ``https``; default: one that trusts the system's certificates, made when needed.
        max_connections: to one server, at one time; default 100.
        keep_alive: how many seconds an idle connection is kept; default 90.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = 100,
        keep_alive: float = 90.0,
    ) -> None:
        if max_connections < 1:
            raise ValueError(f"max_connections must be at least 1, not {max_connections!r}")
        if not keep_alive > 0:
            raise ValueError(f"keep_alive must be more than 0 seconds, not {keep_alive!r}")
        self._pool = ConnectionPools(
            ssl_context=ssl_context, max_connections=max_connections, keep_alive=keep_alive
        )
        self._memory = HeadMemory()

    def __repr__(self) -> str:
        return f"<AsyncioTransport {self._pool!r}>"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response, whose body may be arriving still.

        Args:
            request: its extensions ``timeout``, ``target`` and ``sni_hostname`` are honoured.

        Raises:
            httpx.TransportError: it did not work out; one of httpx's own subclasses says why.
            RuntimeError: the transport was closed, or belongs to another event loop.
        """
        url = request.url
        scheme = url.scheme
        default = _PORTS.get(scheme)
        host = url.raw_host
        if default is None or not host:
            raise httpx.UnsupportedProtocol("the URL must begin with http:// or https:// and name a host")
        extensions = request.extensions
        address = Address(
            scheme == "https",
            host.decode("ascii"),
            url.port or default,
            extensions.get("sni_hostname"),
        )
        method = request.method
        if isinstance(request, PreparedRequest):
            wire = RequestBytes(request.wire, None, False)
            waits, repeatable, enough = request.timeouts, request.repeatable, request.enough
        else:
            timeout = extensions.get("timeout")
            waits = _FOR_EVER if timeout is None else _waits(timeout)
            wire = request_bytes(request)
            repeatable, enough = method in IDEMPOTENT, 0
        answer, connection = await self._send(
            address,
            wire,
            waits=waits,
            idempotent=repeatable,
            bodiless=method == "HEAD",
            keep=method == "GET",
            enough=enough,
        )
        head = answer.head
        if answer.error is not None and (enough or head is None):
            raise answer.error
        if head is None:
            raise httpx.ReadError("no response")
        whole = answer.done and not head.encoded
        return httpx.Response(
            head.status,
            headers=head.headers,
            stream=httpx.ByteStream(answer.take()) if whole else Stream(connection, answer),
            extensions={
                "http_version": head.version,
                "reason_phrase": head.reason,
                "network_stream": connection,
            },
        )

    async def fetch(
        self,
        address: Address,
        request: bytes,
        *,
        waits: StepTimeouts = _FOR_EVER,
        idempotent: bool = True,
        remember: bool = True,
        enough: int = 256 * 1024,
    ) -> Fetched:
        """Send a request that was written down before and return the answer, as a rule the whole of it.

        Args:
            address: of the server.
            request: head and body; not HEAD, and no Content-Encoding is undone.
            waits: how long each step may take.
            idempotent: whether it may be sent again if a kept connection turns out closed.
            remember: whether the head of the answer may be remembered; not if it holds a secret.
            enough: how much of a body is waited for; of a longer one the rest is left to be read.

        Returns:
            The answer.

        Raises:
            httpx.TransportError: it did not work out; one of httpx's own subclasses says why.
            RuntimeError: the transport was closed, or belongs to another event loop.
        """
        answer, connection = await self._send(
            address,
            RequestBytes(request, None, False),
            waits=waits,
            idempotent=idempotent,
            bodiless=False,
            keep=remember,
            enough=enough,
        )
        head = answer.head
        if answer.error is not None:
            raise answer.error
        if head is None:
            raise httpx.ReadError("no response")
        if answer.done:
            return Fetched(head.status, head.fields, answer.take(), None)
        return Fetched(head.status, head.fields, b"", Stream(connection, answer))

    async def aclose(self) -> None:
        """Close all connections and wait until they are closed; requests under way fail."""
        await self._pool.aclose()

    async def _send(
        self,
        address: Address,
        wire: RequestBytes,
        *,
        waits: StepTimeouts,
        idempotent: bool,
        bodiless: bool,
        keep: bool,
        enough: int,
    ) -> tuple[ResponseParser, Connection]:
        place = self._pool.place(address)
        connection = place.take(sure=not idempotent)
        if connection is None:
            connection = await place.acquire(waits)
        answer = ResponseParser(self._memory, bodiless=bodiless, keep=keep, last=wire.last)
        await connection.exchange(answer, wire.start, wire.rest, waits, enough)
        if answer.error is None or answer.head is not None:
            return answer, connection
        if (
            answer.started
            or not idempotent
            or wire.rest is not None
            or connection.requests == 1
            or not isinstance(answer.error, _BROKEN)
            or self._pool.is_closed()
        ):
            raise answer.error
        # A kept connection was closed under the request. Its elders can be no better.
        place = self._pool.place(address)
        place.close_idle()
        connection = await place.acquire(waits)
        answer = ResponseParser(self._memory, bodiless=bodiless, keep=keep, last=wire.last)
        await connection.exchange(answer, wire.start, wire.rest, waits, enough)
        if answer.error is not None and answer.head is None:
            raise answer.error
        return answer, connection


def _waits(timeout: dict[str, float | None]) -> StepTimeouts:
    return StepTimeouts(
        timeout.get("connect"),
        timeout.get("read"),
        timeout.get("write"),
        timeout.get("pool"),
        timeout.get("total"),
    )
