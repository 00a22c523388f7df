"""Ways to poll without our package, each as its users would write it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from tests.benchmarks.places import KEEP_ALIVE, KEY, KEY_HEADER, PATH, Places, Poll, written


class _Floor(asyncio.Protocol):
    """The least that reads a response with a length."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.body: asyncio.Future[bytes] | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: uvloop's transports are asyncio's in all but name.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, _, body = self._data.partition(b"\r\n\r\n")
        start = head.index(b"Content-Length: ") + 16
        if self.body is not None and len(body) == int(head[start : head.index(b"\r\n", start)]):
            self._data = b""
            self.body.set_result(body)


@asynccontextmanager
async def floor(places: Places) -> AsyncIterator[list[Poll]]:
    context = places.context()
    loop = asyncio.get_running_loop()
    ports = places.ports if len(places.ports) > 1 else places.ports * places.at_once
    connections: list[_Floor] = []

    def poller(port: int) -> Poll:
        mine: list[_Floor] = []
        request = written(port)

        async def poll() -> list[Any]:
            if not mine:
                mine.append((await loop.create_connection(_Floor, "127.0.0.1", port, ssl=context))[1])
                connections.extend(mine)
            (connection,) = mine
            if connection.transport is None:
                raise RuntimeError("the server closed the connection")
            connection.body = loop.create_future()
            connection.transport.write(request)
            result: list[Any] = json.loads(await connection.body)
            return result

        return poll

    yield [poller(port) for port in ports]
    for connection in connections:
        if connection.transport is not None:
            connection.transport.close()


@asynccontextmanager
async def streams(places: Places) -> AsyncIterator[list[Poll]]:
    context = places.context()
    ports = places.ports if len(places.ports) > 1 else places.ports * places.at_once
    writers: list[asyncio.StreamWriter] = []

    def poller(port: int) -> Poll:
        streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        request = written(port)

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

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, ssl=places.context() or True)
    async with aiohttp.ClientSession(connector=connector, headers=KEY_HEADER) as session:

        def poller(url: str) -> Poll:
            async def poll() -> list[Any]:
                async with session.get(url) as response:
                    result: list[Any] = json.loads(await response.read())
                    return result

            return poll

        yield places.everywhere([poller(url + PATH) for url in places.urls])


@asynccontextmanager
async def httpx_one(places: Places) -> AsyncIterator[list[Poll]]:
    import httpx

    verify = places.context() or True
    async with httpx.AsyncClient(headers=KEY_HEADER, verify=verify, timeout=60) as client:

        def poller(url: str) -> Poll:
            async def poll() -> list[Any]:
                result: list[Any] = (await client.get(url)).json()
                return result

            return poll

        yield places.everywhere([poller(url + PATH) for url in places.urls])


@asynccontextmanager
async def httpx_per_host(places: Places) -> AsyncIterator[list[Poll]]:
    import httpx

    verify = places.context() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(max_connections=20, keepalive_expiry=KEEP_ALIVE)
    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            client = httpx.AsyncClient(headers=KEY_HEADER, verify=verify, limits=limits, timeout=60)
            await stack.enter_async_context(client)

            async def poll() -> list[Any]:
                result: list[Any] = (await client.get(url)).json()
                return result

            return poll

        yield [await poller(url + PATH) for url in places.urls]


@asynccontextmanager
async def openapi_generator(places: Places) -> AsyncIterator[list[Poll]]:
    package = places.peers.load("srs_openapi_generator")
    async with AsyncExitStack() as stack:

        async def poller(url: str) -> Poll:
            configuration = package.Configuration(
                host=url, api_key={"apiKeyAuth": KEY}, ssl_ca_cert=places.ca_file
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
                base_url=url, token=KEY, prefix="", auth_header_name="X-SRS-API-KEY", verify_ssl=verify
            )
            await stack.enter_async_context(client)

            async def poll() -> list[Any] | None:
                result: list[Any] | None = await operation(client=client)
                return result

            return poll

        yield places.everywhere([await poller(url) for url in places.urls])
