"""Host names in other scripts, over real sockets: Punycode for resolver, TLS, Host header and errors."""

from __future__ import annotations

import re
import socket
import ssl
import traceback
from pathlib import Path

import httpx
import pytest

from srs_vsphere import ApiKeyAuth, AsyncSrsClient, CertificateError, NotSentError, Tls
from srs_vsphere._http import default_transport
from tests._async.helping import HURRIED
from tests.raw_server import RawServer, Visit, runspaces
from tests.tls_server import Identity, identity, tls_server

pytestmark = pytest.mark.anyio

KEY = ApiKeyAuth("the-key")

#: As it is written, and as it is looked up.
NAMES = {
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "straße.example": "xn--strae-oqa.example",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
}


@pytest.fixture(params=["own", "httpx", "the program's"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Send through our own transport where there is one, through httpx's, or through a client of httpx."""
    if request.param == "httpx":
        monkeypatch.setattr(default_transport.AsyncDefaultTransport, "own", lambda _: None)
    chosen: str = request.param
    return chosen


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Find the known names on this machine, and no others; tell which were looked up."""
    resolve, asked = socket.getaddrinfo, list[str]()

    def getaddrinfo(host: str | bytes, *args: object, **options: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name == "127.0.0.1":
            return resolve(name, *args, **options)
        asked.append(name)
        if name not in NAMES.values():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def client_of(way: str, url: str, trusted: Identity | None = None) -> AsyncSrsClient:
    if way == "the program's":
        context = ssl.create_default_context(cadata=trusted.pem.decode()) if trusted else True
        return AsyncSrsClient(url, auth=KEY, retry=HURRIED, http_client=httpx.AsyncClient(verify=context))
    tls = Tls(ca_data=trusted.pem) if trusted else Tls()
    return AsyncSrsClient(url, auth=KEY, retry=HURRIED, tls=tls)


async def close(client: AsyncSrsClient) -> None:
    await client.aclose()
    await client._http.aclose()


@pytest.mark.parametrize("name", NAMES)
async def test_over_plain_http(way: str, looked_up: list[str], name: str) -> None:
    requests = list[bytes]()

    def play(visit: Visit) -> None:
        requests.append(visit.request())
        visit.send(runspaces("one"))
        visit.hung_up()

    with RawServer(play) as server:
        port = server.url.rpartition(":")[2]
        client = client_of(way, f"http://{name}:{port}")
        assert [runspace.id for runspace in await client.runspaces.list()] == ["one"]
        await close(client)
    assert set(looked_up) == {NAMES[name]}
    assert re.findall(rb"(?i)\r\nhost: *([^\r]+)", requests[0]) == [f"{NAMES[name]}:{port}".encode()]


@pytest.mark.parametrize("name", NAMES)
async def test_over_tls(way: str, looked_up: list[str], name: str, tmp_path: Path) -> None:
    shown = identity(names=(NAMES[name],))
    context = shown.context(tmp_path)
    indicated = list[object]()
    context.sni_callback = lambda _, asked, __: indicated.append(asked)
    with tls_server(context) as server:
        client = client_of(way, f"https://{name}:{server.port}", shown)
        assert (await client.about()).vendor == "V"
        await close(client)
        assert f"{NAMES[name]}:{server.port}".encode() in server.received
    assert set(looked_up) == {NAMES[name]}
    assert set(indicated) == {NAMES[name]}


async def test_the_certificate_of_another_name(way: str, looked_up: list[str], tmp_path: Path) -> None:
    shown = identity(names=("elsewhere.example",))
    with tls_server(shown.context(tmp_path)) as server:
        client = client_of(way, f"https://bücher.example:{server.port}", shown)
        with pytest.raises(CertificateError) as caught:
            await client.runspaces.list()
        await close(client)
        assert server.received == b""
    assert f"runspaces.list on xn--bcher-kva.example:{server.port}: " in str(caught.value)
    assert "bücher" not in str(caught.value)
    tells_no_secret(caught.value)


async def test_a_name_that_nobody_knows(way: str, looked_up: list[str]) -> None:
    client = client_of(way, "http://unbekannt-ü.example")
    with pytest.raises(NotSentError, match=r"on xn--unbekannt--jeb\.example: .*not known") as caught:
        await client.runspaces.list()
    await close(client)
    assert set(looked_up) == {"xn--unbekannt--jeb.example"}
    tells_no_secret(caught.value)


@pytest.mark.parametrize(
    "name", ["bü cher.example", "\udce9.example", "xn--\xe9.example", "ü" * 70 + ".example"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    """Before anything is sent; the error of an encoder would hold what was to be encoded."""
    with pytest.raises(ValueError, match=r"^url ") as caught:
        AsyncSrsClient(f"https://{name}", auth=KEY)
    tells_no_secret(caught.value)


def tells_no_secret(error: BaseException) -> None:
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "the-key" not in told
