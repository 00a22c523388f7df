"""Parameters of a script: Python values by name, made into what the service takes and arriving as given.

A text, a number or a boolean arrives as it is. Of a list the service hands on the first element only, of an
empty one ``True``; a text that looks like a date arrives as a date. Such values travel as CLIXML, which a
script on the server turns back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import TypeAlias, cast
from uuid import UUID

from srs_vsphere._codec import clixml
from srs_vsphere._service.service_scripts import service_script
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.models.argument_script import ArgumentScript
from srs_vsphere.models.credential import Credential
from srs_vsphere.models.script_parameter import ScriptParameter, Switch
from srs_vsphere.secret import Secret

Scalar: TypeAlias = (
    str
    | int
    | float
    | bool
    | Decimal
    | datetime
    | date
    | time
    | timedelta
    | UUID
    | bytes
    | PurePath
    | Enum
    | Secret
    | Credential
    | clixml.NumpyScalar
)
NestedValue: TypeAlias = "Scalar | Nest | None"
Nest: TypeAlias = "Sequence[NestedValue] | Mapping[str, NestedValue] | Mapping[int, NestedValue]"
#: What a parameter may be given.
ParameterValue: TypeAlias = "Scalar | Nest | Switch | ArgumentScript"
#: A script's parameters: values by name, or the service's own form, which is sent untouched.
Parameters: TypeAlias = Mapping[str, ParameterValue] | Sequence[ScriptParameter]

#: Names in lower case that the scripts around a user's script use themselves; PowerShell takes the beginning
#: of a parameter's name for the parameter.
RESERVED = frozenset({"_", "__", "__s", "__p", "__i", "__srs"})
BYTE_ORDER_MARK = "\ufeff"

# Four digits and a hyphen, or the old form of dates in JSON: nothing else is ever read as a date.
_DATE_LIKE = re.compile(r"\s*(?:\d{4}-|/Date\()")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: The service's parser takes longer whole numbers for malformed.
_MOST_BITS = 1024


def request_parameters(parameters: Parameters | None) -> list[dict[str, object]]:
    """Make a request's ``script_parameters``.

    Args:
        parameters: values by name, or `ScriptParameter` objects, which are sent untouched.

    Returns:
        The list to be sent, in the order given.

    Raises:
        InvalidArgumentTypeError: a name is no text, or a value is None or of a type that cannot be given to
            a script.
        InvalidArgumentValueError: a name is blank, reserved or given twice, or a value would not arrive as
            given.
    """
    if parameters is None:
        return []
    taken = set(RESERVED)
    if isinstance(parameters, Mapping):
        return [_by_name(_checked(name, taken), value) for name, value in parameters.items()]
    return [_raw(parameter, index, taken) for index, parameter in enumerate(_sequence(parameters))]


def exact(name: str, value: object) -> dict[str, object]:
    """Make one element of ``script_parameters`` from a value that is neither a switch nor a script.

    Args:
        name: the parameter's name.
        value: its value.

    Raises:
        InvalidArgumentTypeError: it is None or of a type that cannot be given to a script.
        InvalidArgumentValueError: it would not arrive exactly.
    """
    path = f"parameters[{name!r}]"
    plain = clixml.by_value(value)
    if plain is None:
        raise InvalidArgumentTypeError(
            f"{path} is None, which a script would get as True: leave the parameter out to have its default"
        )
    if isinstance(plain, int) and plain.bit_length() > _MOST_BITS:
        raise InvalidArgumentValueError(f"{path} is a whole number of more than {_MOST_BITS} bits")
    if _arrives_as_it_is(plain):
        return {"name": name, "value": plain}
    return {"name": name, "value": clixml.encode(value, path), "script": service_script("parameter-value")}


def _arrives_as_it_is(value: object) -> bool:
    if isinstance(value, str):
        return _DATE_LIKE.match(value) is None and _LONE_SURROGATE.search(value) is None
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))


def _by_name(name: str, value: object) -> dict[str, object]:
    match value:
        case Switch(on=True):
            return {"name": name}
        case Switch():
            return {"name": name, "value": False}
        case ArgumentScript():
            if not value.script:
                raise InvalidArgumentValueError(
                    f"parameters[{name!r}] is an argument script without a script"
                )
            script = value.script.removeprefix(BYTE_ORDER_MARK)
            if not value.allow_nothing:
                script = service_script("argument-script").replace("SCRIPT", script)
            return {"name": name, "script": script}
        case ScriptParameter():
            raise InvalidArgumentTypeError(
                f"parameters[{name!r}] is a ScriptParameter: give a list of them instead of a mapping"
            )
        case _:
            return exact(name, value)


def _sequence(parameters: object) -> Sequence[object]:
    if not isinstance(parameters, Sequence):
        kind = type(parameters).__name__
        raise InvalidArgumentTypeError(
            "parameters must be a mapping such as {'Name': 'web-1'} or a sequence of ScriptParameter,"
            f" not {kind}"
        )
    return cast("Sequence[object]", parameters)


def _raw(parameter: object, index: int, taken: set[str]) -> dict[str, object]:
    if not isinstance(parameter, ScriptParameter):
        raise InvalidArgumentTypeError(
            f"parameters[{index}] must be a ScriptParameter, not {type(parameter).__name__}"
        )
    members = {"name": _checked(parameter.name, taken), "value": parameter.value, "script": parameter.script}
    return {name: member for name, member in members.items() if member is not None}


def _checked(name: object, taken: set[str]) -> str:
    if not isinstance(name, str):
        raise InvalidArgumentTypeError(f"a parameter's name must be text, not {type(name).__name__}")
    if not name.strip():
        raise InvalidArgumentValueError("a parameter's name must not be blank")
    if name[0] in "$-":
        raise InvalidArgumentValueError(f"parameters[{name!r}] must be named without the {name[0]} before it")
    lower = name.lower()
    if lower in taken:
        if lower in RESERVED:
            raise InvalidArgumentValueError(
                f"parameters[{name!r}] is a reserved name: the script is sent inside one that has it"
            )
        raise InvalidArgumentValueError(
            f"parameters[{name!r}] is given twice: PowerShell ignores letter case"
        )
    taken.add(lower)
    return name
