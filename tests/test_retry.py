"""Whether a request is tried again is a pure decision: never a second time what must not happen twice."""

import email.utils
import math
import threading
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srs_vsphere._service import operations
from srs_vsphere._service.retry_decision import Outcome, RetryBudget, Sent, decide, retry_after_seconds
from srs_vsphere.retry import RetryPolicy

GET, POST = operations.RUNSPACES_GET, operations.RUNSPACES_CREATE
NOW = datetime(2026, 11, 24, 2, 18, 14, tzinfo=UTC)
AMOUNTS = st.floats(0, 1e308) | st.floats(0, 1000) | st.integers(0, 1000)
POLICIES = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 2000),
    backoff=AMOUNTS,
    backoff_cap=AMOUNTS,
    retry_after_cap=AMOUNTS,
    deadline=AMOUNTS.filter(bool),
    budget=AMOUNTS,
    budget_refill=AMOUNTS,
)
OUTCOMES = st.builds(Outcome, st.sampled_from([Sent.NO, Sent.MAYBE])) | st.builds(
    Outcome,
    st.just(Sent.RESPONDED),
    st.integers(0, 599) | st.sampled_from([408, 429, 502, 503, 504]),
    st.none() | AMOUNTS,
)


def choose(operation=GET, outcome=None, policy=None, **values):
    """Decide after the first attempt of a call, at half chance, unless told otherwise."""
    values = {"attempt": 1, "seconds": 120, "left": 120, "budget": 9, "random": 0.5} | values
    return decide(policy or RetryPolicy(), operation, outcome=outcome or Outcome(Sent.NO), **values)


@settings(max_examples=200)
@given(
    policy=POLICIES,
    operation=st.sampled_from([GET, POST]),
    attempt=st.integers(1, 3000),
    outcome=OUTCOMES,
    left=AMOUNTS,
    budget=AMOUNTS,
    random=st.floats(0, 1, exclude_max=True),
)
@example(RetryPolicy(attempts=2000), GET, 1999, Outcome(Sent.NO), 120, 1, 0.999)
def test_a_retry_is_always_allowed_bounded_and_in_time(
    policy, operation, attempt, outcome, left, budget, random
):
    decision = decide(
        policy,
        operation,
        attempt=attempt,
        outcome=outcome,
        seconds=120,
        left=left,
        budget=budget,
        random=random,
    )
    assert decision.reason
    if decision.wait is None:
        return
    assert attempt < policy.attempts
    assert budget >= 1
    assert outcome.sent is Sent.NO or operation.idempotent or outcome.status == 429
    assert outcome.status in {None, 0, 408, 429, 502, 503, 504}
    asked = min(outcome.retry_after or 0, policy.retry_after_cap)
    assert asked <= decision.wait <= policy.backoff_cap + asked
    assert decision.wait < left


@pytest.mark.parametrize(
    ("sent", "status", "get", "post"),
    [
        (Sent.NO, None, True, True),
        (Sent.MAYBE, None, True, False),
        (Sent.RESPONDED, 429, True, True),
        *[(Sent.RESPONDED, status, True, False) for status in (0, 408, 502, 503, 504)],
        *[(Sent.RESPONDED, status, False, False) for status in (301, 400, 401, 404, 409, 500, 501, 505)],
    ],
)
def test_what_may_be_tried_again(sent, status, get, post):
    for operation, allowed in ((GET, get), (POST, post)):
        assert (choose(operation, Outcome(sent, status)).wait is not None) == allowed


def test_waits_double_up_to_the_cap():
    policy = RetryPolicy(attempts=100, backoff=1, backoff_cap=10, deadline=1000)
    waits = [choose(policy=policy, attempt=attempt, random=0.5).wait for attempt in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 5, 5, 5]
    assert choose(policy=policy, attempt=99, random=0.0).wait == 0


def test_retry_after_comes_before_the_jitter_and_is_capped():
    policy = RetryPolicy(backoff=1, retry_after_cap=30)
    asked = Outcome(Sent.RESPONDED, 503, 7)
    assert choose(outcome=asked, policy=policy).wait == 7.5
    assert choose(outcome=attrs.evolve(asked, retry_after=1e9), policy=policy).wait == 30.5
    assert choose(outcome=attrs.evolve(asked, retry_after=0.0), policy=policy).wait == 0.5


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"attempt": 5}, "no attempts are left"),
        ({"budget": 0.99}, "budget"),
        ({"left": 0}, "deadline of 120 s"),
        ({"left": 0.1, "seconds": 2}, "deadline of 2 s"),
        ({"outcome": Outcome(Sent.RESPONDED, 500)}, "same response"),
        ({"operation": POST, "outcome": Outcome(Sent.MAYBE)}, "must not happen twice"),
        ({"operation": POST, "outcome": Outcome(Sent.RESPONDED, 503)}, "must not happen twice"),
    ],
)
def test_giving_up_says_why(values, reason):
    decision = choose(**values)
    assert decision.wait is None
    assert reason in decision.reason
    # What to do is said where the policy alone ended it.
    assert decision.exhausted == ("RetryPolicy(" in decision.reason) == ("outcome" not in values)


def test_a_policy_without_retries_gives_nothing_up():
    decision = choose(policy=RetryPolicy(attempts=1))
    assert (decision.wait, decision.exhausted) == (None, False)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome(Sent.NO), "not sent"),
        (Outcome(Sent.MAYBE), "no whole response"),
        (Outcome(Sent.RESPONDED, 502), "HTTP 502"),
        (Outcome(Sent.RESPONDED, 503, 7), "HTTP 503, Retry-After 7 s"),
    ],
)
def test_trying_again_says_why(outcome, reason):
    assert choose(outcome=outcome).reason == reason


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        (" 7\t", 7),
        ("0000000000000005", 5),
        ("9" * 5000, 1e9),
        ("Tue, 24 Nov 2026 02:18:44 GMT", 30),
        ("Tuesday, 24-Nov-26 02:18:44 GMT", 30),
        ("Tue Nov 24 02:18:44 2026", 30),
        ("Tue, 24 Nov 2026 02:18:44 -0000", 30),
        ("Tue, 24 Nov 2026 04:18:44 +0200", 30),
        ("Tue, 24 Nov 2026 02:18:14 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (
            "Fri, 31 Dec 9999 23:59:59 GMT",
            (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - NOW).total_seconds(),
        ),
        # nonsense
        ("", None),
        ("-5", None),
        ("5.5", None),
        ("1e3", None),
        ("٣", None),
        ("soon", None),
        ("Tue, 24 Nov", None),
        ("Tue, 24 Nov 2026 25:00:00 GMT", None),
        ("Tue, 24 Nov 99999999999999999999 02:18:44 GMT", None),
        ("Tue, 24 Nov 2026 02:18:44 +99999999999999999999", None),
        ("Tue, 24 Nov 2026 02:18:44 +9999", None),
        ("Tue, 24 Nov 2026 02:18:44 GMT" + "9" * 5000, 30),
    ],
)
def test_retry_after_in_both_forms(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


PARTS = ["Tue", ",", " ", "24", "Nov", "2026", "02", ":", "18", "44", "GMT", "+", "-", "9" * 20, "0"]


@given(st.text() | st.lists(st.sampled_from(PARTS)).map("".join))
def test_no_retry_after_does_harm(value):
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds < math.inf


@given(st.integers(-(10**9), 10**9), st.integers(-12, 14))
def test_dates_count_from_now(seconds, offset):
    when = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=offset)))
    assert retry_after_seconds(email.utils.format_datetime(when), NOW) == max(0, seconds)


NUMBERS = [field.name for field in attrs.fields(RetryPolicy) if field.name != "attempts"]


@pytest.mark.parametrize(
    ("names", "value", "error"),
    [
        *[(NUMBERS, value, ValueError) for value in (-1, -0.1, math.nan, math.inf, 10**400)],
        *[([*NUMBERS, "attempts"], value, TypeError) for value in ("1", None, True, 1j, [1])],
        (["attempts"], 1.0, TypeError),
        (["attempts"], 0, ValueError),
        (["attempts"], -1, ValueError),
        (["deadline"], 0, ValueError),
    ],
)
def test_a_policy_refuses_by_name(names, value, error):
    for name in names:
        with pytest.raises(error, match=rf"^{name} must be"):
            RetryPolicy(**{name: value})


def test_zero_turns_the_rest_off():
    policy = RetryPolicy(backoff=0, backoff_cap=0, retry_after_cap=0, budget=0, budget_refill=0)
    assert choose(policy=policy).wait == 0
    assert not RetryBudget(policy, 0).take(1e6)


def test_defaults_are_those_of_the_docstring():
    for field in attrs.fields(RetryPolicy):
        documented = RetryPolicy.__doc__.split(f"{field.name}: ")[1].split("default ")[1]
        assert float(documented.replace(",", ".").split()[0].strip(".,;")) == field.default, field.name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        RetryPolicy().attempts = 3


def test_a_budget_is_a_bucket_that_refills():
    budget = RetryBudget(RetryPolicy(budget=2, budget_refill=0.5), 100.0)
    assert [budget.take(100.0) for _ in range(3)] == [True, True, False]
    assert budget.left(101.0) == 0.5
    assert not budget.take(101.0)
    assert budget.take(102.0)
    assert budget.left(1e9) == 2


def test_a_full_budget_takes_up_any_clock():
    budget = RetryBudget(RetryPolicy(budget=1, budget_refill=0.5), 1e6)
    assert budget.take(0.0)
    assert not budget.take(1.0)
    assert budget.take(2.0)


@given(
    st.floats(0, 20),
    st.floats(0, 5),
    st.lists(st.tuples(st.floats(-1, 3), st.booleans()), max_size=40),
)
def test_a_budget_gives_no_more_than_it_holds(size, refill, steps):
    budget = RetryBudget(RetryPolicy(budget=size, budget_refill=refill), 0.0)
    now = earliest = latest = 0.0
    taken = 0
    for step, takes in steps:
        # Between threads, the clock may have been read in another order.
        now += step
        earliest, latest = min(earliest, now), max(latest, now)
        taken += budget.take(now) if takes else 0
        assert 0 <= budget.left(now) <= size
    # A full budget begins with any clock, so the time that counts is what lies between all readings.
    assert taken <= size + refill * (latest - earliest) + 1e-6


def test_a_budget_is_safe_between_threads():
    budget = RetryBudget(RetryPolicy(budget=50, budget_refill=0), 0.0)
    begin = threading.Barrier(8)
    taken = []

    def work():
        begin.wait(60)
        taken.extend(budget.take(float(number)) for number in range(200))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(taken), sum(taken)) == (1600, 50)
