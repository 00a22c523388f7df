"""The doors in process: faults that look as httpx shows those of a network."""

from __future__ import annotations

import httpx
import pytest
from anyio import create_task_group, fail_after, wait_all_tasks_blocked

from srs_vsphere.simulator import Reply, Simulator, SystemClock, VirtualClock
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.transports import SimTransport, SyncSimTransport


class Streaming:
    """A service whose body is made piece by piece, and says how much of it was made."""

    def __init__(self, pieces):
        self.clock = VirtualClock()
        self.pieces = pieces
        self.made = 0

    def operation_of(self, request, /):
        return None

    def handle(self, request, /):
        return Reply(200, (), self.make())

    def make(self):
        for piece in self.pieces:
            self.made += 1
            yield piece


@pytest.fixture
def simulator():
    return Simulator(clock=VirtualClock())


def network_errors():
    return [
        (Fault(refuse=True), httpx.ConnectError),
        (Fault(reset="before"), httpx.ReadError),
        (Fault(reset="after"), httpx.ReadError),
        (Fault(status=0), httpx.RemoteProtocolError),
        (Fault(lost_answer=True), httpx.ReadTimeout),
        (Fault(delay=6.0), httpx.ReadTimeout),
        (Fault(cut_after=5), httpx.RemoteProtocolError),
        (Fault(trickle=(1, 6.0)), httpx.ReadTimeout),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize(("fault", "expected"), network_errors())
async def test_faults_look_like_a_networks(simulator, fault, expected):
    transport = SimTransport(simulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test", timeout=5.0) as http:
        with transport.faults.armed(fault), pytest.raises(expected) as caught:
            await http.get("/api/about")
        assert caught.value.request.url == "http://srs.test/api/about"
        assert (await http.get("/api/about")).status_code == 200
    assert transport.traffic.open == 0


@pytest.mark.parametrize(("fault", "expected"), network_errors())
def test_faults_look_like_a_networks_without_a_loop(simulator, fault, expected):
    transport = SyncSimTransport(simulator)
    with httpx.Client(transport=transport, base_url="http://srs.test", timeout=5.0) as http:
        with transport.faults.armed(fault), pytest.raises(expected):
            http.get("/api/about")
        assert http.get("/api/about").status_code == 200
    assert transport.traffic.open == 0


@pytest.mark.anyio
async def test_refusals_can_be_counted_in_process(simulator):
    transport = SimTransport(simulator, faults=FaultPlan([Fault(refuse=True, times=2)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http:
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                await http.get("/api/about")
        assert (await http.get("/api/about")).status_code == 200
    assert transport.traffic.seen == 1


@pytest.mark.anyio
async def test_a_response_is_the_one_that_a_server_sends(simulator):
    async with httpx.AsyncClient(transport=SimTransport(simulator), base_url="http://srs.test") as http:
        response = await http.post("/api/auth/login", auth=("alice", "secret"))
        assert response.headers["content-length"] == "0"
        key = {"X-SRS-API-KEY": response.headers["x-srs-api-key"]}
        response = await http.post("/api/runspaces", json={"name": "one"}, headers=key)
        assert (response.status_code, response.json()["name"]) == (202, "one")
        simulator.clock.advance(30)
        (runspace,) = (await http.get("/api/runspaces?x=%20", headers=key)).json()
        assert runspace["state"] == "ready"
        assert (await http.head("/api/about")).content == b""


@pytest.mark.anyio
async def test_a_delay_moves_the_virtual_clock_and_takes_no_time(simulator):
    transport = SimTransport(simulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test", timeout=5.0) as http:
        with fail_after(60):
            with transport.faults.armed(Fault(delay=4.0)):
                await http.get("/api/about")
            assert simulator.clock.seconds() == 4.0
            with transport.faults.armed(Fault(delay=3600.0)), pytest.raises(httpx.ReadTimeout):
                await http.get("/api/about")
            assert simulator.clock.seconds() == 9.0
            with transport.faults.armed(Fault(lost_answer=True)), pytest.raises(httpx.ReadTimeout):
                await http.get("/api/about")
            assert simulator.clock.seconds() == 14.0
            with transport.faults.armed(Fault(trickle=(50, 2.0))):
                await http.get("/api/about")
            assert simulator.clock.seconds() == 20.0


@pytest.mark.anyio
async def test_with_the_systems_clock_a_delay_takes_its_time():
    transport = SimTransport(Simulator(clock=SystemClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test", timeout=0.02) as http:
        with transport.faults.armed(Fault(delay=3600.0)), pytest.raises(httpx.ReadTimeout):
            await http.get("/api/about")
        with transport.faults.armed(Fault(delay=0.01)):
            assert (await http.get("/api/about")).status_code == 200


@pytest.mark.anyio
async def test_who_waits_for_ever_can_be_cancelled(simulator):
    transport = SimTransport(simulator, faults=FaultPlan([Fault(lost_answer=True)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test", timeout=None) as http:
        async with create_task_group() as tasks:
            tasks.start_soon(http.get, "/api/about")
            await wait_all_tasks_blocked()
            assert simulator.requests_seen == 1
            tasks.cancel_scope.cancel()
        assert tasks.cancel_scope.cancelled_caught
    assert transport.traffic.open == 0


@pytest.mark.anyio
async def test_a_body_is_made_while_it_is_read():
    service = Streaming([b"a", b"b", b"c"])
    transport = SimTransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http:
        async with http.stream("GET", "/") as response:
            assert response.headers["transfer-encoding"] == "chunked"
            assert service.made == 0
            pieces = response.aiter_raw()
            assert await anext(pieces) == b"a"
            assert service.made == 1
            assert transport.traffic.open == 1
            assert [piece async for piece in pieces] == [b"b", b"c"]
        assert transport.traffic.open == 0


@pytest.mark.anyio
async def test_a_streamed_body_is_cut_too():
    transport = SimTransport(Streaming([b"abc", b"def"]), faults=FaultPlan([Fault(cut_after=4)]))
    got = []
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http,
        http.stream("GET", "/") as response,
    ):
        with pytest.raises(httpx.RemoteProtocolError, match=r"received 4 bytes, expected more"):
            await read_into(got, response)
    assert got == [b"abc", b"d"]


async def read_into(got, response):
    async for piece in response.aiter_raw():
        got.append(piece)


@pytest.mark.anyio
async def test_bodies_can_come_in_small_pieces(simulator):
    transport = SimTransport(simulator, chunk=50)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http,
        http.stream("GET", "/api/about") as response,
    ):
        assert [len(piece) async for piece in response.aiter_raw()] == [50, 50, 13]
    with pytest.raises(ValueError, match="chunk must be 1 or more, not 0"):
        SimTransport(simulator, chunk=0)


def test_bodies_can_come_in_small_pieces_without_a_loop(simulator):
    transport = SyncSimTransport(simulator, chunk=50)
    with (
        httpx.Client(transport=transport, base_url="http://srs.test") as http,
        http.stream("GET", "/api/about") as response,
    ):
        pieces = response.iter_raw()
        assert len(next(pieces)) == 50
        assert transport.traffic.open == 1
        assert [len(piece) for piece in pieces] == [50, 13]
    assert transport.traffic.open == 0


@pytest.mark.anyio
async def test_requests_take_turns(simulator):
    transport = SimTransport(simulator)
    order = []

    async def poll(name):
        for _ in range(3):
            await http.get("/api/about")
            order.append(name)

    async with (
        httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http,
        create_task_group() as tasks,
    ):
        tasks.start_soon(poll, "a")
        tasks.start_soon(poll, "b")
    assert order not in (["a"] * 3 + ["b"] * 3, ["b"] * 3 + ["a"] * 3)
    assert transport.traffic.requests == (("GET", "/api/about"),) * 6


@pytest.mark.anyio
async def test_a_request_body_that_is_streamed_arrives_whole(simulator):
    async def body():
        yield b'{"name": '
        yield b'"two"}'

    async with httpx.AsyncClient(transport=SimTransport(simulator), base_url="http://srs.test") as http:
        login = await http.post("/api/auth/login", auth=("alice", "secret"))
        headers = {"X-SRS-API-KEY": login.headers["x-srs-api-key"], "Content-Type": "application/json"}
        response = await http.post("/api/runspaces", content=body(), headers=headers)
    assert response.json()["name"] == "two"
