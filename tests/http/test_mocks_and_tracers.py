"""Mocks and tracers see the requests, whether they are installed before or after the client is made.

The server behind the URL is real and counts its connections: what is mocked must never reach it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import vcr
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from srs_vsphere import ApiKeyAuth, AsyncSrsClient, RetryPolicy, SrsClient, SrsError
from srs_vsphere.simulator import SimServer, Simulator

pytestmark = pytest.mark.anyio

KEY = ApiKeyAuth("the-key")
ONCE = RetryPolicy(attempts=1)
MOCKED = {"id": "mocked", "name": "m", "state": "ready"}

# httpx2 has no mocks of its own; what patches `httpx` by name does not find it.
only_httpx = pytest.mark.skipif(httpx.__name__ != "httpx", reason="the mock patches httpx, not httpx2")


class Listener:
    """A server that must not be reached: it counts who comes."""

    def __init__(self) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}"

    def visitors(self) -> int:
        self.sock.setblocking(False)
        count = 0
        while True:
            try:
                visitor, _ = self.sock.accept()
            except BlockingIOError:
                return count
            visitor.close()
            count += 1


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    assert made.visitors() == 0
    made.sock.close()


Install = Callable[[], AbstractContextManager[object]]


async def poll_async(url: str, install: Install, *, before: bool) -> list[Any]:
    """Poll inside what is installed, and return what came."""
    with ExitStack() as stack:
        if before:
            stack.enter_context(install())
        client = AsyncSrsClient(url, auth=KEY, retry=ONCE)
        if not before:
            stack.enter_context(install())
        async with client:
            return [*await client.runspaces.list(), *await client.runspaces.list()]


def poll_sync(url: str, install: Install, *, before: bool) -> list[Any]:
    """Poll inside what is installed, and return what came."""
    with ExitStack() as stack:
        if before:
            stack.enter_context(install())
        client = SrsClient(url, auth=KEY, retry=ONCE)
        if not before:
            stack.enter_context(install())
        with client:
            return [*client.runspaces.list(), *client.runspaces.list()]


@contextmanager
def respx_mock(url: str, using: str) -> Iterator[respx.MockRouter]:
    with respx.mock(using=using, assert_all_called=True) as router:
        router.get(f"{url}/api/runspaces").respond(json=[MOCKED])
        yield router


@contextmanager
def patched(owner: type, name: str, replacement: object) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, replacement)
        yield


def respond(request: httpx.Request) -> httpx.Response:
    assert request.headers["X-SRS-API-KEY"] == "the-key"
    return httpx.Response(200, json=[MOCKED], request=request)


async def by_client(self: httpx.AsyncClient, request: httpx.Request, **_: object) -> httpx.Response:
    return respond(request)


def by_client_sync(self: httpx.Client, request: httpx.Request, **_: object) -> httpx.Response:
    return respond(request)


async def by_transport(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
    return respond(request)


def by_transport_sync(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
    return respond(request)


ASYNC_MOCKS: dict[str, Callable[[str], AbstractContextManager[object]]] = {
    "a patched send": lambda _: patched(httpx.AsyncClient, "send", by_client),
    "a patched transport": lambda _: patched(httpx.AsyncHTTPTransport, "handle_async_request", by_transport),
}
SYNC_MOCKS: dict[str, Callable[[str], AbstractContextManager[object]]] = {
    "a patched send": lambda _: patched(httpx.Client, "send", by_client_sync),
    "a patched transport": lambda _: patched(httpx.HTTPTransport, "handle_request", by_transport_sync),
}
if httpx.__name__ == "httpx":
    for mode in ("httpx", "httpcore"):
        ASYNC_MOCKS[f"respx in mode {mode}"] = lambda url, mode=mode: respx_mock(url, mode)
        SYNC_MOCKS[f"respx in mode {mode}"] = lambda url, mode=mode: respx_mock(url, mode)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("name", ASYNC_MOCKS)
async def test_mocks_of_an_async_client(listener: Listener, name: str, before: bool) -> None:
    found = await poll_async(listener.url, lambda: ASYNC_MOCKS[name](listener.url), before=before)
    assert [runspace.id for runspace in found] == ["mocked", "mocked"]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("name", SYNC_MOCKS)
def test_mocks_of_a_sync_client(listener: Listener, name: str, before: bool) -> None:
    found = poll_sync(listener.url, lambda: SYNC_MOCKS[name](listener.url), before=before)
    assert [runspace.id for runspace in found] == ["mocked", "mocked"]


@pytest.mark.parametrize("name", ASYNC_MOCKS)
async def test_a_mock_comes_and_goes_while_a_client_is_in_use(server: SimServer, name: str) -> None:
    async with AsyncSrsClient(server.url, auth=KEY, retry=ONCE) as client:
        for _ in range(2):
            await client.about()
            with ASYNC_MOCKS[name](server.url):
                assert [runspace.id for runspace in await client.runspaces.list()] == ["mocked"]
        await client.about()
        assert client._http.goes_straight() == (client._http._own is not None)


@only_httpx
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_mock_installed_before_the_package_was_loaded(listener: Listener, before: bool) -> None:
    """The package must not take a mock's functions for httpx's own."""
    load = "from srs_vsphere import SrsClient, ApiKeyAuth\n"
    program = f"""
import respx
{load if not before else ""}
with respx.mock(using="httpx") as router:
    router.get("{listener.url}/api/runspaces").respond(json=[])
    {load if before else ""}
    with SrsClient("{listener.url}", auth=ApiKeyAuth("k")) as client:
        assert client.runspaces.list() == []
assert client._http._own is None or SrsClient("{listener.url}")._http.goes_straight()
"""
    command = [sys.executable, "-W", "error", "-c", program]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True)


PYTEST_HTTPX = """
import pytest
from srs_vsphere import ApiKeyAuth, AsyncSrsClient, SrsClient

@pytest.fixture
def client_before():
    return AsyncSrsClient("{url}", auth=ApiKeyAuth("k"))

@pytest.fixture
def sync_before():
    return SrsClient("{url}", auth=ApiKeyAuth("k"))

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_before(client_before, httpx_mock):
    httpx_mock.add_response(json=[{{"id": "mocked"}}])
    async with client_before as client:
        assert [runspace.id for runspace in await client.runspaces.list()] == ["mocked"]

@pytest.mark.anyio
async def test_after(httpx_mock):
    httpx_mock.add_response(json=[{{"id": "mocked"}}])
    async with AsyncSrsClient("{url}", auth=ApiKeyAuth("k")) as client:
        assert [runspace.id for runspace in await client.runspaces.list()] == ["mocked"]

def test_sync_before(sync_before, httpx_mock):
    httpx_mock.add_response(json=[{{"id": "mocked"}}])
    with sync_before as client:
        assert [runspace.id for runspace in client.runspaces.list()] == ["mocked"]

def test_sync_after(httpx_mock):
    httpx_mock.add_response(json=[{{"id": "mocked"}}])
    with SrsClient("{url}", auth=ApiKeyAuth("k")) as client:
        assert [runspace.id for runspace in client.runspaces.list()] == ["mocked"]
"""


@only_httpx
def test_pytest_httpx(listener: Listener, tmp_path: Path) -> None:
    tests = tmp_path / "test_mocked.py"
    tests.write_text(PYTEST_HTTPX.format(url=listener.url), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_vcr_records_and_plays_back(simulator: Simulator, tmp_path: Path, before: bool) -> None:
    recorder = vcr.VCR(
        cassette_library_dir=str(tmp_path), filter_headers=["x-srs-api-key"], record_mode="none"
    )

    def cassette(mode: str, name: str) -> Install:
        return lambda: recorder.use_cassette(f"{name}.yaml", record_mode=mode)

    async def about(url: str, install: Install) -> object:
        with ExitStack() as stack:
            if before:
                stack.enter_context(install())
            client = AsyncSrsClient(url, retry=ONCE)
            if not before:
                stack.enter_context(install())
            async with client:
                return await client.about()

    def about_sync(url: str, install: Install) -> object:
        with ExitStack() as stack:
            if before:
                stack.enter_context(install())
            client = SrsClient(url, retry=ONCE)
            if not before:
                stack.enter_context(install())
            with client:
                return client.about()

    with SimServer(simulator) as server:
        url = server.url
        first = await about(url, cassette("once", "async"))
        assert first == about_sync(url, cassette("once", "sync"))
    # The server is gone: what is played back comes from the cassette.
    assert await about(url, cassette("none", "async")) == first
    assert about_sync(url, cassette("none", "sync")) == first


@pytest.fixture
def spans() -> Iterator[tuple[InMemorySpanExporter, TracerProvider]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter, provider
    provider.shutdown()


@only_httpx
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_opentelemetry(
    server: SimServer, spans: tuple[InMemorySpanExporter, TracerProvider], before: bool
) -> None:
    exporter, provider = spans

    @contextmanager
    def instrumented() -> Iterator[None]:
        HTTPXClientInstrumentor().instrument(tracer_provider=provider)
        try:
            yield
        finally:
            HTTPXClientInstrumentor().uninstrument()

    with ExitStack() as stack:
        if before:
            stack.enter_context(instrumented())
        client, sync_client = AsyncSrsClient(server.url), SrsClient(server.url)
        if not before:
            stack.enter_context(instrumented())
        async with client:
            await client.about()
        with sync_client:
            sync_client.about()
    assert [span.attributes["http.url"] for span in exporter.get_finished_spans()] == [
        f"{server.url}/api/about"
    ] * 2


@only_httpx
async def test_opentelemetry_on_a_client_of_the_programs(
    server: SimServer, spans: tuple[InMemorySpanExporter, TracerProvider]
) -> None:
    exporter, provider = spans
    async with httpx.AsyncClient() as http_client:
        HTTPXClientInstrumentor.instrument_client(http_client, tracer_provider=provider)
        async with AsyncSrsClient(server.url, http_client=http_client) as client:
            await client.about()
    assert len(exporter.get_finished_spans()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_event_hook_sees_each_request_once_and_may_change_it(server: SimServer, when: str) -> None:
    seen: list[str] = []

    async def hook(request: httpx.Request) -> None:
        assert "X-Trace" not in request.headers
        request.headers["X-Trace"] = "1"
        seen.append(request.url.path)

    async with AsyncSrsClient(server.url) as client:
        if when == "after":
            await client.about()
        client._http.event_hooks["request"].append(hook)
        await client.about()
        await client.about()
        client._http.event_hooks["request"].remove(hook)
        await client.about()
    assert seen == ["/api/about", "/api/about"]


async def test_the_log_of_httpx_changes_nothing_but_the_log(
    server: SimServer, everything_logged: pytest.LogCaptureFixture
) -> None:
    async with AsyncSrsClient(server.url) as client:
        await client.about()
        # Still the short way, if there is one.
        assert client._http.goes_straight() == (client._http._own is not None)
        await client.about()
    with SrsClient(server.url) as sync_client:
        sync_client.about()
    lines = [record.getMessage() for record in everything_logged.records if record.name == httpx.__name__]
    assert lines == [f'HTTP Request: GET {server.url}/api/about "HTTP/1.1 200 OK"'] * 3


def test_threads_see_a_mock_that_another_thread_installed(listener: Listener) -> None:
    client = SrsClient(listener.url, auth=KEY, retry=ONCE)
    found: list[str] = []

    def poll() -> None:
        try:
            found.extend(runspace.id for runspace in client.runspaces.list())
        except SrsError as error:
            found.append(str(error))

    with SYNC_MOCKS["a patched transport"](listener.url), client:
        thread = threading.Thread(target=poll)
        thread.start()
        thread.join()
    assert found == ["mocked"]
