"""Faults as JSON: several read at once, one written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from attrs import fields

from srs_vsphere.simulator.fault_arguments import parse_json
from srs_vsphere.simulator.faults import Fault


def read_faults(text: str | bytes) -> tuple[Fault, ...]:
    """Read one fault, or an array of them.

    Args:
        text: JSON.

    Raises:
        TypeError: a member has the wrong type.
        ValueError: it is not JSON, or one of the faults is impossible.
    """
    parsed = parse_json(text)
    items = cast("list[object]", parsed) if isinstance(parsed, list) else [parsed]
    return tuple(Fault.from_json(cast("Mapping[str, object]", item)) for item in items)


def write_fault(fault: Fault) -> dict[str, object]:
    """Return what JSON can hold of a fault, without what has its default.

    Args:
        fault: the fault.
    """
    members = {
        attribute.name: value
        for attribute in fields(Fault)
        if (value := getattr(fault, attribute.name)) != attribute.default
    }
    if "headers" in members:
        members["headers"] = dict(fault.headers)
    if fault.body is not None:
        members["body"] = fault.body.decode("utf-8", "backslashreplace")
    return members
