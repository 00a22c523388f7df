"""Ways to poll with our package, whole and in parts."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from tests.benchmarks.places import KEEP_ALIVE, KEY, KEY_HEADER, PATH, Places, Poll


@asynccontextmanager
async def ours(places: Places) -> AsyncIterator[list[Poll]]:
    async with _ours(places, lambda _: None) as polls:
        yield polls


@asynccontextmanager
async def ours_otel(places: Places) -> AsyncIterator[list[Poll]]:
    """Make a span and a point of a histogram of each poll, which nobody exports."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

    from srs_vsphere.otel import OpenTelemetry

    telemetry = OpenTelemetry(TracerProvider(), MeterProvider())
    async with _ours(places, lambda _: None, telemetry) as polls:
        yield polls


@asynccontextmanager
async def ours_httpx(places: Places) -> AsyncIterator[list[Poll]]:
    """Give every client a transport, of the kind that is its own: it may take no short cut past httpx."""
    from srs_vsphere._http.address import Address
    from srs_vsphere._http.asyncio_transport import AsyncioTransport

    context = places.context()

    def transport(url: str) -> AsyncioTransport:
        return AsyncioTransport(Address.of_url(httpx.URL(url)), ssl_context=context)

    async with _ours(places, transport) as polls:
        yield polls


@asynccontextmanager
async def _ours(
    places: Places, transport: Callable[[str], Any], telemetry: Any = None
) -> AsyncIterator[list[Poll]]:
    from srs_vsphere import ApiKeyAuth, AsyncSrsClient, Timeouts, Tls

    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            client = AsyncSrsClient(
                url,
                auth=ApiKeyAuth(KEY),
                tls=Tls(ca_file=places.ca_file),
                timeouts=Timeouts(keep_alive=KEEP_ALIVE),
                transport=transport(url),
                max_connections=places.connections,
                telemetry=telemetry,
            )
            await stack.enter_async_context(client)
            return client.runspaces.list

        yield places.everywhere([await poller(url) for url in places.urls])


@asynccontextmanager
async def transport_httpx(places: Places) -> AsyncIterator[list[Poll]]:
    """Send one request again and again through httpx and the transport of ours, and decode the responses."""
    from srs_vsphere import Runspace
    from srs_vsphere._codec.models import structurer
    from srs_vsphere._http.address import Address
    from srs_vsphere._http.asyncio_transport import AsyncioTransport

    structure = structurer(Runspace)
    context = places.context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            transport = AsyncioTransport(Address.of_url(httpx.URL(url)), ssl_context=context)
            client = httpx.AsyncClient(transport=transport, verify=context, timeout=30)
            await stack.enter_async_context(client)
            request = client.build_request("GET", url + PATH, headers=KEY_HEADER)

            async def poll() -> list[Any]:
                response = await client.send(request)
                return [structure(value) for value in json.loads(response.content)]

            return poll

        yield places.everywhere([await poller(url) for url in places.urls])
