"""The documents of the json output format: one for each object, one level deep."""

from __future__ import annotations

import json

from srs_vsphere.simulator.objects.properties import is_plain, properties, scalar
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    EnumValue,
    PSCredential,
    SecureString,
    SwitchParameter,
    TypeName,
    elements,
    is_array,
    type_name,
)

_COMPARABLE = ("System.IComparable", "System.IConvertible")
_NUMBER = (*_COMPARABLE, "System.IFormattable")
#: The interfaces that the types of PowerShell 7.0 have, without the generic ones.
_INTERFACES: dict[str, str | tuple[str, ...]] = {
    "System.Boolean": _COMPARABLE,
    "System.Byte": _NUMBER,
    "System.Char": _COMPARABLE,
    "System.Int32": _NUMBER,
    "System.Int64": _NUMBER,
    "System.Double": _NUMBER,
    "System.Decimal": _NUMBER,
    "System.Numerics.BigInteger": ("System.IFormattable", "System.IComparable"),
    "System.String": ("System.ICloneable", "System.Collections.IEnumerable", *_COMPARABLE),
    "System.DateTime": (*_NUMBER, "System.Runtime.Serialization.ISerializable"),
    "System.TimeSpan": ("System.IComparable", "System.IFormattable"),
    "System.Guid": ("System.IFormattable", "System.IComparable"),
    "System.Version": ("System.ICloneable", "System.IComparable"),
    "System.Collections.Hashtable": (
        "System.Collections.IDictionary",
        "System.Collections.ICollection",
        "System.Collections.IEnumerable",
        "System.ICloneable",
    ),
    "System.Collections.Specialized.OrderedDictionary": (
        "System.Collections.Specialized.IOrderedDictionary",
        "System.Collections.IDictionary",
        "System.Collections.ICollection",
        "System.Collections.IEnumerable",
    ),
}
#: Of which it is not known how the service shows them.
_UNKNOWN = (SwitchParameter, TypeName, SecureString, PSCredential)
_ENUM = ("System.IComparable", "System.IFormattable", "System.IConvertible")


def documents(value: object) -> list[str]:
    """Return the documents of one object that is not None; an array has one for each element."""
    return [_document(element) for element in elements(value) if element is not None]


def _document(value: object) -> str:
    if is_array(value) or isinstance(value, _UNKNOWN):
        raise NotUnderstoodError(f"{type_name(value)} in the service's own json format")
    name = type_name(value)
    interfaces = _ENUM if isinstance(value, EnumValue) else _INTERFACES.get(name)
    return json.dumps(
        {"TypeName": name, "Interfaces": interfaces, "Value": _value(value)}, indent=2, ensure_ascii=False
    )


def _value(value: object) -> object:
    if is_plain(value):
        return scalar(value)
    return {name: scalar(member) for name, member in properties(value).items()}
