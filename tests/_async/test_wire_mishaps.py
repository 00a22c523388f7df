"""What servers and proxies do to connections, on each transport that a client may go through."""

from __future__ import annotations

import gc
import re
import threading

import httpx
import pytest

from srs_vsphere import (
    ApiKeyAuth,
    AsyncSrsClient,
    AsyncWorkerPool,
    DecodeError,
    NotSentError,
    RetryEvent,
    RetryPolicy,
    ServerError,
    SrsError,
    Timeouts,
)
from srs_vsphere._http import default_transport
from srs_vsphere.simulator import SimServer
from tests._async.helping import HURRIED, AsyncSimulatedClock, free_slots, make_client
from tests.raw_server import RawServer, Visit, response, runspaces

pytestmark = pytest.mark.anyio

KEY = ApiKeyAuth("the-key")


@pytest.fixture(params=["own", "httpx"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Send through our own transport where there is one, or through httpx's."""
    if request.param == "httpx":
        monkeypatch.setattr(default_transport.AsyncDefaultTransport, "own", lambda _: None)
    chosen: str = request.param
    return chosen


def client_of(server: RawServer, **options: object) -> AsyncSrsClient:
    return AsyncSrsClient(server.url, auth=KEY, retry=HURRIED, **options)


async def ids(client: AsyncSrsClient) -> list[str]:
    return [runspace.id for runspace in await client.runspaces.list()]


async def test_a_second_response_in_the_same_segment_answers_no_request(transport: str) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        if visit.number == 1:
            visit.send(runspaces("first") + response(b'{"id": "somebody else\'s"}'))
        else:
            visit.send(response(b'{"id": "mine"}', b"201 Created"))
        visit.hung_up()

    with RawServer(play) as server:
        async with client_of(server) as client:
            assert await ids(client) == ["first"]
            assert (await client.runspaces.create()).id == "mine"
        assert server.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_second_response_that_lies_in_the_socket_answers_no_request(
    transport: str, method: str
) -> None:
    received, sent = threading.Event(), threading.Event()

    def play(visit: Visit) -> None:
        visit.request()
        visit.send(runspaces("first"))
        if visit.number == 1:
            received.wait()
            visit.send(response(b'{"id": "evil"}'))
            sent.set()
            visit.hung_up()
        visit.request()
        visit.send(response(b'{"id": "right"}'))
        visit.hung_up()

    def play_late(visit: Visit) -> None:
        if visit.number == 1:
            play(visit)
        else:
            visit.request()
            visit.send(runspaces("right") if method == "GET" else response(b'{"id": "right"}'))
            visit.hung_up()

    with RawServer(play_late) as server:
        async with client_of(server) as client:
            assert await ids(client) == ["first"]
            received.set()
            # No event loop runs meanwhile, so nobody has read it.
            sent.wait()
            if method == "GET":
                assert await ids(client) == ["right"]
            else:
                assert (await client.runspaces.create()).id == "right"
        assert server.connections == 2


async def test_408_on_a_kept_connection_is_the_end_of_that_connection_only(transport: str) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.send(runspaces(str(visit.number)))
        if visit.number == 1:
            visit.request()
            visit.send(response(b"", b"408 Request Timeout", b"Connection: close"))

    with RawServer(play) as server:
        async with client_of(server) as client:
            assert await ids(client) == ["1"]
            assert await ids(client) == ["2"]


async def test_408_for_what_must_not_happen_twice_is_no_fault_of_the_request(transport: str) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.send(response(b"", b"408 Request Timeout", b"Connection: close"))

    with RawServer(play) as server:
        async with client_of(server) as client:
            with pytest.raises(ServerError) as caught:
                await client.runspaces.create("a name of their own")
        assert caught.value.status == 408
        assert server.connections == 1


async def test_after_a_dead_kept_connection_no_older_one_is_tried(transport: str) -> None:
    together = threading.Barrier(3)

    def play(visit: Visit) -> None:
        visit.request()
        if visit.number <= 3:
            together.wait()
        visit.send(runspaces(str(visit.number)))
        if visit.number <= 3:
            # From here on it is dead: what is sent to it is heard by nobody.
            visit.hung_up()
        visit.request()

    attempts: list[int] = []

    def on_retry(event: RetryEvent) -> None:
        attempts.append(event.attempt)
        # The fresh connection has as much time as the machine needs.
        set_timeouts(Timeouts())

    def set_timeouts(timeouts: Timeouts) -> None:
        client._session.sender._timeouts = timeouts
        # The request as it was sent before has the timeouts of that time.
        client._session.sender._requests.kept.clear()

    with RawServer(play) as server:
        async with AsyncSrsClient(
            server.url, auth=KEY, retry=RetryPolicy(backoff=0.0), on_retry=on_retry
        ) as client:
            async with AsyncWorkerPool(3, range(3), lambda _: ids(client)) as found:
                assert sorted([each async for each in found]) == [["1"], ["2"], ["3"]]
            set_timeouts(Timeouts(read=0.2))
            assert await ids(client) == ["4"]
        assert attempts == [1]
        assert server.connections == 4


async def test_a_stream_that_is_never_left_gives_back_what_it_holds(server: SimServer) -> None:
    async with make_client(server.url, max_connections=1) as client:
        for _ in range(3):
            await enter_and_forget(client)
            with pytest.warns(ResourceWarning, match="never left"):
                gc.collect()
            await client.runspaces.list()
        assert free_slots(client) == 1


async def enter_and_forget(client: AsyncSrsClient) -> None:
    stream = client.runspaces.stream()
    # Only a circle keeps it, which the collector finds.
    stream.circle = stream
    await stream.__aenter__()


async def test_streams_that_hold_all_connections_are_named(server: SimServer) -> None:
    async with make_client(server.url, max_connections=2) as client:
        async with client.runspaces.stream(), client.runspaces.stream():
            with pytest.raises(NotSentError, match=r"open streams hold 2 of 2.*larger max_connections"):
                await client.with_options(timeout=0.2).runspaces.list()
        await client.runspaces.list()


async def test_each_of_many_calls_within_its_own_stream(server: SimServer) -> None:
    """Each holds a connection and waits for one more; the first that gives up frees its own."""
    async with make_client(server.url, max_connections=3) as client:
        hurried = client.with_options(timeout=0.2)
        streams = [client.runspaces.stream() for _ in range(3)]
        # All are open before the first call begins: none would become free for a stream that comes late.
        for stream in streams:
            await stream.__aenter__()

        async def call(number: int) -> str:
            try:
                await hurried.runspaces.list()
            except SrsError as error:
                return str(error)
            finally:
                await streams[number].__aexit__(None, None, None)
            return ""

        async with AsyncWorkerPool(3, range(3), call) as found:
            errors = [each async for each in found]
        assert any("open streams hold 3 of 3" in error for error in errors)
        # Another may get the connection that was freed, too late or not.
        waited = [error for error in errors if "no connection became free" in error]
        assert all(re.search("open streams hold [1-3] of 3", error) for error in waited)
        assert free_slots(client) == 3


async def test_a_connection_that_becomes_free_too_late_is_given_back(
    server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = AsyncSimulatedClock()
    async with make_client(server.url, clock=clock, max_connections=1) as client:
        await client.login()
        limiter = client._session.sender.limiter

        async def acquire(timeout: float) -> None:
            clock.seconds += timeout

        monkeypatch.setattr(limiter, "acquire", acquire)
        limiter.take()
        with pytest.raises(NotSentError, match="no connection became free before the deadline"):
            await client.runspaces.list()
        # Where the test took one slot, and the patch none, one was given back.
        assert free_slots(client) == 1


OTHER = b'{"id": "another", "name": "n"}'


@pytest.mark.parametrize("resource", ["runspaces", "script_executions", "argument_scripts", "web_consoles"])
async def test_an_object_that_was_not_asked_for_is_refused(resource: str) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=OTHER)

    async with AsyncSrsClient(
        "http://srs.invalid", auth=KEY, transport=httpx.MockTransport(respond)
    ) as client:
        found = getattr(client, resource)
        get = found.template if resource == "argument_scripts" else found.get
        assert (await get("another")).id == "another"
        with pytest.raises(DecodeError, match=r"another .* than the one asked for: 'another'"):
            await get("wanted")


@pytest.mark.parametrize(
    ("url", "header", "host"),
    [
        ("http://bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("http://BÜCHER.example:8080", "xn--bcher-kva.example:8080", "xn--bcher-kva.example:8080"),
        ("http://[fe80::1%eth0]", "[fe80::1]", "[fe80::1%eth0]"),
        ("http://[fe80::1%eth0]:8080", "[fe80::1]:8080", "[fe80::1%eth0]:8080"),
        ("http://[::1]:8080", "[::1]:8080", "[::1]:8080"),
    ],
)
async def test_how_requests_and_errors_name_the_host(url: str, header: str, host: str) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["Host"] == header
        return httpx.Response(500, json={})

    async with AsyncSrsClient(url, auth=KEY, transport=httpx.MockTransport(respond)) as client:
        with pytest.raises(ServerError) as caught:
            await client.runspaces.list()
    assert caught.value.host == host
    assert str(caught.value).isascii()
