"""What only our transport does: its bounds, its choice of connections, its second try, prepared requests."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import select

import httpx
import pytest

from srs_vsphere._http import limits
from srs_vsphere._http.asyncio_transport import can_be_used
from srs_vsphere._http.response_head import SEEN_HEADS, Head
from tests.http.ours import Ours, fetch, prepared, state
from tests.http.serving import Talk, ok, responding, serving
from tests.http.test_side_by_side import CHUNKED, get, pieces, request

pytestmark = pytest.mark.anyio


# Responses.


async def test_status_zero_is_delivered_with_its_body(ours: Ours) -> None:
    raw = b'HTTP/1.1 0 \r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"code":1000}'
    async with serving(responding(raw)) as server:
        response = await get(ours, server)
        assert response.status_code == 0
        assert response.json() == {"code": 1000}
        assert not response.is_success
        assert await fetch(ours, server) == b'{"code":1000}'
        assert server.connections == 1


HOSTILE: dict[str, bytes] = {
    "endless status line": b"HTTP/1.1 200 " + b"O" * limits.STATUS_LINE_BYTES + b"\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\nA: " + b"b" * limits.HEAD_BYTES + b"\r\n\r\n",
    "too many fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (limits.FIELD_COUNT + 1) + b"\r\n",
    "folded field": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n" * 10 + b"\r\n\r\n",
    "bare carriage return": b"HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n",
    "empty line first": b"\r\n" + ok(),
    "two lengths in one": b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n[]",
    "length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n[]",
    "length beyond reason": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\n[]",
    "chunked twice": CHUNKED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and more": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "other version": b"HTTP/2.0 200 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "no end of informational": b"HTTP/1.1 100 Continue\r\n\r\n" * (limits.INFORMATIONAL_COUNT + 1) + ok(),
    "huge chunk": CHUNKED + b"80000001\r\n[]",
    "chunk of 17 digits": CHUNKED + b"00000000000000002\r\n[]\r\n0\r\n\r\n",
    "chunk longer than it says": CHUNKED + b"2\r\n[]XX0\r\n\r\n",
    "chunk with a sign": CHUNKED + b"+2\r\n[]\r\n0\r\n\r\n",
    "chunk in Python's way": CHUNKED + b"0x2\r\n[]\r\n0\r\n\r\n",
    "endless line before a chunk": CHUNKED + b"2;" + b"a" * limits.CHUNK_LINE_BYTES + b"\r\n[]\r\n0\r\n\r\n",
    "malformed trailer": CHUNKED + b"0\r\nno field\r\n\r\n",
    "endless trailer": CHUNKED + b"0\r\nA: " + b"b" * limits.TRAILER_BYTES + b"\r\n\r\n",
    "too many trailer fields": CHUNKED + b"0\r\n" + b"A: b\r\n" * (limits.FIELD_COUNT + 1) + b"\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_responses_are_refused(ours: Ours, name: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(HOSTILE[name])
        # What is refused is refused at once, not when the server hangs up.
        await talk.hung_up()

    async with serving(script) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await get(ours, server)
        await server.until_open(0)
        assert state(ours) == (0, 0)


async def test_bounds_are_not_too_tight(ours: Ours) -> None:
    line = b"HTTP/1.1 200 " + b"O" * (limits.STATUS_LINE_BYTES - 13)
    fields = b"A: b\r\n" * (limits.FIELD_COUNT - 2)
    room = limits.HEAD_BYTES - len(line) - len(fields) - len(b"\r\nContent-Length: 0\r\nB: \r\n\r\n")
    raw = line + b"\r\nContent-Length: 0\r\n" + fields + b"B: " + b"c" * room + b"\r\n\r\n"
    assert len(raw) == limits.HEAD_BYTES
    async with serving(
        responding(b"HTTP/1.1 100 Continue\r\n\r\n" * limits.INFORMATIONAL_COUNT + raw)
    ) as server:
        assert (await get(ours, server)).status_code == 200
        assert (await get(ours, server)).status_code == 200
        assert server.connections == 1


@pytest.mark.parametrize(
    "raw", [ok(), CHUNKED + b"2\r\n[]\r\n0\r\n\r\n", ok(b"")], ids=["length", "chunked", "empty"]
)
async def test_bytes_after_the_end_never_answer_the_next_request(ours: Ours, raw: bytes) -> None:
    async with serving(responding(raw + ok(b"evil"))) as server:
        for connections in (1, 2):
            assert (await get(ours, server)).content in {b"[]", b""}
            assert server.connections == connections
            await server.until_open(0)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_bytes_between_two_requests_end_the_connection(ours: Ours, method: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok(b"[1]" if talk.number == 1 else b"[2]"))
        if talk.number == 1:
            await talk.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await talk.hung_up()

    async with serving(script) as server:
        assert (await get(ours, server, method)).content == b"[1]"
        await server.until_open(0)
        assert (await get(ours, server, method)).content == b"[2]"


BAD_BODIES = {
    "body too long": ("1", b"12"),
    "body too short": ("3", b"12"),
    "stream": ("2", (b"1", b"2")),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_bodies_that_are_not_as_long_as_they_say(ours: Ours, name: str) -> None:
    length, body = BAD_BODIES[name]
    content = pieces(*body) if isinstance(body, tuple) else body
    async with serving(responding(ok())) as server:
        with pytest.raises(httpx.LocalProtocolError):
            await ours.handle_async_request(
                httpx.Request("POST", server.url, headers={"Content-Length": length}, content=content)
            )
        await server.until_open(0)
        assert state(ours) == (0, 0)


# Back-pressure.


async def test_an_unread_body_holds_the_server_back(ours: Ours) -> None:
    size = 50_000_000
    stuck = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            talk.writer.write(bytes(100_000))
            if talk.writer.transport.get_write_buffer_size() > 1_000_000:
                stuck.set()
            await talk.writer.drain()
        await talk.request()
        await talk.send(ok(b"[2]"))

    async with serving(script) as server:
        response = await ours.handle_async_request(request(server))
        connection = next(iter(ours.inner._sockets))
        # The buffers of both ends' sockets take some megabytes; after that nothing moves.
        seen = -1
        while seen != connection._parser.waiting:
            seen = connection._parser.waiting
            for _ in range(50):
                await asyncio.sleep(0)
        assert seen <= limits.HIGH_WATER + limits.READ_BYTES
        total = 0
        async for part in response.aiter_raw():
            total += len(part)
            assert len(part) <= limits.HIGH_WATER + limits.READ_BYTES
        assert total == size
        assert (await get(ours, server)).content == b"[2]"


# Which connection.


async def test_the_newest_idle_connection_goes_first(ours: Ours) -> None:
    gate = asyncio.Barrier(2)

    async def script(talk: Talk) -> None:
        turn = 0
        while True:
            await talk.request()
            if turn == 0:
                await gate.wait()
            turn += 1
            await talk.send(ok(b"%d" % talk.number))

    async with serving(script) as server:
        both = await asyncio.gather(get(ours, server), get(ours, server))
        assert {response.content for response in both} == {b"1", b"2"}
        newest = ours.inner._idle[-1]
        for _ in range(3):
            await get(ours, server)
            assert ours.inner._idle[-1] is newest
        assert newest.requests == 4


async def test_idle_connections_are_closed_after_a_while(anyio_backend: str) -> None:
    async with Ours(keep_alive=0.05) as ours, serving(responding(ok())) as server:
        await get(ours, server)
        assert state(ours) == (1, 1)
        await server.until_open(0)
        assert state(ours) == (0, 0)


async def test_use_postpones_the_end_of_an_idle_connection(anyio_backend: str) -> None:
    async with Ours(keep_alive=60) as ours, serving(responding(ok())) as server:
        await get(ours, server)
        connection = next(iter(ours.inner._sockets))
        timer, deadline = connection._timer, connection._deadline
        for _ in range(3):
            await get(ours, server)
            # The timer stays as it was for the first read; what moves is the deadline.
            assert connection._timer is timer
            assert connection._deadline > deadline
            deadline = connection._deadline


async def test_an_expired_connection_is_not_used_though_the_loop_had_no_time_to_close_it(ours: Ours) -> None:
    async with serving(responding(ok())) as server:
        await get(ours, server)
        (connection,) = ours.inner._idle
        # As after a standstill: its time is over, and the timer has had no turn.
        connection._deadline = asyncio.get_running_loop().time()
        await get(ours, server)
        assert connection.closed
        assert server.connections == 2


def test_loops_that_run_at_the_same_time_share_no_read_buffer() -> None:
    """A loop may be warmed up in one thread and run in another, beside the loop of that first thread."""
    loops = [asyncio.new_event_loop() for _ in range(2)]
    transports = [Ours(), Ours()]
    buffers: list[memoryview] = []

    async def warm_up(ours: Ours) -> None:
        async with serving(responding(ok())) as server:
            await get(ours, server)
            buffers.extend(connection._read_buffer for connection in ours.inner._sockets)
            await ours.aclose()

    for loop, ours in zip(loops, transports, strict=True):
        loop.run_until_complete(warm_up(ours))
        loop.close()
    assert len(buffers) == 2
    assert buffers[0].obj is not buffers[1].obj


async def test_loops_in_two_threads_get_their_own_responses() -> None:
    first, done = asyncio.new_event_loop(), 0
    ours = Ours()

    async def poll(ours: Ours, server_url: str, body: bytes) -> None:
        nonlocal done
        for _ in range(200):
            response = await ours.handle_async_request(httpx.Request("GET", server_url))
            assert await response.aread() == body
        done += 1

    async with serving(responding(ok(b"[1]"))) as server, serving(responding(ok(b"[2]"))) as other:
        # Warmed up in the thread of the other loop, while that waits.
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            mine = Ours()
            await poll(mine, server.url, b"[1]")
            theirs = executor.submit(first.run_until_complete, poll(ours, other.url, b"[2]"))
            await poll(mine, server.url, b"[1]")
            await asyncio.wrap_future(theirs)
            executor.submit(first.run_until_complete, ours.aclose()).result()
            await mine.aclose()
    first.close()
    assert done == 3


# The second try.


async def hangs_up_on_the_second(talk: Talk) -> None:
    await talk.request()
    await talk.send(ok())
    await talk.request()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_kept_connection_that_closes_under_the_request_is_replaced(ours: Ours, method: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        await talk.request()

    async with serving(script) as server:
        await get(ours, server, method)
        assert (await get(ours, server, method)).status_code == 204
        assert server.connections == 2


async def test_a_reset_counts_as_closed(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await hangs_up_on_the_second(talk)
        talk.reset()

    async with serving(script) as server:
        await get(ours, server)
        assert (await get(ours, server)).content == b"[]"
        assert server.connections == 2


async def test_a_post_is_not_sent_twice(ours: Ours) -> None:
    async with serving(hangs_up_on_the_second) as server:
        await get(ours, server, "POST")
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            await get(ours, server, "POST")
        assert server.connections == 1


async def test_a_fresh_connection_gets_no_second_try(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()

    async with serving(script) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await get(ours, server)
        assert server.connections == 1


async def test_the_second_try_is_the_last(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        if talk.number == 1:
            await talk.send(ok())
            await talk.request()

    async with serving(script) as server:
        await get(ours, server)
        with pytest.raises(httpx.RemoteProtocolError):
            await get(ours, server)
        assert server.connections == 2


async def test_no_second_try_once_a_byte_came(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await hangs_up_on_the_second(talk)
        await talk.send(b"H")

    async with serving(script) as server:
        await get(ours, server)
        with pytest.raises(httpx.RemoteProtocolError):
            await get(ours, server)
        assert server.connections == 1


async def test_no_second_try_after_a_timeout(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        await talk.hung_up()

    async with serving(script) as server:
        await get(ours, server)
        with pytest.raises(httpx.ReadTimeout):
            await get(ours, server, read=0.05)
        assert server.connections == 1


async def test_connections_older_than_a_closed_one_are_not_tried(ours: Ours) -> None:
    gate = asyncio.Barrier(3)

    async def script(talk: Talk) -> None:
        await talk.request()
        if talk.number <= 3:
            await gate.wait()
        await talk.send(ok())
        await talk.request()

    async with serving(script) as server:
        await asyncio.gather(*(get(ours, server) for _ in range(3)))
        await get(ours, server)
        assert server.connections == 4
        assert state(ours) == (1, 1)


async def test_a_farewell_that_was_not_read_yet_is_seen_before_a_post(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        if talk.number == 1:
            await talk.reader.readexactly(1)

    async with serving(script) as server:
        await get(ours, server, "POST")
        connection = ours.inner._idle[0]
        # As if the loop had been busy: the server's end comes, and nobody reads it.
        connection._transport.pause_reading()
        listener_side = [task for task in asyncio.all_tasks() if "play" in repr(task)]
        for task in listener_side:
            task.cancel()
        await server.until_open(0)
        assert not connection.closed
        assert (await get(ours, server, "POST")).content == b"[]"
        assert connection.closed
        assert server.connections == 2


# The end.


async def test_closing_waits_until_all_is_closed(anyio_backend: str) -> None:
    asked = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        if talk.number == 1:
            await talk.send(ok())
            await talk.request()
        asked.set()
        await talk.hung_up()

    ours = Ours()
    async with serving(script) as server:
        await get(ours, server)
        busy = asyncio.create_task(get(ours, server))
        await asked.wait()
        assert state(ours) == (1, 0)
        await ours.aclose()
        assert state(ours) == (0, 0)
        with pytest.raises(httpx.ReadError):
            await busy
        with pytest.raises(RuntimeError, match="closed"):
            await get(ours, server)
        await server.until_open(0)
        await ours.aclose()


async def test_a_transport_stays_in_its_event_loop(ours: Ours) -> None:
    async with serving(responding(ok())) as server:
        await get(ours, server)
        with pytest.raises(RuntimeError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, get(ours, server))


async def test_a_transport_can_be_closed_after_its_event_loop(anyio_backend: str) -> None:
    ours = Ours()

    async def elsewhere() -> None:
        async with serving(responding(ok())) as server:
            await get(ours, server)
            for connection in ours.inner._sockets:
                connection.drop()

    await asyncio.to_thread(asyncio.run, elsewhere())
    await ours.aclose()
    assert state(ours) == (0, 0)


async def test_requests_for_another_server_are_refused(ours: Ours) -> None:
    async with serving(responding(ok())) as server, serving(responding(ok())) as other:
        await get(ours, server)
        with pytest.raises(httpx.UnsupportedProtocol, match="another server"):
            await get(ours, other)
        assert other.connections == 0


async def test_applicable_in_asyncio_only() -> None:
    assert can_be_used()
    assert not await asyncio.to_thread(can_be_used)


# Prepared requests.


async def test_a_prepared_request_is_sent_again_and_again(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        while True:
            assert await talk.request() == b"GET / HTTP/1.1\r\nHost: srs\r\n\r\n"
            await talk.send(CHUNKED + b"2\r\n[1\r\n")
            await asyncio.sleep(0)
            await talk.send(b"1\r\n]\r\n0\r\n\r\n")

    async with serving(script) as server:
        for _ in range(2):
            response = await ours.handle_async_request(prepared(server))
            # The whole of it was waited for.
            assert isinstance(response.stream, httpx.ByteStream)
            assert await response.aread() == b"[1]"
        assert server.connections == 1


async def test_a_long_body_is_left_to_be_read(ours: Ours) -> None:
    async with serving(responding(ok(bytes(600_000)))) as server:
        response = await ours.handle_async_request(prepared(server))
        assert not isinstance(response.stream, httpx.ByteStream)
        assert sum([len(part) async for part in response.aiter_raw()]) == 600_000
        assert server.connections == 1
        response = await ours.handle_async_request(prepared(server))
        await response.aclose()
        await server.until_open(0)


async def test_the_total_bounds_a_trickle(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await talk.send(b" ")
            await asyncio.sleep(0.001)

    async with serving(script) as server:
        with pytest.raises(httpx.ReadTimeout):
            await fetch(ours, server, read=30.0, total=0.05)
        await server.until_open(0)


async def test_a_prepared_request_fails_where_its_body_breaks_off(ours: Ours) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok())
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,")
        if talk.number == 1:
            return
        await talk.hung_up()

    async with serving(script) as server:
        await fetch(ours, server)
        with pytest.raises(httpx.RemoteProtocolError, match="before the end"):
            await ours.handle_async_request(prepared(server))
        await fetch(ours, server)
        with pytest.raises(httpx.ReadTimeout):
            await ours.handle_async_request(prepared(server, read=0.05))
        await server.until_open(0)
        assert state(ours) == (0, 0)


async def test_a_head_with_a_key_is_not_kept(ours: Ours) -> None:
    async with serving(responding(ok(b"", b"X-SRS-API-KEY: secret"))) as server:
        await get(ours, server, "POST")
        assert not any(b"secret" in head for head in SEEN_HEADS.known)
        await get(ours, server, "GET")
        assert any(b"secret" in head for head in SEEN_HEADS.known)


async def test_the_memory_of_heads_is_bounded_for_all_hosts_together(anyio_backend: str) -> None:
    async def script(talk: Talk) -> None:
        for turn in range(1000):
            await talk.request()
            await talk.send(ok(b"", b"X-Turn: %d of %d" % (turn, talk.number)))

    async with serving(script) as server, Ours() as one, Ours() as other:
        before = _heads()
        for _ in range(100):
            await fetch(one, server)
            await fetch(other, server)
        assert _heads() - before <= 128


def _heads() -> int:
    gc.collect()
    return sum(isinstance(thing, Head) for thing in gc.get_objects())


async def test_without_poll_as_on_windows_unexpected_bytes_are_seen_all_the_same(
    ours: Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(select, "poll", raising=False)
    farewell = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(ok(b"%d" % talk.number))
        await farewell.wait()
        await talk.send(ok(b"evil"))
        await talk.hung_up()

    async with serving(script) as server:
        assert (await get(ours, server)).content == b"1"
        (connection,) = ours.inner._idle
        assert connection.is_usable(asyncio.get_running_loop().time())
        # As if the loop had been busy: it comes, and nobody reads it.
        connection._transport.pause_reading()
        farewell.set()
        while connection.is_usable(asyncio.get_running_loop().time()):
            await asyncio.sleep(0)
        assert (await get(ours, server)).content == b"2"
        assert connection.closed
