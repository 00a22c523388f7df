"""A wait asks neither too often nor for too long, and knows when asking is no use."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere import errors
from srs_vsphere._service.poll_schedule import (
    AskAgain,
    Because,
    Done,
    GiveUp,
    Seen,
    Wait,
    WaitPolicy,
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


def played(policy, seen=Seen.PENDING, random=lambda: 0.0, took=0.0):
    """Play a wait that always sees the same; return when it asked, and what came of it."""
    wait, now, asked = Wait(policy, random), 0.0, []
    while True:
        asked.append(now)
        now += took
        step = wait.saw(now, seen)
        if not isinstance(step, AskAgain):
            return asked, step
        now += step.delay


def test_delays_grow_to_a_cap():
    asked, step = played(WaitPolicy(timeout=20, first_delay=1, growth=2, longest_delay=4))
    assert asked == [0, 1, 3, 7, 11, 15, 19, 20]
    assert step == GiveUp(Because.TIMEOUT)


def test_jitter_stretches_only():
    asked, _ = played(WaitPolicy(timeout=5, first_delay=1, growth=1, jitter=0.5), random=lambda: 0.5)
    assert asked == [0, 1.25, 2.5, 3.75, 5]


def test_what_rounding_leaves_of_the_time_is_no_time():
    # The clock shows what it showed at the start plus 20, less what was lost in the sum.
    wait = Wait(WaitPolicy(timeout=20), lambda: 0.0)
    assert wait.saw(20 - 1e-12, Seen.PENDING) == GiveUp(Because.TIMEOUT)


def test_without_a_timeout_it_never_gives_up():
    wait = Wait(WaitPolicy(timeout=None), lambda: 0.0)
    assert isinstance([wait.saw(10.0**n, Seen.PENDING) for n in range(12)][-1], AskAgain)


policies = st.builds(
    WaitPolicy,
    timeout=st.floats(0, 60),
    first_delay=st.floats(0.5, 5),
    growth=st.floats(1, 4),
    longest_delay=st.floats(0.5, 20),
    jitter=st.floats(0, 1),
)
answers = st.sampled_from([Seen.PENDING, Seen.TRANSIENT_ERROR])


@given(policies, answers, st.floats(0, 3), st.randoms(use_true_random=False))
def test_never_under_half_a_second_and_one_last_question_at_the_deadline(policy, seen, took, random):
    asked, step = played(policy, seen, random.random, took)
    assert step == GiveUp(Because.TIMEOUT)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    # A timeout below half a second leaves room for one question at its end only.
    assert all(gap >= min(0.5, policy.timeout) - 1e-9 for gap in gaps)
    assert all(gap <= max(policy.first_delay, policy.longest_delay) * 2 + 0.5 + took + 1e-9 for gap in gaps)
    assert asked[-1] <= policy.timeout + 1e-9
    assert asked[-1] + took >= policy.timeout - 0.001


def test_no_time_at_all_is_one_question():
    assert played(WaitPolicy(timeout=0)) == ([0], GiveUp(Because.TIMEOUT))
    assert played(WaitPolicy(timeout=0), Seen.ENDED) == ([0], Done())


def test_an_end_seen_late_is_an_end():
    assert Wait(WaitPolicy(timeout=1), lambda: 0.0).saw(99, Seen.ENDED) == Done()


def test_not_found_in_the_first_second_means_not_yet():
    wait = Wait(WaitPolicy(), lambda: 0.0)
    assert isinstance(wait.saw(0.0, Seen.NOT_FOUND), AskAgain)
    assert isinstance(wait.saw(0.5, Seen.NOT_FOUND), AskAgain)
    assert isinstance(wait.saw(0.9, Seen.PENDING), AskAgain)


def test_not_found_later_must_be_heard_twice_in_a_row():
    wait = Wait(WaitPolicy(), lambda: 0.0)
    for seen in (Seen.NOT_FOUND, Seen.PENDING, Seen.NOT_FOUND, Seen.TRANSIENT_ERROR, Seen.NOT_FOUND):
        assert isinstance(wait.saw(30.0, seen), AskAgain)
    assert wait.saw(31.0, Seen.NOT_FOUND) == GiveUp(Because.NOT_FOUND)
    assert played(WaitPolicy(), Seen.NOT_FOUND)[0] == [0, 0.5, 1.25]


def test_a_stuck_record_is_given_up_when_sure():
    asked, step = played(WaitPolicy(timeout=None), Seen.STUCK)
    assert (len(asked), step) == (3, GiveUp(Because.STUCK))
    wait = Wait(WaitPolicy(), lambda: 0.0)
    for seen in (Seen.STUCK, Seen.STUCK, Seen.PENDING, Seen.STUCK, Seen.STUCK):
        assert isinstance(wait.saw(5.0, seen), AskAgain)


def test_transient_errors_last_to_the_deadline_and_lasting_ones_end_at_once():
    assert played(WaitPolicy(timeout=50), Seen.TRANSIENT_ERROR)[1] == GiveUp(Because.TIMEOUT)
    assert played(WaitPolicy(timeout=50), Seen.LASTING_ERROR) == ([0], GiveUp(Because.ERROR))


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": -1},
        {"timeout": float("nan")},
        {"first_delay": 0.4},
        {"growth": 0.9},
        {"longest_delay": 0.1},
        {"jitter": 1.1},
        {"jitter": -0.1},
        {"not_found_grace": -1},
    ],
)
def test_policies_have_bounds(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WaitPolicy(**wrong)


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
