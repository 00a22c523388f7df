"""A wait asks neither too often nor for too long, and knows when asking is no use."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere import errors
from srs_vsphere._service.poll_schedule import (
    LONGEST_DELAY,
    End,
    Seen,
    Wait,
    seen_console,
    seen_error,
    seen_execution,
    seen_runspace,
)
from srs_vsphere.models import (
    Runspace,
    RunspaceState,
    ScriptExecution,
    ScriptExecutionState,
    WebConsole,
    WebConsoleState,
)


def played(timeout, seen=Seen.PENDING, random=lambda: 0.0, took=0.0, longest_delay=LONGEST_DELAY):
    """Play a wait that always sees the same; return when it asked, and what came of it."""
    wait, now, asked = Wait(timeout, random, longest_delay), 0.0, []
    while True:
        asked.append(now)
        now += took
        step = wait.saw(now, seen)
        if not isinstance(step, float):
            return asked, step
        now += step


def test_delays_grow_to_a_cap():
    asked, step = played(8, longest_delay=2)
    assert asked == [0, 0.5, 1.25, 2.375, 4.0625, 6.0625, 8]
    assert step == End.TIMEOUT


def test_jitter_stretches_only():
    asked, _ = played(3, random=lambda: 0.5)
    assert asked == pytest.approx([0, 0.55, 1.375, 3])


def test_what_rounding_leaves_of_the_time_is_no_time():
    # The clock shows what it showed at the start plus 20, less what was lost in the sum.
    wait = Wait(20, lambda: 0.0)
    assert wait.saw(20 - 1e-12, Seen.PENDING) == End.TIMEOUT


def test_without_a_timeout_it_never_gives_up():
    wait = Wait(None, lambda: 0.0)
    assert isinstance([wait.saw(10.0**n, Seen.PENDING) for n in range(12)][-1], float)


answers = st.sampled_from([Seen.PENDING, Seen.TRANSIENT_ERROR])


@given(st.floats(0, 60), st.floats(0.5, 20), answers, st.floats(0, 3), st.randoms(use_true_random=False))
def test_never_under_half_a_second_and_one_last_question_at_the_deadline(
    timeout, longest_delay, seen, took, random
):
    asked, step = played(timeout, seen, random.random, took, longest_delay)
    assert step == End.TIMEOUT
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    # A timeout below half a second leaves room for one question at its end only.
    assert all(gap >= min(0.5, timeout) - 1e-9 for gap in gaps)
    assert all(gap <= longest_delay * 1.2 + 0.5 + took + 1e-9 for gap in gaps)
    assert asked[-1] <= timeout + 1e-9
    assert asked[-1] + took >= timeout - 0.001


def test_no_time_at_all_is_one_question():
    assert played(0) == ([0], End.TIMEOUT)
    assert played(0, Seen.ENDED) == ([0], End.ENDED)


def test_an_end_seen_late_is_an_end():
    assert Wait(1, lambda: 0.0).saw(99, Seen.ENDED) == End.ENDED


def test_not_found_in_the_first_second_means_not_yet():
    wait = Wait(600.0, lambda: 0.0)
    assert isinstance(wait.saw(0.0, Seen.NOT_FOUND), float)
    assert isinstance(wait.saw(0.5, Seen.NOT_FOUND), float)
    assert isinstance(wait.saw(0.9, Seen.PENDING), float)


def test_not_found_later_must_be_heard_twice_in_a_row():
    wait = Wait(600.0, lambda: 0.0)
    for seen in (Seen.NOT_FOUND, Seen.PENDING, Seen.NOT_FOUND, Seen.TRANSIENT_ERROR, Seen.NOT_FOUND):
        assert isinstance(wait.saw(30.0, seen), float)
    assert wait.saw(31.0, Seen.NOT_FOUND) == End.NOT_FOUND
    assert played(600.0, Seen.NOT_FOUND)[0] == [0, 0.5, 1.25]


def test_a_stuck_record_is_given_up_when_sure():
    asked, step = played(None, Seen.STUCK)
    assert (len(asked), step) == (3, End.STUCK)
    wait = Wait(600.0, lambda: 0.0)
    for seen in (Seen.STUCK, Seen.STUCK, Seen.PENDING, Seen.STUCK, Seen.STUCK):
        assert isinstance(wait.saw(5.0, seen), float)


def test_transient_errors_last_to_the_deadline_and_lasting_ones_end_at_once():
    assert played(50, Seen.TRANSIENT_ERROR)[1] == End.TIMEOUT
    assert played(50, Seen.LASTING_ERROR) == ([0], End.ERROR)


@pytest.mark.parametrize(
    ("seen", "meaning"),
    [
        (seen_runspace(Runspace("a", state=RunspaceState.CREATING)), Seen.PENDING),
        (seen_runspace(Runspace("a", state="warming")), Seen.PENDING),
        (seen_runspace(Runspace("a", state=RunspaceState.READY)), Seen.ENDED),
        (seen_runspace(Runspace("a", state=RunspaceState.ERROR)), Seen.ENDED),
        (seen_execution(ScriptExecution("a", state=ScriptExecutionState.RUNNING)), Seen.PENDING),
        (seen_execution(ScriptExecution("a", state=ScriptExecutionState.CANCELED)), Seen.ENDED),
        (seen_execution(ScriptExecution(state=ScriptExecutionState.RUNNING)), Seen.STUCK),
        (seen_console(WebConsole("a", state=WebConsoleState.CREATING)), Seen.PENDING),
        (seen_console(WebConsole("a", state=WebConsoleState.ERROR)), Seen.ENDED),
        (seen_error(errors.NotFoundError("x")), Seen.NOT_FOUND),
        (seen_error(errors.ServerError("x")), Seen.TRANSIENT_ERROR),
        (seen_error(errors.NotSentError("x")), Seen.TRANSIENT_ERROR),
        (seen_error(errors.AuthenticationError("x")), Seen.LASTING_ERROR),
        (seen_error(errors.InvalidRequestError("x")), Seen.LASTING_ERROR),
        (seen_error(errors.DecodeError("x")), Seen.LASTING_ERROR),
    ],
)
def test_what_answers_mean(seen, meaning):
    assert seen is meaning
