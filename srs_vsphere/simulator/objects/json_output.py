"""JSON data made of values, as the scripts for structured output prepare them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite

from srs_vsphere.simulator.objects.texts import text, to_string
from srs_vsphere.simulator.objects.values import (
    PSCredential,
    SwitchParameter,
    elements,
    is_array,
    is_mapping,
    type_name,
)

#: The scripts for structured output go so deep, and write as text what lies below.
_DEEPEST = 64


def structured(value: object, depth: int, nesting: int = _DEEPEST) -> object:
    """Return a value as JSON data, as the script for structured output makes it.

    Args:
        value: the value.
        depth: how many levels of .NET objects are opened; data are kept whole.
        nesting: how many levels of data are kept.
    """
    if isinstance(value, float):
        return value if isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")
    if value is None or (isinstance(value, bool | int | str)):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, SwitchParameter):
        return value.present
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, bytes):
        return list(value)
    if nesting == 0:
        return to_string(value) if not is_array(value) else text(list(map(to_string, value)))
    if is_array(value):
        return [structured(element, depth, nesting - 1) for element in elements(value)]
    if is_mapping(value):
        below = depth if not _is_custom(value) else depth - 1
        return {to_string(name): structured(member, below, nesting - 1) for name, member in value.items()}
    if isinstance(value, PSCredential) and depth > 0:
        return {"UserName": value.user_name, "Password": to_string(value.password)}
    return to_string(value)


def _is_custom(value: Mapping[object, object]) -> bool:
    return type_name(value).endswith("PSCustomObject")


def _time(value: datetime) -> str:
    text_ = value.replace(tzinfo=None).isoformat()
    whole = text_.rstrip("0") if "." in text_ else text_
    if value.tzinfo is None:
        return whole
    if value.utcoffset() == UTC.utcoffset(None):
        return whole + "Z"
    return whole + value.strftime("%z")[:3] + ":" + value.strftime("%z")[3:5]
