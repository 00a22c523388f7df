"""The parameters that a script is given, bound to those that it has."""

from __future__ import annotations

from collections.abc import Sequence

from srs_vsphere.simulator.powershell.conversions import conversion_failure, convert
from srs_vsphere.simulator.powershell.errors import ScriptError
from srs_vsphere.simulator.powershell.machine import Parameter, Scope, ScriptBlock

_COMMON = (
    "Verbose",
    "Debug",
    "ErrorAction",
    "WarningAction",
    "InformationAction",
    "ProgressAction",
    "ErrorVariable",
    "WarningVariable",
    "InformationVariable",
    "OutVariable",
    "OutBuffer",
    "PipelineVariable",
)
_BINDING = "ParameterBindingException"


def bind(block: ScriptBlock, given: Sequence[tuple[str, object]], scope: Scope) -> None:
    """Give a script its parameters.

    Args:
        block: the script.
        given: names and values.
        scope: where its variables are.

    Raises:
        ScriptError: they do not fit.
    """
    bound: dict[str, object] = {}
    left: list[object] = []
    for name, value in given:
        parameter = _find(block, name)
        if parameter is None and not block.advanced:
            left += [f"-{name}", value]
        elif parameter is None:
            what = f"A parameter cannot be found that matches parameter name '{name}'."
            raise ScriptError(_BINDING, what)
        elif parameter.name.lower() in bound:
            raise ScriptError(
                _BINDING,
                f"Cannot bind parameter because parameter '{name}' is specified more than once. To provide "
                "multiple values to parameters that can accept multiple values, use the array syntax. For "
                'example, "-parameter value1,value2,value3".',
            )
        else:
            bound[parameter.name.lower()] = _converted(parameter, value)
    missing = [
        parameter.name
        for parameter in block.parameters
        if parameter.mandatory and parameter.name.lower() not in bound
    ]
    if missing:
        what = "Cannot process command because of one or more missing mandatory parameters: "
        raise ScriptError(_BINDING, what + " ".join(missing) + ".")
    for parameter in block.parameters:
        name = parameter.name.lower()
        if name in bound:
            scope.set(name, bound[name])
        else:
            scope.set(name, None if parameter.default is None else parameter.default(scope))
    scope.set("args", left)


def _find(block: ScriptBlock, name: str) -> Parameter | None:
    wanted = name.lower()
    for parameter in block.parameters:
        if parameter.name.lower() == wanted:
            return parameter
    beginning = [parameter for parameter in block.parameters if parameter.name.lower().startswith(wanted)]
    common = [other for other in _COMMON if block.advanced and other.lower().startswith(wanted)]
    if len(beginning) + len(common) > 1:
        matches = " ".join(f"-{match}" for match in [*(own.name for own in beginning), *common])
        raise ScriptError(
            _BINDING,
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible "
            f"matches include: {matches}.",
        )
    return beginning[0] if beginning else None


def _converted(parameter: Parameter, value: object) -> object:
    if parameter.type is None:
        return value
    try:
        return convert(value, parameter.type)
    except ScriptError:
        why = conversion_failure(value, parameter.type)
        raise ScriptError(
            "ParameterBindingArgumentTransformationException",
            f"Cannot process argument transformation on parameter '{parameter.name}'. {why}",
        ) from None
