"""JSON made of values: by ``ConvertTo-Json``, and as the scripts for structured output prepare it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    Char,
    Hashtable,
    PSCredential,
    SwitchParameter,
    Version,
    elements,
    is_array,
    is_mapping,
    text,
    to_string,
    type_name,
    weight,
)

#: The scripts for structured output go so deep, and write as text what lies below.
_DEEPEST = 64
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def convert_to_json(value: object, depth: int, *, compress: bool) -> str:
    """Return a value as ``ConvertTo-Json`` writes it.

    Args:
        value: the value.
        depth: how many levels below the value are kept.
        compress: whether to leave out all white space.

    Raises:
        NotUnderstoodError: it has deeper levels, or it is not certain how it is written.
    """
    weight(value)
    separators = (",", ":") if compress else (",", ": ")
    kept = _certain(value, depth)
    return json.dumps(kept, indent=None if compress else 2, separators=separators, ensure_ascii=False)


def _certain(value: object, depth: int) -> object:
    if depth < 0 and (is_array(value) or is_mapping(value)):
        raise NotUnderstoodError("values deeper than -Depth")
    if is_array(value):
        return [_certain(element, depth - 1) for element in value]
    if is_mapping(value):
        if len(value) > 1 and isinstance(value, Hashtable):
            raise NotUnderstoodError("the random order of a hashtable's keys: [ordered] has one")
        return {to_string(name): _certain(member, depth - 1) for name, member in value.items()}
    exponent = isinstance(value, float) and (not isfinite(value) or "e" in str(value))
    if exponent or (isinstance(value, str) and _ESCAPED.search(value)):
        raise NotUnderstoodError("this number or text as JSON")
    if value is None or (
        isinstance(value, bool | int | float | str) and not isinstance(value, Char | Version)
    ):
        return value
    raise NotUnderstoodError(f"{type_name(value)} as JSON")


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
