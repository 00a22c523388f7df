"""Scripts that are started now and collected later, by the same program or by another."""

from __future__ import annotations

import attrs
import pytest

from srs_vsphere import (
    StartedScript,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    OutputMismatchError,
    ScriptExecutionState,
    ScriptFailedError,
    ScriptOutcome,
    ServerError,
    SrsError,
    StreamRecord,
    WaitTimeoutError,
)
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, Simulator, StreamMessage, VirtualClock
from tests._sync.helping import LeadingClock, make_client


@attrs.define
class Machine:
    name: str


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()



def test_start_now_and_collect_later(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    messages = [StreamMessage("warning", "careful", at=1)]
    simulator.on_script("slow", ScriptReply(output=[{"name": "a"}], records=messages, duration=60))
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            began = client_clock.seconds
            started = handle.start("slow", output="json", output_type=Machine)
            assert isinstance(started, StartedScript)
            assert client_clock.seconds - began < 5
            assert started.execution.state == ScriptExecutionState.RUNNING
            assert (client.script_executions.get(started)).id == started.id
            assert started.id in repr(started)
            ended = started.wait()
            assert (ended.state, started.execution) == (ScriptExecutionState.SUCCESS, ended)
            result = started.result()
            assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, [Machine("a")])
            assert [record.message for record in result.warnings] == ["careful"]
            assert started.result() is result



def test_the_next_script_waits_and_loses_nothing_of_it(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    heard: list[str] = []

    def note(record: StreamRecord) -> None:
        heard.append(record.message)

    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            script = "1; Write-Warning 'w'; Start-Sleep 30; throw 'boom'"
            started = handle.start(script, output="json", on_record=note)
            assert (handle.run("5")).output == "5"
            assert client_clock.seconds >= 30
            # What it had not put out was asked for before the next one ran.
            result = started.result()
    assert (result.outcome, result.output) == (ScriptOutcome.FAILED, [1])
    assert result.failure is not None
    assert result.failure.line == 1
    assert heard == ["w"]



def test_the_next_script_gives_up_waiting_and_leaves_it_alone(
    server: SimServer, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            started = handle.start("Start-Sleep 100; 'done'")
            with pytest.raises(
                WaitTimeoutError, match="which was started before it, did not end in 10 s"
            ) as caught:
                handle.run("5", timeout=10)
            assert caught.value.started is False
            assert (started.result()).output == "done"
            assert (handle.run("5")).output == "5"



def test_a_started_script_is_stopped(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            started = handle.start("'a'; Start-Sleep 600", output="json")
            started.cancel()
            result = started.result()
            assert (result.outcome, result.output) == (ScriptOutcome.CANCELED, ["a"])
            late = handle.start("'b'; Start-Sleep 600", output="json", timeout=30)
            with pytest.raises(WaitTimeoutError) as caught:
                late.result()
            assert caught.value.output == ["b"]
            with pytest.raises(WaitTimeoutError):
                (handle.start("Start-Sleep 60")).wait(timeout=1)



def test_checks_are_made_when_it_is_collected(
    server: SimServer, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            failing = client.start("throw 'no'", runspace=handle, check=True)
            with pytest.raises(ScriptFailedError, match="no"):
                failing.result()
            misfit = client.start("5", runspace=handle.id, output="json", output_type=str)
            with pytest.raises(OutputMismatchError):
                misfit.result()
            assert ((handle.start("'x'")).result()).output == "x"



def test_a_script_that_ended_in_time_is_collected_late(
    server: SimServer, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            started = handle.start("'x'", timeout=20)
            client_clock.sleep(100)
            assert (started.result()).output == "x"
            assert (handle.run("5")).output == "5"



def test_asking_for_another_scripts_result_leaves_the_running_one(
    server: SimServer, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            ended = handle.run("throw 'no'", output="json")
            running = handle.start("Start-Sleep 30; 'x'")
            again = client.script_executions.result(ended, output="json", runspace=handle)
            assert again.outcome is ScriptOutcome.FAILED
            assert (handle.run("5")).output == "5"
            assert (running.result()).output == "x"



def test_it_is_followed(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            started = handle.start("Write-Warning 'a'; Start-Sleep 5; Write-Warning 'b'")
            messages = [
                record.message for record in started.follow() if isinstance(record, StreamRecord)
            ]
    assert messages == ["a", "b"]



def test_another_client_gets_the_same_result(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    messages = [StreamMessage("error", "oops", at=1)]
    simulator.on_script("slow", ScriptReply(output=[{"name": "a"}], records=messages, duration=20))
    with (
        make_client(server.url, clock=client_clock) as first,
        make_client(server.url, clock=client_clock) as other,
    ):
        with first.runspaces.open() as handle:
            id = (handle.start("slow", output="json")).id
            with pytest.raises(WaitTimeoutError):
                other.script_executions.result(id, output="json", timeout=2)
            result = other.script_executions.result(id, output="json", output_type=Machine)
            assert (result.outcome, result.output) == (
                ScriptOutcome.SUCCEEDED_WITH_ERRORS,
                [Machine("a")],
            )
            assert [(error.message, error.line) for error in result.errors] == [("oops", 1)]
            with pytest.raises(ScriptFailedError):
                other.script_executions.result(id, output="json", check=True)
            with pytest.raises(OutputMismatchError):
                other.script_executions.result(id, output="json", output_type=int)
            kept = other.script_executions.result(
                id, output="json", output_type=int, on_mismatch="keep"
            )
            assert kept.output == [{"name": "a"}]
            text = (handle.start("'x'")).id
            assert (other.script_executions.result(text)).output == "x"
            with pytest.raises(DecodeError):
                other.script_executions.result(text, output="json")
            with pytest.raises(NotFoundError):
                other.script_executions.result("unknown")



def test_another_client_asks_for_the_rest_where_it_ran(
    server: SimServer, client_clock: LeadingClock
) -> None:
    with (
        make_client(server.url, clock=client_clock) as first,
        make_client(server.url, clock=client_clock) as other,
    ):
        with first.runspaces.open() as handle:
            id = (handle.start("1; throw 'boom'", output="json")).id
            without = other.script_executions.result(id, output="json")
            assert (without.outcome, without.output) == (ScriptOutcome.FAILED, [])
            whole = other.script_executions.result(id, output="json", runspace=handle)
            assert (whole.output, whole.failure is not None) == ([1], True)



def test_a_script_that_started_and_was_not_stored_is_looked_for(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    body = '{"code":1025,"error_message":"Runspace failed to process the script execution request"}'
    lost = Fault(
        operation="script_executions.create",
        times=1,
        status=500,
        body=body.encode(),
        content_type="application/json",
    )
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            with server.faults.armed(lost), pytest.raises(OutcomeUnknownError) as caught:
                handle.run("5")
            assert (caught.value.code, caught.value.status) == (1025, 500)
            assert "No script named" in str(caught.value)
            assert "try later" not in str(caught.value)
            with (
                server.faults.armed(lost),
                pytest.raises(OutcomeUnknownError, match="Look for the name 'mine'"),
            ):
                handle.run("5", name="mine")
            assert (handle.run("5")).output == "5"



def test_a_dead_runspace_is_unreachable(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        created = client.runspaces.create()
        ready = client.runspaces.wait_ready(created.id)
        simulator.make_unreachable(ready.id)
        before = len(server.requests)
        with pytest.raises(SrsError) as caught:
            client.run("5", runspace=ready)
        if "illegal status line" in str(caught.value):
            # On trio the HTTP library reads the response, and takes no status 0.
            assert isinstance(caught.value, OutcomeUnknownError)
            return
        assert isinstance(caught.value, ServerError)
        assert "cannot be reached" in str(caught.value)
        assert (caught.value.code, caught.value.status) == (1000, 0)
        # Nobody looks for it by its name.
        assert len(server.requests) == before + 1
