"""Faults as data: what is refused, what JSON makes of them, and which calls a plan hits."""

from __future__ import annotations

import json
import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere.simulator import Reply, Request, Simulator, VirtualClock
from srs_vsphere.simulator.delivery import Delivery, Dispatcher
from srs_vsphere.simulator.fault_arguments import OPERATIONS
from srs_vsphere.simulator.fault_json import read_faults, write_fault
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault

LIST = {"operation": "runspaces.list", "user": None, "host": "srs"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "a fault must do something"),
        ({"operation": "runspaces.list"}, "a fault must do something"),
        ({"delay": 0}, "a fault must do something"),
        (
            {"operation": "runspaces.lisst", "status": 503},
            r"operation: no operation 'runspaces.lisst'; there are about,",
        ),
        ({"operation": " ", "status": 503}, "operation must be printable and not blank"),
        ({"host": "", "status": 503}, "host must be printable and not blank"),
        ({"nth": 0, "status": 503}, "nth must be 1 or more, not 0"),
        ({"times": -1, "status": 503}, "times must be 1 or more, not -1"),
        ({"probability": 0, "status": 503}, "probability must be above 0"),
        ({"probability": 1.5, "status": 503}, "probability must be above 0 and at most 1"),
        ({"probability": math.nan, "status": 503}, "probability must be above 0"),
        ({"nth": 2, "probability": 0.5, "status": 503}, "nth and probability contradict each other"),
        ({"delay": -1}, "delay must be 0 seconds or more"),
        ({"delay": math.inf}, "delay must be 0 seconds or more, and finite"),
        ({"status": 100}, "status must be 0 or from 200 to 599, not 100"),
        ({"status": 600}, "status must be 0 or from 200 to 599, not 600"),
        ({"cut_after": -1}, "cut_after must be 0 or more, not -1"),
        ({"trickle": (0, 1)}, "trickle must be 1 or more, not 0"),
        ({"trickle": (1, -1)}, "trickle must be 0 seconds or more"),
        ({"reset": "later"}, "reset must be 'before' or 'after', not 'later'"),
        ({"refuse": True, "status": 503}, "refuse cannot be combined with status"),
        ({"refuse": True, "operation": "about"}, "refuse cannot be limited by operation"),
        ({"refuse": True, "user": "alice"}, "refuse cannot be limited by user"),
        ({"headers": {"Retry-After": "1"}}, "headers needs status"),
        ({"body": "x"}, "body needs status"),
        ({"status": 503, "headers": {"X\r\nY": "1"}}, "headers: .* cannot be a header's name"),
        ({"status": 503, "headers": {"X": "1\r\nY: 2"}}, "headers: the value of X cannot stand in one line"),
        ({"reset": "after", "status": 503}, "reset cannot be combined with status"),
        ({"reset": "after", "cut_after": 3}, "reset cannot be combined with cut_after"),
        ({"reset": "before", "lost_answer": True}, "lost_answer needs reset='after'"),
        ({"lost_answer": True, "trickle": (1, 1.0)}, "lost_answer cannot be combined with trickle"),
        ({"lost_answer": True, "delay": 1.0}, "lost_answer cannot be combined with delay"),
        ({"status": 204, "cut_after": 1}, "status cannot be combined with cut_after: 204 has no body"),
        ({"slow_creation": 1.0, "operation": "web_consoles.create"}, "slow_creation is for runspaces.create"),
        (
            {"full_quota": True, "operation": "about"},
            "full_quota is for runspaces.create and web_consoles.create",
        ),
        ({"full_quota": True, "status": 503}, "full_quota needs a call that is carried out"),
        ({"creation_error": "no", "reset": "before"}, "creation_error needs a call that is carried out"),
    ],
)
def test_an_impossible_fault_is_refused_and_the_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Fault(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"headers": "Server: x", "status": 503}, "headers must be a mapping or pairs, not str"),
        ({"nth": 1.5, "status": 503}, "nth must be a whole number, not float"),
        ({"times": True, "status": 503}, "times must be a whole number, not bool"),
        ({"status": "503"}, "status must be a whole number, not str"),
        ({"delay": "1"}, "delay must be a number, not str"),
        ({"refuse": 1}, "refuse must be true or false, not int"),
        ({"trickle": 5}, "trickle must be a pair"),
        ({"operation": 5, "status": 503}, "operation must be text, not int"),
        ({"status": 503, "body": 5}, "body must be text or bytes, not int"),
        ({"status": 503, "headers": {"X": 1}}, "headers must have texts"),
    ],
)
def test_a_wrong_type_is_refused_and_the_argument_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        Fault(**arguments)


def test_a_fault_comes_out_of_json_as_it_would_be_written_in_python():
    text = json.dumps(
        {
            "operation": "runspaces.*",
            "nth": 2,
            "status": 429,
            "headers": {"Retry-After": "3"},
            "body": {"code": 1},
            "trickle": [10, 0.5],
        }
    )
    assert Fault.from_json(text) == Fault(
        operation="runspaces.*",
        nth=2,
        status=429,
        headers={"Retry-After": "3"},
        body='{"code":1}',
        content_type="application/json; charset=utf-8",
        trickle=(10, 0.5),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a fault must be JSON"),
        ("3", "a fault must be a JSON object, not int"),
        ('{"stattus": 503}', "a fault has no 'stattus'; it may have operation, host"),
        ('{"status": 503, "times": 0}', "times must be 1 or more"),
    ],
)
def test_json_that_is_no_fault_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Fault.from_json(text)


def test_an_array_of_faults_is_read_whole_or_not_at_all():
    assert len(read_faults('[{"status": 503}, {"reset": "after"}]')) == 2
    assert read_faults('{"refuse": true}') == (Fault(refuse=True),)
    with pytest.raises(ValueError, match="a fault must do something"):
        read_faults('[{"status": 503}, {}]')


SELECTORS = st.fixed_dictionaries(
    {},
    optional={
        "operation": st.sampled_from([*OPERATIONS, "*", "runspaces.*"]),
        "host": st.just("srs-0001"),
        "user": st.just("alice"),
        "times": st.integers(1, 9),
    },
)
TURNS = st.one_of(
    st.just({}), st.builds(dict, nth=st.integers(1, 9)), st.builds(dict, probability=st.floats(0.01, 1))
)
ACTIONS = st.one_of(
    st.builds(
        dict,
        status=st.sampled_from([0, 401, 413, 429, 500, 503]),
        body=st.none() | st.text(max_size=9),
        headers=st.dictionaries(st.sampled_from(["Retry-After", "X-Other"]), st.just("5")),
        delay=st.floats(0, 9),
        cut_after=st.none() | st.integers(0, 9),
    ),
    st.builds(dict, reset=st.sampled_from(["before", "after"]), delay=st.floats(0, 9)),
    st.just({"lost_answer": True}),
    st.builds(dict, trickle=st.tuples(st.integers(1, 9), st.floats(0, 1)), bad_utf8=st.booleans()),
    st.sampled_from([{"stale_session": True}, {"restart": True}, {"runspace_death": True}]),
)


@given(SELECTORS, TURNS, ACTIONS)
def test_every_fault_survives_json(selectors, turns, actions):
    fault = Fault(**selectors, **turns, **actions)
    assert Fault.from_json(json.dumps(write_fault(fault))) == fault


def hits(plan, calls, **call):
    return [plan.choose(**{**LIST, **call}) is not None for _ in range(calls)]


def test_without_a_count_every_matching_call_is_hit():
    plan = FaultPlan([Fault(operation="runspaces.list", status=503)])
    assert hits(plan, 3) == [True, True, True]
    assert hits(plan, 1, operation="about") == [False]
    assert hits(plan, 1, operation=None) == [False]


def test_the_nth_call_is_counted_among_those_that_match():
    plan = FaultPlan([Fault(operation="runspaces.*", nth=2, status=503)])
    assert hits(plan, 1) == [False]
    assert hits(plan, 2, operation="about") == [False, False]
    assert hits(plan, 2, operation="runspaces.get") == [True, False]


def test_nth_and_times_give_a_run_of_calls():
    assert hits(FaultPlan([Fault(nth=2, times=2, status=503)]), 5) == [False, True, True, False, False]
    assert hits(FaultPlan([Fault(times=2, status=503)]), 4) == [True, True, False, False]


def test_host_and_user_narrow_a_fault_down():
    plan = FaultPlan([Fault(host="a", user="alice", status=503)])
    assert hits(plan, 1, host="a", user="alice@vsphere.local") == [True]
    assert hits(plan, 1, host="b", user="alice") == [False]
    assert hits(plan, 1, host="a", user="bob") == [False]
    assert hits(plan, 1, host="a", user=None) == [False]


def test_creation_faults_hit_only_what_creates():
    assert hits(FaultPlan([Fault(slow_creation=1.0)]), 1) == [False]
    assert hits(FaultPlan([Fault(slow_creation=1.0)]), 1, operation="runspaces.create") == [True]
    assert hits(FaultPlan([Fault(slow_creation=1.0)]), 1, operation="web_consoles.create") == [False]
    assert hits(FaultPlan([Fault(full_quota=True)]), 1, operation="web_consoles.create") == [True]


def test_the_seed_decides_the_dice_and_hosts_do_not_disturb_each_other():
    fault = Fault(probability=0.5, status=503)
    alone = hits(FaultPlan([fault], seed=7), 50, host="a")
    plan = FaultPlan([fault], seed=7)
    mixed = []
    for _ in range(50):
        mixed += hits(plan, 1, host="a")
        hits(plan, 2, host="b")
    assert mixed == alone
    assert 10 < sum(alone) < 40
    assert hits(FaultPlan([fault], seed=8), 50, host="a") != alone


def test_the_first_fault_whose_turn_it_is_takes_the_call_and_the_others_do_not_see_it():
    first, second = Fault(nth=1, status=503), Fault(nth=1, status=504)
    plan = FaultPlan([first, second])
    assert plan.choose(**LIST) == first
    assert plan.choose(**LIST) == second
    assert [(rule.calls, rule.hits) for rule in plan.rules] == [(2, 1), (1, 1)]


def test_a_refusal_takes_connections_only():
    plan = FaultPlan([Fault(refuse=True, times=1)])
    assert plan.choose(**LIST) is None
    assert plan.choose(**LIST, connecting=True) == Fault(refuse=True, times=1)
    assert plan.choose(**LIST, connecting=True) is None


def test_a_plan_is_changed_by_number():
    plan = FaultPlan()
    one, two = plan.extend([Fault(status=503), Fault(status=504)])
    three = plan.add(Fault(status=502))
    plan.remove(two)
    assert [rule.number for rule in plan.rules] == [one, three]
    with pytest.raises(ValueError, match=f"number: the plan holds no fault {two}"):
        plan.remove(two)
    plan.clear()
    assert plan.faults == ()
    with plan.armed(Fault(status=500)):
        assert plan.faults == (Fault(status=500),)
    assert plan.faults == ()


def test_who_watches_a_plan_may_refuse_a_fault_and_the_plan_stays_as_it_was():
    plan = FaultPlan([Fault(status=503)])
    seen = []

    def watcher(faults):
        seen.append(len(faults))
        if any(fault.refuse for fault in faults):
            raise ValueError("not here")

    unwatch = plan.watch(watcher)
    with pytest.raises(ValueError, match="not here"):
        plan.add(Fault(refuse=True))
    assert plan.faults == (Fault(status=503),)
    assert seen == [1, 2]
    unwatch()
    plan.add(Fault(refuse=True))
    assert len(plan.faults) == 2
    with pytest.raises(ValueError, match="not here"):
        plan.watch(watcher)


def test_calls_from_many_threads_are_counted_each():
    plan = FaultPlan([Fault(times=500, status=503)])
    taken = []

    def call():
        taken.append(sum(hits(plan, 250)))

    threads = [threading.Thread(target=call, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(taken) == 500
    assert plan.rules[0].calls == 1000


class Counting:
    """A service that answers with what it counts."""

    def __init__(self):
        self.clock = VirtualClock()
        self.handled = 0

    def operation_of(self, request, /):
        return "about"

    def handle(self, request, /):
        self.handled += 1
        return Reply(200, (("Content-Type", "application/json"),), b'{"name":"x"}')


def deliver(fault):
    service = Counting()
    dispatcher = Dispatcher(service, FaultPlan([fault]), "srs")
    request = Request("GET", "/api/about")
    return dispatcher.serve(request, dispatcher.look(request, connecting=True)), service.handled


@pytest.mark.parametrize(
    ("fault", "expected", "handled"),
    [
        (Fault(refuse=True), Delivery(refused=True), 0),
        (Fault(reset="after", delay=2.0), Delivery(reset=True, delay=2.0), 0),
        (Fault(reset="after", lost_answer=True), Delivery(reset=True), 1),
        (Fault(lost_answer=True), Delivery(), 1),
        (Fault(status=500, body=b""), Delivery(Reply(500)), 0),
        (Fault(status=500, body=b"", lost_answer=True), Delivery(Reply(500)), 1),
        (Fault(status=401), Delivery(Reply(401)), 0),
    ],
)
def test_a_delivery_says_what_the_door_must_do(fault, expected, handled):
    assert deliver(fault) == (expected, handled)


def test_wire_faults_leave_the_answer_and_say_how_it_is_sent():
    delivery, handled = deliver(Fault(delay=1.0, trickle=(2, 0.1), cut_after=5))
    assert delivery == Delivery(
        Reply(200, (("Content-Type", "application/json"),), b'{"name":"x"}'),
        delay=1.0,
        trickle=(2, 0.1),
        cut_after=5,
    )
    assert list(delivery.pieces(delivery.reply)) == [b'{"', b"na", b"me", b'":', b'"x', b'"}']
    assert handled == 1


def test_bad_utf8_and_content_type_change_the_answer():
    delivery, _ = deliver(Fault(bad_utf8=True, content_type="text/html"))
    assert delivery.reply.headers == (("Content-Type", "text/html"),)
    with pytest.raises(UnicodeDecodeError):
        delivery.reply.body.decode()
    assert delivery.reply.body.replace(b"\xff", b"") == b'{"name":"x"}'


def test_a_status_comes_with_the_page_of_a_proxy():
    delivery, _ = deliver(Fault(status=504, headers={"Retry-After": "2"}))
    assert delivery.reply.headers == (("Content-Type", "text/html"), ("Retry-After", "2"))
    assert b"<h1>504 Gateway Time-out</h1>" in delivery.reply.body
    assert len(delivery.reply.body) == 167


def test_a_service_that_is_no_simulator_knows_no_mishaps():
    delivery, handled = deliver(Fault(restart=True))
    assert delivery.reply.status == 200
    assert handled == 1


class Caller:
    """Calls a simulator through a dispatcher, as a door does."""

    def __init__(self, fault):
        self.simulator = Simulator(clock=VirtualClock())
        self.dispatcher = Dispatcher(self.simulator, FaultPlan(), "srs")
        self.key = self.login("alice")
        self.dispatcher.faults.add(fault)

    def login(self, user):
        credentials = {"alice": "YWxpY2U6c2VjcmV0", "bob": "Ym9iOnNlY3JldA=="}[user]
        reply = self.call("POST", "/api/auth/login", ("authorization", f"Basic {credentials}"))
        return dict(reply.headers)["X-SRS-API-KEY"]

    def call(self, method, target, *headers, body=b""):
        request = Request(method, target, headers, body)
        return self.dispatcher.serve(request, self.dispatcher.look(request)).reply

    def as_alice(self, method, target, body=None):
        headers = [("x-srs-api-key", self.key)]
        if body is not None:
            headers.append(("content-type", "application/json"))
        return self.call(
            method, target, *headers, body=json.dumps(body).encode() if body is not None else b""
        )


def test_a_fault_for_a_user_hits_that_users_session_and_login():
    caller = Caller(Fault(user="bob", status=503))
    assert caller.as_alice("GET", "/api/runspaces").status == 200
    assert caller.call("POST", "/api/auth/login", ("authorization", "Basic Ym9iOnNlY3JldA==")).status == 503


def test_a_stale_session_is_the_callers_own():
    caller = Caller(Fault(user="alice", times=1, stale_session=True))
    bob = caller.login("bob")
    assert caller.as_alice("GET", "/api/runspaces").status == 401
    assert caller.as_alice("GET", "/api/runspaces").status == 401
    assert caller.call("GET", "/api/runspaces", ("x-srs-api-key", bob)).status == 200


def test_a_restart_takes_sessions_and_runspaces():
    caller = Caller(Fault(operation="runspaces.list", times=1, restart=True))
    caller.as_alice("POST", "/api/runspaces", {})
    assert caller.as_alice("GET", "/api/runspaces").status == 401
    assert caller.simulator.session_count == 0
    assert not caller.simulator.runspaces


def test_the_runspace_that_is_named_dies():
    caller = Caller(Fault(operation="runspaces.get", runspace_death=True))
    kept, dead = caller.simulator.add_runspace(), caller.simulator.add_runspace()
    assert caller.as_alice("GET", f"/api/runspaces/{dead}").status == 404
    assert list(caller.simulator.runspaces) == [kept]


def test_all_runspaces_die_where_none_is_named():
    caller = Caller(Fault(operation="runspaces.list", runspace_death=True))
    caller.simulator.add_runspace()
    assert caller.as_alice("GET", "/api/runspaces").body == b"[]"


def test_an_unreachable_runspace_answers_with_status_0():
    caller = Caller(Fault(operation="script_executions.create", runspace_unreachable=True))
    runspace = caller.simulator.add_runspace()
    reply = caller.as_alice("POST", "/api/script-executions", {"runspace_id": runspace, "script": "1"})
    assert reply.status == 0
    assert json.loads(reply.body)["code"] == 1000


def test_creation_is_slow_once():
    caller = Caller(Fault(nth=1, slow_creation=60.0))
    caller.as_alice("POST", "/api/runspaces", {})
    caller.as_alice("POST", "/api/runspaces", {})
    caller.simulator.clock.advance(30)
    assert list(caller.simulator.runspaces.values()) == ["creating", "ready"]


def test_creation_fails_with_the_text_that_was_given():
    caller = Caller(Fault(nth=1, creation_error="no room at the inn"))
    reply = caller.as_alice("POST", "/api/runspaces", {})
    assert reply.status == 500
    assert json.loads(reply.body)["error_message"] == "no room at the inn"
    assert caller.as_alice("POST", "/api/runspaces", {}).status == 202


def test_a_pod_fails_after_the_runspace_was_accepted():
    caller = Caller(Fault(nth=1, pod_error="failed: ImagePullBackOff"))
    assert caller.as_alice("POST", "/api/runspaces", {}).status == 202
    caller.simulator.clock.advance(30)
    assert list(caller.simulator.runspaces.values()) == ["error"]


@pytest.mark.parametrize(
    "what", [{"slow_creation": 60.0}, {"creation_error": "no"}, {"pod_error": "failed: ImagePullBackOff"}]
)
def test_what_was_to_fail_within_a_call_is_over_with_that_call(what):
    caller = Caller(Fault(nth=1, stale_session=True, **what))
    assert caller.as_alice("POST", "/api/runspaces", {}).status == 401
    caller.key = caller.login("alice")
    assert caller.as_alice("POST", "/api/runspaces", {}).status == 202
    caller.simulator.clock.advance(30)
    assert list(caller.simulator.runspaces.values()) == ["ready"]


def test_a_fault_leaves_alone_what_goes_wrong_anyway():
    caller = Caller(Fault(nth=1, creation_error="this once"))
    caller.simulator.fail_creation("every time", times=None)
    replies = [caller.as_alice("POST", "/api/runspaces", {}) for _ in range(3)]
    texts = [json.loads(reply.body)["error_message"] for reply in replies]
    assert texts == ["this once", "every time", "every time"]


@pytest.mark.parametrize(("target", "code"), [("/api/runspaces", 2020), ("/api/webconsoles", 2060)])
def test_a_full_quota_looks_like_the_services_own(target, code):
    caller = Caller(Fault(full_quota=True))
    told = caller.as_alice("POST", target, {})
    caller.dispatcher.faults.clear()
    caller.simulator.fill_quota()
    assert told == caller.as_alice("POST", target, {})
    assert json.loads(told.body)["code"] == code


def test_a_full_quota_does_not_matter_to_a_stranger():
    caller = Caller(Fault(full_quota=True))
    assert (
        caller.call("POST", "/api/runspaces", ("content-type", "application/json"), body=b"{}").status == 401
    )


def test_faults_that_have_hit_nothing_are_told():
    plan = FaultPlan(
        [
            Fault(operation="about", status=503),
            Fault(operation="runspaces.*", times=2, delay=0.5),
            Fault(probability=0.001, status=500),
            Fault(refuse=True),
        ]
    )
    assert plan.choose(operation="about", user=None, host="srs") is not None

    with pytest.raises(AssertionError) as caught:
        plan.assert_all_used()

    assert str(caught.value) == (
        "faults that have hit no call: Fault(operation='runspaces.*', times=2, delay=0.5)"
    )
    plan.choose(operation="runspaces.list", user=None, host="srs")
    plan.assert_all_used()
