"""Faults out of JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from attrs import fields

from srs_vsphere.simulator import faults as _faults

if TYPE_CHECKING:
    from srs_vsphere.simulator.faults import Fault


def read_fault(value: str | bytes | Mapping[str, object]) -> dict[str, object]:
    """Return a fault's arguments out of a JSON object.

    Args:
        value: the JSON text, or what it was parsed to.

    Raises:
        TypeError: a member has the wrong type.
        ValueError: it is not a JSON object, or a member is unknown.
    """
    parsed = _parse(value) if isinstance(value, str | bytes) else value
    if not isinstance(parsed, Mapping):
        raise ValueError(f"a fault must be a JSON object, not {type(parsed).__name__}")  # noqa: TRY004 - bad JSON
    members = dict(cast("Mapping[str, object]", parsed))
    known = [attribute.name for attribute in fields(_faults.Fault)]
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


def read_faults(text: str | bytes) -> tuple[Fault, ...]:
    """Read one fault, or an array of them.

    Args:
        text: JSON.

    Raises:
        TypeError: a member has the wrong type.
        ValueError: it is not JSON, or one of the faults is impossible.
    """
    parsed = _parse(text)
    items = cast("list[object]", parsed) if isinstance(parsed, list) else [parsed]
    return tuple(_faults.Fault.from_json(cast("Mapping[str, object]", item)) for item in items)


def write_fault(fault: Fault) -> dict[str, object]:
    """Return what JSON can hold of a fault, without what has its default.

    Args:
        fault: the fault.
    """
    members = {
        attribute.name: value
        for attribute in fields(_faults.Fault)
        if (value := getattr(fault, attribute.name)) != attribute.default
    }
    if "headers" in members:
        members["headers"] = dict(fault.headers)
    if fault.body is not None:
        members["body"] = fault.body.decode("utf-8", "backslashreplace")
    return members


def _parse(text: str | bytes) -> object:
    try:
        return cast("object", json.loads(text))
    except RecursionError:
        raise ValueError("a fault must be JSON of fewer levels") from None
    except ValueError as error:
        raise ValueError(f"a fault must be JSON: {error}") from None
