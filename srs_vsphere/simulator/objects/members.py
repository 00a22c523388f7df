"""Members of values: properties, elements, and two methods."""

from __future__ import annotations

import re
from collections.abc import Sequence

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.errors import StatementError
from srs_vsphere.simulator.objects.properties import properties
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import Hashtable, is_array, is_mapping, type_name

#: Members that every object or hashtable has from .NET or PowerShell.
_BUILT_IN = frozenset(
    re.findall(
        r"\w+",
        """
        length rank tostring gettype equals gethashcode psobject psbase psadapted psextended pstypenames
        isreadonly isfixedsize issynchronized syncroot add clear clone contains containskey containsvalue
        copyto getenumerator getobjectdata item ondeserialization remove insert removeat foreach where
        """,
    )
)


def member_of(value: object, name: str) -> object:
    """Return a property of a value, None if it has none of that name."""
    wanted = name.lower()
    if is_mapping(value):
        for key, member in value.items():
            if values.to_string(key).lower() == wanted:
                return member
        if wanted == "count":
            return 1 if values.is_object(value) else len(value)
        if wanted in {"keys", "values"} and not values.is_object(value):
            if len(value) > 1 and isinstance(value, Hashtable):
                raise NotUnderstoodError(f"the random order of a hashtable's {wanted}: [ordered] has one")
            return list(value if wanted == "keys" else value.values())
        if wanted not in _BUILT_IN:
            return None
    elif value is None:
        return 0 if wanted in {"count", "length"} else None
    elif (is_array(value) or type(value) is str) and wanted == "length":
        return len(value)
    elif wanted == "count" and (is_array(value) or isinstance(value, str | int | float)):
        return len(value) if is_array(value) else 1
    elif is_array(value) and value and all(_has(element, wanted) for element in value):
        return [member_of(element, name) for element in value]
    elif isinstance(value, values.TypeName) and wanted in {"fullname", "name"}:
        return value.full if wanted == "fullname" else value.full.rpartition(".")[2]
    elif isinstance(value, values.PSCredential) and wanted in {"username", "password"}:
        return value.user_name if wanted == "username" else value.password
    else:
        known = {key.lower(): member for key, member in properties(value).items()}
        if wanted in known:
            return known[wanted]
    raise NotUnderstoodError(f".{name} of {type_name(value)}")


def element_at(value: object, index: object) -> object:
    """Return an element of a value, None if there is none; the index is a number or a key."""
    if value is None:
        raise StatementError("Cannot index into a null array.", id="NullArray", category="InvalidOperation")
    if type(index) is int and (is_array(value) or type(value) is str):
        found = value[index] if -len(value) <= index < len(value) else None
        return values.Char(found) if type(value) is str and found is not None else found
    if isinstance(value, Hashtable) and type(index) is int:
        return value.get(index)
    if isinstance(value, Hashtable) and type(index) is str:
        same = (key for key in value if isinstance(key, str) and key.lower() == index.lower())
        return value.get(next(same, None))
    raise NotUnderstoodError(f"an index of type {'null' if index is None else type_name(index)}")


def call_member(value: object, name: str, arguments: Sequence[object]) -> object:
    """Return what a method of a value gives."""
    if value is None:
        what = "You cannot call a method on a null-valued expression."
        raise StatementError(what, id="InvokeMethodOnNull", category="InvalidOperation")
    if name.lower() == "gettype" and not arguments and not is_array(value):
        return values.TypeName(type_name(value))
    if name.lower() == "tostring" and not arguments and isinstance(value, str | int | float):
        return values.text(value)
    raise NotUnderstoodError(f".{name}() of {type_name(value)}")


def _has(value: object, wanted: str) -> bool:
    return is_mapping(value) and wanted in {values.to_string(key).lower() for key in value}
