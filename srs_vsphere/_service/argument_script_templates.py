"""Filling in the service's templates: what it does not check, checked before anything is sent.

The service puts values between apostrophes without escaping them, replaces placeholders one after the other
(also within values put in before), passes over names it does not know, and leaves in the text what was
not filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.models.argument_script import ArgumentScriptTemplate

#: One text, or several for one placeholder.
PlaceholderValue: TypeAlias = str | Sequence[str]
PlaceholderValues: TypeAlias = Mapping[str, PlaceholderValue]

# PowerShell takes the typographic ones for the plain one.
_APOSTROPHES = re.compile("['\u2018\u2019\u201a\u201b]")


def escaped(text: str) -> str:
    """Escape a text for use between apostrophes in PowerShell.

    Returns:
        The text with each apostrophe doubled, typographic ones too.
    """
    return _APOSTROPHES.sub(lambda match: match[0] * 2, text)


def render_request(
    template: ArgumentScriptTemplate, values: PlaceholderValues | Sequence[PlaceholderValues]
) -> dict[str, object]:
    """Make the body of the request that fills in a template.

    Args:
        template: the template.
        values: for each placeholder its text or texts; a sequence of such mappings makes a line of each,
            and the script finds several objects.

    Returns:
        The body.

    Raises:
        TypeError: a value is not text.
        ValueError: a placeholder is unknown or not filled in, has no values at all, or the values hold one
            another's placeholders so that no order of filling them in is right.
    """
    lines = [values] if isinstance(values, Mapping) else list(values)
    if not lines:
        raise InvalidArgumentValueError("values must fill in the template at least once")
    return {
        "template_id": template.id,
        "template_placeholder_value_list": [{"values": _line(template, line)} for line in lines],
    }


def _line(template: ArgumentScriptTemplate, values: PlaceholderValues) -> list[dict[str, object]]:
    known = dict.fromkeys(template.placeholders)
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InvalidArgumentValueError(
            f"{template.id} has no placeholder {_listed(unknown)}, only {_listed(known)}"
        )
    missing = [name for name in known if name not in values]
    if missing:
        raise InvalidArgumentValueError(f"{template.id} needs a value for {_listed(missing)}")
    texts = {name: _texts(name, values[name]) for name in known}
    return [{"placeholder_name": name, "value": texts[name]} for name in _ordered(template.id, texts)]


def _texts(name: str, value: object) -> list[str]:
    several = cast("Sequence[object]", value) if isinstance(value, list | tuple) else [value]
    if not several:
        raise InvalidArgumentValueError(f"values[{name!r}] is empty: the service would put in an empty text")
    texts: list[str] = []
    for text in several:
        if not isinstance(text, str):
            raise InvalidArgumentTypeError(
                f"values[{name!r}] must be text or a list of texts, not {type(text).__name__}"
            )
        texts.append(escaped(text))
    return texts


def _ordered(template_id: str, texts: Mapping[str, list[str]]) -> list[str]:
    """Order the placeholders so that none is replaced within a value put in before it."""
    left, ordered = list(texts), list[str]()
    while left:
        # A placeholder may be filled in when no value still to come after it has to come before it. A value
        # that holds its own placeholder does no harm: what was just put in is not looked at again.
        free = [
            name
            for name in left
            if not any(f"<{other}>" in text for other in left if other != name for text in texts[name])
        ]
        if not free:
            raise InvalidArgumentValueError(
                f"the values of {_listed(left)} hold each other's placeholders, which {template_id} would"
                " replace"
            )
        ordered.append(free[0])
        left.remove(free[0])
    return ordered


def _listed(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(repr(name) for name in names)
