"""Values made into other types: casts, typed parameters, and the static members of a few types."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    Char,
    EnumValue,
    Hashtable,
    Int64,
    PsObject,
    Version,
    elements,
    fits,
    is_array,
    is_mapping,
    is_object,
    text,
    to_string,
    truth,
    type_name,
)
from srs_vsphere.simulator.powershell.operators import not_converted, number_in

#: Short names of types and their full ones.
_NAMES = {
    "int": "System.Int32",
    "int32": "System.Int32",
    "long": "System.Int64",
    "int64": "System.Int64",
    "double": "System.Double",
    "decimal": "System.Decimal",
    "string": "System.String",
    "char": "System.Char",
    "bool": "System.Boolean",
    "switch": "System.Management.Automation.SwitchParameter",
    "datetime": "System.DateTime",
    "timespan": "System.TimeSpan",
    "guid": "System.Guid",
    "version": "System.Version",
    "object": "System.Object",
    "hashtable": "System.Collections.Hashtable",
    "pscustomobject": "System.Management.Automation.PSCustomObject",
    "datetimekind": "System.DateTimeKind",
    "dayofweek": "System.DayOfWeek",
    "securestring": "System.Security.SecureString",
    "pscredential": "System.Management.Automation.PSCredential",
}
_ENUMS = {
    "System.DateTimeKind": ("Unspecified", "Utc", "Local"),
    "System.DayOfWeek": ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
}
_FULL = {name.lower(): name for name in _NAMES.values()}
_SPANS = {"fromdays": 86_400, "fromhours": 3600, "fromminutes": 60, "fromseconds": 1}
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?")
_SPAN = re.compile(r"(\d\d):(\d\d):(\d\d)")


def full_name(name: str) -> str:
    """Return the full name of a type, possibly of an array, by its name in a script."""
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
        StatementError: it cannot be one.
        NotUnderstoodError: what PowerShell makes of it is not certain.
    """
    if full.endswith("[]"):
        if value is None:
            return None
        return [convert(element, full.removesuffix("[]")) for element in elements(value)]
    converter = _CONVERTERS.get(full)
    try:
        converted = converter(value) if converter is not None else _Unknown
    except (ValueError, TypeError, OverflowError):
        converted = _Unknown
    if converted is _Unknown:
        raise NotUnderstoodError(f"{'null' if value is None else type_name(value)} as [{full}]")
    return converted


def static_member(full: str, name: str) -> object:
    """Return a static member of a type."""
    for number, member in enumerate(_ENUMS.get(full, ())):
        if member.lower() == name.lower():
            return EnumValue(full, member, number)
    raise NotUnderstoodError(f"[{full}]::{name}")


def call_static(full: str, name: str, arguments: Sequence[object]) -> object:
    """Return what a static method of a type gives; ``new`` makes a value."""
    method = name.lower()
    whole = [argument for argument in arguments if type(argument) is int]
    if full == "System.TimeSpan" and method in _SPANS and len(whole) == len(arguments) == 1:
        return timedelta(seconds=whole[0] * _SPANS[method])
    if full == "System.DateTime" and method == "new" and len(whole) in {3, 6}:
        kind = [argument.name for argument in arguments if isinstance(argument, EnumValue)]
        try:
            time = datetime(*(whole + [0] * 3)[:6])  # type: ignore[arg-type]  # noqa: DTZ001 - six numbers, as .NET has it
        except ValueError:
            raise NotUnderstoodError("a time that there is not") from None
        if len(whole) + len(kind) == len(arguments) and kind in ([], ["Utc"], ["Unspecified"]):
            return time.replace(tzinfo=UTC) if kind == ["Utc"] and len(whole) == 6 else time
    raise NotUnderstoodError(f"[{full}]::{name}() with these arguments")


class _Unknown:
    """Stands for a conversion of which it is not certain what it gives."""


def _whole(value: object) -> object:
    if value is None:
        return 0
    if isinstance(value, str):
        try:
            return number_in(value, "System.Int32")
        except NotUnderstoodError:
            if re.fullmatch(r"[a-z]+", value, re.IGNORECASE):
                raise not_converted(value, "System.Int32") from None
            raise
    if isinstance(value, int | float):
        # .NET rounds halves to the even neighbour, as Python does.
        rounded = round(value)
        return rounded if fits(rounded, 32) else _Unknown
    return _Unknown


def _long(value: object) -> object:
    if isinstance(value, int) and fits(value, 64):
        return Int64(value)
    whole = _whole(value)
    return Int64(whole) if isinstance(whole, int) else _Unknown


def _double(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,9}(\.\d{1,6})?", value):
        return float(value)
    return float(value) if isinstance(value, int | float) else _Unknown


def _decimal(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", value):
        return Decimal(value)
    if isinstance(value, int | float) and re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", str(value)):
        return Decimal(str(value).removesuffix(".0"))
    return _Unknown


def _text(value: object) -> object:
    return "" if value is None else text(value)


def _char(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value in range(0xD800):
        return Char(chr(value))
    return Char(value) if isinstance(value, str) and len(value) == 1 and value < "\ud800" else _Unknown


def _switch(value: object) -> object:
    return value if isinstance(value, bool) else _Unknown


def _bool(value: object) -> object:
    return truth(value)


def _time(value: object) -> object:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return datetime.fromisoformat(value)
    return value if isinstance(value, datetime) else _Unknown


def _span(value: object) -> object:
    if isinstance(value, str) and (match := _SPAN.fullmatch(value)):
        hours, minutes, seconds = map(int, match.groups())
        fits = hours < 24 and minutes < 60 and seconds < 60
        return timedelta(hours=hours, minutes=minutes, seconds=seconds) if fits else _Unknown
    return value if isinstance(value, timedelta) else _Unknown


def _guid(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value, re.IGNORECASE
    ):
        return UUID(value)
    return value if isinstance(value, UUID) else _Unknown


def _version(value: object) -> object:
    fits = isinstance(value, str) and re.fullmatch(r"(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){1,3}", value)
    return Version(value) if fits else _Unknown


def _object(value: object) -> object:
    if is_mapping(value):
        return PsObject({to_string(name): member for name, member in value.items()})
    return _Unknown


def _hashtable(value: object) -> object:
    return value if isinstance(value, Hashtable) else _Unknown


def _itself(value: object) -> object:
    return value


def _only(full: str) -> Callable[[object], object]:
    return lambda value: value if value is not None and type_name(value) == full else _Unknown


_CONVERTERS: dict[str, Callable[[object], object]] = {
    "System.Int32": _whole,
    "System.Int64": _long,
    "System.Double": _double,
    "System.Decimal": _decimal,
    "System.String": _text,
    "System.Char": _char,
    "System.Boolean": _bool,
    "System.Management.Automation.SwitchParameter": _switch,
    "System.DateTime": _time,
    "System.TimeSpan": _span,
    "System.Guid": _guid,
    "System.Version": _version,
    "System.Object": _itself,
    "System.Collections.Hashtable": _hashtable,
    "System.Management.Automation.PSCustomObject": _object,
    "System.Security.SecureString": _only("System.Security.SecureString"),
    "System.Management.Automation.PSCredential": _only("System.Management.Automation.PSCredential"),
}
#: What an untouched parameter of a type holds.
EMPTY: dict[str, object] = {
    "System.Int32": 0,
    "System.Int64": Int64(0),
    "System.String": "",
    "System.Boolean": False,
    "System.Management.Automation.SwitchParameter": False,
}


def bound(value: object, full: str) -> object:
    """Return a value as a parameter of some type takes it, which is stricter than a cast."""
    if full == "System.Boolean" and not isinstance(value, bool):
        raise NotUnderstoodError("something else than $true or $false for a [bool] parameter")
    if full in {"System.String", "System.Int32", "System.Int64"} and (is_array(value) or is_object(value)):
        raise NotUnderstoodError(f"an array or an object for a [{full}] parameter")
    return convert(value, full)
