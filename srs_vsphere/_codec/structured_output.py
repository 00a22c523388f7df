"""Structured output: the wrapper that has a script's objects written as JSON, and what is read back from it.

The service's own json format reduces whatever lies deeper than one level to text. So for ``output="json"``
the user's script travels as a parameter of a wrapper, which turns each object into one JSON text itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

from srs_vsphere._codec import strict_json
from srs_vsphere._codec.models import WireError
from srs_vsphere.models.ps_document import PSDocument
from srs_vsphere.parameters import Parameters, exact, request_parameters

if TYPE_CHECKING:
    from cattrs.preconf.json import JsonConverter

T = TypeVar("T")

#: The wrapper, with DEPTH for the depth. What it does, in order:
#:
#: - It gathers the user's parameters, which come as pairs of ``-name`` and value, for splatting. Splatting
#:   ``$args`` itself would set a switch and then pass its value on as one argument more.
#: - It compiles the user's script. The bare ``throw`` turns a syntax error into an end with state ``error``.
#: - It runs the script in its own scope, so that variables persist as they do without a wrapper. No ``try``
#:   stands around that: within one, errors that the script itself would survive would end it.
#: - A pipeline that could not start (a mandatory parameter is missing, a value has the wrong type) reports
#:   one error and never comes to ``-End``. That is made an end with state ``error``, as it is without a
#:   wrapper.
WRAPPER = """\
param($__s) end {
    $__p = @{}
    for ($__i = 0; $__i -lt $args.Count; $__i += 2) { $__p["$($args[$__i])".Substring(1)] = $args[$__i + 1] }
    try { $__b = [scriptblock]::Create($__s) } catch { throw }
    $__r = @{ ended = $false }
    . $__b @__p | ForEach-Object -Process { ConvertTo-Json -InputObject $_ -Depth DEPTH -Compress } -End { $__r.ended = $true }
    if (-not $__r.ended) { throw $Error[0].Exception }
}
"""  # noqa: E501 - a line of the script
#: The wrapper's parameter that holds the user's script.
SCRIPT_PARAMETER = "__s"
DEFAULT_DEPTH = 8
#: PowerShell goes to 100, and so does the parser here, which needs one level for the object itself.
MAX_DEPTH = 99

_WRAPPED = re.compile(re.escape(WRAPPER).replace("DEPTH", r"(\d{1,2})"))


def wrapped(
    script: str, parameters: Parameters | None, depth: int = DEFAULT_DEPTH
) -> tuple[str, list[dict[str, object]]]:
    """Wrap a script so that its objects come back as JSON of any depth.

    Args:
        script: the user's script.
        parameters: the user's parameters.
        depth: how many levels below each object are kept; what lies deeper becomes text, with a warning.

    Returns:
        The script to send, and its ``script_parameters``; the format to ask for is json.

    Raises:
        TypeError: as for `request_parameters`.
        ValueError: the depth is not from 1 to 99, or as for `request_parameters`.
    """
    if not 1 <= depth <= MAX_DEPTH:
        raise ValueError(f"depth must be from 1 to {MAX_DEPTH}, not {depth}")
    inner = request_parameters(parameters)
    return WRAPPER.replace("DEPTH", str(depth)), [exact(SCRIPT_PARAMETER, script), *inner]


def wrapper_depth(script: str) -> int | None:
    """Tell whether a script is the wrapper, and of what depth.

    Args:
        script: any script.

    Returns:
        Its depth, None if it is another script.
    """
    match = _WRAPPED.fullmatch(script)
    return int(match[1]) if match else None


def documents(output: Sequence[object] | None) -> list[PSDocument]:
    """Read the service's own documents.

    Args:
        output: the service's answer: a list of texts, with None in it or instead of it while there is none.

    Returns:
        The objects, in order.

    Raises:
        WireError: it holds something else.
    """
    return [_document(text, index) for index, text in enumerate(output or ()) if text is not None]


def json_values(output: Sequence[object] | None) -> list[object]:
    """Read what a wrapped script put out.

    Args:
        output: the service's answer, as for `documents`.

    Returns:
        The values, in order: dicts, lists, texts, numbers, booleans, None.

    Raises:
        WireError: it holds something else.
    """
    return [
        _parsed(document.value, f"the value of output object {index}")
        for index, document in enumerate(documents(output))
    ]


def structurer(cls: type[T]) -> Callable[[object], T]:
    """Return the function that makes an object of a user's class of one JSON value.

    Args:
        cls: an attrs class, a dataclass, a typed dict, or what else cattrs knows.

    Returns:
        A function that raises `WireError` for a value that does not fit.
    """
    return cast("Callable[[object], T]", _structurer(cast("Hashable", cls)))


@cache
def _structurer(cls: Hashable) -> Callable[[object], object]:
    # Loaded on use, as in `_wire`: few programs need it, and importing it takes long.
    import cattrs

    hook = _users_converter().get_structure_hook(cast("type", cls))

    def structure(value: object) -> object:
        try:
            return hook(value, cls)
        except cattrs.BaseValidationError as error:
            raise WireError("; ".join(cattrs.transform_error(error))) from None
        except (TypeError, ValueError, KeyError) as error:
            raise WireError(f"the value does not fit the type: {error}") from None

    return structure


def _document(text: object, index: int) -> PSDocument:
    parsed = _parsed(text, f"output object {index}")
    if not isinstance(parsed, dict) or "Value" not in parsed:
        raise WireError(f"output object {index} is not a document with a Value")
    members = cast("dict[str, object]", parsed)
    type_name, interfaces = members.get("TypeName"), members.get("Interfaces")
    # None of them is null, and of a list with one element PowerShell keeps the element.
    several = cast("list[object]", interfaces) if isinstance(interfaces, list) else [interfaces]
    return PSDocument(
        type_name if isinstance(type_name, str) else None,
        [name for name in several if isinstance(name, str)],
        members["Value"],
    )


def _parsed(text: object, what: str) -> object:
    if not isinstance(text, str):
        raise WireError(f"{what} is not a text but of type {type(text).__name__}")
    try:
        return strict_json.loads_text(text)
    except ValueError as error:
        raise WireError(f"{what} is not JSON: {error}") from None


def _exactly(*kinds: type) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        if type(value) in kinds:
            return kinds[0](value)
        raise TypeError(f"{kinds[0].__name__} expected, not {type(value).__name__}")

    return structure


@cache
def _users_converter() -> JsonConverter:
    from cattrs.preconf.json import make_converter

    # Unlike cattrs by default, nothing is converted on a guess: null is not the text "None".
    converter = make_converter()
    converter.register_structure_hook(str, _exactly(str))
    converter.register_structure_hook(bool, _exactly(bool))
    converter.register_structure_hook(int, _exactly(int))
    converter.register_structure_hook(float, _exactly(float, int))
    return converter
