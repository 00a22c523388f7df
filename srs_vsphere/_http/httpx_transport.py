"""httpx's own transports, made safe: bytes after the end of a response end its connection.

httpcore checks only whether a kept connection has something to read. What came together with a response it
has read already, and would take for the response to the next request. And after a kept connection turned out
dead, it would try the other ones. In threads it bounds each read, but not all of them together.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from typing import Protocol

import httpx

from srs_vsphere._http.bounded_backend import Bound, BoundedBackend
from srs_vsphere._http.expiry import report_expiry
from srs_vsphere._http.proxies import EnvironmentProxy
from srs_vsphere._http.step_timeouts import StepTimeouts

#: From httpx's stream to httpcore's connection, and what that has. They are private: where one is missing,
#: the connection is closed after each response, which is slow and safe.
_TO_CONNECTION = ("_httpcore_stream", "_stream", "_connection")
_STATE = "_h11_state"
_KEEP_ALIVE = "_keepalive_expiry"
_EXPIRES = "_expire_at"
#: What opens the connections of a pool; private as well. Where it is missing, only single reads are bounded.
_BACKEND = "_network_backend"

_BROKEN = (
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)


class _AsyncSocket(Protocol):
    async def aclose(self) -> None: ...
    def get_extra_info(self, info: str, /) -> object: ...


class _Socket(Protocol):
    def close(self) -> None: ...
    def get_extra_info(self, info: str, /) -> object: ...


def _limits(keep_alive: float, max_connections: int) -> httpx.Limits:
    # The client bounds what is under way: httpx's own queue loses slots when tasks are cancelled.
    return httpx.Limits(
        max_connections=None, max_keepalive_connections=max_connections, keepalive_expiry=keep_alive
    )


class AsyncHttpxTransport(httpx.AsyncBaseTransport):
    """`httpx.AsyncHTTPTransport` to one server.

    Args:
        context: for TLS.
        proxy: the proxy to go through, or None.
        keep_alive: seconds that an idle connection is kept.
        max_connections: how many idle ones are kept.

    Raises:
        httpx.ProxyError: the proxy cannot be used.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        proxy: EnvironmentProxy | None,
        *,
        keep_alive: float,
        max_connections: int,
    ) -> None:
        self._named = nullcontext if proxy is None else proxy.named
        try:
            self._transport = httpx.AsyncHTTPTransport(
                verify=context,
                limits=_limits(keep_alive, max_connections),
                trust_env=False,
                proxy=None if proxy is None else proxy.parsed(),
            )
        except ImportError as error:
            raise _lacks(proxy, error) from None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        try:
            with self._named():
                response = await self._transport.handle_async_request(request)
        except _BROKEN:
            _expire_idle(self._transport)
            raise
        stream = response.extensions.get("network_stream")
        if stream is not None and isinstance(response.stream, httpx.AsyncByteStream):
            report_expiry(_tls_of(stream))
            response.stream = _AsyncBody(response.stream, stream)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, sock: _AsyncSocket) -> None:
        self._stream = stream
        self._socket = sock
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk
        self._ended = True

    async def aclose(self) -> None:
        """Give the connection back, or close it if something came after the response."""
        if self._ended and not _settled(self._stream, self._socket):
            await self._socket.aclose()
        await self._stream.aclose()


class HttpxTransport(httpx.BaseTransport):
    """`httpx.HTTPTransport` to one server; its arguments are those of `AsyncHttpxTransport`."""

    def __init__(
        self,
        context: ssl.SSLContext,
        proxy: EnvironmentProxy | None,
        *,
        keep_alive: float,
        max_connections: int,
    ) -> None:
        self._named = nullcontext if proxy is None else proxy.named
        try:
            self._transport = httpx.HTTPTransport(
                verify=context,
                limits=_limits(keep_alive, max_connections),
                trust_env=False,
                proxy=None if proxy is None else proxy.parsed(),
            )
        except ImportError as error:
            raise _lacks(proxy, error) from None
        self._bound = Bound()
        pool = getattr(self._transport, "_pool", None)
        if hasattr(pool, _BACKEND):
            setattr(pool, _BACKEND, BoundedBackend(getattr(pool, _BACKEND), self._bound))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Args:
            request: the request; its timeout ``total`` bounds the wait for the response's head, and with an
                extension ``whole`` that is true also its body.
        """
        total = StepTimeouts.of(request).total
        end = math.inf if total is None else time.monotonic() + total
        try:
            with self._bound.until(end), self._named():
                response = self._transport.handle_request(request)
        except _BROKEN:
            _expire_idle(self._transport)
            raise
        stream = response.extensions.get("network_stream")
        if stream is not None and isinstance(response.stream, httpx.SyncByteStream):
            report_expiry(_tls_of(stream))
            end = end if request.extensions.get("whole") else math.inf
            response.stream = _Body(response.stream, stream, self._bound, end)
        return response

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, sock: _Socket, bound: Bound, end: float) -> None:
        self._stream = stream
        self._socket = sock
        self._bound = bound
        self._end = end
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._stream)
        while not self._ended:
            with self._bound.until(self._end):
                chunk = next(chunks, None)
            if chunk is None:
                self._ended = True
            else:
                yield chunk

    def close(self) -> None:
        """Give the connection back, or close it if something came after the response."""
        if self._ended and not _settled(self._stream, self._socket):
            self._socket.close()
        self._stream.close()


def _settled(stream: object, sock: _AsyncSocket | _Socket) -> bool:
    """Have a connection closed by httpcore if bytes after the end of its response were read already.

    Returns:
        Whether that was done, or was not needed; if not, it is for the caller to close it.
    """
    connection = stream
    for name in _TO_CONNECTION:
        connection = getattr(connection, name, None)
    trailing: tuple[bytes, bool] | None = getattr(getattr(connection, _STATE, None), "trailing_data", None)
    if trailing is not None and not trailing[0] and not _has_decrypted(_tls_of(sock)):
        return True
    if not hasattr(connection, _KEEP_ALIVE):
        return False
    # It is too old as soon as it is idle.
    setattr(connection, _KEEP_ALIVE, -1.0)
    return True


def _expire_idle(transport: object) -> None:
    """Have httpcore close all idle connections: one was dead, so the others probably are."""
    connections: list[object] = list(getattr(getattr(transport, "_pool", None), "connections", ()))
    for found in connections:
        connection = found
        # Those to and through a proxy have another one inside.
        while connection is not None and not hasattr(connection, _EXPIRES):
            connection = getattr(connection, "_connection", None)
        if connection is not None and getattr(connection, _EXPIRES) is not None:
            setattr(connection, _EXPIRES, 0.0)


def _tls_of(sock: _AsyncSocket | _Socket) -> object:
    # httpcore's sync stream has TLS in its socket, and hands out a part of that which can do nothing.
    inner = sock.get_extra_info("socket")
    return inner if isinstance(inner, ssl.SSLSocket) else sock.get_extra_info("ssl_object")


def _has_decrypted(tls: object) -> bool:
    """Whether TLS holds bytes that nobody has asked for."""
    if isinstance(tls, ssl.SSLSocket):
        return tls.pending() > 0
    if not isinstance(tls, ssl.SSLObject):
        return False
    try:
        # What is encrypted still cannot be counted, only read.
        tls.read(1)
    except (ssl.SSLWantReadError, ssl.SSLSyscallError):
        return False
    except ssl.SSLError:
        return True
    return True


def _lacks(proxy: EnvironmentProxy | None, error: ImportError) -> httpx.ProxyError:
    variable = "the proxy" if proxy is None else proxy.variable
    return httpx.ProxyError(f"{variable} names a SOCKS proxy: install httpx[socks] for it ({error})")
