"""What is said to a host process and what it says: commands and events, a line of JSON each."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import TypeAlias, cast

from attrs import frozen

from srs_vsphere.simulator.bodies import FORMATS, ParameterBody
from srs_vsphere.simulator.lenient_json import Value
from srs_vsphere.simulator.scripting import STATES, STREAMS

# The host's own reader goes no deeper than 64, and the command around a value has some levels too.
_MOST_LEVELS = 56
STOP = b'{"op":"stop"}\n'


@frozen
class Ready:
    """The process takes scripts.

    Args:
        version: PowerShell's version.
    """

    version: str


@frozen
class Record:
    """The script that runs has written to a stream.

    Args:
        stream: the stream's name.
        message: the text.
    """

    stream: str
    message: str


@frozen
class End:
    """The script has ended.

    Args:
        state: ``success``, ``error`` or ``canceled``.
        reason: the exception that ended it.
        text: its output in the text format.
        objects: its output in the json format.
        parameter: the parameter whose own script failed, so that the script itself did not start.
    """

    state: str
    reason: str | None = None
    text: str = ""
    objects: tuple[str, ...] = ()
    parameter: str | None = None


Event: TypeAlias = Ready | Record | End


def write_run(script: str, format: int, parameters: Sequence[tuple[ParameterBody, bool]]) -> bytes:
    """Return the line that runs a script.

    Args:
        script: its text.
        format: the number of the output's format.
        parameters: its parameters, and of each whether the service takes its value for a date.

    Raises:
        ValueError: a value has more levels than a host process reads.
    """
    command = {
        "op": "run",
        "script": _sound(script),
        "format": FORMATS[format] if format in range(len(FORMATS)) else "none",
        "parameters": [_parameter(parameter, is_date) for parameter, is_date in parameters],
    }
    return json.dumps(command, allow_nan=False).encode() + b"\n"


def read_event(line: bytes) -> Event | None:
    """Return the event of a line, None if the line is no event.

    Args:
        line: the line; programs that a script starts may write to the same pipe before it.
    """
    text = line.decode("utf-8", "replace")
    at = text.find('{"')
    try:
        fields = cast("object", json.loads(text[at:])) if at >= 0 else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return _event(cast("dict[str, object]", fields))


def _event(fields: dict[str, object]) -> Event | None:
    def text(name: str) -> str:
        value = fields.get(name)
        return _lines(value) if isinstance(value, str) else ""

    match fields.get("event"):
        case "ready":
            return Ready(text("version"))
        case "record" if text("stream") in STREAMS:
            return Record(text("stream"), text("message"))
        case "end" if text("state") in STATES:
            objects = fields.get("objects")
            given = cast("list[object]", objects) if isinstance(objects, list) else []
            documents = tuple(_lines(value) for value in given if isinstance(value, str))
            return End(
                text("state"), text("reason") or None, text("text"), documents, text("parameter") or None
            )
        case "fault":
            return End("error", text("message") or "The script failed.")
        case _:
            return None


def _lines(text: str) -> str:
    """Return a text with the line ends of the service, which runs on Linux."""
    return text.replace("\r\n", "\n") if sys.platform == "win32" else text


def _parameter(parameter: ParameterBody, is_date: bool) -> dict[str, Value]:
    fields: dict[str, Value] = {"name": _sound(parameter.name)}
    if parameter.value is not None:
        fields["value"] = _value(parameter.value, parameter.name, _MOST_LEVELS)
    if is_date:
        fields["date"] = True
    if (parameter.script or "").strip():
        fields["script"] = _sound(parameter.script or "")
    return fields


def _value(value: Value, parameter: str, levels: int) -> Value:
    """Return a value that every reader of JSON takes."""
    if levels == 0:
        raise ValueError(f"the value of the parameter {parameter!r} has more than {_MOST_LEVELS} levels")
    if isinstance(value, str):
        return _sound(value)
    if isinstance(value, float) and not math.isfinite(value):
        # PowerShell makes a number of it again where one is wanted.
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [_value(element, parameter, levels - 1) for element in value]
    if isinstance(value, dict):
        return {_sound(name): _value(member, parameter, levels - 1) for name, member in value.items()}
    return value


def _sound(text: str) -> str:
    """Return a text without halves of characters, of which no UTF-8 can be made."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
