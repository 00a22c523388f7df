"""A program's own HTTP client: every request goes through it as it is configured, and it stays open."""

from __future__ import annotations

import httpx
import pytest

from srs_vsphere import (
    ApiKeyAuth,
    SrsClient,
    AuthenticationError,
    BasicAuth,
    NotSentError,
    SrsError,
    Tls,
    TransportError,
)
from srs_vsphere.simulator import Fault, SimServer, Simulator
from tests._sync.helping import AUTH, HURRIED

pytestmark = pytest.mark.anyio


def test_requests_go_through_it_and_it_stays_open(server: SimServer, simulator: Simulator) -> None:
    simulator.add_runspace()
    seen: list[str] = []

    def hook(request: httpx.Request) -> None:
        seen.append(f"{request.method} {request.url.path} {request.headers['X-Team']}")

    with httpx.Client(headers={"X-Team": "blue"}, event_hooks={"request": [hook]}) as http_client:
        with SrsClient(server.url, auth=AUTH, http_client=http_client) as client:
            assert len(client.runspaces.list()) == 1
            with client.runspaces.stream() as runspaces:
                assert len([runspace for runspace in runspaces]) == 1
            runspace = client.runspaces.create()
            client.runspaces.delete(runspace.id)
        assert not http_client.is_closed
        assert (http_client.get(f"{server.url}/api/about")).status_code == 200
    assert seen == [
        "POST /api/auth/login blue",
        "GET /api/runspaces blue",
        "GET /api/runspaces blue",
        "POST /api/runspaces blue",
        f"DELETE /api/runspaces/{runspace.id} blue",
        "POST /api/auth/logout blue",
        "GET /api/about blue",
    ]


def test_its_auth_and_mounts_count(server: SimServer) -> None:
    class Signed(httpx.Auth):
        def auth_flow(self, request):
            request.headers["X-Signature"] = "signed"
            yield request

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["X-Signature"] == "signed"
        return httpx.Response(200, json=[{"id": "mounted"}])

    mounts = {"all://srs.invalid": httpx.MockTransport(respond)}
    with httpx.Client(auth=Signed(), mounts=mounts) as http_client:
        client = SrsClient("http://srs.invalid", auth=ApiKeyAuth("k"), http_client=http_client)
        assert [runspace.id for runspace in client.runspaces.list()] == ["mounted"]
        with SrsClient(server.url, auth=AUTH, http_client=http_client) as client:
            client.runspaces.list()


def test_it_follows_no_redirect_which_would_carry_the_key_elsewhere(server: SimServer) -> None:
    visited: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        visited.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://elsewhere.invalid/"})

    transport = httpx.MockTransport(respond)
    with httpx.Client(transport=transport, follow_redirects=True) as http_client:
        client = SrsClient("http://srs.invalid", auth=ApiKeyAuth("k"), http_client=http_client)
        with pytest.raises(SrsError, match="Redirects are not followed"):
            client.runspaces.list()
    assert visited == ["srs.invalid"]


def test_failures_are_retried_and_told_as_ever(server: SimServer, nowhere: str) -> None:
    with httpx.Client() as http_client:
        with SrsClient(server.url, auth=AUTH, retry=HURRIED, http_client=http_client) as client:
            server.faults.add(Fault(operation="about", status=503, times=2))
            client.about()
            server.faults.add(Fault(operation="about", reset="before", times=5))
            with pytest.raises(TransportError):
                client.about()
        client = SrsClient(nowhere, retry=HURRIED, http_client=http_client)
        with pytest.raises(NotSentError):
            client.about()
        client = SrsClient(server.url, auth=BasicAuth("alice", "wrong"), http_client=http_client)
        with pytest.raises(AuthenticationError):
            client.runspaces.list()


def test_a_client_of_httpx2(server: SimServer, simulator: Simulator, nowhere: str) -> None:
    httpx2 = pytest.importorskip("httpx2", reason="httpx2 is not installed")
    simulator.add_runspace()
    with httpx2.Client() as http_client:
        with SrsClient(server.url, auth=AUTH, retry=HURRIED, http_client=http_client) as client:
            assert len(client.runspaces.list()) == 1
            with client.runspaces.stream() as runspaces:
                assert len([runspace for runspace in runspaces]) == 1
            client.runspaces.create()
            server.faults.add(Fault(operation="about", reset="before", times=5))
            with pytest.raises(TransportError):
                client.about()
        assert not http_client.is_closed
        client = SrsClient(nowhere, retry=HURRIED, http_client=http_client)
        with pytest.raises(NotSentError, match="ConnectError"):
            client.about()


class LikeHttpx:
    """It sends as httpx does and is of no class of httpx's."""

    def __init__(self) -> None:
        self.client = httpx.Client()
        self.sent = 0

    def build_request(self, *args, **kwargs):
        return self.client.build_request(*args, **kwargs)

    def send(self, *args, **kwargs):
        self.sent += 1
        return self.client.send(*args, **kwargs)


def test_it_is_judged_by_what_it_can_do(server: SimServer) -> None:
    like = LikeHttpx()
    with like.client, SrsClient(server.url, auth=AUTH, http_client=like) as client:
        client.runspaces.list()
    assert like.sent == 3


class WithoutBuild:
    def send(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError


@pytest.mark.parametrize(
    "wrong", [5, "client", object(), httpx.Client, httpx.MockTransport(print), WithoutBuild()]
)
def test_what_is_no_http_client_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"^http_client must be"):
        SrsClient("http://srs.invalid", http_client=wrong)


def test_a_closed_one_is_refused() -> None:
    http_client = httpx.Client()
    http_client.close()
    with pytest.raises(ValueError, match=r"^http_client is closed"):
        SrsClient("http://srs.invalid", http_client=http_client)


def test_it_excludes_transport_and_tls() -> None:
    with httpx.Client() as http_client:
        with pytest.raises(TypeError, match=r"^http_client and transport exclude each other"):
            SrsClient(
                "http://srs.invalid", http_client=http_client, transport=httpx.MockTransport(print)
            )
        with pytest.raises(TypeError, match=r"^http_client and tls exclude each other"):
            SrsClient("http://srs.invalid", http_client=http_client, tls=Tls())


def test_its_authorization_would_take_the_place_of_the_logins(server: SimServer) -> None:
    with httpx.Client(auth=("gateway", "sesame-7Qx")) as http_client:
        with pytest.raises(ValueError, match=r"^http_client has auth of its own.*ApiKeyAuth"):
            SrsClient(server.url, auth=AUTH, http_client=http_client)
        SrsClient(server.url, auth=ApiKeyAuth("k"), http_client=http_client)
