"""Values made into other types, by casts and by typed parameters."""

from __future__ import annotations

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.texts import text, to_string
from srs_vsphere.simulator.objects.values import Int64, SwitchParameter, elements, fits, is_array, is_mapping
from srs_vsphere.simulator.powershell.operators import number_in

_AUTOMATION = "System.Management.Automation"
#: Short names of types and their full ones; of some there are values in parameters only.
_NAMES = {
    "int": "System.Int32",
    "long": "System.Int64",
    "double": "System.Double",
    "string": "System.String",
    "bool": "System.Boolean",
    "switch": f"{_AUTOMATION}.SwitchParameter",
    "datetime": "System.DateTime",
    "object": "System.Object",
    "hashtable": "System.Collections.Hashtable",
    "pscustomobject": f"{_AUTOMATION}.PSCustomObject",
    "securestring": "System.Security.SecureString",
    "pscredential": f"{_AUTOMATION}.PSCredential",
}
#: What an untouched parameter of a type holds.
EMPTY: dict[str, object] = {
    "System.Int32": 0,
    "System.Int64": Int64(0),
    "System.String": "",
    "System.Boolean": False,
    f"{_AUTOMATION}.SwitchParameter": SwitchParameter(present=False),
}


def full_name(name: str) -> str:
    """Return the full name of a type, possibly of an array, by its name in a script."""
    element = name.removesuffix("[]").lower()
    if element not in _NAMES:
        raise NotUnderstoodError(f"type [{name}]")
    return _NAMES[element] + ("[]" if name.endswith("[]") else "")


def convert(value: object, full: str) -> object:
    """Return a value as a value of another type; an error where that cannot be."""
    if full.endswith("[]"):
        return None if value is None else [convert(each, full.removesuffix("[]")) for each in elements(value)]
    if full == "System.Object" or (value is not None and values.type_name(value) == full):
        return value
    if full == "System.String" and not (is_array(value) or is_mapping(value)):
        return "" if value is None else text(value)
    if full == "System.Boolean":
        return values.truth(value)
    if full.startswith("System.Int") and (type(value) is str or isinstance(value, int | float | None)):
        # .NET rounds halves to the even neighbour, as Python does.
        whole = number_in(value) if isinstance(value, str) else round(value or 0)
        if fits(whole, 32) or (full == "System.Int64" and isinstance(value, int) and fits(whole, 64)):
            return Int64(whole) if full == "System.Int64" else int(whole)
    if full == "System.Double" and isinstance(value, int | float):
        return float(value)
    if full.endswith("SwitchParameter") and isinstance(value, bool):
        return SwitchParameter(present=value)
    if full.endswith("PSCustomObject") and is_mapping(value):
        return values.PsObject({to_string(name): member for name, member in value.items()})
    raise NotUnderstoodError(f"{'null' if value is None else values.type_name(value)} as [{full}]")


def bound(value: object, full: str | None) -> object:
    """Return a value as a parameter of a type takes it, which is stricter than a cast; None is any type."""
    if full is None:
        return value
    boolean = isinstance(value, bool)
    fits_ = boolean if full == "System.Boolean" else not (boolean and full.startswith("System.Int"))
    if not fits_ or (is_array(value) and not full.endswith("[]") and full != "System.Object"):
        raise NotUnderstoodError(f"{values.type_name(value)} for a parameter of type [{full}]")
    return convert(value, full)
