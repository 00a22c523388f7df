"""How a fleet treats its hosts, as a value that can be sent to other processes."""

from __future__ import annotations

import sys

from attrs import Attribute, field, frozen
from attrs.validators import instance_of

from srs_vsphere.fleet.breaker import BreakerPolicy
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.settings import Timeouts


def _positive(_: object, attribute: Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{attribute.name} must be a number, not {type(value).__name__}")
    if not 0 < value <= sys.float_info.max:
        raise ValueError(f"{attribute.name} must be more than 0, not {value!r}")


def check_interval(value: object) -> None:
    """Refuse an interval that makes no sense.

    Args:
        value: seconds.

    Raises:
        TypeError: it is no number.
        ValueError: it is not positive and finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"interval must be a number of seconds, not {type(value).__name__}")
    if not 0 < value <= sys.float_info.max:
        raise ValueError(f"interval must be more than 0 seconds, not {value!r}")


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

    timeout: float = field(default=10.0, validator=_positive)
    timeouts: Timeouts = field(default=Timeouts(keep_alive=300.0), validator=instance_of(Timeouts))
    breaker: BreakerPolicy = field(default=BreakerPolicy(), validator=instance_of(BreakerPolicy))
    login_rate: float = field(default=100.0, validator=_positive)
    idle: float = field(default=900.0, validator=_positive)
    retry: RetryPolicy = field(default=RetryPolicy(), validator=instance_of(RetryPolicy))
