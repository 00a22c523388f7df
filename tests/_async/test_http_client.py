"""A program's own HTTP client: every request goes through it as it is configured, and it stays open."""

from __future__ import annotations

import httpx
import pytest

from srs_vsphere import (
    ApiKeyAuth,
    AsyncSrsClient,
    AuthenticationError,
    BasicAuth,
    NotSentError,
    SrsError,
    Tls,
    TransportError,
)
from srs_vsphere.simulator import Fault, SimServer, Simulator
from tests._async.helping import AUTH, HURRIED

pytestmark = pytest.mark.anyio


async def test_requests_go_through_it_and_it_stays_open(server: SimServer, simulator: Simulator) -> None:
    simulator.add_runspace()
    seen: list[str] = []

    async def hook(request: httpx.Request) -> None:
        seen.append(f"{request.method} {request.url.path} {request.headers['X-Team']}")

    async with httpx.AsyncClient(headers={"X-Team": "blue"}, event_hooks={"request": [hook]}) as http_client:
        async with AsyncSrsClient(server.url, auth=AUTH, http_client=http_client) as client:
            assert len(await client.runspaces.list()) == 1
            async with client.runspaces.stream() as runspaces:
                assert len([runspace async for runspace in runspaces]) == 1
            runspace = await client.runspaces.create()
            await client.runspaces.delete(runspace.id)
        assert not http_client.is_closed
        assert (await http_client.get(f"{server.url}/api/about")).status_code == 200
    assert seen == [
        "POST /api/auth/login blue",
        "GET /api/runspaces blue",
        "GET /api/runspaces blue",
        "POST /api/runspaces blue",
        f"DELETE /api/runspaces/{runspace.id} blue",
        "POST /api/auth/logout blue",
        "GET /api/about blue",
    ]


async def test_its_auth_and_mounts_count(server: SimServer) -> None:
    class Signed(httpx.Auth):
        def auth_flow(self, request):
            request.headers["X-Signature"] = "signed"
            yield request

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["X-Signature"] == "signed"
        return httpx.Response(200, json=[{"id": "mounted"}])

    mounts = {"all://srs.invalid": httpx.MockTransport(respond)}
    async with httpx.AsyncClient(auth=Signed(), mounts=mounts) as http_client:
        client = AsyncSrsClient("http://srs.invalid", auth=ApiKeyAuth("k"), http_client=http_client)
        assert [runspace.id for runspace in await client.runspaces.list()] == ["mounted"]
        async with AsyncSrsClient(server.url, auth=AUTH, http_client=http_client) as client:
            await client.runspaces.list()


async def test_it_follows_no_redirect_which_would_carry_the_key_elsewhere(server: SimServer) -> None:
    visited: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        visited.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://elsewhere.invalid/"})

    transport = httpx.MockTransport(respond)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http_client:
        client = AsyncSrsClient("http://srs.invalid", auth=ApiKeyAuth("k"), http_client=http_client)
        with pytest.raises(SrsError, match="Redirects are not followed"):
            await client.runspaces.list()
    assert visited == ["srs.invalid"]


async def test_failures_are_retried_and_told_as_ever(server: SimServer, nowhere: str) -> None:
    async with httpx.AsyncClient() as http_client:
        async with AsyncSrsClient(server.url, auth=AUTH, retry=HURRIED, http_client=http_client) as client:
            server.faults.add(Fault(operation="about", status=503, times=2))
            await client.about()
            server.faults.add(Fault(operation="about", reset="before", times=5))
            with pytest.raises(TransportError):
                await client.about()
        client = AsyncSrsClient(nowhere, retry=HURRIED, http_client=http_client)
        with pytest.raises(NotSentError):
            await client.about()
        client = AsyncSrsClient(server.url, auth=BasicAuth("alice", "wrong"), http_client=http_client)
        with pytest.raises(AuthenticationError):
            await client.runspaces.list()


async def test_a_client_of_httpx2(server: SimServer, simulator: Simulator, nowhere: str) -> None:
    httpx2 = pytest.importorskip("httpx2", reason="httpx2 is not installed")
    simulator.add_runspace()
    async with httpx2.AsyncClient() as http_client:
        async with AsyncSrsClient(server.url, auth=AUTH, retry=HURRIED, http_client=http_client) as client:
            assert len(await client.runspaces.list()) == 1
            async with client.runspaces.stream() as runspaces:
                assert len([runspace async for runspace in runspaces]) == 1
            await client.runspaces.create()
            server.faults.add(Fault(operation="about", reset="before", times=5))
            with pytest.raises(TransportError):
                await client.about()
        assert not http_client.is_closed
        client = AsyncSrsClient(nowhere, retry=HURRIED, http_client=http_client)
        with pytest.raises(NotSentError, match="ConnectError"):
            await client.about()


class LikeHttpx:
    """It sends as httpx does and is of no class of httpx's."""

    def __init__(self) -> None:
        self.client = httpx.AsyncClient()
        self.sent = 0

    def build_request(self, *args, **kwargs):
        return self.client.build_request(*args, **kwargs)

    async def send(self, *args, **kwargs):
        self.sent += 1
        return await self.client.send(*args, **kwargs)


async def test_it_is_judged_by_what_it_can_do(server: SimServer) -> None:
    like = LikeHttpx()
    async with like.client, AsyncSrsClient(server.url, auth=AUTH, http_client=like) as client:
        await client.runspaces.list()
    assert like.sent == 3


class WithoutBuild:
    async def send(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError


@pytest.mark.parametrize(
    "wrong", [5, "client", object(), httpx.AsyncClient, httpx.MockTransport(print), WithoutBuild()]
)
def test_what_is_no_http_client_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"^http_client must be"):
        AsyncSrsClient("http://srs.invalid", http_client=wrong)


async def test_a_closed_one_is_refused() -> None:
    http_client = httpx.AsyncClient()
    await http_client.aclose()
    with pytest.raises(ValueError, match=r"^http_client is closed"):
        AsyncSrsClient("http://srs.invalid", http_client=http_client)


async def test_it_excludes_transport_and_tls() -> None:
    async with httpx.AsyncClient() as http_client:
        with pytest.raises(TypeError, match=r"^http_client and transport exclude each other"):
            AsyncSrsClient(
                "http://srs.invalid", http_client=http_client, transport=httpx.MockTransport(print)
            )
        with pytest.raises(TypeError, match=r"^http_client and tls exclude each other"):
            AsyncSrsClient("http://srs.invalid", http_client=http_client, tls=Tls())


async def test_its_authorization_would_take_the_place_of_the_logins(server: SimServer) -> None:
    async with httpx.AsyncClient(auth=("gateway", "sesame-7Qx")) as http_client:
        with pytest.raises(ValueError, match=r"^http_client has auth of its own.*ApiKeyAuth"):
            AsyncSrsClient(server.url, auth=AUTH, http_client=http_client)
        AsyncSrsClient(server.url, auth=ApiKeyAuth("k"), http_client=http_client)
