"""Which proxy the environment names, host by host; and what becomes of a proxy that cannot be used."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere import ApiError, AsyncSrsClient, NotSentError, RetryEvent, RetryPolicy, SrsClient, SsoAuth
from srs_vsphere._http.address import Address
from srs_vsphere._http.proxies import EnvironmentProxy, environment_proxy, is_excluded
from tests.http.serving import Talk, ok, serving

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
ABOUT = ok(b'{"product": "through the proxy"}')


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def address(url: str) -> Address:
    return Address.of_url(httpx.URL(url))


EXCLUDED = [
    ("https://srs.example.com", "srs.example.com"),
    ("https://srs.example.com", "example.com"),
    ("https://srs.example.com", ".example.com"),
    ("https://srs.example.com", "*.example.com"),
    ("https://srs.example.com", "*"),
    ("https://srs.example.com", "other.example, EXAMPLE.COM"),
    ("https://srs.example.com", "other.example example.com"),
    ("https://srs.example.com.", "srs.example.com"),
    ("https://srs.example.com", "srs.example.com."),
    ("https://srs.example.com:8443", "srs.example.com:8443"),
    ("https://srs.example.com", "srs.example.com:443"),
    ("http://srs.example.com", "srs.example.com:80"),
    ("https://xn--bcher-kva.example", "bücher.example"),
    ("https://192.168.3.4", "192.168.3.4"),
    ("https://192.168.3.4", "192.168.0.0/16"),
    ("https://192.168.3.4:8443", "192.168.3.4:8443"),
    ("https://[::1]", "::1"),
    ("https://[::1]", "[::1]"),
    ("https://[::1]:8443", "[::1]:8443"),
    ("https://[2001:db8::5]", "2001:db8::/32"),
    ("https://[2001:db8:0::5]", "2001:0db8::5"),
]
NOT_EXCLUDED = [
    ("https://srs.example.com", ""),
    ("https://srs.example.com", " , "),
    ("https://srs.example.com", "ample.com"),
    ("https://srs.example.com", "srs.example.com.org"),
    ("https://example.com", "srs.example.com"),
    ("https://srs.example.com", "srs.example.com:8443"),
    ("https://srs.example.com", "192.168.0.0/16"),
    ("https://srs.example.com", "."),
    ("https://192.168.3.4", "192.168.3.40"),
    ("https://192.168.3.4", "3.4"),
    ("https://192.168.3.4", "192.169.0.0/16"),
    ("https://192.168.3.4", "2001:db8::/32"),
    ("https://[2001:db9::5]", "2001:db8::/32"),
    ("https://192.168.3.4", "192.168.0.0/99"),
]


@pytest.mark.parametrize(("url", "no_proxy"), EXCLUDED)
def test_excluded(url: str, no_proxy: str) -> None:
    assert is_excluded(address(url), no_proxy)


@pytest.mark.parametrize(("url", "no_proxy"), NOT_EXCLUDED)
def test_not_excluded(url: str, no_proxy: str) -> None:
    assert not is_excluded(address(url), no_proxy)


@given(st.ip_addresses(), st.text(max_size=30))
def test_an_address_is_excluded_by_itself_among_anything(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address, noise: str
) -> None:
    url = f"https://[{ip}]" if ip.version == 6 else f"https://{ip}"
    assert is_excluded(address(url), f"{noise},{ip}")
    assert is_excluded(address(url), f"{ip} {noise}")


@pytest.mark.parametrize(
    ("variables", "url", "variable"),
    [
        ({}, "https://srs.example.com", None),
        ({"HTTPS_PROXY": "http://proxy:1"}, "https://srs.example.com", "HTTPS_PROXY"),
        ({"https_proxy": "http://proxy:1"}, "https://srs.example.com", "https_proxy"),
        ({"HTTPS_PROXY": "http://big:1", "https_proxy": "http://proxy:1"}, "https://a.b", "https_proxy"),
        ({"HTTPS_PROXY": "http://proxy:1"}, "http://srs.example.com", None),
        ({"HTTP_PROXY": "http://proxy:1"}, "http://srs.example.com", "HTTP_PROXY"),
        ({"ALL_PROXY": "http://proxy:1"}, "https://srs.example.com", "ALL_PROXY"),
        ({"ALL_PROXY": "http://all:1", "HTTPS_PROXY": "http://proxy:1"}, "https://a.b", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "b"}, "https://a.b", None),
        ({"HTTPS_PROXY": "http://proxy:1", "no_proxy": "c"}, "https://a.b", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": " "}, "https://a.b", None),
    ],
)
def test_which_variable_counts(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, variable: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    proxy = environment_proxy(address(url))
    assert (proxy and proxy.variable) == variable
    if proxy is not None:
        assert proxy.parsed().url == "http://proxy:1"


def test_a_proxys_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@proxy:1")
    proxy = environment_proxy(address("https://a.b"))
    assert proxy is not None
    assert "hunter2" not in repr(proxy)
    assert proxy.parsed().auth == ("user", "hunter2")


BAD = [
    "ftp://proxy.example.com",
    "http://",
    "http://proxy:port",
    "://",
    "http://[::1",
    "socks4://proxy:1",
    "ht!tp:/proxy",
    "http:/proxy",
    "http//proxy:1",
    "http://p!roxy",
    "http://p roxy:1",
    "http://p..roxy",
    f"http://{'p' * 70}.example.com",
    "http://proxy:0",
    "http://proxy:99999",
]


@pytest.mark.anyio
@pytest.mark.parametrize("value", BAD)
async def test_a_variable_nothing_can_be_made_of(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value.replace("://", "://user:hunter2@") if "//p" in value else value)
    events: list[RetryEvent] = []
    # Clients that do not need it do not care, and one that needs it says so with its first request.
    async with serving(lambda talk: talk.send(ABOUT)) as server:
        async with AsyncSrsClient(server.url.rstrip("/")) as client:
            await client.about()
    async with AsyncSrsClient("https://srs.invalid", on_retry=events.append) as client:
        with pytest.raises(NotSentError, match="HTTPS_PROXY is not the URL of a proxy") as caught:
            await client.about()
    with SrsClient("https://srs.invalid", on_retry=events.append) as sync_client:
        with pytest.raises(NotSentError, match="HTTPS_PROXY is not the URL of a proxy"):
            sync_client.about()
    assert events == []
    assert "hunter2" not in str(caught.value)


@pytest.mark.anyio
async def test_a_proxy_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{unheard.getsockname()[1]}")
        with pytest.raises(NotSentError, match="through the proxy that HTTPS_PROXY names") as caught:
            async with AsyncSrsClient("https://srs.invalid", retry=RetryPolicy.off()) as client:
                await client.about()
        with pytest.raises(NotSentError, match="through the proxy that HTTPS_PROXY names"):
            with SrsClient("https://srs.invalid", retry=RetryPolicy.off()) as sync_client:
                sync_client.about()
    assert "hunter2" not in str(caught.value)


def test_the_token_service_is_reached_by_the_same_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@p!roxy")
    auth = SsoAuth("alice", "sesame-7Qx", sts_url="https://sts.invalid")
    with pytest.raises(NotSentError, match="HTTPS_PROXY is not the URL of a proxy") as caught:
        auth.credentials()
    assert "hunter2" not in str(caught.value)


def test_a_failure_without_words_is_named_too() -> None:
    with pytest.raises(
        httpx.ConnectTimeout, match=r"^no connection \(through the proxy that ALL_PROXY names\)$"
    ):
        with EnvironmentProxy("ALL_PROXY", "proxy").named():
            raise httpx.ConnectTimeout("")


@pytest.mark.anyio
async def test_a_socks_proxy_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    async with AsyncSrsClient("http://srs.invalid") as client:
        with pytest.raises(NotSentError, match=r"ALL_PROXY names a SOCKS proxy: install httpx\[socks\]"):
            await client.about()


@pytest.mark.anyio
async def test_through_a_proxy_and_past_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    async def script(talk: Talk) -> None:
        while True:
            seen.append((await talk.request()).partition(b"\r\n")[0])
            await talk.send(ABOUT)

    async with serving(script) as server:
        proxy = server.url
        monkeypatch.setenv("HTTP_PROXY", proxy)
        async with AsyncSrsClient("http://srs.invalid") as client:
            await client.about()
            assert not client._http.goes_straight()
        await asyncio.to_thread(_about, "http://srs.invalid")
        assert seen == [b"GET http://srs.invalid/api/about HTTP/1.1"] * 2
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
        async with AsyncSrsClient(proxy.rstrip("/")) as client:
            await client.about()
        await asyncio.to_thread(_about, proxy.rstrip("/"))
        assert seen[2:] == [b"GET /api/about HTTP/1.1"] * 2


def _about(url: str) -> None:
    with SrsClient(url) as client:
        client.about()


@pytest.mark.anyio
@pytest.mark.parametrize("url", ["https://srs.invalid", "http://srs.invalid"])
async def test_a_proxy_that_wants_credentials_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(refusal)

    def about() -> None:
        with pytest.raises((NotSentError, ApiError), match="user:password@"):
            _about(url)

    async with serving(script) as server:
        monkeypatch.setenv("ALL_PROXY", server.url)
        async with AsyncSrsClient(url) as client:
            with pytest.raises((NotSentError, ApiError), match="user:password@"):
                await client.about()
        assert server.connections == 1
        await asyncio.to_thread(about)
        assert server.connections == 2
