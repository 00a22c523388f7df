"""Behaviours: what they may be, what they tell of their calls, and that what they raise is not lost."""

from __future__ import annotations

import base64
import re

import httpx
import pytest

from srs_vsphere.simulator import (
    ScriptCall,
    ScriptReply,
    SimApp,
    SimFleet,
    SimServer,
    SimTransport,
    Simulator,
    StreamMessage,
    SyncSimTransport,
    VirtualClock,
)
from srs_vsphere.simulator.agenda import Agenda
from tests.simulator.calling import Caller, ready_runspace

DEEP = 5
for _ in range(150):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ScriptReply("text"), TypeError, "output must be a list of objects, not str"),
        (lambda: ScriptReply(output={"a": 1}), TypeError, "output must be a list of objects, not dict"),
        (lambda: ScriptReply(output=iter([1])), TypeError, "output must be a list of objects, not list_iter"),
        (
            lambda: ScriptReply(output=[{"a": {1, 2}}]),
            TypeError,
            r"output\[0\]\['a'\] must be a value .* not set",
        ),
        (lambda: ScriptReply(output=[1, object()]), TypeError, r"output\[1\] must be a value .* not object"),
        (
            lambda: ScriptReply(output=[{(1, 2): 1}]),
            TypeError,
            r"output\[0\] must have texts as names, not tuple",
        ),
        (lambda: ScriptReply(output=[DEEP]), ValueError, "is nested more than 100 levels deep"),
        (lambda: ScriptReply(records="text"), TypeError, "records must be a list of StreamMessage, not str"),
        (lambda: ScriptReply(records=[("error", "e")]), TypeError, r"records\[0\] must be a StreamMessage"),
        (lambda: ScriptReply(duration="1"), TypeError, "duration must be a number of seconds, not str"),
        (lambda: ScriptReply(duration=True), TypeError, "duration must be a number of seconds, not bool"),
        (lambda: ScriptReply(duration=-1), ValueError, "duration must be 0 seconds or more"),
        (lambda: ScriptReply(duration=float("inf")), ValueError, "duration must be 0 seconds or more"),
        (lambda: ScriptReply(state="ready"), ValueError, "state must be one of success, error, canceled"),
        (lambda: ScriptReply(reason="boom"), ValueError, "reason is for a script that ends in state 'error'"),
        (lambda: ScriptReply(state="error", reason=5), TypeError, "reason must be text, not int"),
        (lambda: StreamMessage("progress", "m"), ValueError, "stream must be one of information, error"),
        (lambda: StreamMessage("error", 5), TypeError, "message must be text, not int"),
        (lambda: StreamMessage("error", "m", at=-1), ValueError, "at must be 0 seconds or more"),
        (lambda: StreamMessage("error", "m", at="1"), TypeError, "at must be a number of seconds, not str"),
    ],
)
def test_a_reply_that_cannot_be_is_refused_when_it_is_made(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"match": " ", "reply": ScriptReply()}, ValueError, "match must not be blank"),
        ({"match": 5, "reply": ScriptReply()}, TypeError, "match must be a text, a pattern or a function"),
        ({"match": re.compile(b"x"), "reply": ScriptReply()}, TypeError, "match must be a pattern for text"),
        ({"match": "x"}, ValueError, "reply: give either a reply or replies"),
        (
            {"match": "x", "reply": ScriptReply(), "replies": [ScriptReply()]},
            ValueError,
            "reply: give either",
        ),
        ({"match": "x", "reply": "text"}, TypeError, "reply must be a ScriptReply or a function .* not str"),
        ({"match": "x", "replies": []}, TypeError, "replies must be a list with at least one"),
        ({"match": "x", "replies": ["text"]}, TypeError, "reply must be a ScriptReply or a function"),
        ({"match": "x", "reply": ScriptReply(), "times": 0}, ValueError, "times must be 1 or more, not 0"),
        ({"match": "x", "reply": ScriptReply(), "times": "2"}, TypeError, "times must be a whole number"),
        ({"match": "x", "replies": [ScriptReply()] * 2, "times": 1}, ValueError, "times must be 2 or more"),
    ],
)
def test_a_behaviour_that_cannot_be_is_refused(service, arguments, error, message):
    with pytest.raises(error, match=message):
        service.on_script(**arguments)


def is_it(call):
    return call.script == "it"


@pytest.mark.parametrize(
    ("match", "again"), [("it", " it\n"), (re.compile("it"), re.compile("it")), (is_it, is_it)]
)
def test_a_behaviour_registered_twice_is_refused(service, match, again):
    first = service.on_script(match, ScriptReply())

    with pytest.raises(ValueError, match=r"^match: a behaviour for .* is registered already"):
        service.on_script(again, ScriptReply())

    first.remove()
    service.on_script(again, ScriptReply())


def run(alice, runspace, script, **members):
    execution = alice.finish(alice.run(runspace, script, **members))
    alice.simulator.clock.advance(1)
    return execution, alice.output(execution["id"])


def test_a_behaviour_tells_its_calls(alice, runspace):
    behaviour = alice.simulator.on_script(re.compile("^Get-"), ScriptReply(output=[1]))

    run(alice, runspace, "Get-VM", script_parameters=[{"name": "n", "value": "a"}])
    run(alice, runspace, "'other'")
    run(alice, runspace, "Get-VMHost", name="hosts")

    assert [(call.script, dict(call.parameters), call.name) for call in behaviour.calls] == [
        ("Get-VM", {"n": "a"}, None),
        ("Get-VMHost", {}, "hosts"),
    ]
    assert repr(behaviour) == "ScriptBehaviour(the pattern '^Get-', 2 calls)"


def test_replies_are_given_one_after_the_other(alice, runspace):
    replies = [ScriptReply(output=["one"]), lambda call: ScriptReply(output=[call.name])]
    behaviour = alice.simulator.on_script("it", replies=replies)
    older = alice.simulator.on_script(re.compile("it"), ScriptReply(output=["rest"]))
    older.remove()

    outputs = [run(alice, runspace, "it", name=name)[1] for name in ("a", "b")]

    assert outputs == [["one"], ["b"]]
    assert behaviour.is_used_up
    execution, _ = run(alice, runspace, "it")
    assert execution["reason"].startswith("simulator: line 1: the command it is not understood")


def test_the_last_reply_is_repeated_if_times_says_so(alice, runspace):
    replies = [ScriptReply(output=[number]) for number in (1, 2)]
    alice.simulator.on_script(is_it, ScriptReply(output=["older"]))
    alice.simulator.on_script("it", replies=replies, times=3)

    assert [run(alice, runspace, "it")[1][0] for _ in range(4)] == ["1", "2", "2", "older"]


def test_all_scripts_are_listed_with_their_states(alice, runspace):
    failing = alice.simulator.on_script("fail", ScriptReply(state="error", reason="no rights"))
    parameter = {"name": "p", "script": "1 + 3"}
    run(alice, runspace, "param($p) $p", script_parameters=[parameter], name="sum")
    run(alice, runspace, "fail")
    run(alice, runspace, "Get-VM")
    alice.run(runspace, "Start-Sleep 60")

    scripts = alice.simulator.scripts

    assert [(each.call.script, each.call.parameter, each.state) for each in scripts] == [
        ("1 + 3", "p", "success"),
        ("param($p) $p", None, "success"),
        ("fail", None, "error"),
        ("Get-VM", None, "error"),
        ("Start-Sleep 60", None, "running"),
    ]
    assert [each.behaviour for each in scripts] == [None, None, failing, None, None]
    assert scripts[2].reason.startswith("System.Management.Automation.RuntimeException: no rights")
    assert scripts[3].reason == alice.simulator.refusals[0]


def test_what_is_not_used_is_told(alice, runspace):
    simulator = alice.simulator
    simulator.assert_all_used()
    simulator.on_script("used", ScriptReply())
    half = simulator.on_script("half", replies=[ScriptReply(), ScriptReply()])
    simulator.on_script(re.compile("never"), ScriptReply())
    run(alice, runspace, "used")
    run(alice, runspace, "half")

    with pytest.raises(AssertionError) as caught:
        simulator.assert_all_used()

    assert str(caught.value) == (
        "behaviours that were registered and not used: 'half' (1 calls), the pattern 'never' (0 calls)"
    )
    half.remove()


@pytest.mark.parametrize("asked", [False, True])
def test_scripts_of_the_service_and_of_parameters_are_offered_if_asked_for(alice, asked):
    seen = []

    def note(call: ScriptCall) -> bool:
        seen.append((call.script, call.system, call.parameter))
        return False

    alice.simulator.on_script(note, ScriptReply(), system=asked, parameter_scripts=asked)
    runspace = alice.create_runspace(run_vc_connection_script=True)
    alice.simulator.clock.advance(5)
    run(alice, runspace, "param($p) $p", script_parameters=[{"name": "p", "script": "1 + 3"}])

    main = ("param($p) $p", False, None)
    assert seen == ([("powerclivclogin", True, None), ("1 + 3", False, "p"), main] if asked else [main])


def test_an_exact_text_means_that_script_wherever_it_runs(alice):
    login = alice.simulator.on_script("powerclivclogin", ScriptReply())
    lookup = alice.simulator.on_script("Get-VM", ScriptReply(output=["vm"]))
    runspace = alice.create_runspace(run_vc_connection_script=True)
    alice.simulator.clock.advance(5)

    _, output = run(alice, runspace, "param($p) $p", script_parameters=[{"name": "p", "script": "Get-VM"}])

    assert (len(login.calls), len(lookup.calls), output) == (1, 1, ["vm"])


def broken_match(call):
    return call.nonsense


def broken_answer(call):
    raise KeyError(call.script)


def wrong_answer(call):
    return ["not a reply"]


BROKEN = [
    ({"match": broken_match, "reply": ScriptReply()}, AttributeError),
    ({"match": "it", "reply": broken_answer}, KeyError),
    ({"match": "it", "reply": wrong_answer}, TypeError),
    ({"match": "it", "reply": lambda _: pytest.fail("asserted here")}, pytest.fail.Exception),
]


@pytest.fixture
def broken():
    """A simulator with a ready runspace, and the request that makes a behaviour raise."""
    simulator = Simulator(clock=VirtualClock())
    alice = Caller(simulator)
    body = {"runspace_id": ready_runspace(alice), "script": "it"}
    headers = {"X-SRS-API-KEY": alice.key}
    return simulator, {"url": "/api/script-executions", "json": body, "headers": headers}


@pytest.mark.parametrize(("behaviour", "error"), BROKEN)
def test_what_a_behaviour_raises_is_raised_when_the_server_ends(broken, behaviour, error):
    simulator, request = broken
    simulator.on_script(**behaviour)

    with pytest.raises(error), SimServer(simulator) as server, httpx.Client(base_url=server.url) as http:
        response = http.post(**request)
        assert response.status_code == 500
        assert response.json()["error_message"].startswith("simulator: the behaviour for ")
        # The service goes on, and nothing of the script is there.
        assert http.get("/api/script-executions", headers=request["headers"]).json() == []

    simulator.raise_failures()


def test_what_a_behaviour_raises_comes_before_what_the_test_made_of_it(broken):
    simulator, request = broken
    simulator.on_script("it", broken_answer)

    with pytest.raises(KeyError) as caught, SimServer(simulator) as server:
        response = httpx.post(server.url + request.pop("url"), **request)
        response.raise_for_status()

    assert isinstance(caught.value.__context__, httpx.HTTPStatusError)


@pytest.mark.parametrize(("behaviour", "error"), BROKEN)
def test_a_transport_without_a_loop_raises_it_at_once(broken, behaviour, error):
    simulator, request = broken
    simulator.on_script(**behaviour)

    with httpx.Client(transport=SyncSimTransport(simulator), base_url="http://srs.test") as http:
        with pytest.raises(error):
            http.post(**request)
        assert http.get("/api/about").status_code == 200


@pytest.mark.anyio
async def test_a_transport_and_an_application_raise_it_at_once(broken):
    simulator, request = broken
    simulator.on_script("it", broken_answer)

    for transport in (SimTransport(simulator), httpx.ASGITransport(SimApp(simulator))):
        async with httpx.AsyncClient(transport=transport, base_url="http://srs.test") as http:
            with pytest.raises(KeyError):
                await http.post(**request)
            assert (await http.get("/api/about")).status_code == 200


def test_a_fleet_raises_it_when_it_ends():
    with pytest.raises(KeyError) as caught, SimFleet(2) as fleet:
        host = fleet.hosts[1]
        host.simulator.on_script("it", broken_answer)
        for _ in range(2):
            pair = base64.b64encode(b"alice:secret").decode()
            key = httpx.post(f"{host.url}/api/auth/login", headers={"Authorization": f"Basic {pair}"})
            headers = {"X-SRS-API-KEY": key.headers["X-SRS-API-KEY"]}
            body = {"runspace_id": host.simulator.add_runspace(), "script": "it"}
            sent = httpx.post(f"{host.url}/api/script-executions", json=body, headers=headers)
            assert sent.status_code == 500

    assert caught.value.__notes__ == ["1 more of the simulator's behaviours raised"]


def test_a_behaviour_of_the_services_own_script_that_raises_does_not_stop_the_runspace(alice):
    alice.simulator.on_script(broken_match, ScriptReply(), system=True)
    runspace = alice.create_runspace(run_vc_connection_script=True)
    alice.simulator.clock.advance(10)

    found = alice.get(f"/api/runspaces/{runspace}")[1]

    assert found["state"] == "ready"
    script = alice.get(f"/api/script-executions/{found['vc_connection_script_id']}")[1]
    assert (script["state"], script["reason"].startswith("simulator: the behaviour for ")) == ("error", True)
    with pytest.raises(AttributeError):
        alice.simulator.raise_failures()


def test_an_event_that_raises_is_not_lost():
    clock = VirtualClock()
    agenda = Agenda(clock)
    seen = []

    def fragile():
        seen.append("tried")
        if len(seen) == 1:
            raise KeyError

    agenda.after(1, fragile)
    agenda.after(2, lambda: seen.append("next"))
    clock.advance(5)
    with pytest.raises(KeyError):
        agenda.catch_up()
    agenda.catch_up()

    assert seen == ["tried", "tried", "next"]


def test_a_clock_that_runs_backwards_is_refused():
    class Backwards(VirtualClock):
        def seconds(self):
            return -super().seconds()

    clock = Backwards()
    simulator = Simulator(clock=clock)
    clock.advance(1)

    with pytest.raises(ValueError, match=r"clock must not run backwards: it shows -1\.0 s after"):
        assert simulator.session_count == 0
