"""Members of values: properties, and the type."""

from __future__ import annotations

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.errors import StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.texts import to_string
from srs_vsphere.simulator.objects.values import is_array, is_mapping, type_name


def member_of(value: object, name: str) -> object:
    """Return a property of a value."""
    wanted = name.lower()
    if is_mapping(value):
        for key, member in value.items():
            if to_string(key).lower() == wanted:
                return member
        if wanted == "count":
            return 1 if values.is_object(value) else len(value)
    elif value is None:
        return 0 if wanted in {"count", "length"} else None
    elif wanted in {"count", "length"} and not isinstance(value, values.Version):
        if isinstance(value, str) and wanted == "length":
            # .NET counts what UTF-16 is made of.
            return len(value.encode("utf-16-le", "surrogatepass")) // 2
        if is_array(value) or (isinstance(value, bytes) and wanted == "length"):
            return len(value)
        if isinstance(value, str | int | float):
            return 1
    elif isinstance(value, values.TypeName) and wanted in {"fullname", "name"}:
        return value.full if wanted == "fullname" else value.full.rpartition(".")[2]
    raise NotUnderstoodError(f".{name} of {type_name(value)}")


def call_member(value: object, name: str) -> object:
    """Return what a method of a value gives without arguments."""
    if value is None:
        what = "You cannot call a method on a null-valued expression."
        raise StatementError(what, id="InvokeMethodOnNull", category="InvalidOperation")
    if name.lower() == "gettype" and not is_array(value):
        return values.TypeName(type_name(value))
    raise NotUnderstoodError(f".{name}() of {type_name(value)}")
