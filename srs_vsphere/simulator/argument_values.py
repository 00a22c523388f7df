"""The values of parameters on their way from a request to a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from srs_vsphere.simulator.bodies import ParameterBody
from srs_vsphere.simulator.clixml import ClixmlError, decode
from srs_vsphere.simulator.lenient_json import Value
from srs_vsphere.simulator.objects.values import Int64, PsObject, fits
from srs_vsphere.simulator.service_scripts import recognised

#: A parameter script that only turns CLIXML into the value that it stands for, lists into an ArrayList.
_CARRIER = "param($argument) ,[System.Management.Automation.PSSerializer]::Deserialize($argument)"
_DATE_LIKE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


def carried(argument: object, script: str) -> list[object] | None:
    """Return the values that travel as CLIXML, None if the script is not one that turns CLIXML into values.

    Args:
        argument: what the script is given.
        script: the script of a parameter.

    Raises:
        ClixmlError: the text cannot be read.
    """
    arrays = recognised("parameter-value", script) is not None
    if not isinstance(argument, str) or not (arrays or script.strip() == _CARRIER):
        return None
    return [value for value in decode(argument, arrays=arrays) if value is not None]


def argument(values: Sequence[object]) -> object:
    """Return what a parameter gets of some values: without any it is taken for a switch.

    Args:
        values: what its script gave, or what was sent.
    """
    if len(values) > 1:
        return list(values)
    return True if not values or values[0] is None else values[0]


def seen(parameter: ParameterBody) -> object:
    """Return what a registered behaviour sees of a parameter whose own script has not run yet.

    Args:
        parameter: the parameter.
    """
    with suppress(ClixmlError):
        values = carried(parameter.value, parameter.script or "")
        if values is not None:
            return argument(values)
    return argument(from_json(parameter.value))


def is_date(value: Value) -> bool:
    """Say whether a value arrives as a date.

    Args:
        value: what was sent.
    """
    return isinstance(value, str) and isinstance(_converted(value), datetime)


def from_json(value: Value) -> list[object]:
    """Return what a value becomes on its way to the script: of an array only the first element arrives.

    Args:
        value: what was sent.
    """
    if isinstance(value, list):
        return [_converted(value[0])] if value else []
    return [] if value is None else [_converted(value)]


def _converted(value: Value) -> object:
    if isinstance(value, dict):
        return PsObject({name: _converted(member) for name, member in value.items()})
    if isinstance(value, list):
        return [_converted(element) for element in value]
    if isinstance(value, str) and _DATE_LIKE.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, int) and not isinstance(value, bool) and fits(value, 64):
        return Int64(value)
    return value
