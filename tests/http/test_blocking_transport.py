"""The sync client's transport over real sockets, plain and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import select
import socket
import ssl
import sys
import time
from pathlib import Path

import httpx
import pytest

from srs_vsphere._http import blocking_connection, blocking_dialing, limits
from srs_vsphere._http.address import Address
from srs_vsphere._http.blocking_transport import BlockingTransport
from srs_vsphere.simulator.certificate import Certificate, make_certificate
from tests.http.serving import Script, Server, Talk, ok, responding, serving
from tests.http.test_asyncio_transport import HOSTILE

pytestmark = pytest.mark.anyio

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate()


class Place:
    """Where tests serve and connect: the same plain and over TLS."""

    def __init__(self, certificate: Certificate | None, folder: Path) -> None:
        self.secure = certificate is not None
        self.server_context: ssl.SSLContext | None = None
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            key_file, ca_file = folder / "key.pem", folder / "ca.pem"
            key_file.write_bytes(certificate.key + certificate.pem)
            ca_file.write_bytes(certificate.pem)
            self.server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.server_context.load_cert_chain(key_file)
            self.context = ssl.create_default_context(cafile=str(ca_file))

    def serving(self, script: Script) -> contextlib.AbstractAsyncContextManager[Server]:
        return serving(script, ssl=self.server_context)

    def transport(
        self,
        server: Server,
        *,
        host: str = "127.0.0.1",
        keep_alive: float = 90.0,
    ) -> BlockingTransport:
        return BlockingTransport(
            Address(self.secure, host, server.port),
            ssl_context=self.context,
            keep_alive=keep_alive,
        )

    def request(
        self,
        server: Server,
        method: str = "GET",
        *,
        content: bytes | None = None,
        path: str = "",
        **timeout: float,
    ) -> httpx.Request:
        waits = {"connect": 60.0, "read": 60.0, "write": 60.0, "total": 60.0, **timeout}
        url = server.url.replace("http:", "https:") if self.secure else server.url
        return httpx.Request(method, url + path, content=content, extensions={"timeout": waits})


@pytest.fixture(params=["plain", "tls"])
def place(request: pytest.FixtureRequest, certificate: Certificate, tmp_path: Path) -> Place:
    return Place(certificate if request.param == "tls" else None, tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Place:
    return Place(None, tmp_path)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def call(transport: BlockingTransport, request: httpx.Request) -> httpx.Response:
    response = transport.handle_request(request)
    try:
        response.read()
    finally:
        response.close()
    return response


async def get(
    transport: BlockingTransport,
    server: Server,
    place: Place,
    method: str = "GET",
    content: bytes | None = None,
    **timeout: float,
) -> httpx.Response:
    return await asyncio.to_thread(call, transport, place.request(server, method, content=content, **timeout))


def count(transport: BlockingTransport) -> tuple[int, int]:
    """Open connections, idle ones."""
    return len(transport._open), len(transport._idle)


# Responses.

RESPONSES = {
    "with a length": (ok(b"[1]"), b"[1]", 1),
    "chunked": (CHUNKED + b"1\r\n[\r\n2;x=y\r\n1]\r\n0\r\nX: y\r\n\r\n", b"[1]", 1),
    "until close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]", b"[1]", 2),
    "until close in 1.0": (b"HTTP/1.0 200 OK\r\n\r\n[1]", b"[1]", 2),
    "informational first": (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + ok(b"[1]"), b"[1]", 1),
    "large": (ok(bytes(3_000_000)), bytes(3_000_000), 1),
    "last of its connection": (ok(b"[1]", b"Connection: close"), b"[1]", 2),
}


@pytest.mark.parametrize("name", RESPONSES)
async def test_responses(place: Place, name: str) -> None:
    raw, body, connections = RESPONSES[name]

    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            await talk.send(raw)
            if connections == 2:
                return

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            for _ in range(2):
                response = await get(transport, server, place)
                assert (response.status_code, response.content) == (200, body)
            assert server.connections == connections
            assert count(transport) == (2 - connections, 2 - connections)
        await server.until_open(0)


async def test_what_a_response_tells(place: Place) -> None:
    raw = b"HTTP/1.1 0 \r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nX-E:  \xe9 \t\r\nContent-Length: 2\r\n\r\n{}"
    async with place.serving(responding(raw)) as server:
        transport = place.transport(server)
        response = await get(transport, server, place)
        assert (response.status_code, response.content) == (0, b"{}")
        assert response.headers.raw == [
            (b"set-cookie", b"a=1"),
            (b"Set-Cookie", b"b=2"),
            (b"X-E", b"\xe9"),
            (b"Content-Length", b"2"),
        ]
        assert response.extensions["http_version"] == b"HTTP/1.1"
        stream = response.extensions["network_stream"]
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", server.port)
        assert stream.get_extra_info("client_addr") == stream.get_extra_info("socket").getsockname()
        assert (stream.get_extra_info("ssl_object") is not None) == place.secure
        assert stream.get_extra_info("no such thing") is None
        assert repr(transport) == "<BlockingTransport 1 connections, 1 of them idle>"
        transport.close()


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_requests_as_written(place: Place, method: str) -> None:
    seen: list[bytes] = []

    async def script(talk: Talk) -> None:
        while True:
            head = await talk.request()
            seen.append(head + (await talk.reader.readexactly(2) if method == "POST" else b""))
            await talk.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            content = b"{}" if method == "POST" else None
            for _ in range(2):
                response = await get(transport, server, place, method, content)
                assert response.content == b""
        assert server.connections == 1
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    length = "Content-Length: 2\r\n\r\n{}" if content else "\r\n"
    assert seen == [f"{method} / HTTP/1.1\r\n{host}{length}".encode()] * 2


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_responses_are_refused(place: Place, name: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(HOSTILE[name])
        await talk.hung_up()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            with pytest.raises(httpx.RemoteProtocolError):
                await get(transport, server, place)
            assert count(transport) == (0, 0)
            await server.until_open(0)


async def test_the_body_arrives_while_it_is_read(place: Place) -> None:
    go = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(CHUNKED)
        for part in (b"[1", b",2", b"]"):
            await go.wait()
            go.clear()
            await talk.send(b"%x\r\n%b\r\n" % (len(part), part))
        await talk.send(b"0\r\n\r\n")
        await talk.hung_up()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            request = place.request(server)
            response = await asyncio.to_thread(transport.handle_request, request)
            parts = response.iter_raw()
            seen = []
            while True:
                go.set()
                part = await asyncio.to_thread(next, parts, None)
                if part is None:
                    break
                seen.append(part)
            assert b"".join(seen) == b"[1,2]"
            assert len(seen) == 3
            assert count(transport) == (1, 1)


async def test_closing_a_body_early_closes_the_connection(place: Place) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,")
        await talk.hung_up()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            response = await asyncio.to_thread(transport.handle_request, place.request(server))
            assert count(transport) == (1, 0)
            response.close()
            assert count(transport) == (0, 0)
            await server.until_open(0)
            with pytest.raises(httpx.StreamClosed):
                response.read()


@pytest.mark.parametrize("how", ["cut", "reset", "silent"])
@pytest.mark.parametrize("when", ["before", "within the head", "within the body"])
async def test_responses_that_break_off(place: Place, how: str, when: str) -> None:
    begun = {
        "before": b"",
        "within the head": b"HTTP/1.1 200 OK\r\nContent-",
        "within the body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,",
    }[when]

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(begun)
        if how == "silent":
            await talk.hung_up()
        elif how == "reset":
            talk.reset()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            kinds = {
                "cut": (httpx.RemoteProtocolError,),
                "reset": (httpx.ReadError,),
                "silent": (httpx.ReadTimeout,),
            }
            with pytest.raises(kinds[how]):
                await get(transport, server, place, read=0.05 if how == "silent" else 60.0)
            assert count(transport) == (0, 0)
        await server.until_open(0)


# Bytes that no request asked for.


async def test_a_second_response_in_the_same_bytes_answers_nothing(place: Place) -> None:
    async with place.serving(responding(ok() + ok(b"evil"))) as server:
        with place.transport(server) as transport:
            for connections in (1, 2):
                assert (await get(transport, server, place)).content == b"[]"
                assert server.connections == connections
                assert count(transport) == (0, 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("poll", [True, False], ids=["poll", "select"])
async def test_a_second_response_that_comes_later_answers_nothing(
    place: Place, method: str, poll: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not poll and hasattr(select, "poll"):
        # What Windows lacks.
        monkeypatch.delattr(select, "poll")
    sent = asyncio.Event()
    read = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok(b"[%d]" % talk.number))
        await read.wait()
        await talk.send(ok(b"evil"))
        sent.set()
        await talk.hung_up()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            assert (await get(transport, server, place, method)).content == b"[1]"
            read.set()
            await sent.wait()
            assert (await get(transport, server, place, method)).content == b"[2]"
            assert server.connections == 2


async def test_session_tickets_are_no_reason_to_leave_a_connection(
    certificate: Certificate, tmp_path: Path
) -> None:
    place = Place(certificate, tmp_path)
    async with place.serving(responding(ok())) as server:
        with place.transport(server) as transport:
            for _ in range(3):
                await get(transport, server, place)
            assert server.connections == 1


# Connections that are kept.


async def test_a_connection_closed_while_idle_is_replaced(place: Place) -> None:
    closed = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        talk.writer.close()
        # The loop writes what TLS has to say of it now.
        await asyncio.sleep(0)
        closed.set()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            for connections in (1, 2, 3):
                await get(transport, server, place, "POST")
                assert server.connections == connections
                await closed.wait()
                closed.clear()


@pytest.mark.parametrize(("method", "requests"), [("GET", 3), ("POST", 2)])
async def test_a_kept_connection_that_is_closed_under_a_request(
    place: Place, method: str, requests: int
) -> None:
    seen = 0

    async def script(talk: Talk) -> None:
        nonlocal seen
        while True:
            await talk.request()
            seen += 1
            if seen == 2:
                return
            await talk.send(ok())

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            await get(transport, server, place, method)
            if method == "GET":
                await get(transport, server, place, method)
            else:
                with pytest.raises(httpx.TransportError):
                    await get(transport, server, place, method)
    assert seen == requests


async def fill(transport: BlockingTransport, server: Server, place: Place, together: asyncio.Barrier) -> None:
    """Make as many connections as the barrier has room for."""
    await asyncio.gather(*(get(transport, server, place) for _ in range(together.parties)))
    assert count(transport) == (together.parties, together.parties)


async def test_when_a_kept_connection_is_dead_the_older_ones_go_too(plain: Place) -> None:
    together = asyncio.Barrier(4)

    async def script(talk: Talk) -> None:
        await talk.request()
        if talk.number <= 4:
            await together.wait()
        await talk.send(ok())
        if talk.number <= 4:
            # As behind a NAT that forgot them: nothing comes back, not even a refusal.
            await talk.hung_up()
        await talk.request()
        await talk.send(ok())

    async with plain.serving(script) as server:
        with plain.transport(server) as transport:
            await fill(transport, server, plain, together)
            with pytest.raises(httpx.ReadTimeout):
                await get(transport, server, plain, read=0.05)
            assert count(transport) == (0, 0)
            await get(transport, server, plain)
            assert server.connections == 5


async def test_only_what_was_idle_longer_goes(plain: Place) -> None:
    together = asyncio.Barrier(3)

    async def script(talk: Talk) -> None:
        await talk.request()
        await together.wait()
        await talk.send(ok())
        await talk.hung_up()

    async with plain.serving(script) as server:
        with plain.transport(server) as transport:
            await fill(transport, server, plain, together)
            # The one that will fail was given back before the two others.
            transport._idle.rotate(1)
            newer = list(transport._idle)[:2]
            transport._idle.rotate(-1)
            failing = transport._idle[1]
            transport._idle.remove(failing)
            transport._idle.append(failing)
            with pytest.raises(httpx.ReadTimeout):
                await get(transport, server, plain, read=0.05)
            assert len(transport._idle) == 1
            assert transport._idle[0] in newer


async def test_the_age_of_a_kept_connection_is_looked_at_when_it_is_taken(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.serving(responding(ok())) as server:
        with place.transport(server, keep_alive=9000.0) as transport:
            await get(transport, server, place)
            (connection,) = transport._idle
            connection.idle_since -= 6000.0
            await get(transport, server, place)
            assert server.connections == 1
            connection.idle_since -= 9001.0
            await get(transport, server, place)
            assert server.connections == 2
            await server.until_open(1)


async def test_threads_share_the_connections(place: Place) -> None:
    async with place.serving(responding(ok(b"[1]"))) as server:
        with place.transport(server) as transport:

            def work() -> None:
                for _ in range(50):
                    assert call(transport, place.request(server)).content == b"[1]"

            await asyncio.gather(*(asyncio.to_thread(work) for _ in range(6)))
            opened, idle = count(transport)
            assert opened == idle == server.open
            assert server.connections <= 6
        await server.until_open(0)


# Time.


DRIPS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (b"HTTP/1.1 200 OK\r\nA: ", b"b"),
    "informational": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"1"),
    "chunks": (CHUNKED, b"1\r\n1\r\n"),
}


@pytest.mark.parametrize("name", DRIPS)
async def test_the_deadline_bounds_what_drips(
    place: Place, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes long before the read timeout is over; time goes on by one second with each read."""
    begun, drop = DRIPS[name]
    seconds = time.monotonic()

    def now() -> float:
        nonlocal seconds
        seconds += 0.25
        return seconds

    monkeypatch.setattr(blocking_connection, "_now", now)
    # How many bytes come with each read is up to the machine.
    for bound in ("INFORMATIONAL_COUNT", "STATUS_LINE_BYTES", "HEAD_BYTES"):
        monkeypatch.setattr(limits, bound, 10**9)

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(begun)
        while True:
            await talk.send(drop)
            await asyncio.sleep(0)

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            with pytest.raises(httpx.ReadTimeout):
                await get(transport, server, place, read=1000.0, total=50.0)
            assert count(transport) == (0, 0)


@pytest.mark.parametrize("seconds", [1e10, float(sys.maxsize), sys.float_info.max, math.inf])
async def test_any_number_of_seconds_is_a_timeout(place: Place, seconds: float) -> None:
    async with place.serving(responding(ok())) as server:
        with place.transport(server, keep_alive=seconds) as transport:
            for _ in range(2):
                await get(
                    transport, server, place, connect=seconds, read=seconds, write=seconds, total=seconds
                )
    assert server.connections == 1


async def test_no_timeouts_at_all(place: Place) -> None:
    async with place.serving(responding(ok())) as server:
        with place.transport(server) as transport:
            request = place.request(server)
            del request.extensions["timeout"]
            assert (await asyncio.to_thread(call, transport, request)).content == b"[]"


async def test_a_server_that_takes_nothing(place: Place) -> None:
    async def script(talk: Talk) -> None:
        talk.writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            with pytest.raises(httpx.WriteTimeout):
                await get(transport, server, place, "POST", bytes(30_000_000), write=0.1)
            assert count(transport) == (0, 0)


async def test_a_large_body_is_sent_whole(place: Place) -> None:
    body = os.urandom(1000) * 5000

    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            assert await talk.reader.readexactly(len(body)) == body
            await talk.send(ok())

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            for _ in range(2):
                assert (await get(transport, server, place, "POST", body)).content == b"[]"
            assert server.connections == 1


@pytest.mark.parametrize("then", ["hangs up", "waits"])
async def test_a_response_that_comes_before_the_request_is_whole(place: Place, then: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        if then == "waits":
            talk.writer.transport.pause_reading()
            await asyncio.Event().wait()

    async with place.serving(script) as server:
        with place.transport(server) as transport:
            response = await get(transport, server, place, "POST", bytes(30_000_000))
            assert (response.status_code, response.content) == (413, b"{}")
            assert count(transport) == (0, 0)


# Connecting.


async def test_connection_refused(place: Place) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = Server()
        server.port = unused.getsockname()[1]
        with place.transport(server) as transport, pytest.raises(httpx.ConnectError):
            await get(transport, server, place)


async def test_no_such_host(plain: Place) -> None:
    server = Server()
    server.host = "no-such-host.invalid"
    server.port = 1
    with plain.transport(server, host=server.host) as transport, pytest.raises(httpx.ConnectError):
        await get(transport, server, plain)


async def test_connect_timeout(plain: Place) -> None:
    # A full backlog leaves the handshake unanswered.
    with socket.socket() as full, contextlib.ExitStack() as others:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            other = others.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        server = Server()
        server.port = full.getsockname()[1]
        with plain.transport(server) as transport:
            with pytest.raises(httpx.ConnectTimeout):
                await get(transport, server, plain, connect=0.05)
            with pytest.raises(httpx.ConnectTimeout):
                await get(transport, server, plain, total=0.05)


@pytest.mark.parametrize("first", ["refuses", "hangs"])
async def test_the_next_address_is_tried(plain: Place, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking_dialing, "NEXT_AFTER", 0.01)
    async with plain.serving(responding(ok())) as server:
        with socket.socket() as bad, contextlib.ExitStack() as others:
            bad.bind(("127.0.0.1", 0))
            if first == "hangs":
                bad.listen(0)
                for _ in range(4):
                    other = others.enter_context(socket.socket())
                    other.setblocking(False)
                    other.connect_ex(bad.getsockname())
            found = [
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
                for address in (bad.getsockname(), ("127.0.0.1", server.port))
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            server.host = "srs.test"
            with plain.transport(server, host="srs.test") as transport:
                assert (await get(transport, server, plain)).content == b"[]"


async def test_a_family_that_is_not_there_is_passed_over(
    plain: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plain.serving(responding(ok())) as server:
        found = [
            (-1, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port)),
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        server.host = "srs.test"
        with plain.transport(server, host="srs.test") as transport:
            assert (await get(transport, server, plain)).content == b"[]"


async def test_a_request_for_another_server_is_refused(plain: Place) -> None:
    async with plain.serving(responding(ok())) as server:
        with plain.transport(server) as transport:
            for url in ("https://127.0.0.1", "http://127.0.0.1:1", "http://localhost", "ftp://127.0.0.1"):
                with pytest.raises(httpx.UnsupportedProtocol):
                    call(transport, httpx.Request("GET", url))
    assert server.connections == 0


# TLS.


@pytest.fixture
def secure(certificate: Certificate, tmp_path: Path) -> Place:
    return Place(certificate, tmp_path)


async def test_a_certificate_that_is_not_trusted(secure: Place) -> None:
    async with secure.serving(responding(ok())) as server:
        secure.context = None
        with secure.transport(server) as transport:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await get(transport, server, secure)
            assert count(transport) == (0, 0)
        await server.until_open(0)


async def test_a_server_without_tls(secure: Place) -> None:
    async def script(talk: Talk) -> None:
        await talk.reader.readexactly(1)
        await talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(script) as server:
        with secure.transport(server) as transport, pytest.raises(httpx.ConnectError):
            await get(transport, server, secure)
        await server.until_open(0)


@pytest.mark.parametrize("how", ["hangs", "ends"])
async def test_a_handshake_that_does_not_end(secure: Place, how: str) -> None:
    async def script(talk: Talk) -> None:
        if how == "hangs":
            await talk.hung_up()
        await talk.reader.readexactly(1)

    async with serving(script) as server:
        kind = httpx.ConnectTimeout if how == "hangs" else httpx.ConnectError
        with secure.transport(server) as transport, pytest.raises(kind):
            await get(transport, server, secure, connect=0.05 if how == "hangs" else 60.0)
        await server.until_open(0)


async def test_closing_says_farewell(secure: Place) -> None:
    ends: list[bytes] = []

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        # Without a farewell this would raise: the end of the bytes is not the end of the stream.
        ends.append(await talk.reader.read())

    async with secure.serving(script) as server:
        with secure.transport(server) as transport:
            await get(transport, server, secure)
        await server.until_open(0)
    assert ends == [b""]


# The end.


async def test_closing_ends_requests_in_other_threads(place: Place) -> None:
    asked = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        asked.set()
        await talk.hung_up()

    async with place.serving(script) as server:
        transport = place.transport(server)
        waiting = asyncio.create_task(get(transport, server, place, read=60.0))
        await asked.wait()
        transport.close()
        with pytest.raises(httpx.ReadError, match="closed"):
            await waiting
        assert count(transport) == (0, 0)
        await server.until_open(0)
        with pytest.raises(RuntimeError, match="closed"):
            await get(transport, server, place)
        assert "closed" in repr(transport)
