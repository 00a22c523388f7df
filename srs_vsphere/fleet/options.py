"""How a fleet treats its hosts, as a value that can be sent to other processes."""

from __future__ import annotations

from attrs import field, frozen

from srs_vsphere._validation import of_kind, positive_number, seconds
from srs_vsphere.fleet.breaker import BreakerPolicy
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.settings import Timeouts


@frozen(kw_only=True)
class FleetOptions:
    """How a fleet treats each of its hosts.

    Args:
        timeout: seconds that one poll of one host may take, its login included; default 10.
        timeouts: how long an attempt may wait for each of its steps; default `Timeouts`, with connections
            kept for 300 seconds, so that they outlive most intervals.
        breaker: when a host that fails is left alone; default `BreakerPolicy()`.
        login_rate: logins that may begin in a second, all hosts together; default 100.
        idle: seconds after which the client of a host that is not polled is closed; default 900.
        retry: how the calls of `run()` are tried again; default `RetryPolicy()`. Polls have a rule of their
            own: one second attempt, as long as these are fewer than a tenth of all polls.

    Raises:
        TypeError: one of them is of the wrong kind.
        ValueError: a time or rate is not positive and finite.
    """

    timeout: float = field(default=10.0, validator=seconds)
    timeouts: Timeouts = field(default=Timeouts(keep_alive=300.0), validator=of_kind(Timeouts))
    breaker: BreakerPolicy = field(default=BreakerPolicy(), validator=of_kind(BreakerPolicy))
    login_rate: float = field(default=100.0, validator=positive_number)
    idle: float = field(default=900.0, validator=seconds)
    retry: RetryPolicy = field(default=RetryPolicy(), validator=of_kind(RetryPolicy))
