"""Whatever ends a call, no frame of its traceback shows key, request, script or parameters."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Iterator

import httpx
import pytest

from srs_vsphere import (
    ApiKeyAuth,
    AsyncSrsClient,
    AsyncSrsFleet,
    BasicAuth,
    Credential,
    FileAuth,
    RetryPolicy,
    SrsClient,
    SrsError,
    SrsFleet,
    SsoAuth,
    Target,
    Tls,
    fetch_certificate,
    trust,
)
from srs_vsphere._http.default_transport import DefaultTransport
from tests.raw_server import RawServer, Visit

pytestmark = pytest.mark.anyio

AT_ONCE = RetryPolicy(backoff=0)
KEY = "k3y-of-the-session"
SECRETS = (KEY, "hunter2", "aHVudGVyMg", "Get-Secret", "p4rameter", "YWxpY2U6aHVudGVyMg")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def shown(error: BaseException) -> str:
    """What a logger with variables shows: all frames but this test's own."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    left, texts = [report], []
    while left:
        found = left.pop()
        texts += found.format_exception_only()
        for frame in found.stack:
            if frame.filename != __file__:
                texts.append(f"{frame.filename}:{frame.name} {frame.locals}")
        left += [each for each in (found.__cause__, found.__context__) if each is not None]
    return "\n".join(texts)


def check(error: BaseException) -> None:
    text = shown(error)
    assert [secret for secret in SECRETS if secret in text] == [], text


class Silent:
    """A server that reads requests and never answers; who comes after the first is not even heard."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)

    def __call__(self, visit: Visit) -> None:
        if visit.number > 1:
            return
        visit.request()
        self.asked.release()
        visit.hung_up()


CALLS = ["list", "run", "login"]


async def call_async(client: AsyncSrsClient, what: str) -> None:
    if what == "run":
        await client.run("Get-Secret $a", parameters={"a": "p4rameter"}, runspace="rs-1")
    else:
        await client.runspaces.list()


def call_sync(client: SrsClient, what: str) -> None:
    if what == "run":
        client.run("Get-Secret $a", parameters={"a": "p4rameter"}, runspace="rs-1")
    else:
        client.runspaces.list()


@pytest.fixture
def auth(what: str) -> Iterator[BasicAuth | ApiKeyAuth]:
    return BasicAuth("alice", "hunter2") if what == "login" else ApiKeyAuth(KEY)


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("end", ["close", "cancel"])
async def test_an_async_call_that_is_ended_from_outside(
    what: str, end: str, auth: BasicAuth | ApiKeyAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = Silent()
    with RawServer(silent) as server:
        client = AsyncSrsClient(server.url, auth=auth, retry=AT_ONCE)
        task = asyncio.create_task(call_async(client, what))
        await asyncio.to_thread(silent.asked.acquire)
        if end == "close":
            client._session.sender.closed = client._session._state.closed = True
            await client._http.aclose()
        else:
            task.cancel()
        with pytest.raises((SrsError, asyncio.CancelledError)) as caught:
            await task
        check(caught.value)
        if end == "close":
            assert isinstance(caught.value, SrsError)
            assert "closed" in str(caught.value)
        await client._http.aclose()


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("transport", ["own", "httpx"])
def test_a_sync_call_whose_client_is_closed(
    what: str, transport: str, auth: BasicAuth | ApiKeyAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    if transport == "httpx":
        monkeypatch.setattr(DefaultTransport, "own", lambda _: None)
    silent = Silent()
    errors: list[BaseException] = []
    with RawServer(silent) as server:
        client = SrsClient(server.url, auth=auth)

        def run() -> None:
            try:
                call_sync(client, what)
            except BaseException as error:  # it is looked at below
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        silent.asked.acquire()
        client._session.sender.closed = client._session._state.closed = True
        client._http.close()
        thread.join()
    (error,) = errors
    assert isinstance(error, SrsError)
    assert "closed" in str(error)
    check(error)


async def test_an_error_of_the_programs_own_hook_keeps_its_own_frames_only() -> None:
    async def hook(request: httpx.Request) -> None:
        raise KeyError("theirs")

    async with httpx.AsyncClient(event_hooks={"request": [hook]}) as http_client:
        client = AsyncSrsClient("http://srs.invalid", auth=ApiKeyAuth(KEY), http_client=http_client)
        with pytest.raises(KeyError) as caught:
            await client.runspaces.list()
    check(caught.value)
    assert "hook" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


async def test_a_closed_http_client_of_the_programs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    http_client = httpx.AsyncClient()
    client = AsyncSrsClient("http://srs.invalid", auth=ApiKeyAuth(KEY), http_client=http_client)
    await http_client.aclose()
    with pytest.raises(SrsError, match="the HTTP client is closed") as caught:
        await client.runspaces.list()
    check(caught.value)
    assert caught.value.attempts == 1


async def test_a_connection_that_breaks() -> None:
    def play(visit: Visit) -> None:
        visit.request()

    with RawServer(play) as server:
        client = AsyncSrsClient(server.url, auth=ApiKeyAuth(KEY), retry=AT_ONCE)
        with pytest.raises(SrsError) as caught:
            await client.run("Get-Secret $a", parameters={"a": "p4rameter"}, runspace="rs-1")
        check(caught.value)
        await client._http.aclose()


@pytest.mark.parametrize(
    "make",
    [
        lambda: AsyncSrsClient("nonsense"),
        lambda: SrsClient("nonsense"),
        lambda: AsyncSrsFleet([], concurrency=0),
        lambda: SrsFleet([], concurrency=0),
        lambda: SsoAuth("alice", "hunter2", "nonsense"),
        lambda: BasicAuth("", "hunter2"),
        lambda: Credential("", "hunter2"),
        lambda: ApiKeyAuth("\n"),
        lambda: FileAuth("alice", 5),
        lambda: SrsClient("https://srs.test", auth="alice:hunter2"),
        lambda: SrsClient.from_env(url="https://srs.test", auth="alice:hunter2"),
        lambda: SrsClient("https://srs.test", auth=BasicAuth("alice", "hunter2"), tls=Tls(verify=False)),
        lambda: Target("a", "https://srs.test", "alice:hunter2"),
        lambda: Target("a", "https://alice:hunter2@srs.test"),
        lambda: Target("a", "https://srs.test", labels=5),
        lambda: SrsClient("https://alice:hunter2@srs.test"),
        lambda: AsyncSrsClient("https://alice:hunter2@srs.test"),
        lambda: fetch_certificate("https://alice:hunter2@srs.test"),
        lambda: trust("https://alice:hunter2@srs.test", "known_hosts", confirm=bool),
        lambda: SsoAuth("alice", "hunter2", "https://alice:hunter2@srs.test"),
        lambda: SsoAuth("alice", "hunter2", "http://srs.test"),
        lambda: Target("", "https://srs.test", BasicAuth("alice", "hunter2")),
        lambda: Tls(thumbprint=5),
        lambda: Tls(thumbprint="zz", client_certificate="a", client_key_password="hunter2"),
        lambda: Tls(client_key_password=b"hunter2"),
    ],
)
def test_what_an_argument_kept_from_being_made_can_be_shown(make: Callable[[], object]) -> None:
    """Its frame holds it, and its attributes are not there yet."""
    with pytest.raises((SrsError, ValueError, TypeError)) as caught:
        make()
    check(caught.value)
