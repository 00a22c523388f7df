"""What comes back in the json format: the service's own documents, and in them values of any depth.

The service's own json format reduces whatever lies deeper than one level to text. So for ``output="json"``
the user's script runs inside ``structured-output.ps1``, which writes the JSON itself: each document's value
is a text, a list of values, and the last one an object with the last values and what is known of the errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from attrs import field, frozen

from srs_vsphere._codec import strict_json
from srs_vsphere._codec.models import WireError
from srs_vsphere._codec.scalars import WrittenFloat
from srs_vsphere.models.ps_document import PSDocument


@frozen
class PowerShellError:
    """What PowerShell knows of an error, whether or not the script handled it.

    Args:
        message: its text.
        id: the fully qualified id.
        category: the category's name.
        target: what it is about, as text.
        type: full name of the exception's type.
        trace: the script's stack, a frame a line.
    """

    message: str = ""
    id: str = ""
    category: str = ""
    target: str = ""
    type: str = ""
    trace: str = ""


@frozen
class StructuredOutput:
    """What a script put out as values.

    Args:
        values: the values, in order.
        errors: all errors, oldest first.
        ended: whether the last text is there, which tells that the script came to its end.
    """

    values: list[object] = field(factory=list[object])
    errors: list[PowerShellError] = field(factory=list[PowerShellError])
    ended: bool = False


def documents(output: Sequence[object] | None) -> list[PSDocument]:
    """Read the service's own documents.

    Args:
        output: the service's response: a list of texts, with None in it or instead of it while there is none.

    Returns:
        The objects, in order.

    Raises:
        WireError: it holds something else.
    """
    return [_document(text, index) for index, text in enumerate(output or ()) if text is not None]


def structured(output: Sequence[object] | None, *, digits: bool = False) -> StructuredOutput:
    """Read what a script put out inside ``structured-output.ps1``, or ``structured-rest.ps1`` after it.

    Args:
        output: the service's response, as for `documents`.
        digits: whether numbers with a fraction are `WrittenFloat`, with the digits that were written.

    Returns:
        The values, and what was told at the end.

    Raises:
        WireError: it holds something else.
    """
    values: list[object] = []
    errors: list[PowerShellError] = []
    ended = False
    for index, document in enumerate(documents(output)):
        what = f"the value of output object {index}"
        batch = _parsed(document.value, what, digits=digits)
        if isinstance(batch, dict):
            last = cast("dict[str, object]", batch)
            batch, ended = last.get("end"), True
            errors = _errors(last.get("errors"), what)
        if not isinstance(batch, list):
            raise WireError(f"{what} is no list of values")
        values += cast("list[object]", batch)
    return StructuredOutput(values, errors, ended)


def _errors(told: object, what: str) -> list[PowerShellError]:
    if not isinstance(told, list):
        raise WireError(f"{what} has no list of errors")
    errors: list[PowerShellError] = []
    for error in cast("list[object]", told):
        if not isinstance(error, dict):
            raise WireError(f"{what} has an error that is no object")
        members = cast("dict[str, object]", error)
        texts = {name: members.get(name) for name in ("message", "id", "category", "target", "type", "trace")}
        errors.append(PowerShellError(**{name: _text(text) for name, text in texts.items()}))
    return errors


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


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


def _parsed(text: object, what: str, *, digits: bool = False) -> object:
    if not isinstance(text, str):
        raise WireError(f"{what} is not a text but of type {type(text).__name__}")
    try:
        return strict_json.loads_text(text, WrittenFloat if digits else None)
    except ValueError as error:
        problem = str(error)
    raise WireError(f"{what} is not JSON: {problem}")
