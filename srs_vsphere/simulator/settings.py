"""The limits and durations that a simulated service works with."""

from __future__ import annotations

from attrs import Attribute, field, frozen


def _check(name: str, value: float, kinds: tuple[type, ...], what: str, *, nothing: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise TypeError(f"{name} must be {what}, not {type(value).__name__}")
    if not (value >= 0 if nothing else value > 0):
        raise ValueError(f"{name} must be {'0 or more' if nothing else 'more than 0'}, not {value!r}")


def _time(_: object, attribute: Attribute[float], value: float) -> None:
    _check(attribute.name, value, (int, float), "a number of seconds", nothing=True)


def _interval(_: object, attribute: Attribute[float], value: float) -> None:
    _check(attribute.name, value, (int, float), "a number of seconds", nothing=False)


def _count(_: object, attribute: Attribute[int], value: int) -> None:
    _check(attribute.name, value, (int,), "a whole number", nothing=True)


def _number(_: object, attribute: Attribute[int], value: int) -> None:
    _check(attribute.name, value, (int,), "a whole number", nothing=False)


@frozen(kw_only=True)
class Settings:
    """What an administrator of the service could set, and how long things take.

    All times are in seconds.

    Args:
        quota: how many runspaces and web consoles all users together may have.
        idle_limit: a runspace in which no script ran for this long is removed.
        active_limit: a runspace whose script runs for longer than this is removed.
        session_validity: a session that was not used for this long is over.
        creation_seconds: from the request for a runspace to `ready`.
        connection_seconds: how long the script that connects a runspace to vCenter runs.
        console_seconds: from the request for a web console to `available`.
        script_seconds: how long a script takes besides what it sleeps.
        first_poll: from a script's start to the gateway's first look at it.
        poll_interval: between two looks of the gateway at a running script.
        cancel_interval: a script notices that it shall stop at multiples of this.
        lost_after_polls: so many looks that fail make the gateway give a script up.
        history: how many script executions of a user the retention leaves.
        history_age: how long it keeps them.
        history_interval: how often it runs.
        stream_records: how many records of each stream are kept, the newest.
        first_cleanup: from the start of the service to the first cleanup of runspaces.
        cleanup_interval: between two cleanups.
        nonce_age: how old the nonce of a SIGN login may be.
        realm: the service's realm, as its login challenge names it.
        sts_url: the address of the token service, as its login challenge names it.
        version: the product's version.

    Raises:
        TypeError: a count is no whole number, or a duration no number.
        ValueError: a count or a duration is negative, or an interval is zero.
    """

    quota: int = field(default=5, validator=_count)
    idle_limit: float = field(default=600.0, validator=_time)
    active_limit: float = field(default=3600.0, validator=_time)
    session_validity: float = field(default=1800.0, validator=_time)
    creation_seconds: float = field(default=0.75, validator=_time)
    connection_seconds: float = field(default=0.8, validator=_time)
    console_seconds: float = field(default=1.5, validator=_time)
    script_seconds: float = field(default=0.01, validator=_time)
    first_poll: float = field(default=0.005, validator=_time)
    poll_interval: float = field(default=0.5, validator=_interval)
    cancel_interval: float = field(default=0.1, validator=_interval)
    lost_after_polls: int = field(default=4, validator=_number)
    history: int = field(default=30, validator=_count)
    history_age: float = field(default=5 * 86_400.0, validator=_time)
    history_interval: float = field(default=300.0, validator=_interval)
    stream_records: int = field(default=50, validator=_number)
    first_cleanup: float = field(default=30.0, validator=_time)
    cleanup_interval: float = field(default=60.0, validator=_interval)
    nonce_age: float = field(default=120.0, validator=_time)
    realm: str = "F53C2EDD475B57111E26D58A6D415B183693AE48"
    sts_url: str = "https://vc.example.test/sts/STSService/vsphere.local"
    version: str = "1.0.0-dev"
