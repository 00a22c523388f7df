"""Members of values: properties, elements, and a few methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from srs_vsphere.simulator.powershell.conversions import as_type
from srs_vsphere.simulator.powershell.errors import NotUnderstoodError, ScriptError
from srs_vsphere.simulator.powershell.properties import properties
from srs_vsphere.simulator.powershell.values import TypeName, elements, is_array, is_mapping, text, to_string

_TIMES = ("year", "month", "day", "hour", "minute", "second")
_TEXT_METHODS: dict[str, Callable[[str, Sequence[str]], object]] = {
    "toupper": lambda value, _: value.upper(),
    "tolower": lambda value, _: value.lower(),
    "trim": lambda value, _: value.strip(),
    "contains": lambda value, arguments: arguments[0] in value,
    "startswith": lambda value, arguments: value.startswith(arguments[0]),
    "endswith": lambda value, arguments: value.endswith(arguments[0]),
    "replace": lambda value, arguments: value.replace(arguments[0], arguments[1]),
}


def member_of(value: object, name: str) -> object:
    """Return a property of a value, None if it has none of that name.

    Args:
        value: the value.
        name: the property's name.
    """
    wanted = name.lower()
    if is_mapping(value):
        for key, member in value.items():
            if to_string(key).lower() == wanted:
                return member
    if wanted in {"count", "length"}:
        return _count(value, wanted)
    if isinstance(value, TypeName):
        return {"fullname": value.full, "name": value.full.rpartition(".")[2]}.get(wanted)
    if isinstance(value, datetime) and wanted in _TIMES:
        found: object = getattr(value, wanted)
        return found
    if is_array(value):
        return [member_of(element, name) for element in value] or None
    return {key.lower(): member for key, member in properties(value).items()}.get(wanted)


def element_at(value: object, index: object) -> object:
    """Return an element of a value, None if there is none.

    Args:
        value: the value.
        index: which: a number, or a key.
    """
    if is_mapping(value):
        if isinstance(index, str):
            return member_of(value, index)
        return value.get(index)
    if isinstance(index, int) and (is_array(value) or isinstance(value, str | bytes)):
        found = value if isinstance(value, str) else elements(value)
        return found[index] if -len(found) <= index < len(found) else None
    if value is None:
        raise ScriptError("RuntimeException", "Cannot index into a null array.")
    raise NotUnderstoodError("an index of that kind")


def call_member(value: object, name: str, arguments: Sequence[object]) -> object:
    """Return what a method of a value gives.

    Args:
        value: the value.
        name: the method's name.
        arguments: its arguments.

    Raises:
        ScriptError: there is no value.
        NotUnderstoodError: it is not known here.
    """
    if value is None:
        raise ScriptError("RuntimeException", "You cannot call a method on a null-valued expression.")
    method = name.lower()
    if method == "gettype" and not arguments:
        return as_type(value)
    if method == "tostring" and not arguments:
        return to_string(value)
    if isinstance(value, str) and method in _TEXT_METHODS:
        try:
            return _TEXT_METHODS[method](value, list(map(text, arguments)))
        except IndexError:
            raise NotUnderstoodError(f".{name}() with so few arguments") from None
    raise NotUnderstoodError(f".{name}()")


def _count(value: object, wanted: str) -> int:
    if isinstance(value, str) and wanted == "length":
        return len(value)
    if is_array(value) or is_mapping(value) or isinstance(value, bytes):
        return len(value)
    return 0 if value is None else 1
