"""When a failed request is sent again, as users choose it; the decision itself is in `_service`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from attrs import field, frozen

from srs_vsphere._validation import count, number, positive_number

if TYPE_CHECKING:
    from srs_vsphere.errors import SrsError


@frozen
class RetryEvent:
    """What an ``on_retry`` hook receives before the client waits for its next attempt.

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


@frozen(kw_only=True)
class RetryPolicy:
    """How often, how soon and how long a failed request is tried again.

    Args:
        attempts: tries of one request at most, the first included; default 5. With 1, as `off` has it, none
            is tried again.
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

    attempts: int = field(default=5, validator=count)
    backoff: float = field(default=0.25, validator=number)
    backoff_cap: float = field(default=15.0, validator=number)
    retry_after_cap: float = field(default=60.0, validator=number)
    deadline: float = field(default=120.0, validator=positive_number)
    budget: float = field(default=20.0, validator=number)
    budget_refill: float = field(default=0.5, validator=number)

    @classmethod
    def off(cls, *, deadline: float = 120.0) -> Self:
        """Return a policy that tries each request once.

        Args:
            deadline: seconds for one call, with the login it takes; default 120.
        """
        return cls(attempts=1, deadline=deadline)
