"""Runspaces, sessions and what removes them: the facts and the times, without the recording."""

from __future__ import annotations

import re

import pytest

from srs_vsphere.simulator import ScriptReply
from tests.simulator.calling import Caller, ready_runspace, simulated

RUNSPACES = "/api/runspaces"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00")


def state_of(caller, runspace):
    return caller.get(f"{RUNSPACES}/{runspace}")[1].get("state", "gone")


def test_a_runspace_is_accepted_and_becomes_ready(alice):
    reply = alice.reply("POST", RUNSPACES, {"name": "n"})
    assert (reply.status, "Location" in dict(reply.headers)) == (202, False)
    [runspace] = alice.get(RUNSPACES)[1]
    assert list(runspace) == ["name", "id", "state", "run_vc_connection_script", "creation_time"]
    assert (runspace["state"], runspace["run_vc_connection_script"]) == ("creating", False)
    assert TIME.fullmatch(runspace["creation_time"])
    assert runspace["id"].startswith("pcli-")

    alice.simulator.clock.advance(1)

    assert alice.get(f"{RUNSPACES}/{runspace['id']}") == (200, runspace | {"state": "ready"})


def test_times_have_up_to_seven_digits_and_no_zeros_at_the_end(alice):
    alice.simulator.clock.advance(0.25)
    _, runspace = alice.call("POST", RUNSPACES, {})

    assert runspace["creation_time"] == "2026-01-01T00:00:00.25+00:00"


def test_a_runspace_without_a_name_has_no_name(alice):
    alice.create_runspace()

    assert "name" not in alice.get(RUNSPACES)[1][0]


def test_runspaces_are_listed_in_the_order_of_their_creation_and_to_their_user_only(alice, bob):
    created = [alice.create_runspace(name=str(number)) for number in range(3)]

    assert [runspace["id"] for runspace in alice.get(RUNSPACES)[1]] == created
    assert bob.get(RUNSPACES) == (200, [])
    assert bob.get(f"{RUNSPACES}/{created[0]}")[1]["code"] == 2030
    assert bob.call("DELETE", f"{RUNSPACES}/{created[0]}")[1]["code"] == 2040
    assert len(alice.get(RUNSPACES)[1]) == 3


def test_two_sessions_of_a_user_share_their_runspaces(service, alice, runspace):
    other = Caller(service)

    assert other.call("DELETE", f"{RUNSPACES}/{runspace}") == (200, "")
    assert alice.get(RUNSPACES) == (200, [])


def test_the_quota_is_shared_by_all_users_and_deletion_gives_back(alice, bob):
    mine = [alice.create_runspace() for _ in range(4)]
    bob.create_runspace()
    expected = {"code": 2020, "error_message": "Maximum number of running runspaces is reached"}
    assert alice.call("POST", RUNSPACES, {}) == (500, expected)
    assert bob.call("POST", RUNSPACES, {}) == (500, expected)

    alice.call("DELETE", f"{RUNSPACES}/{mine[0]}")

    assert bob.call("POST", RUNSPACES, {})[0] == 202


def test_deleting_what_is_not_there_is_an_error_of_the_provider(alice, runspace):
    status, error = alice.call("DELETE", f"{RUNSPACES}/none")
    assert (status, error["code"]) == (500, 2040)
    assert 'doesn\'t have runspace with id "none"\n' in error["details"]
    alice.call("DELETE", f"{RUNSPACES}/{runspace}")
    assert "doesn't have running runspaces\n" in alice.call("DELETE", f"{RUNSPACES}/{runspace}")[1]["details"]


def test_what_goes_wrong_inside_goes_wrong_as_often_as_wanted(alice):
    service = alice.simulator
    service.fail_creation("no pod", times=2)
    for _ in range(2):
        status, error = alice.call("POST", RUNSPACES, {})
        assert (status, error["code"], error["error_message"]) == (500, 500, "no pod")
    runspace = ready_runspace(alice)
    service.fail_get()
    assert alice.get(f"{RUNSPACES}/{runspace}")[1]["code"] == 2030
    service.fail_list()
    assert alice.get(RUNSPACES)[1]["code"] == 2035
    assert [found["id"] for found in alice.get(RUNSPACES)[1]] == [runspace]
    service.fail_deletion()
    assert alice.call("DELETE", f"{RUNSPACES}/{runspace}")[1]["code"] == 2040
    # It is forgotten all the same.
    assert alice.get(RUNSPACES) == (200, [])


def test_a_condition_lasts_until_it_is_cleared(alice):
    service = alice.simulator
    service.fail_list(times=None)
    service.fill_quota()
    assert [alice.get(RUNSPACES)[0] for _ in range(3)] == [500] * 3
    assert alice.call("POST", RUNSPACES, {})[1]["code"] == 2020

    service.clear_conditions()

    assert alice.get(RUNSPACES) == (200, [])
    assert alice.call("POST", RUNSPACES, {})[0] == 202


@pytest.mark.parametrize("times", [0, -1])
def test_a_condition_holds_at_least_once(service, times):
    with pytest.raises(ValueError, match="times must be 1 or more"):
        service.fail_list(times=times)


def test_what_holds_for_some_occasions_is_counted_and_timed_in_numbers(service):
    with pytest.raises(TypeError, match="times must be a whole number, not str"):
        service.fail_pod(times="2")
    with pytest.raises(TypeError, match="seconds must be a number of seconds, not str"):
        service.slow_creation("2")


def test_creation_does_not_get_faster(service):
    with pytest.raises(ValueError, match="seconds must be 0 seconds or more, and finite"):
        service.slow_creation(-1)


def test_a_runspace_whose_pod_fails_is_in_error_and_takes_no_script(alice):
    alice.simulator.fail_pod()
    runspace = alice.create_runspace()
    alice.simulator.clock.advance(1)

    _, found = alice.get(f"{RUNSPACES}/{runspace}")

    assert (found["state"], found["error_details"]["code"]) == ("error", 500)
    assert found["error_details"]["error_message"].endswith("failed: ImagePullBackOff")
    status, error = alice.call("POST", "/api/script-executions", {"runspace_id": runspace, "script": "1"})
    assert (status, error["code"]) == (500, 2031)
    assert error["error_message"].endswith("is not ready to run script. Runspace state is: Error")


def test_a_slow_runspace_takes_no_script_before_it_is_ready(alice):
    alice.simulator.slow_creation(10)
    runspace = alice.create_runspace()
    alice.simulator.clock.advance(9)

    _, error = alice.call("POST", "/api/script-executions", {"runspace_id": runspace, "script": "1"})
    assert error["error_message"].endswith("Runspace state is: Creating")
    alice.simulator.clock.advance(2)
    assert state_of(alice, runspace) == "ready"


def test_a_connected_runspace_runs_a_script_of_the_service_first(alice):
    runspace = alice.create_runspace(run_vc_connection_script=True)
    alice.simulator.clock.advance(0.8)
    _, found = alice.get(f"{RUNSPACES}/{runspace}")
    assert (found["state"], found["run_vc_connection_script"]) == ("creating", True)
    script = found["vc_connection_script_id"]

    alice.simulator.clock.advance(2)

    assert state_of(alice, runspace) == "ready"
    _, execution = alice.get(f"/api/script-executions/{script}")
    assert (execution["name"], execution["output_objects_format"]) == ("powerclivclogin", "json")
    assert alice.get("/api/script-executions?skipSystemExecutions=true") == (200, [])
    assert [found["id"] for found in alice.get("/api/script-executions")[1]] == [script]


def test_that_the_connection_fails_makes_the_runspace_ready_all_the_same(alice):
    reply = ScriptReply(state="error", reason="no such server")
    alice.simulator.on_script(lambda call: call.system, reply, system=True)
    runspace = alice.create_runspace(run_vc_connection_script=True)
    alice.simulator.clock.advance(5)

    _, found = alice.get(f"{RUNSPACES}/{runspace}")

    assert found["state"] == "ready"
    assert alice.get(f"/api/script-executions/{found['vc_connection_script_id']}")[1]["state"] == "error"


def test_a_connected_runspace_disconnects_when_it_is_deleted(alice):
    runspace = alice.create_runspace(run_vc_connection_script=True)
    alice.simulator.clock.advance(5)

    assert alice.call("DELETE", f"{RUNSPACES}/{runspace}") == (200, "")

    assert state_of(alice, runspace) == "gone"
    alice.simulator.clock.advance(2)
    history = alice.get("/api/script-executions")[1]
    assert {found["name"]: found["state"] for found in history} == {
        "powerclivclogin": "success",
        "disconnectallservers": "success",
    }


def test_a_refused_token_leaves_a_connected_runspace_in_error(alice):
    alice.simulator.refuse_bearer_token()
    runspace = alice.create_runspace(run_vc_connection_script=True)
    alice.simulator.clock.advance(1)

    assert alice.get(f"{RUNSPACES}/{runspace}")[1]["error_details"]["code"] == 401


def test_a_session_lasts_thirty_minutes_after_its_last_use(alice):
    clock = alice.simulator.clock
    for path in ("/api/about", "/unknown", RUNSPACES):
        clock.advance(29 * 60)
        alice.get(path)
    clock.advance(30 * 60)
    assert alice.get(RUNSPACES)[0] == 200
    clock.advance(30 * 60 + 1)
    assert alice.get(RUNSPACES) == (401, "")
    assert alice.simulator.session_count == 0


def test_what_the_router_refuses_keeps_a_session_alive_too(alice):
    alice.simulator.clock.advance(29 * 60)
    assert alice.call("PUT", RUNSPACES)[0] == 405
    alice.simulator.clock.advance(29 * 60)
    assert alice.call("GET", RUNSPACES, content_type="text/plain")[0] == 415
    alice.simulator.clock.advance(29 * 60)
    assert alice.get(RUNSPACES)[0] == 200


def test_logout_ends_the_session_at_once_and_its_runspaces_within_a_minute(service, alice, bob):
    other = Caller(service)
    mine, kept, foreign = alice.create_runspace(), other.create_runspace(), bob.create_runspace()

    assert alice.call("POST", "/api/auth/logout") == (200, "")

    assert alice.get(RUNSPACES)[0] == 401
    assert [runspace["id"] for runspace in other.get(RUNSPACES)[1]] == [mine, kept]
    service.clock.advance(30)
    assert [runspace["id"] for runspace in other.get(RUNSPACES)[1]] == [kept]
    assert state_of(bob, foreign) == "ready"


def test_a_busy_runspace_outlives_its_session_until_the_script_has_ended(service, alice):
    runspace = ready_runspace(alice)
    alice.run(runspace, "Start-Sleep 60")
    other = Caller(service)
    alice.call("POST", "/api/auth/logout")

    service.clock.advance(40)
    assert state_of(other, runspace) == "ready"
    service.clock.advance(60)
    assert state_of(other, runspace) == "gone"


def test_an_idle_runspace_is_removed_after_ten_minutes(alice):
    runspace = ready_runspace(alice)
    alice.simulator.clock.advance(9 * 60)
    assert state_of(alice, runspace) == "ready"
    # Looking at it does not count, running something does.
    alice.run(runspace, "1")
    alice.simulator.clock.advance(9 * 60)
    assert state_of(alice, runspace) == "ready"

    alice.simulator.clock.advance(3 * 60)

    assert state_of(alice, runspace) == "gone"


def test_a_script_that_runs_too_long_takes_its_runspace_with_it(alice):
    runspace = ready_runspace(alice)
    execution = alice.run(runspace, "Start-Sleep 7200")
    for _ in range(3):
        alice.simulator.clock.advance(20 * 60)
        assert state_of(alice, runspace) == "ready"

    alice.simulator.clock.advance(2 * 60)

    assert state_of(alice, runspace) == "gone"
    _, found = alice.get(f"/api/script-executions/{execution}")
    assert (found["state"], "doesn't respond" in found["reason"]) == ("error", True)


def test_time_that_passes_at_once_does_what_it_does_in_small_steps():
    def live(step):
        caller = Caller(simulated())
        runspace = ready_runspace(caller, name="n")
        execution = caller.run(runspace, "Write-Warning 'w'; Start-Sleep 100", name="x")
        for _ in range(round(1200 / step)):
            caller.simulator.clock.advance(step)
            # Looking is what matters.
            _ = caller.simulator.session_count
        return caller.get(RUNSPACES), caller.get(f"/api/script-executions/{execution}")

    assert live(1200) == live(0.5) == live(7.5)


def test_restart_forgets_everything_but_a_history_that_is_kept(service, alice, runspace):
    done = alice.run(runspace, "1")
    alice.finish(done)
    service.clock.advance(1)
    running = alice.run(runspace, "Start-Sleep 60")
    alice.call("POST", "/api/webconsoles")

    service.restart(keep_history=True)

    assert alice.get(RUNSPACES) == (401, "")
    again = Caller(service)
    assert again.get(RUNSPACES) == again.get("/api/webconsoles") == (200, [])
    assert state_of(again, runspace) == "gone"
    assert [found["id"] for found in again.get("/api/script-executions")[1]] == [done]
    assert again.get(f"/api/script-executions/{running}")[0] == 404
    service.restart()
    assert Caller(service).get("/api/script-executions") == (200, [])


def test_expired_sessions_are_refused_and_leave_their_runspaces_to_the_cleanup(service, alice, runspace):
    service.expire_sessions()

    assert alice.get(RUNSPACES) == (401, "")
    assert list(service.runspaces) == [runspace]
    service.clock.advance(60)
    assert list(service.runspaces) == []


def test_added_runspaces_are_there_at_once_and_stay(service, alice, bob):
    details = {"code": 500, "error_message": "no image"}
    added = [
        service.add_runspace(name="a"),
        service.add_runspace(user="alice@vsphere.local", state="error", error_details=details),
        service.add_runspace(user="bob", state="creating", connected=True),
    ]

    service.clock.advance(20 * 60)

    assert service.runspaces == dict(zip(added, ["ready", "error", "creating"], strict=True))
    assert [runspace["id"] for runspace in alice.get(RUNSPACES)[1]] == added[:2]
    assert alice.get(f"{RUNSPACES}/{added[1]}")[1]["error_details"] == details
    assert bob.get(RUNSPACES)[1][0]["run_vc_connection_script"] is True
    assert service.quota_left == 2


def test_a_runspace_is_added_in_a_state_that_there_is(service):
    with pytest.raises(ValueError, match="state must be one of creating, ready, error, not 'active'"):
        service.add_runspace(state="active")


def test_a_long_list_comes_in_pieces(service, alice):
    added = [service.add_runspace(name=str(number)) for number in range(1300)]

    reply = alice.reply("GET", RUNSPACES)

    assert not isinstance(reply.body, bytes)
    assert [runspace["id"] for runspace in alice.get(RUNSPACES)[1]] == added


def test_the_same_seed_gives_the_same_answers():
    def ids():
        caller = Caller(simulated())
        return caller.key, caller.create_runspace()

    assert ids() == ids()


def test_introspection_counts(service, alice, runspace):
    before = service.requests_seen
    alice.finish(alice.run(runspace, "1"))
    alice.call("POST", "/api/webconsoles")

    assert service.requests_seen > before
    assert (service.session_count, service.web_console_count, service.execution_count) == (1, 1, 1)


@pytest.mark.parametrize("change", ["kill_runspace", "make_unreachable", "make_reachable"])
def test_a_runspace_that_is_not_there_cannot_be_changed(service, change):
    with pytest.raises(KeyError):
        getattr(service, change)("none")
