"""Values made into other types: casts, typed parameters, and the static members of a few types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from srs_vsphere.simulator.powershell.errors import NotUnderstoodError, ScriptError
from srs_vsphere.simulator.powershell.values import (
    ArrayList,
    Char,
    EnumValue,
    Hashtable,
    Int64,
    OrderedDictionary,
    PsObject,
    TypeName,
    Version,
    elements,
    is_mapping,
    text,
    truth,
    type_name,
)

#: Short names of types and their full ones.
_NAMES = {
    "int": "System.Int32",
    "int32": "System.Int32",
    "long": "System.Int64",
    "int64": "System.Int64",
    "double": "System.Double",
    "float": "System.Double",
    "decimal": "System.Decimal",
    "string": "System.String",
    "char": "System.Char",
    "bool": "System.Boolean",
    "boolean": "System.Boolean",
    "switch": "System.Management.Automation.SwitchParameter",
    "datetime": "System.DateTime",
    "timespan": "System.TimeSpan",
    "guid": "System.Guid",
    "version": "System.Version",
    "array": "System.Array",
    "object": "System.Object",
    "hashtable": "System.Collections.Hashtable",
    "ordered": "System.Collections.Specialized.OrderedDictionary",
    "pscustomobject": "System.Management.Automation.PSCustomObject",
    "psobject": "System.Management.Automation.PSObject",
    "datetimekind": "System.DateTimeKind",
    "dayofweek": "System.DayOfWeek",
    "scriptblock": "System.Management.Automation.ScriptBlock",
}
_ENUMS = {
    "System.DateTimeKind": ("Unspecified", "Utc", "Local"),
    "System.DayOfWeek": ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
}
_FULL = {name.lower(): name for name in _NAMES.values()}
_SPANS = {
    "fromdays": 86_400,
    "fromhours": 3600,
    "fromminutes": 60,
    "fromseconds": 1,
    "frommilliseconds": 0.001,
}


def full_name(name: str) -> str:
    """Return the full name of a type.

    Args:
        name: its name as a script has it, possibly of an array.

    Raises:
        NotUnderstoodError: the type is not known here.
    """
    element = name.removesuffix("[]").strip().lower()
    full = _NAMES.get(element) or _FULL.get(element) or _FULL.get(f"system.{element}")
    if full is None:
        raise NotUnderstoodError(f"type [{name}]")
    return full + "[]" if name.endswith("[]") else full


def convert(value: object, full: str) -> object:
    """Return a value as a value of another type.

    Args:
        value: the value.
        full: the full name of the type.

    Raises:
        ScriptError: it cannot be one.
        NotUnderstoodError: the type is not known here.
    """
    if full.endswith("[]"):
        if value is None:
            return None
        return [convert(element, full.removesuffix("[]")) for element in elements(value)]
    converter = _CONVERTERS.get(full)
    if converter is None:
        if full in _ENUMS:
            return static_member(full, text(value))
        raise NotUnderstoodError(f"type [{full}]")
    try:
        return converter(value)
    except (ValueError, InvalidOperation, OverflowError, TypeError):
        raise ScriptError("RuntimeException", conversion_failure(value, full)) from None


def conversion_failure(value: object, full: str) -> str:
    """Return the words for a value that cannot be converted.

    Args:
        value: the value.
        full: the full name of the type.
    """
    what = f'Cannot convert value "{text(value)}" to type "{full}".'
    if isinstance(value, str):
        return f"{what} Error: \"The input string '{value}' was not in a correct format.\""
    return f'Cannot convert the "{text(value)}" value of type "{type_name(value)}" to type "{full}".'


def static_member(full: str, name: str) -> object:
    """Return a static member of a type.

    Args:
        full: the full name of the type.
        name: the member's name.

    Raises:
        NotUnderstoodError: it is not known here.
    """
    for number, member in enumerate(_ENUMS.get(full, ())):
        if member.lower() == name.lower():
            return EnumValue(full, member, number)
    raise NotUnderstoodError(f"[{full}]::{name}")


def call_static(full: str, name: str, arguments: Sequence[object]) -> object:
    """Return what a static method of a type gives.

    Args:
        full: the full name of the type.
        name: the method's name; ``new`` makes a value.
        arguments: its arguments.

    Raises:
        NotUnderstoodError: it is not known here.
    """
    method = name.lower()
    if full == "System.DateTime" and method == "new":
        return _new_time(arguments)
    if full == "System.TimeSpan" and method in _SPANS and len(arguments) == 1:
        return timedelta(seconds=number(arguments[0]) * _SPANS[method])
    if full == "System.DateTime" and method == "parse" and len(arguments) == 1:
        return _time(arguments[0])
    raise NotUnderstoodError(f"[{full}]::{name}()")


def number(value: object) -> int | float:
    """Return a value as a number.

    Args:
        value: the value.

    Raises:
        ScriptError: it is none.
    """
    if isinstance(value, int | float):
        return value
    if value is None:
        return 0
    try:
        plain = text(value).strip()
        return int(plain) if plain.lstrip("+-").isdigit() else float(plain)
    except ValueError:
        raise ScriptError("RuntimeException", conversion_failure(value, "System.Int32")) from None


def _whole(value: object) -> int:
    if isinstance(value, bool | int):
        return int(value)
    if value is None:
        return 0
    # .NET rounds halves to the even neighbour, as Python does.
    return round(Decimal(text(value).strip()))


def _new_time(arguments: Sequence[object]) -> datetime:
    *numbers, last = arguments
    if not isinstance(last, EnumValue):
        numbers.append(last)
    zone = UTC if isinstance(last, EnumValue) and last.name != "Unspecified" else None
    year, month, day, hour, minute, second = ([_whole(part) for part in numbers] + [0] * 6)[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(text(value))


def _span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int):
        return timedelta(microseconds=value / 10)
    hours, minutes, seconds = text(value).split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def _char(value: object) -> Char:
    if isinstance(value, int):
        return Char(chr(value))
    plain = text(value)
    if len(plain) != 1:
        raise ValueError(plain)
    return Char(plain)


def _mapping(value: object) -> Mapping[object, object]:
    if is_mapping(value):
        return value
    raise TypeError(type_name(value))


def _object(value: object) -> object:
    if is_mapping(value):
        return PsObject({text(name): member for name, member in value.items()})
    return value


def _same(value: object) -> object:
    return value


_CONVERTERS: dict[str, Callable[[object], object]] = {
    "System.Int32": _whole,
    "System.Int64": lambda value: Int64(_whole(value)),
    "System.Double": lambda value: float(number(value)),
    "System.Decimal": lambda value: Decimal(text(value).strip()),
    "System.String": text,
    "System.Char": _char,
    "System.Boolean": truth,
    "System.Management.Automation.SwitchParameter": truth,
    "System.DateTime": _time,
    "System.TimeSpan": _span,
    "System.Guid": lambda value: UUID(text(value)),
    "System.Version": lambda value: Version(text(value)),
    "System.Array": elements,
    "System.Object": _same,
    "System.Collections.Hashtable": lambda value: Hashtable(_mapping(value)),
    "System.Collections.Specialized.OrderedDictionary": lambda value: OrderedDictionary(_mapping(value)),
    "System.Management.Automation.PSCustomObject": _object,
    "System.Management.Automation.PSObject": _object,
    "System.Collections.ArrayList": lambda value: ArrayList(elements(value)),
}


def as_type(value: object) -> TypeName:
    """Return the type of a value as a value.

    Args:
        value: the value.
    """
    return TypeName(type_name(value))
