"""The values of scripts as Python values, and what .NET calls their types.

Most are Python's own: `None`, `bool`, `int`, `float`, `str`, `datetime`, `list`, `dict`. Where .NET has more
types than Python, a subclass keeps the difference, so whoever does not care about it need not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import TypeGuard
from uuid import UUID

from attrs import frozen

_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)


class Int64(int):
    """A whole number of 64 bits even if it is small."""


class Char(str):
    """A single character."""

    __slots__ = ()


class Version(str):
    """A version number."""

    __slots__ = ()


class ArrayList(list[object]):
    """A list that can grow, as deserialised lists are."""


class PsObject(dict[str, object]):
    """An object with properties (a PSCustomObject); other plain mappings count as such too."""


class Hashtable(dict[object, object]):
    """A hashtable."""


class OrderedDictionary(dict[object, object]):
    """A hashtable that keeps its order."""


@frozen
class EnumValue:
    """A member of an enumeration.

    Args:
        type: the full name of the enumeration.
        name: the member's name.
        number: its number.
    """

    type: str
    name: str
    number: int


@frozen
class TypeName:
    """A type as a value.

    Args:
        full: its full name.
    """

    full: str


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "System.Boolean"),
    (Int64, "System.Int64"),
    (float, "System.Double"),
    (Decimal, "System.Decimal"),
    (Char, "System.Char"),
    (Version, "System.Version"),
    (str, "System.String"),
    (datetime, "System.DateTime"),
    (timedelta, "System.TimeSpan"),
    (UUID, "System.Guid"),
    (bytes, "System.Byte[]"),
    (ArrayList, "System.Collections.ArrayList"),
    (list, "System.Object[]"),
    (tuple, "System.Object[]"),
    (Hashtable, "System.Collections.Hashtable"),
    (OrderedDictionary, "System.Collections.Specialized.OrderedDictionary"),
    (Mapping, "System.Management.Automation.PSCustomObject"),
    (TypeName, "System.RuntimeType"),
)


def type_name(value: object) -> str:
    """Return the full .NET name of a value's type.

    Args:
        value: the value; not None.
    """
    if isinstance(value, EnumValue):
        return value.type
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    if isinstance(value, int):
        if value in _INT32:
            return "System.Int32"
        return "System.Int64" if value in _INT64 else "System.Numerics.BigInteger"
    return "System.Object"


def is_object(value: object) -> bool:
    """Say whether a value is an object with properties of its own choosing.

    Args:
        value: the value.
    """
    return is_mapping(value) and not isinstance(value, Hashtable | OrderedDictionary)


def number_text(value: float | Decimal) -> str:
    """Return a number as .NET writes it.

    Args:
        value: the number.
    """
    if isinstance(value, float):
        if not isfinite(value):
            return {"inf": "∞", "-inf": "-∞"}.get(str(value), "NaN")
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return repr(value).upper().replace("E+0", "E+").replace("E-0", "E-")
    return str(value)


def to_string(value: object) -> str:
    """Return what the value's own ``ToString`` gives.

    Args:
        value: the value.
    """
    if value is None or is_object(value):
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float | Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    if isinstance(value, timedelta):
        return _duration_text(value)
    if isinstance(value, EnumValue):
        return value.name
    if isinstance(value, TypeName):
        return value.full
    if isinstance(value, int | str | UUID):
        return str(value)
    return type_name(value)


def text(value: object) -> str:
    """Return the text that PowerShell makes of a value inside a string.

    Args:
        value: the value.
    """
    if is_array(value):
        return " ".join(map(element_text, value))
    return element_text(value)


def element_text(value: object) -> str:
    """Return the text that PowerShell makes of a value that stands among others.

    Args:
        value: the value.
    """
    if is_mapping(value) and is_object(value):
        return "@{" + "; ".join(f"{name}={to_string(member)}" for name, member in value.items()) + "}"
    if isinstance(value, bytes):
        return " ".join(map(str, value))
    return to_string(value)


def is_array(value: object) -> TypeGuard[Sequence[object]]:
    """Say whether a value is an array.

    Args:
        value: the value.
    """
    return isinstance(value, list | tuple)


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Say whether a value is an object with properties or a hashtable.

    Args:
        value: the value.
    """
    return isinstance(value, Mapping)


def truth(value: object) -> bool:
    """Say whether PowerShell takes a value for true.

    Args:
        value: the value.
    """
    if is_array(value):
        return len(value) > 1 or (len(value) == 1 and truth(value[0]))
    if isinstance(value, Mapping | datetime | timedelta | UUID | EnumValue | TypeName):
        return True
    return bool(value)


def elements(value: object) -> list[object]:
    """Return the elements of an array, or the value itself as the only one.

    Args:
        value: the value.
    """
    if is_array(value):
        return list(value)
    if isinstance(value, bytes):
        return list(value)
    return [value]


def _duration_text(value: timedelta) -> str:
    ticks = round(value.total_seconds() * 10_000_000)
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    seconds, fraction = divmod(ticks, 10_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days}." if days else ""
    tail = f".{fraction:07d}" if fraction else ""
    return f"{sign}{day}{hours:02d}:{minutes:02d}:{seconds:02d}{tail}"
