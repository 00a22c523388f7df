"""What the client's first wrapper for structured output makes of a value: JSON of a limited depth."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from srs_vsphere.simulator.objects.properties import is_plain, properties, scalar
from srs_vsphere.simulator.objects.values import (
    EnumValue,
    element_text,
    elements,
    is_array,
    is_mapping,
    to_string,
)


def to_json(value: object, depth: int, *, compress: bool) -> str:
    """Return a value as JSON; what lies deeper than wanted becomes text.

    Args:
        value: the value.
        depth: how many levels below the value are kept.
        compress: whether to leave out all white space.
    """
    separators = (",", ":") if compress else (",", ": ")
    plain = _plain(value, depth)
    return json.dumps(plain, indent=None if compress else 2, separators=separators, ensure_ascii=False)


def _plain(value: object, depth: int) -> object:
    if isinstance(value, EnumValue):
        return value.number
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, UUID):
        return str(value)
    if value is None or is_plain(value):
        return scalar(value)
    if depth < 0:
        return " ".join(map(element_text, elements(value)))
    if is_array(value) or isinstance(value, bytes):
        return [_plain(element, depth - 1) for element in elements(value)]
    members = value.items() if is_mapping(value) else properties(value).items()
    return {to_string(name): _plain(member, depth - 1) for name, member in members}


def _time(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
