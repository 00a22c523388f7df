"""A virtual clock that moves on its own: nobody waits in real time for what is only a matter of time."""

from __future__ import annotations

import pytest

from srs_vsphere import AsyncSrsClient, BasicAuth, QuotaExceededError, SrsClient
from srs_vsphere.simulator import (
    Fault,
    ScriptReply,
    Settings,
    SimServer,
    SimTransport,
    Simulator,
    StreamMessage,
    SyncSimTransport,
    VirtualClock,
)
from tests.simulator.calling import Caller

AUTH = BasicAuth("alice", "secret")
EXECUTIONS = "/api/script-executions"


def simulated(**settings):
    return Simulator(clock=VirtualClock(auto=True), settings=Settings(**settings))


@pytest.fixture
def alice():
    return Caller(simulated(creation_seconds=300))


def test_by_default_a_clock_only_moves_when_it_is_moved():
    assert not VirtualClock().auto


def test_a_question_about_a_runspace_passes_the_time_of_its_creation(alice):
    runspace = alice.create_runspace()
    assert alice.simulator.clock.seconds() == 0

    assert alice.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"

    assert alice.simulator.clock.seconds() == 300
    alice.get(f"/api/runspaces/{runspace}")
    alice.get("/api/runspaces")
    assert alice.simulator.clock.seconds() == 300


def test_a_list_passes_the_time_of_the_first_runspace_in_it(alice):
    alice.create_runspace()
    alice.simulator.clock.advance(100)
    alice.create_runspace()

    assert [runspace["state"] for runspace in alice.get("/api/runspaces")[1]] == ["ready", "creating"]
    assert [runspace["state"] for runspace in alice.get("/api/runspaces")[1]] == ["ready", "ready"]
    assert alice.simulator.clock.seconds() == 400


def test_a_connected_runspace_and_a_console_become_ready(alice):
    runspace = alice.create_runspace(run_vc_connection_script=True)
    console = alice.call("POST", "/api/webconsoles")[1]["id"]

    assert alice.get(f"/api/webconsoles/{console}")[1]["state"] == "available"
    found = alice.get(f"/api/runspaces/{runspace}")[1]

    assert found["state"] == "ready"
    assert alice.get(f"{EXECUTIONS}/{found['vc_connection_script_id']}")[1]["state"] == "success"


@pytest.mark.parametrize("question", ["", "/output", "/streams/error"])
def test_a_question_about_a_script_passes_the_time_until_its_end(alice, question):
    runspace = alice.simulator.add_runspace()
    execution = alice.run(runspace, "Start-Sleep 3000; 'x'")

    status, _ = alice.get(f"{EXECUTIONS}/{execution}{question}")

    assert status == 200
    assert alice.simulator.scripts[-1].state == "success"
    assert alice.simulator.clock.seconds() == pytest.approx(3000.5, abs=0.6)


def test_a_stream_with_news_is_answered_at_once(alice):
    runspace = alice.simulator.add_runspace()
    execution = alice.run(runspace, "Write-Warning 'one'; Start-Sleep 300; Write-Warning 'two'")

    assert alice.messages(execution, "error") == []
    assert alice.messages(execution, "warning") == ["one"]
    assert alice.simulator.clock.seconds() < 1
    assert alice.messages(execution, "warning") == ["one", "two"]
    assert alice.simulator.clock.seconds() > 300


def test_who_asks_for_one_stream_only_is_not_kept_waiting_by_another(alice):
    runspace = alice.simulator.add_runspace()
    execution = alice.run(runspace, "Write-Warning 'one'; Start-Sleep 300; Write-Error 'two'")

    questions = 0
    while alice.messages(execution, "error") != ["two"]:
        questions += 1
        assert questions < 5


def test_who_waits_for_hours_keeps_the_session_and_the_runspace(alice):
    runspace = alice.create_runspace()
    alice.get(f"/api/runspaces/{runspace}")
    execution = alice.run(runspace, "Start-Sleep 3500")

    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "success"

    assert alice.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"


def test_a_script_past_the_active_limit_is_lost_as_ever(alice):
    runspace = alice.create_runspace()
    alice.get(f"/api/runspaces/{runspace}")
    execution = alice.run(runspace, "Start-Sleep 10000")

    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "error"
    assert alice.simulator.clock.seconds() < 4500


def test_what_never_ends_is_not_waited_for_for_ever(alice):
    creating = alice.simulator.add_runspace(state="creating")
    assert alice.get(f"/api/runspaces/{creating}")[1]["state"] == "creating"

    runspace = alice.simulator.add_runspace()
    zombie = alice.run(runspace, "1")
    alice.simulator.make_unreachable(runspace)
    assert alice.get(f"{EXECUTIONS}/{zombie}")[1]["state"] == "running"
    alice.simulator.make_reachable(runspace)
    alice.simulator.clock.advance(1)
    # Nothing removes this runspace, so its script may run for years.
    longest = alice.run(runspace, "Start-Sleep 900000000")
    assert alice.get(f"{EXECUTIONS}/{longest}")[1]["state"] == "running"
    assert 3_600 < alice.simulator.clock.seconds() < 1e6


def test_a_cancelled_script_ends_soon(alice):
    runspace = alice.simulator.add_runspace()
    execution = alice.run(runspace, "Start-Sleep 3000")
    alice.call("POST", f"{EXECUTIONS}/{execution}/cancel")

    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "canceled"
    assert alice.simulator.clock.seconds() < 2


def test_records_are_shown_before_they_are_dropped(alice):
    records = [StreamMessage("verbose", f"v{number}", at=number) for number in range(200)]
    alice.simulator.on_script("talk", ScriptReply(records=records, duration=200))
    execution = alice.run(alice.simulator.add_runspace(), "talk")
    seen = []

    while alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "running":
        seen += [message for message in alice.messages(execution, "verbose") if message not in seen]
    seen += [message for message in alice.messages(execution, "verbose") if message not in seen]

    assert seen == [f"v{number}" for number in range(200)]


def test_who_reads_no_records_need_not_ask_for_each_of_them(alice):
    records = [StreamMessage("verbose", f"v{number}", at=number) for number in range(200)]
    alice.simulator.on_script("talk", ScriptReply(records=records, duration=200))
    execution = alice.run(alice.simulator.add_runspace(), "talk")

    questions = 0
    while alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "running":
        questions += 1

    assert questions <= 8


def test_who_asks_for_a_place_again_gets_it_when_there_is_one():
    alice = Caller(simulated(quota=1, idle_limit=100))
    runspace = alice.create_runspace()
    alice.get(f"/api/runspaces/{runspace}")

    refusals = 0
    while alice.call("POST", "/api/runspaces", {})[0] == 500:
        refusals += 1
        assert refusals < 20

    assert refusals >= 1
    assert 100 < alice.simulator.clock.seconds() < 250


def test_a_busy_runspace_is_free_when_it_is_asked_again(alice):
    runspace = alice.simulator.add_runspace()
    alice.run(runspace, "Start-Sleep 20")
    body = {"runspace_id": runspace, "script": "1"}

    answers = [alice.call("POST", EXECUTIONS, body)[0]]
    while answers[-1] == 500:
        answers.append(alice.call("POST", EXECUTIONS, body)[0])

    assert answers[-1] == 202
    assert 20 < alice.simulator.clock.seconds() < 22


def test_a_client_needs_one_question_for_a_creation_of_five_minutes_and_one_for_a_run():
    simulator = simulated(creation_seconds=300)
    simulator.on_script("long", ScriptReply(output=[42], duration=1000))
    with SimServer(simulator) as server, SrsClient(server.url, auth=AUTH) as client:
        result = client.run("long", output="json")
        asked = [path for method, path in server.requests if method == "GET"]

    assert result.output == [42]
    assert sum(path.startswith("/api/runspaces/") for path in asked) == 1
    assert sum(path.startswith(EXECUTIONS) and path.count("/") == 3 for path in asked) == 1
    assert simulator.clock.seconds() > 1300


@pytest.mark.anyio
async def test_an_asynchronous_client_in_process_does_not_wait_either():
    simulator = simulated(creation_seconds=300)
    transport = SimTransport(simulator)
    async with AsyncSrsClient("http://srs.test", auth=AUTH, transport=transport) as client:
        result = await client.run("Start-Sleep 60; 'done'")

    assert result.output == "done"
    gets = [path for method, path in transport.traffic.requests if method == "GET"]
    assert len([path for path in gets if path.count("/") == 3]) == 2


def test_quota_is_still_a_condition():
    with (
        SrsClient("http://srs.test", auth=AUTH, transport=SyncSimTransport(simulated(quota=0))) as client,
        pytest.raises(QuotaExceededError),
    ):
        client.runspaces.create()


def test_a_fault_that_is_late_moves_the_clock_as_ever():
    simulator = simulated()
    transport = SyncSimTransport(simulator)
    transport.faults.add(Fault(operation="about", delay=2.0))
    with SrsClient("http://srs.test", auth=AUTH, transport=transport) as client:
        client.about()

    assert simulator.clock.seconds() == 2
