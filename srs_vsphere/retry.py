"""When a request is tried again: a pure decision, asked after every failed attempt.

The first question is whether the request was sent. One that was not may be repeated whatever it was; one
whose fate is unknown only if doing it twice ends as doing it once; an answer only if it says "later".
"""

from __future__ import annotations

import email.utils
import sys
import threading
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from attrs import Attribute, field, frozen

if TYPE_CHECKING:
    from srs_vsphere._operations import Operation
    from srs_vsphere.errors import SrsError

#: Answers of a proxy, or of a service that is overloaded or lost a runspace (0), that a later attempt may not
#: meet.
_PASSING_STATUSES = frozenset({0, 429, 502, 503, 504})
#: Seconds; whatever a server asks for beyond this means the same.
_FOR_EVER = 1e9


class Sent(Enum):
    """Whether a failed request reached the service."""

    NO = "not sent"
    MAYBE = "no whole answer"
    ANSWERED = "answered"


@frozen
class Outcome:
    """How an attempt failed.

    Args:
        sent: whether the request reached the service.
        status: HTTP status, if an answer came.
        retry_after: seconds that the answer's ``Retry-After`` asks to wait, if it had one.
    """

    sent: Sent
    status: int | None = None
    retry_after: float | None = None


@frozen
class Decision:
    """What to do after a failed attempt.

    Args:
        wait: seconds until the next attempt, or None to give up.
        reason: why, in a few words.
    """

    wait: float | None
    reason: str


@frozen
class RetryEvent:
    """What an ``on_retry`` hook is told before the client waits for its next attempt.

    Args:
        operation: name of the operation, such as ``runspaces.list``.
        host: host and port of the service.
        attempt: number of the attempt that failed, from 1.
        wait: seconds until the next one.
        reason: why it is tried again.
        error: what would be raised if it were not.
    """

    operation: str
    host: str
    attempt: int
    wait: float
    reason: str
    error: SrsError


def _number(_: object, attribute: Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{attribute.name} must be a number, not {type(value).__name__}")
    if not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{attribute.name} must be 0 or more, not {value!r}")


def _at_least_one(_: object, attribute: Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{attribute.name} must be a whole number, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{attribute.name} must be 1 or more, not {value!r}")


def _positive(_: object, attribute: Attribute[float], value: float) -> None:
    if value == 0:
        raise ValueError(f"{attribute.name} must be more than 0")


@frozen(kw_only=True)
class RetryPolicy:
    """How often, how soon and how long a failed request is tried again.

    Args:
        attempts: tries of one request at most, the first included; default 5, and 1 turns retries off.
        backoff: seconds; the n-th wait is a random part of ``backoff * 2**(n-1)``; default 0.25.
        backoff_cap: seconds; no wait is drawn from more than this; default 15.
        retry_after_cap: seconds; a server's ``Retry-After`` counts for no more than this; default 60.
        deadline: seconds for one call, with every attempt, wait and login it takes; default 120.
        budget: retries that one client may make in a burst, all its calls together; default 20.
        budget_refill: retries per second that the budget grows by, up to `budget`; default 0.5. While a
            server is down, a client sends it new calls and this trickle of retries, never a storm.

    Raises:
        TypeError: one of them is not a number.
        ValueError: one of them is negative, or `attempts` or `deadline` is 0.
    """

    attempts: int = field(default=5, validator=_at_least_one)
    backoff: float = field(default=0.25, validator=_number)
    backoff_cap: float = field(default=15.0, validator=_number)
    retry_after_cap: float = field(default=60.0, validator=_number)
    deadline: float = field(default=120.0, validator=[_number, _positive])
    budget: float = field(default=20.0, validator=_number)
    budget_refill: float = field(default=0.5, validator=_number)


def decide(
    policy: RetryPolicy,
    operation: Operation,
    *,
    attempt: int,
    outcome: Outcome,
    elapsed: float,
    budget: float,
    random: float,
) -> Decision:
    """Decide what follows a failed attempt.

    Args:
        policy: the client's policy.
        operation: what was attempted.
        attempt: number of the failed attempt, from 1.
        outcome: how it failed.
        elapsed: seconds since the call began.
        budget: retries left in the client's budget.
        random: a number from 0 up to 1, drawn anew for each decision.

    Returns:
        The wait before the next attempt, or none; and the reason.
    """
    refusal = _refusal(operation, outcome)
    if refusal is not None:
        return Decision(None, refusal)
    if attempt >= policy.attempts:
        return Decision(None, "no attempts are left")
    if budget < 1:
        return Decision(None, "the client's retry budget is used up")
    # The exponent is bounded because 2.0**1024 overflows.
    wait = random * min(policy.backoff * 2.0 ** min(attempt - 1, 60), policy.backoff_cap)
    reason = outcome.sent.value if outcome.status is None else f"HTTP {outcome.status}"
    if outcome.retry_after is not None:
        # On top of what the server asks, the jitter keeps clients from coming back all at once.
        wait += min(outcome.retry_after, policy.retry_after_cap)
        reason += f", Retry-After {outcome.retry_after:g} s"
    if elapsed + wait >= policy.deadline:
        return Decision(None, f"the next attempt would start after the deadline of {policy.deadline:g} s")
    return Decision(wait, reason)


def _refusal(operation: Operation, outcome: Outcome) -> str | None:
    match outcome.sent:
        case Sent.NO:
            return None
        case Sent.MAYBE if not operation.idempotent:
            return "it may have been carried out, and must not happen twice"
        case Sent.MAYBE:
            return None
        case Sent.ANSWERED if outcome.status not in _PASSING_STATUSES:
            return "another attempt would meet the same answer"
        case Sent.ANSWERED if not operation.idempotent and outcome.status != 429:
            # Only 429 says for certain that nothing was done: a proxy's 503 may follow a lost answer.
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
