"""The parameters that a script is given, bound to those that it has."""

from __future__ import annotations

from collections.abc import Sequence

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.powershell.conversions import EMPTY, bound
from srs_vsphere.simulator.powershell.errors import ScriptError, StatementError
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
        NotUnderstoodError: it is not certain what becomes of them.
    """
    values: dict[str, object] = {}
    left: list[object] = []
    for name, value in given:
        parameter = _find(block, name)
        if parameter is None and not block.advanced:
            left += [f"-{name}", value]
        elif parameter is None:
            what = f"A parameter cannot be found that matches parameter name '{name}'."
            raise ScriptError(what, _BINDING, id="NamedParameterNotFound", category="InvalidArgument")
        elif parameter.name.lower() in values:
            raise ScriptError(
                f"Cannot bind parameter because parameter '{name}' is specified more than once. To provide "
                "multiple values to parameters that can accept multiple values, use the array syntax. For "
                'example, "-parameter value1,value2,value3".',
                _BINDING,
                id="ParameterAlreadyBound",
                category="InvalidArgument",
            )
        else:
            values[parameter.name.lower()] = _converted(parameter, value)
    missing = [each.name for each in block.parameters if each.mandatory and each.name.lower() not in values]
    if missing:
        what = "Cannot process command because of one or more missing mandatory parameters: "
        what += f"{' '.join(missing)}."
        raise ScriptError(what, _BINDING, id="MissingMandatoryParameter", category="InvalidArgument")
    for parameter in block.parameters:
        name = parameter.name.lower()
        scope.set(name, values[name] if name in values else _default(parameter, scope))
        if parameter.type is not None:
            scope.machine.typed.add(name)
    scope.set("args", left)


def _find(block: ScriptBlock, name: str) -> Parameter | None:
    wanted = name.lower()
    for parameter in block.parameters:
        if parameter.name.lower() == wanted:
            return parameter
    beginning = [parameter for parameter in block.parameters if parameter.name.lower().startswith(wanted)]
    common = [other for other in _COMMON if block.advanced and other.lower().startswith(wanted)]
    if len(beginning) + len(common) > 1:
        # PowerShell names them in an order of its own, which only a recording tells.
        matches = ["-ProgressAction", "-PipelineVariable"] if wanted == "p" and not beginning else []
        if not matches:
            raise NotUnderstoodError(f"the ambiguous parameter name {name}")
        raise ScriptError(
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible "
            f"matches include: {' '.join(matches)}.",
            _BINDING,
            id="AmbiguousParameter",
            category="InvalidArgument",
        )
    if common:
        raise NotUnderstoodError(f"the common parameter -{common[0]} of a script")
    return beginning[0] if beginning else None


def _converted(parameter: Parameter, value: object) -> object:
    if parameter.type is None:
        return value
    try:
        return bound(value, parameter.type)
    except StatementError as error:
        raise ScriptError(
            f"Cannot process argument transformation on parameter '{parameter.name}'. {error.message}",
            "ParameterBindingArgumentTransformationException",
            id="ParameterArgumentTransformationError",
            category="InvalidData",
        ) from None


def _default(parameter: Parameter, scope: Scope) -> object:
    if parameter.default is None:
        if parameter.type is None or parameter.type.endswith("[]"):
            return None
        if parameter.type not in EMPTY:
            raise NotUnderstoodError(f"a [{parameter.type}] parameter without a value")
        return EMPTY[parameter.type]
    value = parameter.default(scope)
    return value if parameter.type is None else bound(value, parameter.type)
