"""httpx's own transports, made safe: bytes after the end of a response end its connection.

httpcore checks only whether a kept connection has something to read. What came together with a response it
has read already, and would take for the response to the next request.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

import httpx

from srs_vsphere._http.proxies import EnvironmentProxy

#: From httpx's stream to the connection's state in h11. They are private: where one is missing, the
#: connection is closed after each response, which is slow and safe.
_TO_STATE = ("_httpcore_stream", "_stream", "_connection", "_h11_state")


class _AsyncConnection(Protocol):
    async def aclose(self) -> None: ...
    def get_extra_info(self, info: str, /) -> object: ...


class _Connection(Protocol):
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
        """Send a request.

        Args:
            request: the request.
        """
        response = await self._transport.handle_async_request(request)
        stream = response.extensions.get("network_stream")
        if stream is not None and isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _AsyncBody(response.stream, stream)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, connection: _AsyncConnection) -> None:
        self._stream = stream
        self._connection = connection
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk
        self._ended = True

    async def aclose(self) -> None:
        """Give the connection back, or close it if something came after the response."""
        if self._ended and _has_more(self._stream, self._connection):
            await self._connection.aclose()
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
        try:
            self._transport = httpx.HTTPTransport(
                verify=context,
                limits=_limits(keep_alive, max_connections),
                trust_env=False,
                proxy=None if proxy is None else proxy.parsed(),
            )
        except ImportError as error:
            raise _lacks(proxy, error) from None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Args:
            request: the request.
        """
        response = self._transport.handle_request(request)
        stream = response.extensions.get("network_stream")
        if stream is not None and isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Body(response.stream, stream)
        return response

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, connection: _Connection) -> None:
        self._stream = stream
        self._connection = connection
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream
        self._ended = True

    def close(self) -> None:
        """Give the connection back, or close it if something came after the response."""
        if self._ended and _has_more(self._stream, self._connection):
            self._connection.close()
        self._stream.close()


def _has_more(stream: object, connection: _AsyncConnection | _Connection) -> bool:
    """Whether bytes after the end of a response were read already."""
    for name in _TO_STATE:
        stream = getattr(stream, name, None)
    trailing: tuple[bytes, bool] | None = getattr(stream, "trailing_data", None)
    if trailing is None or trailing[0]:
        return True
    tls = connection.get_extra_info("ssl_object")
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
