"""Members of values: properties, elements, and a few methods."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from srs_vsphere.simulator.objects.properties import properties
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    Char,
    EnumValue,
    Hashtable,
    PSCredential,
    TypeName,
    elements,
    fits,
    is_array,
    is_mapping,
    is_object,
    plain,
    text,
    to_string,
    type_name,
)
from srs_vsphere.simulator.powershell.errors import StatementError

_TEXT_METHODS: dict[tuple[str, int], Callable[[str, Sequence[str]], object]] = {
    ("toupper", 0): lambda value, _: value.upper(),
    ("tolower", 0): lambda value, _: value.lower(),
    ("trim", 0): lambda value, _: value.strip(),
    ("contains", 1): lambda value, arguments: arguments[0] in value,
    ("startswith", 1): lambda value, arguments: value.startswith(arguments[0]),
    ("endswith", 1): lambda value, arguments: value.endswith(arguments[0]),
    ("replace", 2): lambda value, arguments: value.replace(arguments[0], arguments[1]),
}
#: Members that every object or hashtable has from .NET or PowerShell.
_BUILT_IN = frozenset(
    re.findall(
        r"\w+",
        """
        length rank tostring gettype equals gethashcode psobject psbase psadapted psextended pstypenames
        isreadonly isfixedsize issynchronized syncroot add clear clone contains containskey
        containsvalue copyto getenumerator getobjectdata item ondeserialization remove insert removeat
        foreach where
        """,
    )
)


def member_of(value: object, name: str) -> object:
    """Return a property of a value, None if it has none of that name."""
    wanted = name.lower()
    if is_mapping(value):
        for key, member in value.items():
            if to_string(key).lower() == wanted:
                return member
        if wanted in _BUILT_IN:
            raise NotUnderstoodError(f".{name} of {type_name(value)}")
        if wanted == "count":
            return 1 if is_object(value) else len(value)
        if wanted in {"keys", "values"} and not is_object(value):
            if len(value) > 1 and isinstance(value, Hashtable):
                raise NotUnderstoodError(f"the random order of a hashtable's {wanted}: [ordered] has one")
            return list(value if wanted == "keys" else value.values())
        return None
    if value is None:
        # Not so under Set-StrictMode, which is not understood either.
        return 0 if wanted in {"count", "length"} else None
    if wanted == "length" and isinstance(value, str) and not isinstance(value, Char):
        return len(value)
    if wanted == "count" and isinstance(value, str | int | float):
        return 1
    if is_array(value):
        if wanted in {"count", "length"}:
            return len(value)
        if all(
            is_mapping(element) and wanted in {to_string(key).lower() for key in element} for element in value
        ):
            return [member_of(element, name) for element in value] or None
    known: dict[str, object] = {}
    if isinstance(value, TypeName):
        known = {"fullname": value.full, "name": value.full.rpartition(".")[2]}
    elif isinstance(value, PSCredential):
        known = {"username": value.user_name, "password": value.password}
    elif not isinstance(value, EnumValue):
        known = {key.lower(): member for key, member in properties(value).items()}
    if wanted in known:
        return known[wanted]
    raise NotUnderstoodError(f".{name} of {type_name(value)}")


def element_at(value: object, index: object) -> object:
    """Return an element of a value, None if there is none; the index is a number or a key."""
    if value is None:
        raise StatementError("Cannot index into a null array.", id="NullArray", category="InvalidOperation")
    if isinstance(index, int) and not isinstance(index, bool) and fits(index, 32):
        if is_array(value):
            return value[index] if -len(value) <= index < len(value) else None
        if isinstance(value, str):
            return Char(value[index]) if -len(value) <= index < len(value) else None
    if isinstance(value, Hashtable) and isinstance(index, str | int):
        if isinstance(index, str):
            index = next(
                (key for key in value if isinstance(key, str) and key.lower() == index.lower()), None
            )
        return value.get(index)
    raise NotUnderstoodError(f"an index of type {'null' if index is None else type_name(index)}")


def call_member(value: object, name: str, arguments: Sequence[object]) -> object:
    """Return what a method of a value gives."""
    if value is None:
        what = "You cannot call a method on a null-valued expression."
        raise StatementError(what, id="InvokeMethodOnNull", category="InvalidOperation")
    method = name.lower()
    if method == "gettype" and not arguments:
        return TypeName(type_name(value))
    if method == "tostring" and not arguments and isinstance(value, str | int | float):
        return text(value)
    known = _TEXT_METHODS.get((method, len(arguments)))
    texts = [argument for argument in [value, *arguments] if isinstance(argument, str)]
    certain = len(texts) == len(arguments) + 1 and all(map(str.isascii, texts)) and "" not in texts[1:2]
    if known is not None and certain:
        return known(texts[0], texts[1:])
    raise NotUnderstoodError(f".{name}() of {type_name(value)} with these arguments")


def as_collection(value: object) -> list[object]:
    """Return the elements of a value as an array holds them."""
    return [plain(element) for element in elements(value)]
