"""The retry decision: whether and when a request that failed is sent again.

The first question is whether the request was sent. One that was not may be repeated whatever it was; one
whose outcome is unknown only if it is idempotent; a response only if its status says that it may pass.
"""

from __future__ import annotations

import email.utils
import threading
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from attrs import frozen

from srs_vsphere.retry import RetryPolicy

if TYPE_CHECKING:
    from srs_vsphere._service.operations import Operation

#: Responses of a proxy, or of a service that is overloaded or lost a runspace (0), that a later attempt may
#: not meet.
_PASSING_STATUSES = frozenset({0, 408, 429, 502, 503, 504})
#: Seconds; whatever a server asks for beyond this means the same.
_FOR_EVER = 1e9


class Sent(Enum):
    """Whether a failed request reached the service."""

    NO = "not sent"
    MAYBE = "no whole response"
    RESPONDED = "a response"


@frozen
class Outcome:
    """How an attempt failed.

    Args:
        sent: whether the request reached the service.
        status: HTTP status, if a response came.
        retry_after: seconds that the response's ``Retry-After`` asks to wait, if it had one.
        final: whether another attempt would fail in the same way, as with a certificate that is not trusted.
    """

    sent: Sent
    status: int | None = None
    retry_after: float | None = None
    final: bool = False


@frozen
class Decision:
    """What to do after a failed attempt.

    Args:
        wait: seconds until the next attempt, or None to give up.
        reason: why, in a few words.
        exhausted: whether the policy alone ended it, and another attempt might succeed.
    """

    wait: float | None
    reason: str
    exhausted: bool = False


#: Ends a call when the client may make no further retry.
OUT_OF_BUDGET = Decision(
    None,
    "the client's retry budget is used up, as many of its calls fail: wait, or raise RetryPolicy(budget=)",
    exhausted=True,
)


def decide(
    policy: RetryPolicy,
    operation: Operation,
    *,
    attempt: int,
    outcome: Outcome,
    seconds: float,
    left: float,
    budget: float,
    random: float,
) -> Decision:
    """Decide what follows a failed attempt.

    Args:
        policy: the client's policy.
        operation: what was attempted.
        attempt: number of the failed attempt, from 1.
        outcome: how it failed.
        seconds: how long the call may take in all.
        left: how many of them are left.
        budget: retries left in the client's budget.
        random: a number from 0 up to 1, drawn anew for each decision.

    Returns:
        The wait before the next attempt, or none; and the reason.
    """
    refusal = _refusal(operation, outcome)
    if refusal is not None:
        return Decision(None, refusal)
    if attempt >= policy.attempts:
        reason = f"no attempts are left of {policy.attempts}: wait, or raise RetryPolicy(attempts=)"
        return Decision(None, reason, exhausted=policy.attempts > 1)
    if budget < 1:
        return OUT_OF_BUDGET
    # The exponent is bounded because 2.0**1024 overflows.
    wait = random * min(policy.backoff * 2.0 ** min(attempt - 1, 60), policy.backoff_cap)
    reason = outcome.sent.value if outcome.status is None else f"HTTP {outcome.status}"
    if outcome.retry_after is not None:
        # On top of what the server asks, the jitter keeps clients from coming back all at once.
        wait += min(outcome.retry_after, policy.retry_after_cap)
        reason += f", Retry-After {outcome.retry_after:g} s"
    if wait >= left:
        reason = f"the next attempt would start after the deadline of {round(seconds, 3):g} s"
        return Decision(
            None, f"{reason}: give more time, with timeout= or RetryPolicy(deadline=)", exhausted=True
        )
    return Decision(wait, reason)


def _refusal(operation: Operation, outcome: Outcome) -> str | None:
    if outcome.final:
        return "another attempt would fail in the same way"
    match outcome.sent:
        case Sent.NO:
            return None
        case Sent.MAYBE if not operation.idempotent:
            return "it may have been carried out, and must not happen twice"
        case Sent.MAYBE:
            return None
        case Sent.RESPONDED if outcome.status not in _PASSING_STATUSES:
            return "another attempt would meet the same response"
        case Sent.RESPONDED if not operation.idempotent and outcome.status != 429:
            # Only 429 says for certain that nothing was done: a proxy's 503 may follow a lost response.
            return "it may have been carried out, and must not happen twice"
        case _:
            return None


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Read a ``Retry-After`` header in either form.

    Args:
        value: the header's value: seconds, or an HTTP date.
        now: the time to count a date from.

    Returns:
        Seconds from now, never negative; None if there is no header or it makes no sense.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _FOR_EVER)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


class RetryBudget:
    """A token bucket of retries, shared by all calls of one client and safe between threads.

    Args:
        policy: says how large it is and how fast it refills.
        now: seconds on the client's monotonic clock.
    """

    def __init__(self, policy: RetryPolicy, now: float) -> None:
        self._size = policy.budget
        self._refill = policy.budget_refill
        self._tokens = policy.budget
        self._at = now
        self._lock = threading.Lock()

    def left(self, now: float) -> float:
        """Return how many retries could be made at this time.

        Args:
            now: seconds on the client's monotonic clock.
        """
        with self._lock:
            self._grow(now)
            return self._tokens

    def take(self, now: float) -> bool:
        """Take one retry out.

        Args:
            now: seconds on the client's monotonic clock.

        Returns:
            Whether there was one.
        """
        with self._lock:
            self._grow(now)
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def _grow(self, now: float) -> None:
        # Between two threads, the later look may come first; time that was counted is not counted again.
        # While it is full no time counts, and any clock may begin.
        full = self._tokens >= self._size
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._at) * self._refill)
        self._at = now if full else max(self._at, now)
