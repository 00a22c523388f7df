"""Streams of a list: early, lazy, closed on leaving, and never a short list."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from srs_vsphere import DecodeError, StreamInterruptedError
from srs_vsphere.simulator import Fault, Reply, Request, SimServer, Simulator
from tests._async.helping import free_slots, make_client

JSON = (("Content-Type", "application/json; charset=utf-8"),)


class Canned(Simulator):
    """A simulator whose runspace list is what the test says."""

    def __init__(self, *body: bytes, content_type: str = "application/json; charset=utf-8") -> None:
        super().__init__(users={"alice": "sesame-7Qx"})
        self._body = body
        self._headers = (("Content-Type", content_type),)
        self.go_on = threading.Event()

    def handle(self, request: Request) -> Reply:
        response = super().handle(request)
        if self.operation_of(request) != "runspaces.list" or response.status != 200:
            return response
        return Reply(200, self._headers, self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        yield self._body[0]
        for piece in self._body[1:]:
            assert self.go_on.wait(60)
            yield piece


@pytest.mark.anyio
async def test_the_first_object_is_there_before_the_last_byte() -> None:
    simulator = Canned(b'[{"id":"a"},', b'{"id":"b"}]')
    with SimServer(simulator) as server:
        async with make_client(server.url) as client, client.runspaces.stream() as runspaces:
            first = await anext(runspaces)
            assert first.id == "a"
            simulator.go_on.set()
            assert [runspace.id async for runspace in runspaces] == ["b"]


@pytest.mark.anyio
async def test_leaving_early_closes_the_connection(server: SimServer, simulator: Simulator) -> None:
    for _ in range(3000):
        simulator.add_runspace()
    client = make_client(server.url, max_connections=1)
    async with client.runspaces.stream() as runspaces:
        async for _ in runspaces:
            assert free_slots(client) == 0
            break
    assert free_slots(client) == 1
    await server.wait_idle_async()
    with pytest.raises(StreamInterruptedError, match="after it was closed"):
        await anext(runspaces)
    await client.aclose()


@pytest.mark.anyio
async def test_a_stream_read_to_its_end_keeps_the_connection(server: SimServer, simulator: Simulator) -> None:
    simulator.add_runspace()
    async with make_client(server.url) as client:
        for _ in range(3):
            async with client.runspaces.stream() as runspaces:
                assert len([runspace async for runspace in runspaces]) == 1
        assert server.traffic.accepted == 1


@pytest.mark.anyio
async def test_an_open_stream_is_not_entered_twice(server: SimServer) -> None:
    async with make_client(server.url) as client:
        stream = client.runspaces.stream()
        async with stream:
            with pytest.raises(RuntimeError, match="open already"):
                async with stream:
                    pass
        async with stream as runspaces:
            assert [runspace async for runspace in runspaces] == []


@pytest.mark.parametrize(
    ("body", "content_type", "delivered", "complaint"),
    [
        (b'{"id":"a"}', "application/json", 0, "opening bracket"),
        (b"<html><title>Welcome</title></html>", "text/html", 0, "opening bracket"),
        (b"", "application/json", 0, "empty"),
        (b'[{"id":"a"}] {"id":"b"}', "application/json", 1, "nothing after the closing bracket"),
        (b'[{"id":"a"},{"id":"b"},7]', "application/json", 2, "no Runspace"),
        (b'[{"id":"a"},{"name":"b"}]', "application/json", 1, "id"),
        (b'[{"id":"a"},{"id":"\xff"}]', "application/json", 1, "UTF-8"),
        (b'[{"id":"a"},NaN]', "application/json", 1, "NaN"),
    ],
)
@pytest.mark.anyio
async def test_what_is_no_list_is_an_error(
    body: bytes, content_type: str, delivered: int, complaint: str
) -> None:
    with SimServer(Canned(body, content_type=content_type)) as server:
        async with make_client(server.url) as client:
            with pytest.raises(DecodeError, match=complaint) as listing:
                await client.runspaces.list()
            got = []
            async with client.runspaces.stream() as runspaces:
                with pytest.raises(DecodeError, match=complaint) as streaming:
                    async for runspace in runspaces:
                        got.append(runspace)
                with pytest.raises(DecodeError, match=complaint):
                    await anext(runspaces)
            assert free_slots(client) == 20
    assert listing.value.items_delivered == streaming.value.items_delivered == delivered == len(got)
    assert listing.value.attempts == 1


@pytest.mark.anyio
async def test_a_list_that_ends_too_early_is_never_a_short_list() -> None:
    with SimServer(Canned(b'[{"id":"a"},{"id":"b"}')) as server:
        async with make_client(server.url) as client:
            with pytest.raises(StreamInterruptedError) as caught:
                await client.runspaces.list()
            assert (caught.value.attempts, caught.value.items_delivered) == (5, 2)
            async with client.runspaces.stream() as runspaces:
                assert (await anext(runspaces)).id == "a"
                assert (await anext(runspaces)).id == "b"
                for _ in range(2):
                    with pytest.raises(StreamInterruptedError, match="broke off after 2 objects"):
                        await anext(runspaces)


@pytest.mark.anyio
async def test_a_stream_cut_short_tells_and_does_not_start_over(
    server: SimServer, simulator: Simulator
) -> None:
    for _ in range(50):
        simulator.add_runspace()
    got = []
    async with make_client(server.url) as client:
        with server.faults.armed(Fault(operation="runspaces.list", nth=1, cut_after=4000)):
            async with client.runspaces.stream() as runspaces:
                with pytest.raises(StreamInterruptedError) as caught:
                    async for runspace in runspaces:
                        got.append(runspace)
        assert 0 < len(got) < 50
        assert caught.value.items_delivered == len(got)
        assert server.requests.count(("GET", "/api/runspaces")) == 1
        with server.faults.armed(Fault(operation="runspaces.list", nth=1, cut_after=4000)):
            assert len(await client.runspaces.list()) == 50
        assert server.requests.count(("GET", "/api/runspaces")) == 3
