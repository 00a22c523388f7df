"""The ASGI application: what servers and tests of applications see of it."""

from __future__ import annotations

import httpx
import pytest
from anyio import create_task_group, fail_after, wait_all_tasks_blocked

from srs_vsphere.simulator import Reply, Simulator, VirtualClock
from srs_vsphere.simulator.asgi import CutError, SimApp
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault


@pytest.fixture
def app():
    return SimApp(Simulator(clock=VirtualClock()))


def scope(**changes):
    return {
        "type": "http",
        "method": "GET",
        "path": "/api/about",
        "raw_path": b"/api/about",
        "query_string": b"",
        "headers": [],
        **changes,
    }


async def run(app, scope, *received):
    """Call an application by hand, and return what it sends."""
    messages = [*received, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    try:
        await app(scope, receive, send)
    except CutError as error:
        sent.append(error)
    return sent


WHOLE = {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.anyio
async def test_it_answers_like_the_other_doors(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http:
        login = await http.post("/api/auth/login", auth=("alice", "secret"))
        key = {"X-SRS-API-KEY": login.headers["x-srs-api-key"]}
        created = await http.post("/api/runspaces", json={"name": "one"}, headers=key)
        assert (created.status_code, created.json()["name"]) == (202, "one")
        assert created.headers["content-length"] == str(len(created.content))
        executions = await http.get("/api/script-executions?skipSystemExecutions=yes", headers=key)
        assert executions.status_code == 400
        assert (await http.head("/api/about")).content == b""


@pytest.mark.anyio
async def test_a_body_in_parts_is_put_together():
    class Echo:
        clock = VirtualClock()

        def operation_of(self, request, /):
            return None

        def handle(self, request, /):
            assert request.target == "/a%2Fb?c=1"
            assert request.headers == (("x-one", "1"),)
            return Reply(200, (), iter([request.body, b"!"]))

    sent = await run(
        SimApp(Echo()),
        scope(raw_path=b"/a%2Fb", query_string=b"c=1", headers=[(b"X-One", b"1")]),
        {"type": "http.request", "body": b"he", "more_body": True},
        {"type": "http.request", "body": b"llo"},
    )
    assert sent == [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"hello", "more_body": True},
        {"type": "http.response.body", "body": b"!", "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ]


@pytest.mark.anyio
async def test_a_server_without_raw_paths_will_do(app):
    sent = await run(app, {**scope(), "raw_path": None}, WHOLE)
    assert sent[0]["status"] == 200


@pytest.mark.anyio
async def test_faults_without_a_socket(app):
    with app.faults.armed(Fault(status=503)):
        assert (await run(app, scope(), WHOLE))[0]["status"] == 503
    with app.faults.armed(Fault(cut_after=5)):
        start, body, error = await run(app, scope(), WHOLE)
        assert (start["status"], body["body"], type(error)) == (200, b'{"nam', CutError)
    with app.faults.armed(Fault(trickle=(60, 0.001), delay=0.001)):
        sent = await run(app, scope(), WHOLE)
        assert [len(message["body"]) for message in sent[1:]] == [60, 53, 0]
    with app.faults.armed(Fault(lost_answer=True)):
        assert await run(app, scope(), WHOLE) == []
        assert app.service.requests_seen == 3


@pytest.mark.anyio
async def test_a_client_that_leaves_before_its_request_is_whole_is_not_served(app):
    assert await run(app, scope(), {"type": "http.request", "body": b"x", "more_body": True}) == []
    assert app.service.requests_seen == 0


@pytest.mark.parametrize(
    ("fault", "named"),
    [(Fault(refuse=True), "refuse"), (Fault(reset="after"), "reset"), (Fault(status=0), "status 0")],
)
def test_what_needs_a_socket_is_refused(app, fault, named):
    with pytest.raises(ValueError, match=f"{named} is impossible for an ASGI application"):
        app.faults.add(fault)
    with pytest.raises(ValueError, match=f"{named} is impossible"):
        SimApp(app.service, faults=FaultPlan([fault]))


@pytest.mark.anyio
async def test_lifespan_and_websockets(app):
    received = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    assert await run(app, {"type": "lifespan"}, *received) == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.complete"},
    ]
    assert await run(app, {"type": "websocket"}, {"type": "websocket.connect"}) == [
        {"type": "websocket.close"}
    ]


@pytest.mark.anyio
async def test_a_delayed_call_does_not_hold_the_others_up(app):
    app.faults.add(Fault(nth=1, delay=3600))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http:
        with fail_after(60):
            async with create_task_group() as tasks:
                tasks.start_soon(http.get, "/api/about")
                # Which of two tasks begins first is trio's to choose, and the first call is the delayed one.
                await wait_all_tasks_blocked()
                tasks.start_soon(cancel_after_an_answer, http, tasks.cancel_scope)


async def cancel_after_an_answer(http, scope):
    while (await http.get("/api/about")).status_code != 200:
        pass
    scope.cancel()
