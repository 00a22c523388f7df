"""What tests say about scripts: what a script is called with, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast
from uuid import UUID

from attrs import field, frozen

from srs_vsphere.simulator.checks import check_seconds

#: The streams of a script, in the order of the numbers that the service also takes for them.
STREAMS = ("information", "error", "warning", "debug", "verbose")
STATES = ("success", "error", "canceled")
_PLAIN = (str, bool, int, float, Decimal, datetime, timedelta, UUID, bytes)
_DEEPEST = 100


@frozen
class ScriptCall:
    """A script that is about to run.

    Args:
        script: its text; when it came inside one of this project's own scripts, the text inside.
        parameters: its parameters by name, as Python values; carried values are decoded.
        name: what the execution is called.
        user: who runs it, as the token service names the user.
        runspace_id: where.
        output_objects_format: ``text`` or ``json``; the number if it is neither.
        system: whether the service itself runs it, to connect a runspace to vCenter or to disconnect it.
        parameter: the name of the parameter whose value the script makes; None for a script of its own.
    """

    script: str
    parameters: Mapping[str, object] = field(factory=dict[str, object])
    name: str | None = None
    user: str = ""
    runspace_id: str = ""
    output_objects_format: str | int = "text"
    system: bool = False
    parameter: str | None = None


@frozen
class StreamMessage:
    """One record that a script writes to a stream.

    Args:
        stream: ``information``, ``error``, ``warning``, ``debug`` or ``verbose``.
        message: its text; a blank one is not recorded.
        at: when, in seconds after the script's start.

    Raises:
        TypeError: the message is no text, or the time no number.
        ValueError: there is no such stream, or the time is negative or not finite.
    """

    stream: str
    message: str
    at: float = 0.0

    def __attrs_post_init__(self) -> None:
        _check_choice("stream", self.stream, STREAMS)
        if not isinstance(self.message, str):
            raise TypeError(f"message must be text, not {type(self.message).__name__}")
        check_seconds("at", self.at)


@frozen
class ScriptReply:
    """What comes out of a script.

    Args:
        output: the objects that it returns when it ends: Python values; a dict is an object with properties.
        records: what it writes to its streams.
        duration: how long it runs, in seconds.
        state: how it ends: ``success``, ``error`` or ``canceled``.
        reason: why it failed: a message, or the text of a .NET exception; not with ``success``.

    Raises:
        TypeError: the output is no list of values, a record is no `StreamMessage`, the duration no number or
            the reason no text.
        ValueError: there is no such state, a reason is given for a success, or the duration is negative or
            not finite.
    """

    output: Sequence[object] = ()
    records: Sequence[StreamMessage] = ()
    duration: float = 0.0
    state: str = "success"
    reason: str | None = None

    def __attrs_post_init__(self) -> None:
        _check_list("output", self.output, "objects")
        _check_list("records", self.records, "StreamMessage")
        for index, value in enumerate(self.output):
            _check_value(f"output[{index}]", value)
        for index, record in enumerate(self.records):
            if not isinstance(record, StreamMessage):
                raise TypeError(f"records[{index}] must be a StreamMessage, not {type(record).__name__}")
        check_seconds("duration", self.duration)
        _check_choice("state", self.state, STATES)
        if self.reason is not None:
            if not isinstance(self.reason, str):
                raise TypeError(f"reason must be text, not {type(self.reason).__name__}")
            if self.state == "success":
                raise ValueError("reason is for a script that ends in state 'error' or 'canceled'")


def _check_list(name: str, value: object, of: str) -> None:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} must be a list of {of}, not {type(value).__name__}")


def _check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _check_value(path: str, value: object, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"{path} is nested more than {_DEEPEST} levels deep")
    if isinstance(value, Mapping):
        for key, member in cast("Mapping[object, object]", value).items():
            if not isinstance(key, str | int):
                raise TypeError(f"{path} must have texts as names, not {type(key).__name__}")
            _check_value(f"{path}[{key!r}]", member, depth + 1)
    elif isinstance(value, list | tuple):
        for index, element in enumerate(cast("Sequence[object]", value)):
            _check_value(f"{path}[{index}]", element, depth + 1)
    elif value is not None and not isinstance(value, _PLAIN):
        # Loaded on use: the types beyond Python's own live with the interpreter.
        from srs_vsphere.simulator.objects.values import EnumValue

        if not isinstance(value, EnumValue):
            raise TypeError(f"{path} must be a value that a script can return, not {type(value).__name__}")
