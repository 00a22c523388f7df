"""Ways to poll services for their runspaces: what is compared, each as its users would write it.

A contender is a context manager; inside it there is one function per place, a place being a host, or one of
several requests at once on the same host. Each function makes one poll and returns the runspaces.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias

from attrs import define

from tests.benchmarks.generated import OPENAPI_GENERATOR, OPENAPI_PYTHON_CLIENT, Peers

Poll: TypeAlias = Callable[[], Awaitable["list[Any] | None"]]

FLOOR = "asyncio streams + json"
AIOHTTP = "aiohttp + json"
HTTPX = "httpx, one client"
HTTPX_PER_HOST = "httpx, a client per host"
OURS = "srs_vsphere"
OURS_BARE = "its httpx.AsyncClient alone"

_PATH = "/api/runspaces"
_KEY = "benchmark"
_KEY_HEADER = {"X-SRS-API-KEY": _KEY}
#: Longer than a contender waits for its next turn.
_KEEP_ALIVE = 120.0


@define
class Places:
    """Where to poll.

    Args:
        ports: of the hosts, on loopback.
        at_once: how many requests are made at once.
        ca_file: the certificate to trust; None for plain HTTP.
        peers: the generated clients.
    """

    ports: list[int]
    at_once: int
    ca_file: str | None
    peers: Peers

    @property
    def urls(self) -> list[str]:
        """The hosts' URLs."""
        scheme = "http" if self.ca_file is None else "https"
        return [f"{scheme}://127.0.0.1:{port}" for port in self.ports]

    def everywhere(self, polls: list[Poll]) -> list[Poll]:
        """Return a function for each place; one host is polled from several places at once."""
        return polls if len(polls) > 1 else polls * self.at_once

    def context(self) -> ssl.SSLContext | None:
        """Return a client's context for TLS."""
        return None if self.ca_file is None else ssl.create_default_context(cafile=self.ca_file)


@asynccontextmanager
async def floor(places: Places) -> AsyncIterator[list[Poll]]:
    context = places.context()
    ports = places.ports if len(places.ports) > 1 else places.ports * places.at_once
    writers: list[asyncio.StreamWriter] = []

    def poller(port: int) -> Poll:
        streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        request = f"GET {_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-SRS-API-KEY: {_KEY}\r\n\r\n".encode()

        async def poll() -> list[Any]:
            if not streams:
                streams.append(await asyncio.open_connection("127.0.0.1", port, ssl=context))
                writers.append(streams[0][1])
            reader, writer = streams[0]
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            start = head.index(b"Content-Length: ") + 16
            body = await reader.readexactly(int(head[start : head.index(b"\r\n", start)]))
            result: list[Any] = json.loads(body)
            return result

        return poll

    yield [poller(port) for port in ports]
    for writer in writers:
        writer.close()


@asynccontextmanager
async def aiohttp(places: Places) -> AsyncIterator[list[Poll]]:
    import aiohttp

    connector = aiohttp.TCPConnector(
        limit=0, keepalive_timeout=_KEEP_ALIVE, ssl=places.context() if places.ca_file else True
    )
    async with aiohttp.ClientSession(connector=connector, headers=_KEY_HEADER) as session:

        def poller(url: str) -> Poll:
            async def poll() -> list[Any]:
                async with session.get(url) as response:
                    result: list[Any] = json.loads(await response.read())
                    return result

            return poll

        yield places.everywhere([poller(url + _PATH) for url in places.urls])


@asynccontextmanager
async def httpx_one(places: Places) -> AsyncIterator[list[Poll]]:
    import httpx

    verify = places.context() or True
    async with httpx.AsyncClient(headers=_KEY_HEADER, verify=verify, timeout=60) as client:

        def poller(url: str) -> Poll:
            async def poll() -> list[Any]:
                result: list[Any] = (await client.get(url)).json()
                return result

            return poll

        yield places.everywhere([poller(url + _PATH) for url in places.urls])


@asynccontextmanager
async def httpx_per_host(places: Places) -> AsyncIterator[list[Poll]]:
    import httpx

    verify = places.context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(max_connections=20, keepalive_expiry=_KEEP_ALIVE)
    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            client = httpx.AsyncClient(headers=_KEY_HEADER, verify=verify, limits=limits, timeout=60)
            await stack.enter_async_context(client)

            async def poll() -> list[Any]:
                result: list[Any] = (await client.get(url)).json()
                return result

            return poll

        yield [await poller(url + _PATH) for url in places.urls]


@asynccontextmanager
async def openapi_generator(places: Places) -> AsyncIterator[list[Poll]]:
    package = places.peers.load("srs_openapi_generator")
    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            configuration = package.Configuration(
                host=url, api_key={"apiKeyAuth": _KEY}, ssl_ca_cert=places.ca_file
            )
            configuration.connection_pool_maxsize = places.at_once
            api = package.RunspacesApi(await stack.enter_async_context(package.ApiClient(configuration)))
            poll: Poll = api.list_runspaces
            return poll

        yield places.everywhere([await poller(url) for url in places.urls])


@asynccontextmanager
async def openapi_python_client(places: Places) -> AsyncIterator[list[Poll]]:
    package = places.peers.load("srs_openapi_python_client")
    operation = places.peers.load("srs_openapi_python_client.api.runspaces.list_runspaces").asyncio
    verify = places.context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            client = package.AuthenticatedClient(
                base_url=url, token=_KEY, prefix="", auth_header_name="X-SRS-API-KEY", verify_ssl=verify
            )
            await stack.enter_async_context(client)

            async def poll() -> list[Any] | None:
                result: list[Any] | None = await operation(client=client)
                return result

            return poll

        yield places.everywhere([await poller(url) for url in places.urls])


@asynccontextmanager
async def ours(places: Places) -> AsyncIterator[list[Poll]]:
    from srs_vsphere import ApiKeyAuth, AsyncSrsClient, Timeouts, Tls

    size = places.at_once if len(places.ports) == 1 else 20
    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            client = AsyncSrsClient(
                url,
                auth=ApiKeyAuth(_KEY),
                tls=Tls(ca_file=places.ca_file),
                timeouts=Timeouts(keep_alive=_KEEP_ALIVE),
                max_connections=size,
            )
            await stack.enter_async_context(client)
            return client.runspaces.list

        yield places.everywhere([await poller(url) for url in places.urls])


@asynccontextmanager
async def ours_bare(places: Places) -> AsyncIterator[list[Poll]]:
    """Poll with the httpx client that ours sends through: what is left is the cost of our own layers."""
    from srs_vsphere import ApiKeyAuth, AsyncSrsClient, Runspace, Tls
    from srs_vsphere._wire import structurer

    structure = structurer(Runspace)
    (url,) = places.urls
    async with AsyncSrsClient(
        url, auth=ApiKeyAuth(_KEY), tls=Tls(ca_file=places.ca_file), max_connections=places.at_once
    ) as client:
        http = client._http
        request = http.build_request("GET", url + _PATH, headers=_KEY_HEADER)

        async def poll() -> list[Any]:
            response = await http.send(request)
            return [structure(value) for value in json.loads(response.content)]

        yield [poll] * places.at_once


CONTENDERS: Mapping[str, Callable[[Places], AbstractAsyncContextManager[list[Poll]]]] = {
    FLOOR: floor,
    AIOHTTP: aiohttp,
    HTTPX: httpx_one,
    HTTPX_PER_HOST: httpx_per_host,
    OPENAPI_GENERATOR: openapi_generator,
    OPENAPI_PYTHON_CLIENT: openapi_python_client,
    OURS: ours,
    OURS_BARE: ours_bare,
}
