"""`runspaces.open()`: ready inside the block, connected if asked, and deleted whatever happens."""

from __future__ import annotations

import gc

import pytest

from srs_vsphere import (
    RunspaceHandle,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExceededError,
    RetryEvent,
    RunspaceNotReadyError,
    RunspaceState,
    ScriptOutcome,
    ServerError,
    VCenterConnectionError,
    WaitTimeoutError,
)
from srs_vsphere.simulator import (
    Fault,
    ScriptCall,
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


def connecting(response: ScriptReply, simulator: Simulator) -> None:
    def is_connecting(call: ScriptCall) -> bool:
        return call.system and call.script == "powerclivclogin"

    simulator.on_script(is_connecting, response, system=True)



def test_ready_inside_and_gone_outside(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open("nightly") as handle:
            assert isinstance(handle, RunspaceHandle)
            assert simulator.runspaces == {handle.id: "ready"}
            assert handle.runspace.state == RunspaceState.READY
            name = str(handle.runspace.name)
            assert name.startswith("nightly-")
            assert name in repr(handle)
            handle.run("$x = 'kept'")
            assert (handle.run("$x")).output == "kept"
        assert simulator.runspaces == {}



def test_gone_after_an_error_too(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(KeyError, match="the block's own"):
            with client.runspaces.open():
                raise KeyError("the block's own")
        assert simulator.runspaces == {}



def test_a_block_after_another(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        opening = client.runspaces.open("twice")
        names: list[str | None] = []
        for _ in range(2):
            with opening as handle:
                names.append(handle.runspace.name)
                with pytest.raises(RuntimeError, match="open already"):
                    opening.__enter__()
                assert (handle.run("1")).output == "1"
    assert names[0] != names[1]
    assert server.requests.count(CREATE) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="runspaces.delete", status=500),
        Fault(operation="runspaces.delete", reset="after"),
        Fault(operation="runspaces.delete", stale_session=True),
    ],
)

def test_what_cannot_be_deleted_is_logged(
    server: SimServer,
    client_clock: LeadingClock,
    everything_logged: pytest.LogCaptureFixture,
    fault: Fault,
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(fault):
            with client.runspaces.open() as handle:
                pass
            with pytest.raises(KeyError, match="the block's own"):
                with client.runspaces.open():
                    raise KeyError("the block's own")
    assert everything_logged.text.count("was not deleted") == 2
    assert handle.id in everything_logged.text



def test_a_hook_that_raises_on_the_way_out_hides_no_error(
    server: SimServer,
    simulator: Simulator,
    client_clock: LeadingClock,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    def on_retry(event: RetryEvent) -> None:
        raise RuntimeError(f"hook of {event.operation}")

    with make_client(server.url, clock=client_clock, on_retry=on_retry) as client:
        with pytest.raises(KeyError, match="own"):
            with client.runspaces.open():
                server.faults.add(Fault(operation="runspaces.delete", times=1, status=503))
                raise KeyError("own")
        assert simulator.runspaces == {}
    assert "hook of runspaces.delete" in everything_logged.text



def test_a_block_that_is_broken_off_is_named(
    server: SimServer, client_clock: LeadingClock, everything_logged: pytest.LogCaptureFixture
) -> None:
    """As by a Ctrl-C that comes before the first line of clean-up."""
    with make_client(server.url, clock=client_clock) as client:
        block = client.runspaces.open("nightly")
        handle = block.__enter__()
        name = block.name
        del block
        gc.collect()
        assert f"runspace {name} ({handle.id}) was not deleted" in everything_logged.text
        everything_logged.clear()
        with client.runspaces.open():
            pass
        gc.collect()
    assert not [record for record in everything_logged.records if record.levelname == "WARNING"]



def test_a_client_that_is_closed_inside(
    server: SimServer, client_clock: LeadingClock, everything_logged: pytest.LogCaptureFixture
) -> None:
    client = make_client(server.url, clock=client_clock)
    with pytest.raises(KeyError):
        with client.runspaces.open():
            client.close()
            raise KeyError
    assert "was not deleted" in everything_logged.text



def test_gone_already(
    server: SimServer,
    simulator: Simulator,
    client_clock: LeadingClock,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            simulator.kill_runspace(handle.id)
            with pytest.raises(NotFoundError):
                handle.run("1")
    assert "was not deleted" not in everything_logged.text



def test_no_room(server: SimServer, simulator: Simulator, client_clock: LeadingClock) -> None:
    simulator.fill_quota()
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(QuotaExceededError):
            with client.runspaces.open():
                pass
        assert client_clock.sleeps == []
        with pytest.raises(QuotaExceededError):
            with client.runspaces.open(wait_for_quota=20):
                pass
        assert client_clock.now() == pytest.approx(20)
        # Asked again and again, but not looked for: no room means that nothing was made.
        assert 5 < server.requests.count(CREATE) < 30
        assert ("GET", "/api/runspaces") not in server.requests



def test_room_that_comes_in_time(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    server.faults.add(Fault(operation="runspaces.create", times=4, full_quota=True))
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open(wait_for_quota=60):
            assert len(simulator.runspaces) == 1
    assert server.requests.count(CREATE) == 5
    assert all(sleep >= 0.5 for sleep in client_clock.sleeps)



def test_a_creation_that_fails(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        simulator.fail_creation("no cluster")
        with pytest.raises(ServerError, match="no cluster"):
            with client.runspaces.open():
                pass
        simulator.fail_pod("failed: ImagePullBackOff")
        with pytest.raises(RunspaceNotReadyError, match=r"ImagePullBackOff.*was not kept"):
            with client.runspaces.open():
                pass
        simulator.refuse_bearer_token()
        with pytest.raises(RunspaceNotReadyError) as caught:
            with client.runspaces.open(run_vc_connection_script=True):
                pass
    assert caught.value.code == 401
    assert simulator.runspaces == {}



def test_a_creation_that_fails_and_is_carried_out(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    server.faults.add(Fault(operation="runspaces.create", status=500, lost_answer=True))
    with make_client(server.url, clock=client_clock) as client:
        # It has a unique name, by which it is found: what the error said of it was wrong.
        with client.runspaces.open() as handle:
            assert list(simulator.runspaces) == [handle.id]
        assert simulator.runspaces == {}



def test_a_creation_that_takes_too_long(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.slow_creation(100)
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(WaitTimeoutError, match=r"within 10 s.*was not kept"):
            with client.runspaces.open(timeout=10):
                pass
        assert simulator.runspaces == {}



def test_a_connected_runspace(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    warning = StreamMessage("warning", "a certificate is about to expire")
    connecting(ScriptReply(records=[warning]), simulator)
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open(run_vc_connection_script=True) as handle:
            assert handle.runspace.run_vc_connection_script is True
            assert handle.runspace.vc_connection_script_id is not None
            assert (handle.run("1")).output == "1"
        assert simulator.runspaces == {}


@pytest.mark.parametrize(
    ("response", "why", "messages"),
    [
        # To the service this is a success, and the runspace is ready.
        (
            ScriptReply(
                records=[StreamMessage("error", "The server refused."), StreamMessage("error", "Gave up.")]
            ),
            "The server refused.",
            ["The server refused.", "Gave up."],
        ),
        (
            ScriptReply(state="error", reason="Security.SecurityException: no rights"),
            "Security.SecurityException: no rights",
            [],
        ),
        (ScriptReply(state="canceled"), "The pipeline has been stopped", []),
    ],
)

def test_a_runspace_that_is_ready_but_not_connected(
    server: SimServer,
    simulator: Simulator,
    client_clock: LeadingClock,
    response: ScriptReply,
    why: str,
    messages: list[str],
) -> None:
    connecting(response, simulator)
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(VCenterConnectionError, match="is not connected to vCenter") as caught:
            with client.runspaces.open(run_vc_connection_script=True):
                pass
        assert why in str(caught.value)
        assert "\n" not in str(caught.value)
        assert [record.message for record in caught.value.records] == messages
        assert simulator.runspaces == {}


LOST_ANSWERS = [
    Fault(operation="runspaces.create", times=1, reset="after", lost_answer=True),
    Fault(operation="runspaces.create", times=1, status=504, lost_answer=True),
    Fault(operation="runspaces.create", times=1, status=0, lost_answer=True),
]


@pytest.mark.parametrize("fault", LOST_ANSWERS)

def test_a_lost_answer_is_found_out(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock, fault: Fault
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        with server.faults.armed(fault):
            with client.runspaces.open() as handle:
                assert list(simulator.runspaces) == [handle.id]
        assert simulator.runspaces == {}
        with server.faults.armed(fault):
            created = client.runspaces.create()
        assert list(simulator.runspaces) == [created.id]
    assert server.requests.count(CREATE) == 2



def test_a_lost_answer_that_cannot_be_found_out(
    server: SimServer,
    simulator: Simulator,
    client_clock: LeadingClock,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        client.login()
        with server.faults.armed(LOST_ANSWERS[0]), pytest.raises(OutcomeUnknownError) as caught:
            client.runspaces.create("mine")
        assert "Look for the name 'mine'" in str(caught.value)
        blind = Fault(operation="runspaces.list", status=500)
        with server.faults.armed(LOST_ANSWERS[0]), server.faults.armed(blind):
            with pytest.raises(OutcomeUnknownError, match="Look for the name 'srs-vsphere"):
                client.runspaces.create()
        with server.faults.armed(LOST_ANSWERS[0]), server.faults.armed(blind):
            with pytest.raises(OutcomeUnknownError):
                with client.runspaces.open("dark"):
                    pass
    assert "a runspace named dark-" in everything_logged.text
    assert len(simulator.runspaces) == 3



def test_a_lost_answer_that_shows_late(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    server.faults.add(LOST_ANSWERS[0])
    # At the first two looks it is not there yet.
    empty = Fault(
        operation="runspaces.list", times=2, status=200, body=b"[]", content_type="application/json"
    )
    server.faults.add(empty)
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(OutcomeUnknownError, match="may still appear"):
            with client.runspaces.open():
                pass
        assert simulator.runspaces == {}



def test_a_lost_request_makes_nothing(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    server.faults.add(Fault(operation="runspaces.create", reset="after"))
    with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(OutcomeUnknownError):
            with client.runspaces.open():
                pass
    assert server.requests.count(CREATE) == 1
    assert simulator.runspaces == {}



def test_scripts_wait_for_the_end_of_the_one_before(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.on_script("long", ScriptReply(duration=100))
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            with pytest.raises(WaitTimeoutError):
                handle.run("long", timeout=5)
            # Its end was not read, only asked for; that is done before the next one starts.
            result = handle.run("'next'")
            assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, "next")
            states = [str(execution.state) for execution in client.script_executions.list()]
    assert states == ["canceled", "success"]



def test_a_script_that_does_not_stop(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.on_script("long", ScriptReply(duration=100))
    deaf = Fault(operation="script_executions.cancel", status=200)
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            with server.faults.armed(deaf):
                with pytest.raises(WaitTimeoutError, match="asked to stop"):
                    handle.run("long", timeout=5)
                with pytest.raises(WaitTimeoutError, match="does not stop") as caught:
                    handle.run("'next'", timeout=5)
                assert caught.value.last is not None
            # It is asked again: this time it hears.
            assert (handle.run("'next'", timeout=5)).output == "next"



def test_a_lost_start_is_found_out(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    lost = Fault(operation="script_executions.create", times=1, status=504, lost_answer=True)
    with make_client(server.url, clock=client_clock) as client:
        with client.runspaces.open() as handle:
            with server.faults.armed(lost):
                assert (handle.run("'once'")).output == "once"
            assert (handle.run("'next'")).output == "next"
    assert simulator.execution_count == 2
