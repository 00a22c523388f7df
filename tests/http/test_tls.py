"""Over TLS: the same responses, the certificate checked, the connection kept and closed politely."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from srs_vsphere._http.asyncio_tls import SecureConnection
from srs_vsphere._http.tls_in_memory import TlsInMemory
from tests.http.ours import Ours, state
from tests.http.serving import Server, Talk, ok, responding, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with a key and a certificate for 127.0.0.1 and srs.test, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "srs.test")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("srs.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "srs.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_side(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(params=["ours", "httpx"])
async def transport(
    request: pytest.FixtureRequest, client_side: ssl.SSLContext, anyio_backend: str
) -> AsyncIterator[httpx.AsyncBaseTransport]:
    ours = request.param == "ours"
    made = Ours(ssl_context=client_side) if ours else httpx.AsyncHTTPTransport(verify=client_side)
    async with made:
        yield made


def secure(server: Server) -> str:
    return server.url.replace("http://", "https://")


async def test_responses_and_reuse(transport: httpx.AsyncBaseTransport, server_side: ssl.SSLContext) -> None:
    big = bytes(1_000_000)
    async with serving(responding(ok(b"[1]"), ok(big), ok(b"[3]")), ssl=server_side) as server:
        for body in (b"[1]", big, b"[3]"):
            response = await transport.handle_async_request(httpx.Request("GET", secure(server)))
            assert await response.aread() == body
            await response.aclose()
        assert server.connections == 1
        stream = response.extensions["network_stream"]
        assert stream.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", server.port)
        assert stream.get_extra_info("no such thing") is None


async def test_a_certificate_for_another_host_is_refused(
    transport: httpx.AsyncBaseTransport, server_side: ssl.SSLContext
) -> None:
    async with serving(responding(ok()), ssl=server_side) as server:
        url = secure(server).replace("127.0.0.1", "localhost")
        with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
            await transport.handle_async_request(httpx.Request("GET", url))


async def test_a_plain_server_is_refused(transport: httpx.AsyncBaseTransport) -> None:
    async def script(talk: Talk) -> None:
        await talk.reader.readexactly(1)
        await talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(script) as server:
        with pytest.raises(httpx.ConnectError):
            await transport.handle_async_request(httpx.Request("GET", secure(server)))
        await server.until_open(0)


async def test_a_handshake_that_hangs_is_a_connect_timeout(transport: httpx.AsyncBaseTransport) -> None:
    async def script(talk: Talk) -> None:
        await talk.hung_up()

    async with serving(script) as server:
        with pytest.raises(httpx.ConnectTimeout):
            await transport.handle_async_request(
                httpx.Request("GET", secure(server), extensions={"timeout": {"connect": 0.05}})
            )
        await server.until_open(0)


async def test_a_cut_body(transport: httpx.AsyncBaseTransport, server_side: ssl.SSLContext) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,")

    async with serving(script, ssl=server_side) as server:
        response = await transport.handle_async_request(httpx.Request("GET", secure(server)))
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()
        await response.aclose()


@pytest.fixture
async def ours(client_side: ssl.SSLContext, anyio_backend: str) -> AsyncIterator[Ours]:
    async with Ours(ssl_context=client_side) as made:
        yield made


async def test_a_farewell_while_idle_and_one_under_the_request(
    ours: Ours, server_side: ssl.SSLContext
) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        if talk.number == 2:
            await talk.request()

    async with serving(script, ssl=server_side) as server:
        for connections in (1, 2, 3):
            response = await ours.handle_async_request(httpx.Request("GET", secure(server)))
            assert await response.aread() == b"[]"
            assert server.connections == connections
            if connections != 2:
                await server.until_open(0)


async def test_cancelled_in_the_handshake(ours: Ours) -> None:
    begun = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.reader.readexactly(1)
        begun.set()
        await talk.hung_up()

    async with serving(script) as server:
        task = asyncio.create_task(ours.handle_async_request(httpx.Request("GET", secure(server))))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.until_open(0)
        assert state(ours) == (0, 0)


async def test_closing_says_farewell(ours: Ours, server_side: ssl.SSLContext) -> None:
    ends: list[bytes] = []

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        # Without a farewell this would raise: the end of the bytes is not the end of the stream.
        ends.append(await talk.reader.read())

    async with serving(script, ssl=server_side) as server:
        response = await ours.handle_async_request(httpx.Request("GET", secure(server)))
        assert await response.aread() == b"[]"
        await ours.aclose()
        assert state(ours) == (0, 0)
        await server.until_open(0)
    assert ends == [b""]


async def test_an_unread_body_holds_the_server_back(ours: Ours, server_side: ssl.SSLContext) -> None:
    size = 20_000_000

    async with serving(responding(ok(bytes(size))), ssl=server_side) as server:
        response = await ours.handle_async_request(httpx.Request("GET", secure(server)))
        connection = next(iter(ours.inner._sockets))
        seen = -1
        while seen != connection._parser.waiting:
            seen = connection._parser.waiting
            for _ in range(50):
                await asyncio.sleep(0)
        assert seen < 1_000_000
        assert len(await response.aread()) == size


# Without a socket.


class Peer:
    """The server's side, in memory: the handshake's end and what comes after it can go in one piece."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def shake_hands(self, data: bytes) -> bool:
        """Go on with the handshake, and return whether it is done."""
        self.incoming.write(data)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def say(self, *pieces: bytes) -> bytes:
        """Return records with these pieces, behind what else is to be sent."""
        for piece in pieces:
            self.tls.write(piece)
        return self.outgoing.read()


def acquainted(client_side: ssl.SSLContext, server_side: ssl.SSLContext) -> tuple[TlsInMemory, Peer]:
    ours, peer = TlsInMemory(client_side, "srs.test"), Peer(server_side)
    while not ours.shake_hands():
        peer.shake_hands(ours.outgoing())
        ours.feed(peer.say())
    peer.shake_hands(ours.outgoing())
    return ours, peer


def test_records_in_pieces_of_any_size(client_side: ssl.SSLContext, server_side: ssl.SSLContext) -> None:
    ours, peer = acquainted(client_side, server_side)
    said = bytes(range(256)) * 300
    data = peer.say(said[:7], said[7:])
    for size in (1, 3, 17, 4096, len(data)):
        heard = b""
        for start in range(0, len(data), size):
            ours.feed(data[start : start + size])
            while plain := ours.decrypt():
                heard += plain
        assert heard == said
        data = peer.say(said)


def test_the_end_of_the_stream(client_side: ssl.SSLContext, server_side: ssl.SSLContext) -> None:
    for polite in (True, False):
        ours, peer = acquainted(client_side, server_side)
        assert ours.decrypt() is None
        with pytest.raises(ssl.SSLWantReadError):
            peer.tls.unwrap()
        ours.feed(peer.say() if polite else b"")
        assert ours.decrypt() == b""


def test_a_farewell(client_side: ssl.SSLContext, server_side: ssl.SSLContext) -> None:
    ours, peer = acquainted(client_side, server_side)
    peer.incoming.write(ours.close_notify())
    assert peer.tls.read() == b""


def test_what_is_no_record_is_an_error(client_side: ssl.SSLContext, server_side: ssl.SSLContext) -> None:
    ours, _ = acquainted(client_side, server_side)
    ours.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(ssl.SSLError):
        ours.decrypt()


async def test_what_comes_with_the_handshake_belongs_to_no_request(
    client_side: ssl.SSLContext, server_side: ssl.SSLContext, anyio_backend: str
) -> None:
    # Here the server's part is the handshake's last.
    server_side.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.socket() as unused:
        for more in (), (ok(),):
            tls, peer = TlsInMemory(client_side, "srs.test"), Peer(server_side)
            buffer, transport = memoryview(bytearray(65536)), Mock()
            transport.get_extra_info.return_value = unused
            connection = SecureConnection(asyncio.get_running_loop(), Mock(), buffer, 90.0, tls)
            connection.connection_made(transport)
            starting = asyncio.ensure_future(connection.start())
            done = False
            while not done:
                await asyncio.sleep(0)
                ((sent,), _) = transport.write.call_args
                done = peer.shake_hands(sent)
                data = peer.say(*more) if done else peer.say()
                buffer[: len(data)] = data
                connection.buffer_updated(len(data))
            await starting
            assert connection.closed is bool(more)
