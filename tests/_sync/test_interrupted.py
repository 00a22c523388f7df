"""Interrupted in the middle of a call, as by Ctrl-C: what was made goes, what was started is stopped."""

from __future__ import annotations

from typing import Protocol

import pytest

from srs_vsphere import (
    SrsClient,
    DecodeError,
    NotFoundError,
    RetryEvent,
    ScriptOutcome,
    WaitTimeoutError,
)
from srs_vsphere._sync.response import _Guard
from srs_vsphere._sync.runspace_block import RunspaceBlock
from srs_vsphere._sync.session import _State
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, Simulator, VirtualClock
from tests._sync.helping import LeadingClock, make_client


class Collected(Protocol):
    """What does something when it is collected."""

    def __del__(self) -> None: ...


class Interrupt(BaseException):
    """Like KeyboardInterrupt, which no event loop lets pass."""


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(autouse=True)
def long_script(simulator: Simulator) -> None:
    simulator.on_script("long", ScriptReply(output=["late"], duration=100))


@pytest.mark.parametrize("kind", [RunspaceBlock, _Guard, _State])
def test_what_was_interrupted_while_it_was_made_is_collected_without_a_word(kind: type[Collected]) -> None:
    kind.__new__(kind).__del__()


def interruptible(server: SimServer, clock: VirtualClock) -> SrsClient:
    """A client that is interrupted where it would try again."""

    def interrupt(event: RetryEvent) -> None:
        raise Interrupt(event.operation)

    return make_client(server.url, clock=LeadingClock(clock), on_retry=interrupt)


def answered_too_busy(operation: str) -> Fault:
    """It is carried out, and the response is one that makes the client try again."""
    return Fault(operation=operation, times=1, status=429, lost_answer=True)


@pytest.mark.parametrize("operation", ["runspaces.create", "runspaces.get", "script_executions.*"])

def test_in_run(server: SimServer, simulator: Simulator, clock: VirtualClock, operation: str) -> None:
    with interruptible(server, clock) as client:
        client.login()
        with server.faults.armed(answered_too_busy(operation)), pytest.raises(Interrupt):
            client.run("long")
        assert simulator.runspaces == {}


@pytest.mark.parametrize("nth", range(1, 12))

def test_in_a_handle(server: SimServer, simulator: Simulator, clock: VirtualClock, nth: int) -> None:
    fault = Fault(operation="script_executions.*", nth=nth, status=429, lost_answer=True)
    with interruptible(server, clock) as client:
        with client.runspaces.open() as handle:
            with server.faults.armed(fault), pytest.raises(Interrupt):
                handle.run("long")
            cancels = sum(path.endswith("/cancel") for _, path in server.requests)
            assert cancels == 1
            result = handle.run("'next'")
            assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, "next")
            states = [str(execution.state) for execution in client.script_executions.list()]
    assert states == ["canceled", "success"]
    assert simulator.runspaces == {}



def test_under_a_name_of_ones_own_nobody_else_is_canceled(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    with interruptible(server, clock) as client:
        elsewhere = client.script_executions.create(simulator.add_runspace(), "long", name="nightly")
        lost = Fault(operation="script_executions.create", times=1, status=429)
        with server.faults.armed(lost), pytest.raises(Interrupt):
            client.run("long", name="nightly")
        clock.advance(1)
        assert not (client.script_executions.get(elsewhere.id)).ended



def test_while_a_console_is_waited_for(
    server: SimServer, simulator: Simulator, clock: VirtualClock, everything_logged: pytest.LogCaptureFixture
) -> None:
    with interruptible(server, clock) as client:
        with server.faults.armed(answered_too_busy("web_consoles.get")), pytest.raises(Interrupt):
            client.web_consoles.create()
        assert simulator.web_console_count == 0
        with (
            server.faults.armed(answered_too_busy("web_consoles.get")),
            server.faults.armed(Fault(operation="web_consoles.delete", status=500)),
            pytest.raises(Interrupt),
        ):
            client.web_consoles.create()
    assert "was not deleted" in everything_logged.text



def test_within_the_request_for_a_console(
    server: SimServer, simulator: Simulator, clock: VirtualClock, everything_logged: pytest.LogCaptureFixture
) -> None:
    with interruptible(server, clock) as client:
        with server.faults.armed(answered_too_busy("web_consoles.create")), pytest.raises(Interrupt):
            client.web_consoles.create()
        # It has no name by which it could be found and deleted.
        assert simulator.web_console_count == 1
        assert "a web console may have been created on 127.0.0.1:" in everything_logged.text



def test_within_a_request_under_a_name_of_ones_own(
    server: SimServer, simulator: Simulator, clock: VirtualClock, everything_logged: pytest.LogCaptureFixture
) -> None:
    with interruptible(server, clock) as client:
        with server.faults.armed(answered_too_busy("runspaces.create")), pytest.raises(Interrupt):
            client.runspaces.create("mine")
        (runspace,) = simulator.runspaces
        assert "a runspace named mine may have been created: look for" in everything_logged.text
        with server.faults.armed(answered_too_busy("script_executions.create")), pytest.raises(Interrupt):
            client.script_executions.create(runspace, "long", name="nightly")
    assert f"a script named nightly may have started in runspace {runspace}: look" in everything_logged.text



def test_a_lost_start_that_cannot_be_looked_for(
    server: SimServer, clock: VirtualClock, everything_logged: pytest.LogCaptureFixture
) -> None:
    with interruptible(server, clock) as client:
        with client.runspaces.open() as handle:
            with (
                server.faults.armed(answered_too_busy("script_executions.create")),
                server.faults.armed(Fault(operation="script_executions.list", status=500)),
                pytest.raises(Interrupt),
            ):
                handle.run("long")
    assert "may have started and was not looked for" in everything_logged.text



def test_a_lost_start_that_was_none(server: SimServer, clock: VirtualClock) -> None:
    with interruptible(server, clock) as client:
        with client.runspaces.open() as handle:
            refused = Fault(operation="script_executions.create", times=1, status=429)
            with server.faults.armed(refused), pytest.raises(Interrupt):
                handle.run("long")
            assert (handle.run("'next'")).output == "next"
    assert not any(path.endswith("/cancel") for _, path in server.requests)



def test_a_script_left_behind_that_the_service_has_forgotten(
    server: SimServer, simulator: Simulator, clock: VirtualClock
) -> None:
    with make_client(server.url, clock=LeadingClock(clock)) as client:
        with client.runspaces.open() as handle:
            with pytest.raises(WaitTimeoutError):
                handle.run("long", timeout=5)
            simulator.restart()
            # What keeps it from running is that the runspace is gone too.
            with pytest.raises(NotFoundError) as caught:
                handle.run("'next'")
    assert caught.value.code == 2030


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("runspaces.create", b'{"state":"creating","run_vc_connection_script":false}'),
        ("script_executions.create", b'{"state":"running","output_objects_format":"text"}'),
        ("script_executions.create", b"not JSON"),
    ],
)

def test_a_response_without_an_id(
    server: SimServer, simulator: Simulator, clock: VirtualClock, operation: str, body: bytes
) -> None:
    fault = Fault(operation=operation, status=202, body=body, content_type="application/json")
    with make_client(server.url, clock=LeadingClock(clock)) as client:
        with server.faults.armed(fault), pytest.raises(DecodeError) as caught:
            client.run("long")
    assert caught.value.operation == operation
    assert simulator.runspaces == {}
