"""The transport of a client whose program gave none: our own where it can be used, httpx's elsewhere."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx

from srs_vsphere._concurrency.forks import start_afresh_in_children
from srs_vsphere._http import sending_functions
from srs_vsphere._http.address import Address
from srs_vsphere._http.httpx_transport import AsyncHttpxTransport, HttpxTransport
from srs_vsphere._http.proxies import environment_proxy
from srs_vsphere.settings import Origin

if TYPE_CHECKING:
    from srs_vsphere._http.asyncio_transport import AsyncioTransport
    from srs_vsphere._http.blocking_transport import BlockingTransport

#: httpx's transports of the process that this one was forked from: kept, as closing them would be seen there.
_forgotten: list[AsyncHttpxTransport | HttpxTransport] = []


class AsyncDefaultTransport(httpx.AsyncBaseTransport):
    """Our own transport on asyncio, httpx's on trio, through a proxy, and while a mock or tracer is at work.

    Args:
        origin: where requests go.
        context: for TLS.
        keep_alive: seconds that an idle connection is kept.
        max_connections: how many idle ones httpx's transport keeps.
    """

    def __init__(
        self, origin: Origin, context: ssl.SSLContext, *, keep_alive: float, max_connections: int
    ) -> None:
        self._address = Address.of(origin)
        self._context = context
        self._keep_alive = keep_alive
        self._max_connections = max_connections
        self._proxy = environment_proxy(self._address)
        self._chosen = self._proxy is not None
        self._own: AsyncioTransport | None = None
        self._httpx: AsyncHttpxTransport | None = None
        start_afresh_in_children(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._own or self._httpx!r}>"

    def connects_directly(self) -> bool:
        """Whether requests go from this machine to the service, through no proxy, mock or tracer."""
        return self._proxy is None and sending_functions.ASYNC.are_original()

    def own(self) -> AsyncioTransport | None:
        """Return our own transport, or None; chosen for the event loop that asks first."""
        if not self._chosen:
            # Loaded on use: a program that runs on trio, or only the sync client, has no need of it.
            from srs_vsphere._http.asyncio_transport import AsyncioTransport, can_be_used

            self._chosen = True
            if can_be_used():
                self._own = AsyncioTransport(
                    self._address, ssl_context=self._context, keep_alive=self._keep_alive
                )
        return self._own

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the transport that is right at this moment.

        Raises:
            httpx.TransportError: it failed; one of httpx's own subclasses says how.
        """
        own = self.own()
        if own is not None and sending_functions.ASYNC.are_original():
            return await own.handle_async_request(request)
        if self._httpx is None:
            self._httpx = AsyncHttpxTransport(
                self._context,
                self._proxy,
                keep_alive=self._keep_alive,
                max_connections=self._max_connections,
            )
        return await self._httpx.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._own is not None:
            await self._own.aclose()
        if self._httpx is not None:
            await self._httpx.aclose()

    def start_afresh(self) -> None:
        """Let go of all connections, in a process that was forked from the one that opened them."""
        if self._own is not None:
            self._own.start_afresh()
        if self._httpx is not None:
            _forgotten.append(self._httpx)
            self._httpx = None


class DefaultTransport(httpx.BaseTransport):
    """Our own transport; httpx's through a proxy, and while a mock or tracer is at work.

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

        address = Address.of(origin)
        self._context = context
        self._keep_alive = keep_alive
        self._max_connections = max_connections
        self._proxy = environment_proxy(address)
        self._own: BlockingTransport | None = None
        if self._proxy is None:
            self._own = BlockingTransport(address, ssl_context=context, keep_alive=keep_alive)
        self._httpx: list[HttpxTransport] = []
        start_afresh_in_children(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._own or self._httpx!r}>"

    def connects_directly(self) -> bool:
        """Whether requests go from this machine to the service, through no proxy, mock or tracer."""
        return self._proxy is None and sending_functions.SYNC.are_original()

    def own(self) -> BlockingTransport | None:
        """Return our own transport, or None."""
        return self._own

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the transport that is right at this moment.

        Raises:
            httpx.TransportError: it failed; one of httpx's own subclasses says how.
        """
        own = self.own()
        if own is not None and sending_functions.SYNC.are_original():
            return own.handle_request(request)
        if not self._httpx:
            # Threads may each make one; all use the first.
            self._httpx.append(
                HttpxTransport(
                    self._context,
                    self._proxy,
                    keep_alive=self._keep_alive,
                    max_connections=self._max_connections,
                )
            )
        return self._httpx[0].handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        if self._own is not None:
            self._own.close()
        for transport in self._httpx:
            transport.close()

    def start_afresh(self) -> None:
        """Let go of all connections, in a process that was forked from the one that opened them."""
        if self._own is not None:
            self._own.start_afresh()
        _forgotten.extend(self._httpx)
        self._httpx = []
