"""Ways to poll with our package, whole and in parts."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.benchmarks.places import KEEP_ALIVE, KEY, KEY_HEADER, PATH, Places, Poll, written


@asynccontextmanager
async def ours(places: Places) -> AsyncIterator[list[Poll]]:
    async with _ours(places, lambda: None) as polls:
        yield polls


@asynccontextmanager
async def ours_httpx(places: Places) -> AsyncIterator[list[Poll]]:
    """Give every client a transport, of the kind that is its own: it may take no short cut past httpx."""
    from srs_vsphere._http.asyncio_transport import AsyncioTransport

    context = places.context()
    size = places.connections
    async with _ours(places, lambda: AsyncioTransport(ssl_context=context, max_connections=size)) as polls:
        yield polls


@asynccontextmanager
async def _ours(places: Places, transport: Callable[[], Any]) -> AsyncIterator[list[Poll]]:
    from srs_vsphere import ApiKeyAuth, AsyncSrsClient, Timeouts, Tls

    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            client = AsyncSrsClient(
                url,
                auth=ApiKeyAuth(KEY),
                tls=Tls(ca_file=places.ca_file),
                timeouts=Timeouts(keep_alive=KEEP_ALIVE),
                transport=transport(),
                max_connections=places.connections,
            )
            await stack.enter_async_context(client)
            return client.runspaces.list

        yield places.everywhere([await poller(url) for url in places.urls])


@asynccontextmanager
async def transport_httpx(places: Places) -> AsyncIterator[list[Poll]]:
    """Send one request again and again through httpx and the transport of ours, and decode the answers."""
    import httpx

    from srs_vsphere import Runspace
    from srs_vsphere._codec.models import structurer
    from srs_vsphere._http.asyncio_transport import AsyncioTransport

    structure = structurer(Runspace)
    context = places.context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    transport = AsyncioTransport(ssl_context=context, max_connections=places.at_once)
    async with httpx.AsyncClient(transport=transport, verify=context, timeout=30) as client:

        def poller(url: str) -> Poll:
            request = client.build_request("GET", url + PATH, headers=KEY_HEADER)

            async def poll() -> list[Any]:
                response = await client.send(request)
                return [structure(value) for value in json.loads(response.content)]

            return poll

        yield places.everywhere([poller(url) for url in places.urls])


@asynccontextmanager
async def transport_alone(places: Places) -> AsyncIterator[list[Poll]]:
    """Send bytes written once through the transport of ours, and decode the answers: no layer above it."""
    from srs_vsphere import Runspace
    from srs_vsphere._codec.models import structurer
    from srs_vsphere._http.asyncio_transport import AsyncioTransport
    from srs_vsphere._http.connection_pool import Address
    from srs_vsphere._http.step_timeouts import StepTimeouts

    structure = structurer(Runspace)
    waits = StepTimeouts(connect=30.0, read=30.0, write=30.0, pool=30.0)
    transport = AsyncioTransport(ssl_context=places.context(), max_connections=places.at_once)

    def poller(port: int) -> Poll:
        address = Address(places.ca_file is not None, "127.0.0.1", port, None)
        request = written(port)

        async def poll() -> list[Any]:
            body = (await transport.fetch(address, request, waits=waits)).body
            return [structure(value) for value in json.loads(body)]

        return poll

    yield places.everywhere([poller(port) for port in places.ports])
    await transport.aclose()
