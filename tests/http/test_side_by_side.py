"""What httpx's transport does, ours does: each test runs on both."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.http.serving import Server, Talk, ok, responding, serving

pytestmark = pytest.mark.anyio

Transport = httpx.AsyncBaseTransport


def request(
    server: Server,
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    content: object = None,
    **timeout: float,
) -> httpx.Request:
    waits: dict[str, float | None] = {"connect": 60.0, "read": 60.0, "write": 60.0, "pool": 60.0, **timeout}
    return httpx.Request(method, server.url, headers=headers, content=content, extensions={"timeout": waits})


async def get(transport: Transport, server: Server, method: str = "GET", **timeout: float) -> httpx.Response:
    response = await transport.handle_async_request(request(server, method, **timeout))
    await response.aread()
    await response.aclose()
    return response


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

RESPONSES: dict[str, tuple[str, bytes, tuple[int, bytes, int]]] = {
    # name: (method, response, (status, body, connections after two requests))
    "with a length": ("GET", ok(b"[1]"), (200, b"[1]", 1)),
    "empty": ("GET", ok(b""), (200, b"", 1)),
    "chunked": ("GET", CHUNKED + b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n", (200, b"[1,2]", 1)),
    "chunked with extension": ("GET", CHUNKED + b"3;a=b\r\n[1]\r\n0;c\r\n\r\n", (200, b"[1]", 1)),
    "chunked with trailer": ("GET", CHUNKED + b"3\r\n[1]\r\n0\r\nX-Sum: 1\r\n\r\n", (200, b"[1]", 1)),
    "chunked and empty": ("GET", CHUNKED + b"0\r\n\r\n", (200, b"", 1)),
    "no content": ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", 1)),
    "not modified": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", (304, b"", 1)),
    "informational before": ("GET", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok(), (200, b"[]", 1)),
    "continue before": ("POST", b"HTTP/1.1 100 Continue\r\n\r\n" + ok(), (200, b"[]", 1)),
    "last on its connection": ("GET", ok(b"[]", b"Connection: close"), (200, b"[]", 2)),
    "old and last": ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n[]", (200, b"[]", 2)),
    "without a reason": ("GET", b"HTTP/1.1 500\r\nContent-Length: 2\r\n\r\n[]", (500, b"[]", 1)),
    "same length twice": ("GET", ok(b"[]", b"Content-Length: 2"), (200, b"[]", 1)),
}


@pytest.mark.parametrize("name", RESPONSES)
async def test_responses(transport: Transport, name: str) -> None:
    method, raw, (status, body, connections) = RESPONSES[name]
    async with serving(responding(raw)) as server:
        for _ in range(2):
            response = await get(transport, server, method)
            assert (response.status_code, response.content) == (status, body)
        assert server.connections == connections


async def test_until_the_server_closes(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\n\r\n[1,")
        await talk.send(b"2]")

    async with serving(script) as server:
        for connections in (1, 2):
            assert (await get(transport, server)).content == b"[1,2]"
            assert server.connections == connections


REFUSED: dict[str, bytes] = {
    "both lengths": ok(b"[]", b"Transfer-Encoding: chunked"),
    "conflicting lengths": ok(b"[]", b"Content-Length: 3"),
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "length in words": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n",
    "no such coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "garbage": b"220 smtp.example.com ESMTP\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "no name": b"HTTP/1.1 200 OK\r\n: value\r\n\r\n",
    "space in a name": b"HTTP/1.1 200 OK\r\nA B: value\r\n\r\n",
    "zero byte in a value": b"HTTP/1.1 200 OK\r\nA: a\0b\r\n\r\n",
    "no chunk size": CHUNKED + b"x\r\n[]\r\n0\r\n\r\n",
    "chunk without an end": CHUNKED + b"2\r\n[]0\r\n\r\n",
    "endless line before a chunk": CHUNKED + b"2;" + b"a" * 200_000 + b"\r\n[]\r\n0\r\n\r\n",
    "cut in the head": b"HTTP/1.1 200 O",
    "cut in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]",
    "cut in a chunk": CHUNKED + b"3\r\n[]",
    "cut before the last chunk": CHUNKED + b"2\r\n[]\r\n",
    "nothing at all": b"",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_responses(transport: Transport, name: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(REFUSED[name])

    async with serving(script) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await get(transport, server)
        await server.until_open(0)


async def test_what_came_before_a_cut_is_delivered(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,")

    async with serving(script) as server:
        response = await transport.handle_async_request(request(server))
        parts = response.aiter_raw()
        assert await anext(parts) == b"[1,"
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(parts)
        await response.aclose()


async def test_raw_headers_arrive_in_order_and_as_written(transport: Transport) -> None:
    raw = b"HTTP/1.1 200 Fine\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nX-E:  \xe9 \t\r\n"
    raw += b"Content-Length: 0\r\n\r\n"
    async with serving(responding(raw)) as server:
        response = await get(transport, server)
    assert response.headers.raw == [
        (b"set-cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"X-E", b"\xe9"),
        (b"Content-Length", b"0"),
    ]
    assert response.extensions["reason_phrase"] == b"Fine"
    assert response.extensions["http_version"] == b"HTTP/1.1"


async def test_streaming_twice(transport: Transport) -> None:
    async with serving(responding(ok(b"[1]"))) as server:
        response = await transport.handle_async_request(request(server))
        assert [part async for part in response.aiter_raw()] == [b"[1]"]
        with pytest.raises(httpx.StreamConsumed):
            async for _ in response.aiter_raw():
                pass


async def test_reading_after_close(transport: Transport) -> None:
    async with serving(responding(ok(b"[1]"))) as server:
        response = await transport.handle_async_request(request(server))
        await response.aclose()
        with pytest.raises(httpx.StreamClosed):
            await response.aread()


async def test_closing_early_drops_the_connection(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,")
        await talk.hung_up()

    async with serving(script) as server:
        for connections in (1, 2):
            response = await transport.handle_async_request(request(server))
            async for part in response.aiter_raw():
                assert part == b"[1,"
                break
            await response.aclose()
            assert server.connections == connections
            await server.until_open(0)


async def test_the_head_does_not_wait_for_the_body(transport: Transport) -> None:
    go = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(CHUNKED)
        for part in (b"[1", b",2", b"]"):
            await go.wait()
            go.clear()
            await talk.send(b"%x\r\n%b\r\n" % (len(part), part))
        await talk.send(b"0\r\n\r\n")

    async with serving(script) as server:
        response = await transport.handle_async_request(request(server))
        go.set()
        parts = []
        async for part in response.aiter_raw():
            parts.append(part)
            go.set()
        await response.aclose()
    assert parts == [b"[1", b",2", b"]"]


async def test_connection_refused(transport: Transport) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = Server()
        server.port = unused.getsockname()[1]
        with pytest.raises(httpx.ConnectError):
            await get(transport, server)


async def test_no_such_host(transport: Transport) -> None:
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(httpx.Request("GET", "http://no-such-host.invalid/"))


async def test_connect_timeout(transport: Transport) -> None:
    # A full backlog leaves the handshake unanswered.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        others = [socket.socket() for _ in range(4)]
        try:
            for other in others:
                other.setblocking(False)
                other.connect_ex(full.getsockname())
            server = Server()
            server.port = full.getsockname()[1]
            with pytest.raises(httpx.ConnectTimeout):
                await get(transport, server, connect=0.05)
        finally:
            for other in others:
                other.close()


async def test_read_timeout_before_the_head(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.hung_up()

    async with serving(script) as server:
        with pytest.raises(httpx.ReadTimeout):
            await get(transport, server, read=0.05)
        await server.until_open(0)


async def test_read_timeout_within_the_body(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,")
        await talk.hung_up()

    async with serving(script) as server:
        seconds, response = 0.05, None
        while response is None:
            # A slow machine may need longer for the head.
            with contextlib.suppress(httpx.ReadTimeout):
                response = await transport.handle_async_request(request(server, read=seconds))
            seconds *= 2
        with pytest.raises(httpx.ReadTimeout):
            await response.aread()
        await server.until_open(0)


async def test_write_timeout(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        talk.writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with serving(script) as server:
        with pytest.raises(httpx.WriteTimeout):
            await transport.handle_async_request(
                request(server, "POST", content=bytes(30_000_000), write=0.1)
            )


async def test_reset_before_the_head(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        talk.reset()

    async with serving(script) as server:
        with pytest.raises(httpx.ReadError):
            await get(transport, server)


async def test_reset_within_the_body(transport: Transport) -> None:
    read = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,")
        await read.wait()
        talk.reset()

    async with serving(script) as server:
        response = await transport.handle_async_request(request(server))
        read.set()
        with pytest.raises(httpx.ReadError):
            await response.aread()


async def test_keep_alive_carries_many_requests(transport: Transport) -> None:
    async with serving(responding(ok())) as server:
        for _ in range(5):
            await get(transport, server)
        assert server.connections == 1
        await transport.aclose()
        await server.until_open(0)


async def test_a_connection_closed_while_idle_is_replaced(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())

    async with serving(script) as server:
        for connections in (1, 2, 3):
            await get(transport, server, "POST")
            assert server.connections == connections
            await server.until_open(0)


async def test_other_schemes(transport: Transport) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        await transport.handle_async_request(httpx.Request("GET", "ftp://127.0.0.1/"))


async def body_of(talk: Talk) -> tuple[bytes, bytes]:
    head = await talk.request()
    if b"transfer-encoding: chunked" in head.lower():
        return head, await talk.reader.readuntil(b"0\r\n\r\n")
    at = head.lower().index(b"content-length: ") + 16
    return head, await talk.reader.readexactly(int(head[at : head.index(b"\r\n", at)]))


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_request_as_written(transport: Transport) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(talk: Talk) -> None:
        while True:
            seen.append(await body_of(talk))
            await talk.send(ok())

    async with serving(script) as server:
        await transport.handle_async_request(
            httpx.Request("POST", server.url + "a%20b?c=d", headers={"X-Key": "k"}, content=b"{}")
        )
        await transport.handle_async_request(
            httpx.Request("OPTIONS", server.url, headers={"Content-Length": "0"})
        )
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    assert seen == [
        (b"POST /a%20b?c=d HTTP/1.1\r\n" + host + b"X-Key: k\r\nContent-Length: 2\r\n\r\n", b"{}"),
        (b"OPTIONS / HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n", b""),
    ]


BAD_REQUESTS = {
    "line end in a value": {"headers": {"A": "b\r\nC: d"}},
    "space in a name": {"headers": {"A B": "c"}},
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_requests_that_cannot_be_sent(transport: Transport, name: str) -> None:
    async with serving(responding(ok())) as server:
        with pytest.raises(httpx.LocalProtocolError):
            await transport.handle_async_request(httpx.Request("POST", server.url, **BAD_REQUESTS[name]))
        await server.until_open(0)


async def test_a_response_that_comes_before_the_request_is_whole(transport: Transport) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await talk.hung_up()

    async with serving(script) as server:
        response = await transport.handle_async_request(request(server, "POST", content=bytes(30_000_000)))
        assert response.status_code == 413
        assert await response.aread() == b"{}"


async def test_cancelled_while_waiting(transport: Transport) -> None:
    asked = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        asked.set()
        await talk.hung_up()

    async with serving(script) as server:
        task = asyncio.create_task(get(transport, server))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.until_open(0)


async def test_under_a_client(transport: Transport) -> None:
    async with serving(responding(ok(b"[1]"))) as server, httpx.AsyncClient(transport=transport) as client:
        response = await client.get(server.url)
        assert response.json() == [1]
        assert response.elapsed.total_seconds() > 0
        async with client.stream("GET", server.url) as streamed:
            assert [part async for part in streamed.aiter_bytes()] == [b"[1]"]
        assert server.connections == 1
