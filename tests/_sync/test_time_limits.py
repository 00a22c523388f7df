"""A time limit bounds all of a call, and its error tells what is known; what cannot be undone is logged."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from srs_vsphere import (
    RunspaceHandle,
    RunspacePool,
    SrsClient,
    AuthenticationError,
    BasicAuth,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    RetryPolicy,
    ScriptOutcome,
    ServerError,
    SrsError,
    WaitTimeoutError,
)
from srs_vsphere._sync import pool_stock, script_collector
from srs_vsphere.simulator import (
    Fault,
    ScriptReply,
    SimServer,
    Simulator,
    StreamMessage,
    VirtualClock,
)
from tests._sync.helping import LeadingClock, make_client

CREATE = ("POST", "/api/runspaces")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(autouse=True)
def long_script(simulator: Simulator) -> None:
    records = [StreamMessage("warning", "begun", 0.1), StreamMessage("error", "first", 0.2)]
    simulator.on_script("long", ScriptReply(output=["late"], duration=1000, records=records))



def test_run_bounds_the_creation_too(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.slow_creation(100)
    with make_client(server.url, clock=client_clock) as client:
        began = client_clock.now()
        with pytest.raises(WaitTimeoutError, match="within 2 s") as caught:
            client.run("'x'", timeout=2)
        assert client_clock.now() - began <= 2
        assert caught.value.started is False
    assert simulator.runspaces == {}



def test_the_error_carries_what_came_so_far(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(WaitTimeoutError, match=r"within 10 s.*asked to stop, and has stopped") as caught:
            client.run("long", timeout=10, runspace=simulator.add_runspace())
    assert caught.value.started is True
    assert [record.message for record in caught.value.records] == ["begun", "first"]
    assert getattr(caught.value.last, "state", None) == "canceled"



def test_a_cancel_that_fails_is_not_called_one(
    server: SimServer,
    simulator: Simulator,
    client_clock: LeadingClock,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            with server.faults.armed(Fault(operation="script_executions.cancel", status=500)):
                with pytest.raises(WaitTimeoutError, match=r"goes on: script_executions.cancel\(") as caught:
                    handle.run("long", timeout=10)
            assert "asked to stop" not in str(caught.value)
            assert "was not canceled, and may go on" in everything_logged.text
            # The next one is not started beside it.
            assert (handle.run("'next'")).output == "next"



def test_a_cancel_that_hangs_is_bounded_and_logged(
    server: SimServer,
    simulator: Simulator,
    client_clock: LeadingClock,
    everything_logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script_collector, "SECONDS_TO_CANCEL", 0.2)
    hanging = Fault(operation="script_executions.cancel", delay=3600.0)
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(hanging):
            with pytest.raises(WaitTimeoutError, match="Canceling it failed, so it goes on"):
                client.run("long", timeout=10, runspace=simulator.add_runspace(), name="nightly")
    assert re.search(r"script nightly \(.+\) was not canceled, and may go on", everything_logged.text)


@pytest.mark.parametrize("step", ["create", "get", "streams"])

def test_whatever_hangs_is_bounded(server: SimServer, simulator: Simulator, step: str) -> None:
    runspace = simulator.add_runspace()
    seconds, started = 1, False
    with make_client(server.url) as client:
        client.login()
        # A start that hangs is looked for by its name, and found.
        with server.faults.armed(Fault(operation=f"script_executions.{step}", delay=3600.0)):
            while not started:
                with pytest.raises(WaitTimeoutError) as caught:
                    client.run("long", timeout=seconds, runspace=runspace)
                # A slow machine needs more time for the start.
                started = caught.value.started is True
                seconds += seconds
    assert re.search(rf"within {seconds // 2} s.*(asked to stop|goes on)", str(caught.value))



def test_output_that_does_not_come_is_not_waited_for(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    runspace = simulator.add_runspace()
    fault = Fault(operation="script_executions.output", status=503)
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(fault), pytest.raises(Exception, match="ended with state success") as caught:
            client.run("'x'", timeout=5, runspace=runspace, name="nightly")
    assert "nightly" in str(caught.value)



def test_output_that_cannot_be_had_may_be_had_later(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    runspace = simulator.add_runspace()
    fault = Fault(operation="script_executions.output", status=500)
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(fault), pytest.raises(ServerError) as caught:
            client.run("'x'", runspace=runspace)
    assert "script_executions.output() and .records() may have what it left" in str(caught.value)



def test_the_cause_of_a_wait_that_failed_gives_no_advice_of_its_own(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    runspace = simulator.add_runspace()
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(Fault(operation="runspaces.get", status=503)):
            with pytest.raises(WaitTimeoutError, match="within 5 s") as caught:
                client.runspaces.wait_ready(runspace, timeout=5)
    assert "runspaces.get on" in (caught.value.cause or "")
    assert "Given up" not in str(caught.value)
    assert ServerError.advice not in str(caught.value)



def test_streams_that_are_gone_change_nothing_about_the_end(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    body = b'{"code":1040,"error_message":"Script with id \'7\' not found"}'
    gone = Fault(
        operation="script_executions.streams", status=404, body=body, content_type="application/json"
    )
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(gone):
            result = client.run("'x'", runspace=simulator.add_runspace())
    assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, "x")
    assert result.lost_records >= 1



def test_a_creation_that_cannot_be_read_is_looked_for(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    unreadable = Fault(operation="runspaces.create", times=1, status=202, body=b"not JSON", lost_answer=True)
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(unreadable):
            created = client.runspaces.create()
        assert list(simulator.runspaces) == [created.id]
        blind = Fault(operation="runspaces.list", status=500)
        with server.faults.armed(unreadable), server.faults.armed(blind):
            with pytest.raises(DecodeError, match="Look for the name 'srs-vsphere-"):
                client.runspaces.create()



def test_a_lost_start_does_not_meet_the_next(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    lost = Fault(operation="script_executions.create", times=1, reset="after", lost_answer=True)
    blind = Fault(operation="script_executions.list", times=5, status=500)
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            with server.faults.armed(lost), server.faults.armed(blind):
                with pytest.raises(OutcomeUnknownError, match="srs-vsphere-"):
                    handle.run("long")
            assert (handle.run("'next'")).output == "next"
            states = [execution.state for execution in client.script_executions.list()]
    assert states == ["canceled", "success"]



def test_refused_credentials_are_not_sent_again(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    login = ("POST", "/api/auth/login")
    with make_client(server.url, auth=BasicAuth("alice", "wrong"), clock=client_clock) as client:
        for _ in range(20):
            with pytest.raises(AuthenticationError):
                client.runspaces.list()
        with pytest.raises(AuthenticationError, match="not sent again"):
            client.login()
        assert server.requests.count(login) == 1
        with RunspacePool(client) as pool:
            with pytest.raises(AuthenticationError):
                with pool.map("1", [{} for _ in range(20)]) as results:
                    for _ in results:
                        pass
        assert server.requests.count(login) == 1
        client_clock.sleep(200)
        with pytest.raises(AuthenticationError):
            client.runspaces.list()
    assert server.requests.count(login) == 2



def test_a_pool_that_opened_nothing_says_nothing(
    server: SimServer, client_clock: LeadingClock, everything_logged: pytest.LogCaptureFixture
) -> None:
    server.faults.add(Fault(operation="runspaces.list", status=500))
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client, idle_limit=None):
            pass
    assert not [record for record in everything_logged.records if record.levelname == "WARNING"]



def test_runspaces_in_doubt_are_not_lent_again(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    deaf = Fault(operation="script_executions.cancel", status=200)
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client, size=1, idle_limit=None) as pool:
            with server.faults.armed(deaf):
                with pool.lease() as handle:
                    first = handle.id
                    with pytest.raises(WaitTimeoutError):
                        handle.run("long", timeout=5)
            with pool.lease() as handle:
                second = handle.id
                assert second != first
                assert list(simulator.runspaces) == [second]
                assert (handle.run("'x'")).output == "x"
            simulator.kill_runspace(second)
            # It still reads as ready for a moment; what matters is that the next lease has another.
            with pool.lease() as handle:
                assert handle.id != second



def test_one_bad_input_is_its_own_result(server: SimServer, client_clock: LeadingClock) -> None:
    inputs: list[dict[str, int]] = [{}, None, {"x": object()}, {}]
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client) as pool:
            with pool.map("1", inputs) as results:
                found = {result.index: result for result in results}
    assert [found[index].error is None for index in range(4)] == [True, False, False, True]
    assert "inputs[1] is None" in str(found[1].error)
    assert isinstance(found[2].error, TypeError)



def test_what_was_not_entered_says_so(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client) as pool:
            results = pool.map("1", [{}])
            with pytest.raises(TypeError, match=r"with pool.map\("):
                for _ in results:
                    pass
            with pytest.raises(TypeError, match=r"with ....stream\("):
                for _ in client.runspaces.stream():
                    pass
            with pytest.raises(AttributeError, match=r"'run': enter it first: .*with ....open\("):
                client.runspaces.open().run("1")
    assert CREATE not in server.requests


@pytest.mark.parametrize("error", [KeyError("own"), SystemExit(3)])

def test_the_blocks_own_error_comes_out_of_a_map_as_it_is(
    server: SimServer, client_clock: LeadingClock, error: BaseException
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client) as pool:
            with pytest.raises(type(error)) as caught:
                with pool.map("1", [{}, {}, {}]) as results:
                    for _ in results:
                        raise error
    assert caught.value is error



def test_views_share_the_session(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        view = client.with_options(timeout=7, retry=RetryPolicy.off())
        client.runspaces.list()
        with server.faults.armed(Fault(operation="runspaces.list", status=503)):
            with pytest.raises(ServerError) as caught:
                view.runspaces.list()
            assert caught.value.attempts == 1
            with pytest.raises(ServerError) as caught:
                client.runspaces.list()
            assert caught.value.attempts == 5
        assert server.requests.count(("POST", "/api/auth/login")) == 1



def test_ids_and_objects_and_files(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock, tmp_path: Path
) -> None:
    script = tmp_path / "script.ps1"
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            for encoding in ("utf-8", "utf-8-sig", "utf-16"):
                script.write_text("'häuser'", encoding=encoding)
                assert (client.run(script, runspace=handle)).output == "häuser"
            script.write_bytes(b"'h\xe4user'")
            with pytest.raises(ValueError, match=r"script\.ps1 cannot be read"):
                client.run(script, runspace=handle)
            runspace = client.runspaces.get(handle)
            assert (client.runspaces.wait(runspace)).id == handle.id
            execution = client.script_executions.create(runspace, "'x'")
            ended = client.script_executions.wait(execution)
            assert client.script_executions.output(ended) == ["x"]
            assert client.script_executions.records(ended, "error") == []
            client.script_executions.cancel(ended)
            assert [item for item in client.script_executions.follow(ended)] == []
            with pytest.raises(TypeError, match="id must be text or a Runspace"):
                client.runspaces.get(ended)
            client.runspaces.delete(runspace)
        assert simulator.runspaces == {}
        templates = client.argument_scripts.list()
        assert client.argument_scripts.get(templates[0]) == templates[0]
        console = client.web_consoles.create(wait=False)
        assert (client.web_consoles.wait(console)).id == console.id
        client.web_consoles.delete(console)



def test_a_runspace_that_cannot_be_reached_is_replaced(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client, size=1) as pool:
            with pool.lease() as handle:
                first = handle.id
            unreachable = Fault(operation="script_executions.create", times=1, runspace_unreachable=True)
            with server.faults.armed(unreachable), pytest.raises(SrsError) as caught:
                with pool.lease() as handle:
                    assert handle.id == first
                    handle.run("'x'")
            assert "The pool replaces this runspace" in str(caught.value)
            with pool.lease() as handle:
                assert handle.id != first
                assert (handle.run("'x'")).output == "x"
                assert list(simulator.runspaces) == [handle.id]



def test_a_creation_that_a_restart_cuts_off_is_begun_again(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        restart = Fault(operation="runspaces.get", nth=1, restart=True)
        with server.faults.armed(restart):
            with RunspacePool(client, size=1) as pool:
                with pool.lease() as handle:
                    assert list(simulator.runspaces) == [handle.id]
        simulator.slow_creation(30)
        with server.faults.armed(restart), pytest.raises(NotFoundError, match="service was restarted"):
            with client.runspaces.open():
                pass
    assert simulator.runspaces == {}



def test_an_input_that_was_not_started_is_started_elsewhere(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    body = b'{"code":1310,"error_message":"Another script with id \'7\' is running"}'
    busy = Fault(
        operation="script_executions.create", nth=1, status=500, body=body, content_type="application/json"
    )
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client, size=1) as pool:
            with server.faults.armed(busy):
                with pool.map("7", [{}, {}], output="json") as results:
                    assert [result.get().output for result in results] == [[7], [7]]
    assert server.requests.count(CREATE) == 2
    assert simulator.runspaces == {}


def test_signatures_show_the_keywords() -> None:
    for run in (SrsClient.run, RunspaceHandle.run):
        named = inspect.signature(run).parameters
        assert {"parameters", "output", "name", "timeout", "check", "streams"} <= set(named)
        assert inspect.Parameter.VAR_KEYWORD not in {parameter.kind for parameter in named.values()}
    assert {"name", "timeout", "check"} <= set(inspect.signature(RunspacePool.map).parameters)
    for resource in ("runspaces", "script_executions", "argument_scripts", "web_consoles"):
        assert inspect.getdoc(getattr(SrsClient, resource))
    double = create_autospec(SrsClient)
    with pytest.raises(TypeError):
        double.run("1", paramters={})



def test_leaving_is_bounded_while_the_service_hangs(
    server: SimServer,
    client_clock: LeadingClock,
    everything_logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_stock, "_SECONDS_TO_CLOSE", 0.1)
    with make_client(server.url, clock=client_clock) as client:
        with RunspacePool(client, size=1) as pool:
            pool.warm()
            server.faults.add(Fault(delay=3600.0))
        client.close(timeout=0.1)
    assert "runspaces named pool-" in everything_logged.text
    assert "was not ended" in everything_logged.text
