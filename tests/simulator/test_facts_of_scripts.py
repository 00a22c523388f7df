"""Script executions as the gateway's polling shows them: the recorded facts, without the recording."""

from __future__ import annotations

import json

import pytest

from srs_vsphere.simulator import ScriptReply, StreamMessage
from tests.simulator.calling import Caller, ready_runspace, simulated

EXECUTIONS = "/api/script-executions"
LOST = (
    "Runspace where script runs doesn't respond. Could be because script active time is longer than maximum "
    "allowed time for a script execution"
)


def test_a_script_is_accepted_and_not_echoed(alice, runspace):
    body = {"runspace_id": runspace, "script": "1", "name": "n", "output_objects_format": "JSON"}
    reply = alice.reply("POST", EXECUTIONS, body)

    assert (reply.status, "Location" in dict(reply.headers)) == (202, False)
    execution = json.loads(reply.body)
    assert list(execution) == ["id", "name", "output_objects_format", "state", "start_time"]
    assert (execution["output_objects_format"], execution["state"]) == ("json", "running")


def test_in_the_first_moments_little_is_known(alice, runspace):
    execution = alice.run(runspace, "1", name="n", output_objects_format="json")

    assert alice.get(f"{EXECUTIONS}/{execution}")[1] == {
        "id": execution,
        "name": "n",
        "output_objects_format": "text",
        "state": "running",
    }
    for data in ("output", "streams/error"):
        assert alice.get(f"{EXECUTIONS}/{execution}/{data}")[1]["code"] == 1040
    alice.simulator.clock.advance(0.01)
    _, found = alice.get(f"{EXECUTIONS}/{execution}")
    assert (found["output_objects_format"], "start_time" in found, "end_time" in found) == (
        "json",
        True,
        False,
    )


@pytest.mark.parametrize(("format", "running"), [("text", (200, [None])), ("json", (204, ""))])
def test_output_comes_with_the_end(alice, runspace, format, running):
    execution = alice.run(runspace, "'x'; Start-Sleep 3", output_objects_format=format)
    alice.simulator.clock.advance(2)
    assert alice.get(f"{EXECUTIONS}/{execution}/output") == running

    found = alice.finish(execution)

    assert list(found) == ["id", "output_objects_format", "state", "start_time", "end_time"]
    assert len(alice.output(execution)) == 1


def test_the_end_is_seen_at_the_next_poll(alice, runspace):
    execution = alice.run(runspace, "Start-Sleep -Milliseconds 600")
    alice.simulator.clock.advance(1.0)
    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "running"
    alice.simulator.clock.advance(0.006)
    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "success"


def test_streams_are_seen_while_the_script_runs(alice, runspace):
    execution = alice.run(runspace, "Write-Warning 'one'; Start-Sleep 2; Write-Warning 'two'")
    alice.simulator.clock.advance(1)
    assert alice.messages(execution, "warning") == ["one"]
    alice.finish(execution)
    assert alice.messages(execution, "warning") == ["one", "two"]


def test_a_name_may_be_empty(alice, runspace):
    status, answer = alice.call("POST", EXECUTIONS, {"runspace_id": runspace, "script": "1", "name": ""})
    assert (status, "name" in answer) == (202, False)
    assert alice.get(f"{EXECUTIONS}/{answer['id']}")[1]["name"] == ""


def test_a_busy_runspace_reads_ready_and_refuses(alice, runspace):
    running = alice.run(runspace, "Start-Sleep 5")

    status, error = alice.call("POST", EXECUTIONS, {"runspace_id": runspace, "script": "1"})

    assert (status, error["code"]) == (500, 1310)
    assert error["error_message"] == f"Another script with id '{running}' is running"
    assert alice.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"


@pytest.mark.parametrize("second", [True, False])
def test_starting_the_next_script_at_once_loses_the_first(alice, runspace, second):
    first = alice.run(runspace, "'one'; Start-Sleep -Milliseconds 120")
    alice.simulator.clock.advance(0.3)
    if second:
        alice.finish(alice.run(runspace, "Start-Sleep 1; 'two'"))

    found = alice.finish(first)

    assert found["state"] == ("error" if second else "success")
    assert alice.output(first) == ([None] if second else ["one"])
    if second:
        assert found["reason"] == LOST


@pytest.mark.parametrize("how", ["delete", "kill"])
@pytest.mark.parametrize(("format", "output"), [("text", (200, [None])), ("json", (204, ""))])
def test_a_script_whose_runspace_is_gone_ends_after_two_seconds(alice, runspace, how, format, output):
    execution = alice.run(runspace, "Write-Warning 'w'; Start-Sleep 60", output_objects_format=format)
    alice.simulator.clock.advance(1.2)
    if how == "delete":
        assert alice.call("DELETE", f"/api/runspaces/{runspace}") == (200, "")
    else:
        alice.simulator.kill_runspace(runspace)
    assert alice.get(f"/api/runspaces/{runspace}")[0] == 404
    alice.simulator.clock.advance(1.7)
    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "running"

    alice.simulator.clock.advance(0.3)

    _, found = alice.get(f"{EXECUTIONS}/{execution}")
    assert (found["state"], found["reason"]) == ("error", LOST)
    assert alice.get(f"{EXECUTIONS}/{execution}/output") == output
    assert alice.messages(execution, "warning") == ["w"]


def test_an_unreachable_runspace_is_answered_with_status_zero(alice, runspace):
    execution = alice.run(runspace, "Start-Sleep 60")
    alice.simulator.clock.advance(1)
    alice.simulator.make_unreachable(runspace, "No route to host")

    status, error = alice.call("POST", EXECUTIONS, {"runspace_id": runspace, "script": "1"})
    assert (status, error["code"], error["error_message"]) == (
        0,
        1000,
        "Error calling Post: No route to host",
    )
    status, error = alice.call("POST", f"{EXECUTIONS}/{execution}/cancel")
    assert (status, error["code"], error["error_message"]) == (
        0,
        1000,
        "Error calling Delete: No route to host",
    )
    assert alice.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"


def test_a_script_survives_some_polls_that_fail(alice, runspace):
    execution = alice.run(runspace, "Start-Sleep 5")
    alice.simulator.clock.advance(1)
    alice.simulator.make_unreachable(runspace)
    alice.simulator.clock.advance(1)
    alice.simulator.make_reachable(runspace)

    assert alice.finish(execution)["state"] == "success"


def test_failed_polls_are_counted_over_the_whole_run(alice, runspace):
    execution = alice.run(runspace, "Start-Sleep 60")
    for _ in range(2):
        alice.simulator.clock.advance(1)
        alice.simulator.make_unreachable(runspace)
        alice.simulator.clock.advance(1)
        alice.simulator.make_reachable(runspace)

    assert alice.finish(execution)["reason"] == LOST


def test_a_first_poll_that_fails_leaves_a_zombie(alice, runspace):
    execution = alice.run(runspace, "1", name="n")
    alice.simulator.make_unreachable(runspace)
    alice.simulator.clock.advance(3600)
    again = Caller(alice.simulator)
    assert again.get(f"{EXECUTIONS}/{execution}")[1] == {
        "name": "n",
        "output_objects_format": "text",
        "state": "running",
    }
    for data in ("output", "streams/error"):
        assert again.get(f"{EXECUTIONS}/{execution}/{data}") == (204, "")
    assert again.get(EXECUTIONS) == (200, [])


@pytest.mark.parametrize(("format", "output"), [("text", [""]), ("json", ["first"])])
def test_cancel_stops_a_script_and_keeps_what_json_had(alice, runspace, format, output):
    script = "'first'; Write-Warning 'w'; Start-Sleep 60; 'last'"
    execution = alice.run(runspace, script, output_objects_format=format)
    alice.simulator.clock.advance(1)

    assert alice.call("POST", f"{EXECUTIONS}/{execution}/cancel") == (200, "")

    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "running"
    found = alice.finish(execution, patience=1)
    assert found["state"] == "canceled"
    assert found["reason"].startswith(
        "System.Management.Automation.PipelineStoppedException: The pipeline has been stopped.\n"
    )
    got = alice.output(execution)
    assert ([json.loads(document)["Value"] for document in got] if format == "json" else got) == output
    assert alice.messages(execution, "warning") == ["w"]
    # The runspace is free, and another cancel does nothing.
    assert alice.call("POST", f"{EXECUTIONS}/{execution}/cancel") == (200, "")
    assert alice.finish(alice.run(runspace, "1"))["state"] == "success"


def test_a_script_is_stopped_at_tenths_of_a_second(alice, runspace):
    execution = alice.run(runspace, "Start-Sleep 60")
    alice.simulator.clock.advance(0.33)
    alice.call("POST", f"{EXECUTIONS}/{execution}/cancel")
    body = {"runspace_id": runspace, "script": "1"}
    assert alice.call("POST", EXECUTIONS, body)[0] == 500

    alice.simulator.clock.advance(0.08)

    assert alice.call("POST", EXECUTIONS, body)[0] == 202


def test_a_running_script_is_seen_by_whoever_knows_its_id_a_finished_one_is_not(alice, bob, runspace):
    execution = alice.run(runspace, "Start-Sleep 3")
    alice.simulator.clock.advance(0.1)

    assert bob.get(f"{EXECUTIONS}/{execution}")[0] == 200
    assert bob.get(EXECUTIONS) == (200, [])
    assert bob.call("POST", f"{EXECUTIONS}/{execution}/cancel") == (200, "")
    alice.finish(execution)
    alice.simulator.clock.advance(1)
    assert bob.get(f"{EXECUTIONS}/{execution}")[1]["code"] == 1040
    assert bob.call("POST", f"{EXECUTIONS}/{execution}/cancel")[0] == 404
    assert alice.get(f"{EXECUTIONS}/{execution}")[1]["state"] == "canceled"


def test_nobody_runs_a_script_in_the_runspace_of_another_user(bob, runspace):
    body = {"runspace_id": runspace, "script": "1"}

    assert bob.call("POST", EXECUTIONS, body)[1] == {
        "code": 2030,
        "error_message": f"Runspace with id '{runspace}' not found",
    }


def test_only_the_newest_thirty_executions_stay():
    alice = Caller(simulated(quota=10))
    runspace = ready_runspace(alice)
    executions = []
    for number in range(33):
        executions.append(alice.run(runspace, str(number)))
        alice.finish(executions[-1])
    assert len(alice.get(EXECUTIONS)[1]) == 33

    alice.simulator.clock.advance(300)

    assert {found["id"] for found in alice.get(EXECUTIONS)[1]} == set(executions[3:])


def test_executions_are_forgotten_after_five_days(alice, runspace):
    alice.finish(alice.run(runspace, "1"))
    alice.simulator.clock.advance(4.9 * 86_400)
    assert len(Caller(alice.simulator).get(EXECUTIONS)[1]) == 1
    alice.simulator.clock.advance(0.2 * 86_400)
    assert Caller(alice.simulator).get(EXECUTIONS) == (200, [])


def test_a_null_parameter_breaks_the_request(alice, runspace):
    body = {"runspace_id": runspace, "script": "1", "script_parameters": [None]}

    status, error = alice.call("POST", EXECUTIONS, body)

    assert (status, error["code"]) == (500, 1025)


@pytest.mark.parametrize(("format", "echoed", "output"), [(1, "json", 200), ("1", "json", 200), (5, 5, 204)])
def test_a_format_may_be_a_number_even_one_that_means_nothing(alice, runspace, format, echoed, output):
    execution = alice.run(runspace, "'x'", output_objects_format=format)

    assert alice.finish(execution)["output_objects_format"] == echoed
    assert alice.get(f"{EXECUTIONS}/{execution}/output")[0] == output


def test_fifty_records_of_each_stream_stay(alice, runspace):
    records = [StreamMessage("warning", f"w{number}", at=number / 10) for number in range(60)]
    alice.simulator.on_script(
        "records", ScriptReply(records=[*records, StreamMessage("debug", "d")], duration=6)
    )
    execution = alice.run(runspace, "records")
    alice.simulator.clock.advance(5.51)
    assert alice.messages(execution, "warning")[-1] == "w55"

    alice.finish(execution)

    assert alice.messages(execution, "warning") == [f"w{number}" for number in range(10, 60)]
    assert alice.messages(execution, "debug") == ["d"]
