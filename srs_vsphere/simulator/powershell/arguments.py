"""The parameters that a script is given, bound to those that it has."""

from __future__ import annotations

from collections.abc import Sequence

from srs_vsphere.simulator.objects.errors import ScriptError, StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.powershell.commands import COMMON
from srs_vsphere.simulator.powershell.conversions import EMPTY, bound
from srs_vsphere.simulator.powershell.machine import Machine, Parameter, ScriptBlock

_TWICE = (
    "Cannot bind parameter because parameter '{}' is specified more than once. To provide multiple values to "
    "parameters that can accept multiple values, use the array syntax. For example, "
    '"-parameter value1,value2,value3".'
)
_AMBIGUOUS = (
    "Parameter cannot be processed because the parameter name '{}' is ambiguous. Possible matches include: "
    "-ProgressAction -PipelineVariable."
)


def bind(block: ScriptBlock, given: Sequence[tuple[str, object]], machine: Machine) -> None:
    """Give a script its parameters, as names with values; an error if they do not fit."""
    found: dict[str, object] = {}
    left: list[object] = []
    for name, value in given:
        parameter = _find(block, name)
        if parameter is None and not block.advanced:
            left += [f"-{name}", value]
        elif parameter is None:
            what = f"A parameter cannot be found that matches parameter name '{name}'."
            raise _not_bound(what, "NamedParameterNotFound")
        elif parameter.name.lower() in found:
            raise _not_bound(_TWICE.format(name), "ParameterAlreadyBound")
        else:
            found[parameter.name.lower()] = _converted(parameter, value)
    missing = [each.name for each in block.parameters if each.mandatory and each.name.lower() not in found]
    if missing:
        what = "Cannot process command because of one or more missing mandatory parameters: "
        raise _not_bound(f"{what}{' '.join(missing)}.", "MissingMandatoryParameter")
    for parameter in block.parameters:
        name = parameter.name.lower()
        value = found[name] if name in found else _default(parameter, machine)
        machine.declare(name, parameter.type, value)
    machine.variables["args"] = left


def _not_bound(what: str, id: str) -> ScriptError:
    return ScriptError(what, "ParameterBindingException", id=id, category="InvalidArgument")


def _find(block: ScriptBlock, name: str) -> Parameter | None:
    wanted = name.lower()
    own = [parameter.name.lower() for parameter in block.parameters]
    if wanted in own:
        return block.parameters[own.index(wanted)]
    beginning = [full for full in own if full.startswith(wanted)]
    common = [full for full in COMMON if block.advanced and full.startswith(wanted)]
    if wanted == "p" and common and not beginning:
        raise _not_bound(_AMBIGUOUS.format(name), "AmbiguousParameter")
    if beginning or common:
        raise NotUnderstoodError(f"the parameter name {name}, which is the beginning of another one")
    return None


def _converted(parameter: Parameter, value: object) -> object:
    try:
        return bound(value, parameter.type)
    except StatementError as error:
        message = f"Cannot process argument transformation on parameter '{parameter.name}'. {error.message}"
        kind, code = "ParameterBindingArgumentTransformationException", "ParameterArgumentTransformationError"
        raise ScriptError(message, kind, id=code, category="InvalidData") from None


def _default(parameter: Parameter, machine: Machine) -> object:
    if parameter.default is not None:
        try:
            return bound(parameter.default(machine), parameter.type)
        except StatementError as error:
            raise NotUnderstoodError("an error in the default of a parameter") from error
    if parameter.type is not None and parameter.type not in EMPTY and not parameter.type.endswith("[]"):
        raise NotUnderstoodError(f"a [{parameter.type}] parameter without a value")
    return EMPTY.get(parameter.type or "")
