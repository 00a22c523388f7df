"""Our transport for tests: it learns its one server from the first request."""

from __future__ import annotations

import ssl

import httpx

from srs_vsphere._http.address import Address
from srs_vsphere._http.asyncio_transport import AsyncioTransport
from srs_vsphere._http.prepared_request import PreparedRequest
from srs_vsphere._http.step_timeouts import StepTimeouts
from tests.http.serving import Server


class Ours(httpx.AsyncBaseTransport):
    """An `AsyncioTransport` to the server that the first request is for."""

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, keep_alive: float = 90.0) -> None:
        self.ssl_context = ssl_context
        self.keep_alive = keep_alive
        self.made: AsyncioTransport | None = None

    @property
    def inner(self) -> AsyncioTransport:
        assert self.made is not None
        return self.made

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.made is None:
            address = Address.of_url(request.url)
            self.made = AsyncioTransport(address, ssl_context=self.ssl_context, keep_alive=self.keep_alive)
        return await self.made.handle_async_request(request)

    async def aclose(self) -> None:
        if self.made is not None:
            await self.made.aclose()


def state(ours: Ours) -> tuple[int, int]:
    """Open connections, and how many of them are idle."""
    if ours.made is None:
        return (0, 0)
    return len(ours.made._sockets), len(ours.made._idle)


def prepared(server: Server, *, whole: bool = True, **timeouts: float) -> httpx.Request:
    return PreparedRequest(
        "GET",
        httpx.URL(server.url),
        {"Host": "srs"},
        None,
        timeouts=StepTimeouts(**timeouts),
        whole=whole,
        repeatable=True,
    )


async def fetch(ours: Ours, server: Server, **timeouts: float) -> bytes:
    """Send a prepared request for a whole body, and return that."""
    response = await ours.handle_async_request(prepared(server, **timeouts))
    return await response.aread()
