"""A flaky service: what is tried again, how long the client waits, and what it tells in the end."""

from __future__ import annotations

import contextlib
import pickle
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from srs_vsphere import (
    NotSentError,
    OutcomeUnknownError,
    ResponseTimeoutError,
    RetryEvent,
    RetryPolicy,
    ServerError,
    SrsError,
    Timeouts,
    TooManyRequestsError,
    TransportError,
)
from srs_vsphere.simulator import Fault, SimServer, Simulator
from tests._sync.helping import SimulatedClock, error_once_sent, free_slots, make_client

LIST = ("GET", "/api/runspaces")
CREATE = ("POST", "/api/runspaces")



def test_refused_connections_are_tried_again_with_growing_waits(nowhere: str) -> None:
    url = nowhere
    events: list[RetryEvent] = []
    client_clock = SimulatedClock(number=0.5)
    with make_client(url, retry=RetryPolicy(), clock=client_clock, on_retry=events.append) as client:
        with pytest.raises(NotSentError) as caught:
            client.about()
    assert client_clock.sleeps == [0.125, 0.25, 0.5, 1.0]
    assert [(event.operation, event.attempt, event.wait) for event in events] == [
        ("about", 1, 0.125),
        ("about", 2, 0.25),
        ("about", 3, 0.5),
        ("about", 4, 1.0),
    ]
    assert events[0].reason == "not sent"
    assert isinstance(events[0].error, NotSentError)
    error = caught.value
    assert (error.attempts, error.status, error.operation) == (5, None, "about")
    assert error.host == url.removeprefix("http://")
    assert error.cause is not None
    assert error.cause.startswith("ConnectError")
    assert type(error.__cause__).__name__ == "ConnectError"
    assert "5 attempts" in str(error)
    assert "\n" not in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.attempts) == (NotSentError, str(error), 5)



def test_even_a_create_is_tried_again_if_it_was_never_sent(
    server: SimServer, simulator: Simulator
) -> None:
    with make_client(server.url) as client:
        client.login()
    refusal = server.faults.add(Fault(refuse=True))
    client_clock = SimulatedClock()

    def on_retry(event: RetryEvent) -> None:
        assert isinstance(event.error, NotSentError)
        server.faults.remove(refusal)

    with make_client(server.url, clock=client_clock, on_retry=on_retry) as client:
        created = client.runspaces.create()
    assert list(simulator.runspaces) == [created.id]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="runspaces.create", reset="before"),
        Fault(operation="runspaces.create", reset="after"),
        Fault(operation="runspaces.create", reset="after", lost_answer=True),
        Fault(operation="runspaces.create", status=502),
        Fault(operation="runspaces.create", status=503, headers=(("Retry-After", "0"),)),
        Fault(operation="runspaces.create", status=504, lost_answer=True),
        Fault(operation="runspaces.create", status=0),
        Fault(operation="runspaces.create", cut_after=10),
    ],
    ids=lambda fault: f"{fault.status}-{fault.reset}-{fault.lost_answer}-{fault.cut_after}",
)

def test_a_create_is_never_sent_twice_on_a_guess(server: SimServer, fault: Fault) -> None:
    with make_client(server.url) as client:
        client.login()
        with server.faults.armed(fault), pytest.raises(OutcomeUnknownError) as caught:
            client.runspaces.create("nightly")
        assert free_slots(client) == 20
    assert caught.value.attempts == 1
    assert "Look for the name 'nightly' in runspaces.list()" in str(caught.value)
    assert server.requests.count(CREATE) == 1



def test_a_lost_create_is_found_by_its_unique_name(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as client:
        lost = Fault(operation="runspaces.create", reset="after", lost_answer=True)
        with server.faults.armed(lost):
            created = client.runspaces.create()
        assert list(simulator.runspaces) == [created.id]
        with (
            server.faults.armed(Fault(operation="runspaces.create", reset="before")),
            pytest.raises(OutcomeUnknownError, match="was there a moment later"),
        ):
            client.runspaces.create()
        with (
            server.faults.armed(lost),
            server.faults.armed(Fault(operation="runspaces.list", status=500)),
            pytest.raises(OutcomeUnknownError),
        ):
            client.runspaces.create()
    assert server.requests.count(CREATE) == 3



def test_too_many_requests_means_that_nothing_was_done(server: SimServer, simulator: Simulator) -> None:
    client_clock = SimulatedClock(number=0.0)
    with make_client(server.url, clock=client_clock) as client:
        later = Fault(operation="runspaces.create", times=2, status=429, headers=(("Retry-After", "7"),))
        with server.faults.armed(later):
            client.runspaces.create()
    assert client_clock.sleeps == [7.0, 7.0]
    assert len(list(simulator.runspaces)) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])

def test_passing_failures_of_a_read_are_ridden_out(server: SimServer, status: int) -> None:
    with make_client(server.url) as client:
        with server.faults.armed(Fault(operation="runspaces.list", times=4, status=status)):
            assert client.runspaces.list() == []
        with (
            server.faults.armed(Fault(operation="runspaces.list", status=status)),
            pytest.raises(TooManyRequestsError if status == 429 else ServerError) as caught,
        ):
            client.runspaces.list()
    assert (caught.value.status, caught.value.attempts) == (status, 5)
    assert server.requests.count(LIST) == 10


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="runspaces.list", times=1, reset="before"),
        Fault(operation="runspaces.list", times=1, reset="after"),
        Fault(operation="runspaces.list", times=1, cut_after=1),
        Fault(operation="runspaces.list", times=1, status=0),
    ],
    ids=["reset before", "reset after", "cut", "status 0"],
)

def test_a_read_whose_response_got_lost_is_repeated(server: SimServer, fault: Fault) -> None:
    with make_client(server.url) as client:
        client.runspaces.create()
        with server.faults.armed(fault):
            assert len(client.runspaces.list()) == 1
    assert server.requests.count(LIST) == 2



def test_a_response_that_would_come_again_is_not_asked_for_again(server: SimServer) -> None:
    with make_client(server.url) as client:
        with (
            server.faults.armed(Fault(operation="runspaces.list", status=500)),
            pytest.raises(SrsError) as caught,
        ):
            client.runspaces.list()
    assert (caught.value.status, caught.value.attempts) == (500, 1)



def test_retry_after_is_honoured_in_both_forms_and_capped(server: SimServer) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    client_clock = SimulatedClock(number=0.0)
    with make_client(server.url, retry=RetryPolicy(), clock=client_clock) as client:
        for value in ("3", soon, "4000", "whenever"):
            headers = (("Retry-After", value),)
            with server.faults.armed(Fault(operation="about", times=1, status=503, headers=headers)):
                client.about()
    assert client_clock.sleeps[0] == 3.0
    assert 25 < client_clock.sleeps[1] <= 30
    assert client_clock.sleeps[2:] == [60.0, 0.0]



def test_the_deadline_bounds_the_waits(server: SimServer) -> None:
    client_clock = SimulatedClock(number=0.0)
    policy = RetryPolicy(deadline=10.0, attempts=100)
    headers = (("Retry-After", "3"),)
    server.faults.add(Fault(operation="about", status=503, headers=headers))
    with make_client(server.url, retry=policy, clock=client_clock) as client:
        with pytest.raises(ServerError) as caught:
            client.about()
    assert client_clock.sleeps == [3.0, 3.0, 3.0]
    assert caught.value.attempts == 4



def test_the_deadline_bounds_an_attempt(server: SimServer) -> None:
    server.faults.add(Fault(operation="runspaces.*", delay=3600.0))
    with make_client(server.url) as client:
        client.login()
        error = error_once_sent(client, lambda hurried: hurried.runspaces.list())
        assert not isinstance(error, OutcomeUnknownError)
        error = error_once_sent(client, lambda hurried: hurried.runspaces.create())
        assert isinstance(error, OutcomeUnknownError)
        with pytest.raises(TransportError):
            with client.with_options(timeout=0.2).runspaces.stream():
                pass
        assert free_slots(client) == 20



def test_the_deadline_bounds_a_trickle(server: SimServer, simulator: Simulator) -> None:
    for _ in range(50):
        simulator.add_runspace()
    server.faults.add(Fault(operation="runspaces.list", trickle=(4, 0.01)))
    with make_client(server.url) as client:
        client.login()
        hurried = client.with_options(timeout=0.3)
        with pytest.raises(TransportError):
            hurried.runspaces.list()
        assert free_slots(client) == 20
        # Of a stream it bounds the head only, and each wait: for those a slow machine may need more time.
        seconds, late = 0.3, False
        while not late:
            ends = client._session.sender.clock.now() + seconds
            with contextlib.suppress(SrsError):
                with client.with_options(timeout=seconds).runspaces.stream() as runspaces:
                    while not late:
                        assert (next(runspaces)).id in simulator.runspaces
                        late = client._session.sender.clock.now() > ends
            seconds *= 2
        assert free_slots(client) == 20



def test_waiting_for_a_slot_ends_with_the_deadline(server: SimServer) -> None:
    with make_client(server.url, max_connections=1) as client:
        with client.runspaces.stream():
            with pytest.raises(NotSentError, match="no connection became free"):
                client.with_options(timeout=0.2).about()
        client.about()



def test_a_dead_server_sees_a_trickle(nowhere: str) -> None:
    attempts = 0

    def on_retry(event: RetryEvent) -> None:
        nonlocal attempts
        attempts += 1

    client_clock = SimulatedClock(number=0.0)
    policy = RetryPolicy(budget=10, budget_refill=0.5)
    with make_client(nowhere, retry=policy, clock=client_clock, on_retry=on_retry) as client:
        for _ in range(20):
            with pytest.raises(NotSentError):
                client.about()
        assert attempts == 10
        client_clock.seconds += 4.0
        for _ in range(20):
            with pytest.raises(NotSentError):
                client.about()
        assert attempts == 12



def test_what_a_hook_raises_is_logged_and_the_call_goes_on(
    server: SimServer, caplog: pytest.LogCaptureFixture
) -> None:
    def on_retry(event: RetryEvent) -> None:
        raise KeyError(f"hook of {event.operation}")

    server.faults.add(Fault(operation="about", times=2, status=503))
    with make_client(server.url, on_retry=on_retry) as client:
        assert client.about()
        assert free_slots(client) == 20
    assert caplog.text.count("on_retry raised") == 2
    assert "hook of about" in caplog.text



def test_an_exhausted_policy_says_so_and_what_to_do(server: SimServer) -> None:
    server.faults.add(Fault(operation="about", status=503))
    for policy, words in (
        (
            RetryPolicy(backoff=0, attempts=3),
            "no attempts are left of 3: wait, or raise RetryPolicy(attempts=)",
        ),
        (RetryPolicy(backoff=0, budget=1, budget_refill=0), "budget is used up"),
        (RetryPolicy(backoff=0, budget=0), "raise RetryPolicy(budget=)"),
    ):
        with make_client(server.url, retry=policy) as client:
            with pytest.raises(ServerError) as caught:
                client.about()
        assert words in str(caught.value)
        assert f"Given up: {caught.value.given_up}." in str(caught.value)
    headers = (("Retry-After", "30"),)
    with server.faults.armed(Fault(operation="runspaces.list", status=503, headers=headers)):
        with make_client(server.url, retry=RetryPolicy(deadline=20.0)) as client:
            with pytest.raises(ServerError, match=r"after the deadline of 20 s: .*RetryPolicy\(deadline=\)"):
                client.runspaces.list()
            # The time that this call was given counts, not the policy's.
            with pytest.raises(ServerError, match=r"after the deadline of 10\.5 s: .*timeout="):
                client.runspaces.list(timeout=10.5)
    with make_client(server.url, retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(ServerError) as caught:
            client.about()
    assert caught.value.given_up is None



def test_a_timeout_is_an_error_of_its_own(server: SimServer) -> None:
    server.faults.add(Fault(operation="runspaces.*", delay=3600.0))
    with make_client(server.url, retry=RetryPolicy(attempts=1), timeouts=Timeouts(read=0.05)) as client:
        client.login()
        with pytest.raises(ResponseTimeoutError, match=r"did not respond in time .*Timeouts\(read=\)"):
            client.runspaces.list()
        with pytest.raises(OutcomeUnknownError, match="did not respond in time"):
            client.runspaces.create("nightly")


@pytest.mark.parametrize("seconds", [1e10, float(sys.maxsize), sys.float_info.max])

def test_any_number_of_seconds_is_a_deadline(server: SimServer, seconds: float) -> None:
    timeouts = Timeouts(connect=seconds, read=seconds, write=seconds, login=seconds, keep_alive=seconds)
    policy = RetryPolicy(backoff=0, deadline=seconds)
    with make_client(server.url, retry=policy, timeouts=timeouts, max_connections=1) as client:
        assert client.runspaces.list() == []
        with server.faults.armed(Fault(operation="runspaces.list", times=1, status=503)):
            assert client.runspaces.list() == []



def test_a_page_of_a_proxy_is_told_apart(server: SimServer) -> None:
    server.faults.add(Fault(operation="about", status=502))
    with make_client(server.url) as client:
        with pytest.raises(ServerError, match="502 Bad Gateway") as caught:
            client.about()
    assert "<html" not in str(caught.value)
    assert caught.value.details is not None
    assert "<html" in caught.value.details
