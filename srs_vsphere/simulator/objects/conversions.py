"""Values made into other types: casts, typed parameters, and the static members of a few types."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.operators import number_in
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import EnumValue, Int64, elements, fits, is_array, is_mapping

_AUTOMATION = "System.Management.Automation"
#: Short names of types and their full ones.
_NAMES = {
    "int": "System.Int32",
    "long": "System.Int64",
    "double": "System.Double",
    "decimal": "System.Decimal",
    "string": "System.String",
    "char": "System.Char",
    "bool": "System.Boolean",
    "switch": f"{_AUTOMATION}.SwitchParameter",
    "datetime": "System.DateTime",
    "timespan": "System.TimeSpan",
    "guid": "System.Guid",
    "version": "System.Version",
    "object": "System.Object",
    "hashtable": "System.Collections.Hashtable",
    "pscustomobject": f"{_AUTOMATION}.PSCustomObject",
    "datetimekind": "System.DateTimeKind",
    "dayofweek": "System.DayOfWeek",
    "securestring": "System.Security.SecureString",
    "pscredential": f"{_AUTOMATION}.PSCredential",
}
_FULL = {name.lower(): name for name in _NAMES.values()}
_ENUMS = {
    "System.DateTimeKind": ("Unspecified", "Utc", "Local"),
    "System.DayOfWeek": ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
}
_SPANS = {"fromdays": 86_400, "fromhours": 3600, "fromminutes": 60, "fromseconds": 1}
#: What the text looks like that becomes a value of a type, and how.
_TEXTS: dict[str, tuple[str, Callable[[str], object]]] = {
    "System.Double": (r"-?\d{1,9}(\.\d{1,6})?", float),
    "System.Decimal": (r"-?\d{1,9}(\.\d{1,6})?", Decimal),
    "System.Char": (r"[\0-\ud7ff]", values.Char),
    "System.DateTime": (r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?", datetime.fromisoformat),
    "System.Guid": (r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", UUID),
    "System.Version": (r"(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){1,3}", values.Version),
}
#: What an untouched parameter of a type holds.
EMPTY: dict[str, object] = {
    "System.Int32": 0,
    "System.Int64": Int64(0),
    "System.String": "",
    "System.Boolean": False,
    f"{_AUTOMATION}.SwitchParameter": values.SwitchParameter(present=False),
}


def full_name(name: str) -> str:
    """Return the full name of a type, possibly of an array, by its name in a script."""
    element = name.removesuffix("[]").lower()
    full = _NAMES.get(element) or _FULL.get(element) or _FULL.get(f"system.{element}")
    if full is None:
        raise NotUnderstoodError(f"type [{name}]")
    return full + "[]" if name.endswith("[]") else full


def convert(value: object, full: str) -> object:
    """Return a value as a value of another type; an error where that cannot be."""
    if full.endswith("[]"):
        return None if value is None else [convert(each, full.removesuffix("[]")) for each in elements(value)]
    if full == "System.Object" or (value is not None and values.type_name(value) == full):
        return value
    if full == "System.String":
        return "" if value is None else values.text(value)
    if full == "System.Boolean":
        return values.truth(value)
    if full.startswith("System.Int") and value is None:
        value = 0
    if full.startswith("System.Int") and (type(value) is str or isinstance(value, int | float)):
        # .NET rounds halves to the even neighbour, as Python does.
        whole = round(value) if isinstance(value, int | float) else number_in(value)
        if fits(whole, 32) or (full == "System.Int64" and isinstance(value, int) and fits(whole, 64)):
            return Int64(whole) if full == "System.Int64" else int(whole)
    if full == "System.Double" and isinstance(value, int | float):
        return float(value)
    if full == "System.Char" and type(value) is int and value in range(0xD800):
        return values.Char(chr(value))
    if full.endswith("SwitchParameter") and isinstance(value, bool):
        return values.SwitchParameter(present=value)
    if full.endswith("PSCustomObject") and is_mapping(value):
        return values.PsObject({values.to_string(name): member for name, member in value.items()})
    pattern, make = _TEXTS.get(full, ("", str))
    plain = str(value).removesuffix(".0") if full == "System.Decimal" else value
    if type(plain) is str and pattern and re.fullmatch(pattern, plain, re.ASCII):
        try:
            return make(plain)
        except ValueError:
            pass
    raise NotUnderstoodError(f"{'null' if value is None else values.type_name(value)} as [{full}]")


def bound(value: object, full: str) -> object:
    """Return a value as a parameter of some type takes it, which is stricter than a cast."""
    boolean = isinstance(value, bool)
    fits_ = boolean if full == "System.Boolean" else not (boolean and full.startswith("System.Int"))
    if not fits_ or (is_array(value) and not full.endswith("[]") and full != "System.Object"):
        raise NotUnderstoodError(f"{values.type_name(value)} for a parameter of type [{full}]")
    return convert(value, full)


def static_member(full: str, name: str) -> object:
    """Return a static member of a type."""
    for number, member in enumerate(_ENUMS.get(full, ())):
        if member.lower() == name.lower():
            return EnumValue(full, member, number)
    raise NotUnderstoodError(f"[{full}]::{name}")


def call_static(full: str, name: str, arguments: Sequence[object]) -> object:
    """Return what a static method of a type gives; ``new`` makes a value."""
    whole = [argument for argument in arguments if type(argument) is int]
    kind = [argument.name for argument in arguments if isinstance(argument, EnumValue)]
    if full == "System.TimeSpan" and name.lower() in _SPANS and len(whole) == len(arguments) == 1:
        return timedelta(seconds=whole[0] * _SPANS[name.lower()])
    if full == "System.DateTime" and name.lower() == "new" and len(whole) + len(kind) == len(arguments):
        parts = (*whole, 0, 0, 0)[:6]
        if len(whole) in {3, 6} and (not kind or (kind == ["Utc"] and len(whole) == 6)):
            time = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - six numbers, as .NET has it
            return time.replace(tzinfo=UTC) if kind else time
    raise NotUnderstoodError(f"[{full}]::{name}() with these arguments")
