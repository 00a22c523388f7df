"""The real server: HTTP/1.1 over sockets, faults done to them, and nothing left behind."""

from __future__ import annotations

import _thread
import asyncio
import hashlib
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from anyio import create_task_group, fail_after
from anyio.from_thread import start_blocking_portal

from srs_vsphere.simulator import Reply, Simulator, SystemClock, VirtualClock, running
from srs_vsphere.simulator.connection import _IN_A_ROW, Connection
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.http1 import Limits
from srs_vsphere.simulator.server import SimServer
from tests.simulator.raw_client import ABOUT, RawClient

LOGIN = b"POST /api/auth/login HTTP/1.1\r\nHost: srs\r\nAuthorization: Basic YWxpY2U6c2VzYW1lLTdReA==\r\n"


class Echo:
    """A service that answers with what it was sent, or with a reply that a test prepares."""

    def __init__(self):
        self.clock = SystemClock()
        self.asked = []
        self.reply = None

    def operation_of(self, request, /):
        return None

    def handle(self, request, /):
        self.asked.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply or Reply(200, (), request.body)


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def echo_server(echo):
    with SimServer(echo) as server:
        yield server


@pytest.fixture
def client(server):
    with RawClient(server.port) as client:
        yield client


@pytest.fixture
def echo_client(echo_server):
    with RawClient(echo_server.port) as client:
        yield client


def test_a_connection_is_kept_for_the_next_request(client, server):
    assert [client.ask(ABOUT)[0] for _ in range(3)] == [200, 200, 200]
    assert (server.traffic.accepted, server.traffic.open, server.traffic.seen) == (1, 1, 3)
    assert server.requests == (("GET", "/api/about"),) * 3


def test_a_response_has_the_frame_that_the_real_server_gives(client):
    client.send(ABOUT)
    client.socket.shutdown(socket.SHUT_WR)
    head, _, body = client.rest().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert lines[1:3] == [
        b"Content-Length: %d" % len(body),
        b"Content-Type: application/json; charset=utf-8",
    ]
    assert lines[3].startswith(b"Date: ")
    assert lines[4:] == [b"Server: Kestrel"]


def test_the_date_is_the_simulators(simulator):
    with SimServer(Simulator(clock=VirtualClock())) as server, RawClient(server.port) as client:
        assert client.ask(ABOUT)[1]["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
        server.service.clock.advance(61)
        assert client.ask(ABOUT)[1]["date"] == "Thu, 01 Jan 2026 00:01:01 GMT"


def test_pipelined_requests_are_answered_in_order(echo_client, echo_server):
    requests = [b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(5)]
    with echo_server.faults.armed(Fault(nth=2, delay=0.05)):
        echo_client.send(b"".join(requests))
        assert [echo_client.read()[2] for _ in requests] == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_requests_may_come_in_pieces_of_any_size(echo_client, size):
    data = (
        b"POST /x?y=1 HTTP/1.1\r\nHost: srs\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;note=x\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
        b"GET /next HTTP/1.1\r\n\r\n"
    )
    for at in range(0, len(data), size):
        echo_client.send(data[at : at + size])
    assert echo_client.read()[2] == b"hello 0123456789"
    assert echo_client.read()[2] == b""


def test_the_service_sees_the_request_as_it_was_sent(echo_client, echo):
    echo_client.ask(b"PUT /a%2Fb?c=%20 HTTP/1.1\r\nX-One:  1 \r\nx-one: 2\r\nContent-Length: 2\r\n\r\nhi")
    (request,) = echo.asked
    assert (request.method, request.target, request.body) == ("PUT", "/a%2Fb?c=%20", b"hi")
    assert request.headers == (("x-one", "1"), ("x-one", "2"), ("content-length", "2"))


def test_a_target_for_a_proxy_loses_scheme_and_host(echo_client, echo):
    echo_client.ask(b"GET http://srs.test/api/about HTTP/1.1\r\n\r\n")
    assert echo.asked[0].target == "/api/about"


def test_a_client_that_waits_to_go_on_is_told_to(echo_client):
    echo_client.send(b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert echo_client.socket.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert echo_client.ask(b"hi")[2] == b"hi"


@pytest.mark.parametrize("end", [b"Connection: close\r\n\r\n", b"\r\n"])
def test_a_client_may_want_the_connection_closed(echo_client, end):
    version = b"1.1" if b"close" in end else b"1.0"
    echo_client.send(b"GET / HTTP/" + version + b"\r\n" + end)
    assert b"\r\nConnection: close\r\n" in echo_client.rest()


def test_head_and_204_have_no_body(echo_client, echo):
    echo.reply = Reply(200, (), b"body")
    status, headers, body = echo_client.ask(b"HEAD / HTTP/1.1\r\n\r\n", "HEAD")
    assert (status, headers["content-length"], body) == (200, "4", b"")
    echo.reply = Reply(204)
    status, headers, body = echo_client.ask(b"GET / HTTP/1.1\r\n\r\n")
    assert (status, "content-length" in headers, body) == (204, False, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        # TLS, which never comes to an empty line.
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nspace : x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n",
        b"GET / HTTP/1.1\r\n: nameless\r\n\r\n",
        b"GET / HTTP/1.1\r\nX(Y): z\r\n\r\n",
        b"GET / HTTP/1.1\r\nX\xe9: z\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: y\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: y\rZ: z\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: y\nZ: z\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: y\x00\r\n\r\n",
        b"G(T / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ],
)
def test_what_is_no_http_is_answered_with_400_and_the_connection_closed(echo_client, echo, data):
    echo_client.send(data)
    answer = echo_client.rest()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert not echo.asked


def test_limits_are_those_of_the_proxy(echo_server, echo):
    with RawClient(echo_server.port) as client:
        client.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n")
        answer = client.rest()
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"Request Header Or Cookie Too Large" in answer
    with RawClient(echo_server.port) as client:
        client.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        assert b"Request Header Or Cookie Too Large" in client.rest()
    with RawClient(echo_server.port) as client:
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n")
        # The answer comes although the body is still on its way, and is not lost to it.
        client.send(b"x" * 2_000_000)
        assert client.rest().startswith(b"HTTP/1.1 413 Request Entity Too Large\r\n")
    with RawClient(echo_server.port) as client:
        client.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n")
        assert client.rest().startswith(b"HTTP/1.1 413 ")
    assert not echo.asked


@pytest.mark.parametrize("digits", ["9" * 6000, "1" + "0" * 19])
def test_a_length_that_no_body_has_is_too_long(echo_client, echo, digits, caplog):
    echo_client.send(f"POST / HTTP/1.1\r\nContent-Length: {digits}\r\n\r\n".encode())
    assert echo_client.rest().startswith(b"HTTP/1.1 413 Request Entity Too Large\r\n")
    assert not echo.asked
    assert not caplog.records


def test_a_length_may_have_zeros_before_it(echo_client):
    assert echo_client.ask(b"POST / HTTP/1.1\r\nContent-Length: 0000000000000000000002\r\n\r\nhi")[2] == b"hi"


@pytest.mark.parametrize(
    "line", [b"X-Trailer: %d\r\n", b"1;ext=%d\r\nx\r\n"], ids=["trailers", "chunk extensions"]
)
def test_what_stands_beside_the_chunks_may_not_go_on_for_ever(echo_client, echo, line):
    start = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0\r\n" * line.startswith(b"X")
    echo_client.send(start + b"".join(line % number for number in range(9000)))
    assert echo_client.rest().startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert not echo.asked


@pytest.mark.parametrize(
    "part",
    [
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: srs\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nhi",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        ABOUT + b"GET /",
    ],
)
def test_who_never_sends_the_rest_of_a_request_is_told_so(echo, part):
    with SimServer(echo, limits=Limits(seconds=0.1)) as server, RawClient(server.port) as client:
        client.send(part)
        answers = client.rest()
    assert answers.count(b"HTTP/1.1 408 Request Time-out\r\n") == 1
    assert answers.count(b"HTTP/1.1 200 ") == part.count(ABOUT)


def test_who_has_sent_a_whole_request_may_take_any_time_for_the_next(echo_client, echo_server):
    assert echo_client.ask(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")[0] == 200
    (connection,) = echo_server._listener.connections
    assert connection._timeout is None


def test_only_the_word_close_closes(echo_client):
    assert echo_client.ask(b"GET / HTTP/1.1\r\nConnection: disclose\r\n\r\n")[0] == 200
    echo_client.send(b"GET / HTTP/1.1\r\nConnection: disclose\r\nConnection: x , Close\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in echo_client.rest()


@pytest.mark.parametrize("end", [b"\r\r\n\r\n", b"\r\r\nHost: srs\r\n\r\n"])
def test_a_key_may_end_in_the_carriage_return_that_its_client_read_with_it(server, simulator, client, end):
    key = client.ask(LOGIN + b"\r\n")[1]["x-srs-api-key"]
    request = b"GET /api/runspaces HTTP/1.1\r\nX-SRS-API-KEY: %b" % key.encode()
    assert client.ask(request + end)[::2] == (200, b"[]")


def test_a_body_in_the_smallest_pieces_is_put_together(echo_client):
    echo_client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    echo_client.send(b"POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n")
    for _ in range(3000):
        echo_client.send(b"x")
    assert echo_client.read()[2] == b"x" * 3000


def test_a_client_that_never_begins_tls_does_not_keep_the_server_from_ending(simulator, caplog):
    with SimServer(simulator, tls=True) as server:
        client = RawClient(server.port)
        server.wait_for(lambda traffic: traffic.accepted == 1)
    with client:
        assert client.rest() == b""
    assert not caplog.records


@pytest.mark.parametrize("data", [ABOUT, b"\x16\x03\x01\x00\x05nonsense", b"\x00" * 1000])
def test_what_is_no_tls_ends_the_connection_in_silence(simulator, data, caplog):
    with SimServer(simulator, tls=True) as server:
        with RawClient(server.port) as client:
            client.send(data)
            assert b"HTTP" not in client.rest()
        server.wait_idle()
    assert not caplog.records


def test_limits_can_be_set(echo):
    with SimServer(echo, limits=Limits(body=4)) as server, RawClient(server.port) as client:
        assert client.ask(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody")[0] == 200
        assert client.ask(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nbody!")[0] == 413
    with pytest.raises(ValueError, match="body must be 1 or more, not 0"):
        Limits(body=0)
    with pytest.raises(ValueError, match="seconds must be a positive number, not 0"):
        Limits(seconds=0)


def test_a_body_made_piece_by_piece_is_sent_in_chunks(echo_client, echo):
    echo.reply = Reply(200, (), (b"%d," % number for number in range(1000)))
    status, headers, body = echo_client.ask(b"GET / HTTP/1.1\r\n\r\n")
    assert (status, headers["transfer-encoding"]) == (200, "chunked")
    assert body == b"".join(b"%d," % number for number in range(1000))


def test_a_big_body_is_made_only_as_fast_as_the_client_reads(echo_server, echo):
    made = []

    def pieces():
        for number in range(400):
            made.append(number)
            yield b"x" * 65536

    with RawClient(echo_server.port, receive_buffer=65536) as slow, RawClient(echo_server.port) as other:
        echo.reply = Reply(200, (), pieces())
        slow.send(b"GET / HTTP/1.1\r\n\r\n")
        echo_server.wait_for(lambda traffic: traffic.seen == 1)
        echo.reply = Reply(200)
        for _ in range(500):
            other.ask(ABOUT)
        assert len(made) < 300
        assert len(slow.read()[2]) == 400 * 65536
        assert len(made) == 400


def test_a_thousand_requests_at_once_are_answered_in_turns(echo_server, monkeypatch):
    turns = []
    advance = Connection._advance
    monkeypatch.setattr(Connection, "_advance", lambda self: turns.append(1) or advance(self))
    with RawClient(echo_server.port) as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(1000)))
        assert [client.read()[0] for _ in range(1000)] == [200] * 1000
    assert echo_server.requests == tuple(("GET", f"/{number}") for number in range(1000))
    assert len(turns) > 1000 // _IN_A_ROW


def test_a_client_that_sends_without_reading_is_not_read_either(echo_server, echo):
    echo.reply = Reply(200, (), b"x" * 100_000)
    with RawClient(echo_server.port, receive_buffer=65536) as client:
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            flood(client, echo_server)
        assert echo_server.traffic.seen < 1000


def flood(client, server):
    sent = 0
    while sent < 500_000_000:
        sent += client.socket.send(b"GET / HTTP/1.1\r\n\r\n" * 1000)
        server.wait_for(lambda traffic: traffic.seen > 0)


def test_an_error_of_the_service_is_answered_and_ends_a_body_under_way_but_not_the_server(
    echo_server, echo, caplog
):
    echo.reply = ZeroDivisionError("a bug")
    with RawClient(echo_server.port) as client:
        assert [client.ask(ABOUT)[::2] for _ in range(2)] == [(500, b"")] * 2
    assert "GET /api/about is answered with 500: ZeroDivisionError: a bug" in caplog.text
    caplog.clear()
    echo.reply = Reply(200, (), (1 // (number - 1) * b"x" for number in range(3)))
    with RawClient(echo_server.port) as client:
        client.send(ABOUT)
        client.rest()
    assert "ZeroDivisionError: integer" in caplog.text
    caplog.clear()
    echo.reply = None
    with RawClient(echo_server.port) as client:
        assert client.ask(ABOUT)[0] == 200


# Faults


def test_refused_connections_are_refused_and_idle_ones_closed(server, client):
    assert client.ask(ABOUT)[0] == 200
    with server.faults.armed(Fault(refuse=True)):
        assert client.socket.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            RawClient(server.port)
    with RawClient(server.port) as again:
        assert again.ask(ABOUT)[0] == 200


def test_a_request_under_way_is_answered_before_its_connection_is_refused(server, client):
    client.send(ABOUT[:-2])
    server.wait_for(lambda traffic: traffic.open == 1)
    with server.faults.armed(Fault(delay=0.01)):
        client.send(b"\r\n")
        server.wait_for(lambda traffic: traffic.seen == 1)
        with server.faults.armed(Fault(refuse=True)):
            answer = client.rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_refusal_for_another_host_does_not_matter(server, client):
    with server.faults.armed(Fault(refuse=True, host="other")):
        assert client.ask(ABOUT)[0] == 200


@pytest.mark.parametrize("limit", [{"times": 1}, {"nth": 1}, {"probability": 0.5}])
def test_a_socket_cannot_count_refusals(server, limit):
    with pytest.raises(ValueError, match=f"{next(iter(limit))} is impossible with refuse on a real server"):
        server.faults.add(Fault(refuse=True, **limit))
    assert server.faults.faults == ()


def test_httpx_sees_refusals_as_connect_errors(server):
    with httpx.Client(base_url=server.url) as http:
        assert http.get("/api/about").status_code == 200
        with server.faults.armed(Fault(refuse=True)), pytest.raises(httpx.ConnectError):
            http.get("/api/about")
        assert http.get("/api/about").status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_is_a_reset_and_nothing_is_carried_out(server, simulator, client, when):
    server.faults.add(Fault(reset=when))
    client.send(ABOUT)
    with pytest.raises(ConnectionResetError):
        client.rest()
    assert simulator.requests_seen == 0
    server.wait_idle()


def test_before_means_that_the_body_is_not_waited_for(server, client):
    server.faults.add(Fault(reset="before"))
    client.send(LOGIN + b"Content-Length: 10\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        client.rest()


def test_after_means_that_the_body_is_waited_for(server, client):
    server.faults.add(Fault(reset="after"))
    client.send(LOGIN + b"Content-Length: 2\r\n\r\n")
    server.wait_for(lambda traffic: traffic.seen == 1)
    client.send(b"{}")
    with pytest.raises(ConnectionResetError):
        client.rest()


def test_a_lost_answer_is_silence_after_the_work_is_done(server, simulator):
    server.faults.add(Fault(operation="auth.login", lost_answer=True))
    with RawClient(server.port) as client:
        client.send(LOGIN + b"\r\n")
        server.wait_for(lambda traffic: traffic.seen == 1)
        with RawClient(server.port) as other:
            # The one before is done with when this one is answered.
            assert other.ask(ABOUT)[0] == 200
        assert simulator.session_count == 1
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
    server.wait_idle()


def test_a_lost_answer_may_end_in_a_reset(server, simulator, client):
    server.faults.add(Fault(operation="auth.login", lost_answer=True, reset="after"))
    client.send(LOGIN + b"\r\n")
    with pytest.raises(ConnectionResetError):
        client.rest()
    assert simulator.session_count == 1


def test_a_client_that_leaves_during_a_delay_leaves_nothing_behind(server):
    server.faults.add(Fault(delay=3600))
    with RawClient(server.port) as client:
        client.send(ABOUT)
        server.wait_for(lambda traffic: traffic.seen == 1)
    server.wait_idle()


def test_a_delay_delays(server, client):
    server.faults.add(Fault(delay=0.1))
    began = time.monotonic()
    assert client.ask(ABOUT)[0] == 200
    assert time.monotonic() - began >= 0.1


def test_status_0_is_the_line_that_the_real_gateway_sends(server, client):
    server.faults.add(Fault(status=0))
    client.send(ABOUT)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest().startswith(b"HTTP/1.1 0 \r\n")


def test_a_status_comes_with_its_headers_and_body(server, client):
    server.faults.add(Fault(status=429, headers={"Retry-After": "2"}, body="later"))
    status, headers, body = client.ask(ABOUT)
    assert (status, headers["retry-after"], body) == (429, "2", b"later")


def test_a_body_is_cut_and_the_connection_closed(server, client):
    server.faults.add(Fault(cut_after=7))
    client.send(ABOUT)
    head, _, body = client.rest().partition(b"\r\n\r\n")
    assert body == b'{"name"'
    assert b"Content-Length: 113" in head


def test_a_chunked_body_is_cut_before_its_end(echo_server, echo):
    echo.reply = Reply(200, (), [b"abc", b"def"])
    echo_server.faults.add(Fault(cut_after=4))
    with RawClient(echo_server.port) as client:
        client.send(ABOUT)
        assert client.rest().partition(b"\r\n\r\n")[2] == b"3\r\nabc\r\n1\r\nd\r\n"


def test_a_cut_behind_the_end_cuts_nothing(server, client):
    server.faults.add(Fault(cut_after=113))
    assert [client.ask(ABOUT)[0] for _ in range(2)] == [200, 200]


def test_a_trickle_comes_step_by_step(server, client):
    server.faults.add(Fault(trickle=(50, 0.02)))
    began = time.monotonic()
    assert len(client.ask(ABOUT)[2]) == 113
    assert time.monotonic() - began >= 0.06


def test_bad_utf8_and_a_wrong_content_type_arrive_as_such(server, client):
    server.faults.add(Fault(bad_utf8=True, content_type="text/html"))
    _, headers, body = client.ask(ABOUT)
    assert headers["content-type"] == "text/html"
    assert headers["content-length"] == "114"
    assert b"\xff" in body


def test_a_streamed_body_can_be_spoilt_too(echo_server, echo):
    echo.reply = Reply(200, (), [b'{"a":"b"', b"}"])
    echo_server.faults.add(Fault(bad_utf8=True))
    with RawClient(echo_server.port) as client:
        assert client.ask(ABOUT)[2] == b'{"a":"\xffb"}'


def test_who_takes_the_port_meanwhile_is_told_of_and_the_refusal_goes_on(server):
    number = server.faults.add(Fault(refuse=True))
    with socket.create_server(("127.0.0.1", server.port)):
        with pytest.raises(OSError, match="Address already in use"):
            server.faults.remove(number)
        assert server.faults.faults == (Fault(refuse=True),)
    server.faults.remove(number)
    with RawClient(server.port) as client:
        assert client.ask(ABOUT)[0] == 200


def test_faults_change_while_clients_are_being_served(server):
    stop = threading.Event()
    seen = set()

    def poll():
        with httpx.Client(base_url=server.url) as http:
            while not stop.is_set():
                try:
                    seen.add(http.get("/api/about").status_code)
                except httpx.TransportError as error:
                    seen.add(type(error))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        for fault in [Fault(status=503), Fault(refuse=True), Fault(reset="after")]:
            with server.faults.armed(fault):
                before = server.traffic.seen
                if fault.refuse:
                    with pytest.raises(ConnectionRefusedError):
                        RawClient(server.port)
                else:
                    server.wait_for(lambda traffic, before=before: traffic.seen >= before + 3)
    finally:
        stop.set()
        thread.join(60)
    assert {503, httpx.ReadError} <= seen


# Where it runs, and what it leaves behind


OPEN_FILES = Path("/proc/self/fd")


def open_files():
    return len(list(OPEN_FILES.iterdir()))


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="counts open files as Linux lists them")
def test_a_server_leaves_no_thread_and_no_socket(simulator):
    files, threads = open_files(), {*threading.enumerate()}
    with SimServer(simulator, tls=True, control=True) as server:
        server.faults.add(Fault(lost_answer=True, host="srs"))
        context = ssl.create_default_context(cafile=server.ca_file)
        waiting = context.wrap_socket(
            socket.create_connection(("127.0.0.1", server.port)), server_hostname="localhost"
        )
        waiting.sendall(ABOUT)
        greeting = socket.create_connection(("127.0.0.1", server.port))
        server.wait_for(lambda traffic: traffic.accepted == 2 and traffic.seen == 1)
        ca_file = server.ca_file
    assert server.traffic.open == 0
    waiting.close()
    greeting.close()
    assert not Path(ca_file).exists()
    assert open_files() <= files
    assert {*threading.enumerate()} <= threads


def test_a_taken_port_is_an_error_and_nothing_is_left(simulator, server):
    threads = {*threading.enumerate()}
    with (
        pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{server.port}"),
        SimServer(simulator, port=server.port),
    ):
        pytest.fail("it cannot begin")
    assert {*threading.enumerate()} <= threads


def test_a_port_that_does_not_exist_is_refused(simulator):
    with pytest.raises(ValueError, match="port must be from 0 to 65535, not 65536"):
        SimServer(simulator, port=65536)


def test_a_plan_that_a_socket_cannot_do_keeps_the_server_from_beginning(simulator):
    plan = FaultPlan([Fault(refuse=True, times=3)])
    with (
        pytest.raises(ValueError, match="times is impossible with refuse"),
        SimServer(simulator, faults=plan),
    ):
        pytest.fail("it cannot begin")


def test_a_server_can_begin_while_refusing_and_begin_again_on_its_port(simulator):
    plan = FaultPlan()
    number = plan.add(Fault(refuse=True))
    server = SimServer(simulator, faults=plan)
    with server:
        port = server.port
        with pytest.raises(ConnectionRefusedError):
            RawClient(port)
        plan.remove(number)
        with RawClient(port) as client:
            assert client.ask(ABOUT)[0] == 200
    with server, RawClient(port) as client:
        assert server.port == port
        assert client.ask(ABOUT)[0] == 200
        with pytest.raises(RuntimeError, match="running already"), server:
            pytest.fail("it cannot begin twice")


def test_one_plan_serves_two_doors(simulator):
    plan = FaultPlan()
    with (
        SimServer(simulator, faults=plan, name="a") as one,
        SimServer(simulator, faults=plan, name="b") as two,
    ):
        plan.add(Fault(host="b", status=503))
        with RawClient(one.port) as client:
            assert client.ask(ABOUT)[0] == 200
        with RawClient(two.port) as client:
            assert client.ask(ABOUT)[0] == 503


def test_waiting_in_vain_is_an_error(server):
    with pytest.raises(TimeoutError, match=r"waited 0\.01 s in vain"):
        server.wait_for(lambda traffic: traffic.seen == 1, timeout=0.01)


@pytest.mark.anyio
async def test_it_serves_clients_on_either_event_loop(server):
    async with httpx.AsyncClient(base_url=server.url) as http:

        async def poll():
            for _ in range(5):
                assert (await http.get("/api/about")).status_code == 200

        async with create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(poll)
        assert server.traffic.seen == 25
    await server.wait_idle_async()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_runs_on_a_running_asyncio_loop(simulator):
    threads = {*threading.enumerate()}
    with fail_after(60):
        async with SimServer(simulator) as server:
            assert {*threading.enumerate()} <= threads
            async with httpx.AsyncClient(base_url=server.url) as http:
                assert (await http.get("/api/about")).status_code == 200
                with server.faults.armed(Fault(refuse=True)), pytest.raises(httpx.ConnectError):
                    await http.get("/api/about")
                assert (await http.get("/api/about")).status_code == 200
            await server.wait_for_async(lambda traffic: traffic.open == 0)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_connection_that_comes_as_the_server_ends_is_closed(simulator):
    async with SimServer(simulator) as server:
        client = RawClient(server.port)
        server._listener._accept()
    assert server.traffic.open == 0
    with client:
        assert client.rest() == b""


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_on_a_loop_that_cannot_watch_sockets_it_runs_in_a_thread(simulator, monkeypatch):
    # Windows' usual loop has the method, and it only raises: that of the base class.
    assert not running._watches_sockets(asyncio.AbstractEventLoop())
    monkeypatch.setattr(running, "_watches_sockets", lambda _: False)
    async with SimServer(simulator) as server:
        assert server._portal is not None
        async with httpx.AsyncClient(base_url=server.url) as http:
            assert (await http.get("/api/about")).status_code == 200
    assert server._portal is None


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_on_trio_it_asks_for_a_thread(simulator):
    with pytest.raises(RuntimeError, match="asyncio only: here use `with`"):
        async with SimServer(simulator):
            pytest.fail("it cannot begin")
    with SimServer(simulator) as server:
        async with httpx.AsyncClient(base_url=server.url) as http:
            assert (await http.get("/api/about")).status_code == 200


def test_tls_with_a_certificate_made_for_it(simulator):
    with SimServer(simulator, tls=True) as server:
        assert server.url == f"https://127.0.0.1:{server.port}"
        trust = ssl.create_default_context(cafile=server.ca_file)
        with httpx.Client(base_url=server.url, verify=trust) as http:
            assert http.get("/api/about").status_code == 200
        with (
            httpx.Client(base_url=server.url) as http,
            pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"),
        ):
            http.get("/api/about")
        certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
        digest = hashlib.sha256(certificate).hexdigest().upper()
        assert server.thumbprint.replace(":", "") == digest
        server.wait_idle()


def test_tls_faults(simulator):
    with SimServer(simulator, tls=True) as server:
        trust = ssl.create_default_context(cafile=server.ca_file)
        with httpx.Client(base_url=server.url, verify=trust) as http:
            assert http.get("/api/about").status_code == 200
            with server.faults.armed(Fault(refuse=True)), pytest.raises(httpx.ConnectError):
                http.get("/api/about")
            with server.faults.armed(Fault(cut_after=5)), pytest.raises(httpx.RemoteProtocolError):
                http.get("/api/about")
            # Python's TLS shows a reset as an end.
            with server.faults.armed(Fault(reset="after")), pytest.raises(httpx.TransportError):
                http.get("/api/about")


def test_without_tls_there_is_no_certificate(server):
    assert (server.thumbprint, server.ca_file, server.control_url) == (None, None, None)


# The control endpoint


def test_faults_are_changed_over_http(simulator):
    with SimServer(simulator, control=True) as server, httpx.Client() as http:
        url = server.control_url
        assert http.get(url).json() == []
        added = http.post(url, json=[{"operation": "about", "status": 503}, {"nth": 3, "reset": "after"}])
        assert (added.status_code, added.json()) == (201, {"numbers": [1, 2]})
        assert http.get(server.url + "/api/about").status_code == 503
        assert http.get(url).json() == [
            {"number": 1, "calls": 1, "hits": 1, "fault": {"operation": "about", "status": 503}},
            {"number": 2, "calls": 0, "hits": 0, "fault": {"nth": 3, "reset": "after"}},
        ]
        assert http.delete(f"{url}/1").status_code == 204
        assert http.delete(f"{url}/1").status_code == 404
        assert http.get(server.url + "/api/about").status_code == 200
        assert http.delete(url).status_code == 204
        assert server.faults.faults == ()
        assert http.post(url, json={"refuse": True}).status_code == 201
        with pytest.raises(httpx.ConnectError):
            http.get(server.url + "/api/about")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "a fault must be JSON"),
        (b'[{"status": 503}, {"times": 0, "status": 503}]', "times must be 1 or more, not 0"),
        (b'[{"status": 503}, {"refuse": true, "times": 2}]', "times is impossible with refuse"),
        (b'{"status": "503"}', "status must be a whole number"),
        (b"[" * 200_000, "a fault must be JSON of fewer levels"),
        (b'{"nth": ' + b"9" * 6000 + b"}", "a fault must be JSON: Exceeds the limit"),
        (b'{"delay": 1e999, "status": 503}', "delay"),
        (b"\xff", "a fault must be JSON"),
    ],
)
def test_bad_faults_are_refused_and_none_is_taken(simulator, body, message):
    with SimServer(simulator, control=True) as server:
        answer = httpx.post(server.control_url, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert message in answer.json()["error"]
        assert server.faults.faults == ()


def test_the_control_endpoint_is_for_this_machine_and_for_programs(simulator):
    with SimServer(simulator, control=True) as server:
        url = server.control_url
        assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 403
        assert httpx.post(url, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
        assert httpx.put(url, json={}).headers["allow"] == "GET, POST, DELETE"
        assert httpx.get(url + "/1").status_code == 404
        missing = httpx.delete(f"{url}/{'9' * 6000}")
        assert (missing.status_code, missing.json()["error"]) == (
            404,
            "there is /faults, and DELETE /faults/{number}",
        )
        assert httpx.get(url.replace("/faults", "/")).status_code == 404


def test_a_ctrl_c_while_it_begins_ends_it(monkeypatch):
    interrupted, ended = threading.Event(), threading.Event()

    @contextmanager
    def beginning(*options):
        with start_blocking_portal(*options) as portal:
            _thread.interrupt_main()
            interrupted.wait(60)
            yield portal
        ended.set()

    monkeypatch.setattr(running, "start_blocking_portal", beginning)
    server = SimServer(Simulator())
    with pytest.raises(KeyboardInterrupt), server:
        pytest.fail("it was entered")
    interrupted.set()
    assert ended.wait(60)


def test_a_ctrl_c_while_its_thread_is_started_ends_it(monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    @contextmanager
    def beginning(*options):
        with start_blocking_portal(*options) as portal:
            begun.set()
            yield portal
        ended.set()

    class Interrupted(threading.Thread):
        def start(self):
            super().start()
            assert begun.wait(60)
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "start_blocking_portal", beginning)
    monkeypatch.setattr(running, "Thread", Interrupted)
    server = SimServer(Simulator())
    with pytest.raises(KeyboardInterrupt), server:
        pytest.fail("it was entered")
    assert ended.wait(60)
