"""The transport of a client whose program gave none: our own where it can be used, httpx's elsewhere."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx

from srs_vsphere._http import sending_functions
from srs_vsphere._http.address import Address
from srs_vsphere.settings import Origin

if TYPE_CHECKING:
    from srs_vsphere._http.asyncio_transport import AsyncioTransport
    from srs_vsphere._http.blocking_transport import BlockingTransport


class AsyncDefaultTransport(httpx.AsyncBaseTransport):
    """Our own transport on asyncio, httpx's on trio, through a proxy, and while a mock or tracer is at work.

    Args:
        origin: where requests go.
        context: for TLS.
        keep_alive: seconds that an idle connection is kept.
        max_connections: how many idle ones are kept.
    """

    def __init__(
        self, origin: Origin, context: ssl.SSLContext, *, keep_alive: float, max_connections: int
    ) -> None:
        self._origin = origin
        self._context = context
        self._keep_alive = keep_alive
        self._max_connections = max_connections
        self._chosen = False
        self._own: AsyncioTransport | None = None
        self._httpx: httpx.AsyncHTTPTransport | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._own or self._httpx!r}>"

    def own(self) -> AsyncioTransport | None:
        """Return our own transport, or None; chosen for the event loop that asks first."""
        if not self._chosen:
            # Loaded on use: a program that runs on trio, or only the sync client, has no need of it.
            from srs_vsphere._http.asyncio_transport import AsyncioTransport, can_be_used

            self._chosen = True
            if can_be_used():
                self._own = AsyncioTransport(
                    Address.of(self._origin), ssl_context=self._context, keep_alive=self._keep_alive
                )
        return self._own

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the transport that is right at this moment.

        Args:
            request: the request.
        """
        own = self.own()
        if own is None or not sending_functions.ASYNC.are_original():
            return await self._of_httpx().handle_async_request(request)
        return await own.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._own is not None:
            await self._own.aclose()
        if self._httpx is not None:
            await self._httpx.aclose()

    def _of_httpx(self) -> httpx.AsyncHTTPTransport:
        if self._httpx is None:
            # The client bounds what is under way: httpx's own queue loses slots when tasks are cancelled.
            limits = httpx.Limits(
                max_connections=None,
                max_keepalive_connections=self._max_connections,
                keepalive_expiry=self._keep_alive,
            )
            self._httpx = httpx.AsyncHTTPTransport(verify=self._context, limits=limits, trust_env=False)
        return self._httpx


class DefaultTransport(httpx.BaseTransport):
    """Our own transport; httpx's while a mock or tracer is at work.

    Args:
        origin: where requests go.
        context: for TLS.
        keep_alive: seconds that an idle connection is kept.
        max_connections: how many idle ones httpx's transport keeps.
    """

    def __init__(
        self, origin: Origin, context: ssl.SSLContext, *, keep_alive: float, max_connections: int
    ) -> None:
        # Loaded on use: a program that has only the async client has no need of it.
        from srs_vsphere._http.blocking_transport import BlockingTransport

        self._context = context
        self._keep_alive = keep_alive
        self._max_connections = max_connections
        self._own = BlockingTransport(Address.of(origin), ssl_context=context, keep_alive=keep_alive)
        self._httpx: list[httpx.HTTPTransport] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._own!r}>"

    def own(self) -> BlockingTransport:
        """Return our own transport."""
        return self._own

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the transport that is right at this moment.

        Args:
            request: the request.
        """
        if sending_functions.SYNC.are_original():
            return self._own.handle_request(request)
        return self._of_httpx().handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        self._own.close()
        for transport in self._httpx:
            transport.close()

    def _of_httpx(self) -> httpx.HTTPTransport:
        if not self._httpx:
            limits = httpx.Limits(
                max_connections=None,
                max_keepalive_connections=self._max_connections,
                keepalive_expiry=self._keep_alive,
            )
            # Threads may each make one; all use the first.
            self._httpx.append(httpx.HTTPTransport(verify=self._context, limits=limits, trust_env=False))
        return self._httpx[0]
