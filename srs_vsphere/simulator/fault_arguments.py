"""A fault's arguments: read from JSON, and checked alone and together; every message names the argument."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias, cast

OPERATIONS = (
    "about",
    "auth.login",
    "auth.logout",
    "runspaces.list",
    "runspaces.get",
    "runspaces.create",
    "runspaces.delete",
    "script_executions.list",
    "script_executions.get",
    "script_executions.create",
    "script_executions.cancel",
    "script_executions.output",
    "script_executions.streams",
    "argument_scripts.templates",
    "argument_scripts.template",
    "argument_scripts.script",
    "web_consoles.list",
    "web_consoles.get",
    "web_consoles.create",
    "web_consoles.delete",
)

Check: TypeAlias = Callable[[str, object], None]

_CONDITIONS = (
    "stale_session",
    "restart",
    "runspace_death",
    "runspace_unreachable",
    "slow_creation",
    "creation_error",
    "pod_error",
    "full_quota",
)
_ANSWER = ("status", "headers", "body", "content_type", "trickle", "cut_after", "bad_utf8")
_ACTIONS = ("refuse", "reset", "delay", "lost_answer", *_ANSWER, *_CONDITIONS)


def header_pairs(value: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Turn a mapping or pairs into pairs that an HTTP header can carry.

    Args:
        value: names with their values.

    Raises:
        TypeError: one of them is not text.
        ValueError: one of them cannot stand in a header line.
    """
    if isinstance(cast("object", value), str):
        raise TypeError("headers must be a mapping or pairs, not str")
    given = cast("Mapping[object, object]", value).items() if isinstance(value, Mapping) else value
    pairs = tuple(cast("Iterable[tuple[object, object]]", given))
    for key, text in pairs:
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError("headers must have texts as names and values")
        if not key.isascii() or not key.isprintable() or not key or set(key) & set(" :"):
            raise ValueError(f"headers: {key!r} cannot be a header's name")
        if not text.isprintable():
            raise ValueError(f"headers: the value of {key} cannot stand in one line")
    return cast("tuple[tuple[str, str], ...]", pairs)


def to_bytes(value: str | bytes | None) -> bytes | None:
    """Turn a text into its UTF-8 bytes.

    Args:
        value: the text, or what needs no turning.

    Raises:
        TypeError: it is something else.
    """
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise TypeError(f"body must be text or bytes, not {type(value).__name__}")


def read_fault(value: str | bytes | Mapping[str, object], known: Sequence[str]) -> dict[str, Any]:
    """Return a fault's arguments out of a JSON object.

    Args:
        value: the JSON text, or what it was parsed to.
        known: the names that a fault may have.

    Raises:
        TypeError: a member has the wrong type.
        ValueError: it is not a JSON object, or a member is unknown.
    """
    parsed = parse_json(value) if isinstance(value, str | bytes) else value
    if not isinstance(parsed, Mapping):
        raise ValueError(f"a fault must be a JSON object, not {type(parsed).__name__}")  # noqa: TRY004 - of a JSON text its content is wrong
    members = dict(cast("Mapping[str, object]", parsed))
    for key in members:
        if key not in known:
            raise ValueError(f"a fault has no {key!r}; it may have {', '.join(known)}")
    if isinstance(members.get("trickle"), list):
        members["trickle"] = tuple(cast("list[object]", members["trickle"]))
    if members.get("headers") is not None and not isinstance(members["headers"], Mapping):
        raise TypeError("headers must be a JSON object")
    if members.get("headers", ()) is None:
        del members["headers"]
    body = members.get("body")
    if body is not None and not isinstance(body, str | bytes):
        try:
            members["body"] = json.dumps(body, separators=(",", ":"))
        except RecursionError:
            raise ValueError("body must be JSON of fewer levels") from None
        if members.get("content_type") is None:
            members["content_type"] = "application/json; charset=utf-8"
    return members


def parse_json(text: str | bytes) -> object:
    """Parse the JSON of one fault or several.

    Args:
        text: the JSON.

    Raises:
        ValueError: it is no JSON, or of too many levels.
    """
    try:
        return cast("object", json.loads(text))
    except RecursionError:
        raise ValueError("a fault must be JSON of fewer levels") from None
    except ValueError as error:
        raise ValueError(f"a fault must be JSON: {error}") from None


def check_fault(fault: Mapping[str, object]) -> None:
    """Refuse a fault that is impossible, does nothing or contradicts itself.

    Args:
        fault: its arguments by name.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has an impossible value, or two of them contradict each other.
    """
    for key, check in _CHECKS.items():
        value = fault[key]
        if value is not None:
            check(key, value)
    given = [key for key in _ACTIONS if _is_given(fault, key)]
    if not given:
        raise ValueError(f"a fault must do something: give one of {', '.join(_ACTIONS)}")
    if fault["nth"] is not None and fault["probability"] is not None:
        raise ValueError("nth and probability contradict each other: give one of them")
    if fault["refuse"]:
        why = "a refused connection carries no request"
        _without("refuse", given, tuple(key for key in given if key != "refuse"), why)
        for key in ("operation", "user"):
            if fault[key] is not None:
                raise ValueError(f"refuse cannot be limited by {key}: {why}")
    if fault["status"] is None and (fault["headers"] or fault["body"] is not None):
        raise ValueError(
            f"{'headers' if fault['headers'] else 'body'} needs status: it is part of that answer"
        )
    if fault["reset"] is not None:
        _without("reset", given, _ANSWER, "nothing is answered")
        if fault["reset"] == "before" and fault["lost_answer"]:
            raise ValueError("lost_answer needs reset='after': a request that is not read is not carried out")
    elif fault["lost_answer"] and fault["status"] is None:
        _without("lost_answer", given, (*_ANSWER, "delay"), "nothing is answered")
    if fault["status"] in {204, 304}:
        _without(
            "status", given, ("body", "trickle", "cut_after", "bad_utf8"), f"{fault['status']} has no body"
        )
    _check_creations(fault)


def _check_creations(fault: Mapping[str, object]) -> None:
    answered = fault["status"] is not None or fault["reset"] is not None
    for key, operations in (
        ("slow_creation", ("runspaces.create",)),
        ("creation_error", ("runspaces.create", "web_consoles.create")),
        ("pod_error", ("runspaces.create", "web_consoles.create")),
        ("full_quota", ("runspaces.create", "web_consoles.create")),
    ):
        if fault[key] in (None, False):
            continue
        wanted = fault["operation"]
        if isinstance(wanted, str) and not any(fnmatchcase(operation, wanted) for operation in operations):
            raise ValueError(f"{key} is for {' and '.join(operations)}, not for operation {wanted!r}")
        if answered and not fault["lost_answer"]:
            raise ValueError(f"{key} needs a call that is carried out: add lost_answer, or leave it out")


def _is_given(fault: Mapping[str, object], key: str) -> bool:
    value = fault[key]
    if key == "delay":
        return value != 0
    return value is not None and value is not False and value != ()


def _without(key: str, given: list[str], others: tuple[str, ...], why: str) -> None:
    for other in others:
        if other in given:
            raise ValueError(f"{key} cannot be combined with {other}: {why}")


def _operation(key: str, value: object) -> None:
    _text(key, value)
    if not any(fnmatchcase(operation, cast("str", value)) for operation in OPERATIONS):
        raise ValueError(f"{key}: no operation {value!r}; there are {', '.join(OPERATIONS)}")


def _text(key: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{key} must be text, not {type(value).__name__}")
    if not value.strip() or not value.isprintable():
        raise ValueError(f"{key} must be printable and not blank")


def _flag(key: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{key} must be true or false, not {type(value).__name__}")


def _count(key: str, value: object, least: int = 0) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{key} must be a whole number, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{key} must be {least} or more, not {value}")


def _ordinal(key: str, value: object) -> None:
    _count(key, value, 1)


def _real(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{key} must be a number, not {type(value).__name__}")
    return value


def _seconds(key: str, value: object) -> None:
    if not 0 <= _real(key, value) < math.inf:
        raise ValueError(f"{key} must be 0 seconds or more, and finite, not {value!r}")


def _probability(key: str, value: object) -> None:
    if not 0 < _real(key, value) <= 1:
        raise ValueError(f"{key} must be above 0 and at most 1, not {value!r}")


def _status(key: str, value: object) -> None:
    _count(key, value)
    if value != 0 and not 200 <= cast("int", value) <= 599:
        raise ValueError(f"{key} must be 0 or from 200 to 599, not {value!r}")


def _reset(key: str, value: object) -> None:
    if value not in ("before", "after"):
        raise ValueError(f"{key} must be 'before' or 'after', not {value!r}")


def _trickle(key: str, value: object) -> None:
    pair = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    if len(pair) != 2:
        raise TypeError(f"{key} must be a pair: bytes per step, and seconds between steps")
    _ordinal(key, pair[0])
    _seconds(key, pair[1])


_CHECKS: dict[str, Check] = {
    "operation": _operation,
    "host": _text,
    "user": _text,
    "nth": _ordinal,
    "times": _ordinal,
    "probability": _probability,
    "refuse": _flag,
    "reset": _reset,
    "delay": _seconds,
    "trickle": _trickle,
    "status": _status,
    "content_type": _text,
    "cut_after": _count,
    "bad_utf8": _flag,
    "lost_answer": _flag,
    "stale_session": _flag,
    "restart": _flag,
    "runspace_death": _flag,
    "runspace_unreachable": _flag,
    "slow_creation": _seconds,
    "creation_error": _text,
    "pod_error": _text,
    "full_quota": _flag,
}
