"""Models as plain data, and plain data as JSON or YAML."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from enum import Enum
from typing import cast

import attrs


def as_data(value: object) -> object:
    """Return a value as what JSON can hold.

    Args:
        value: a model, a result, or what a script put out.

    Returns:
        Members by name for an object; a time as ISO 8601 with its zone; bytes as base64; what JSON has no
        form for as its text.
    """
    match value:
        case Enum():
            return as_data(cast("object", value.value))
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Mapping():
            members = cast("Mapping[object, object]", value)
            return {str(name): as_data(member) for name, member in members.items()}
        case Sequence() | set() | frozenset():
            return [as_data(item) for item in cast("Sequence[object]", value)]
        case _ if attrs.has(type(value)):
            return members_of(value)
        case _:
            return str(value)


def members_of(value: object) -> dict[str, object]:
    """Return the members of a model as plain data.

    Args:
        value: the model.
    """
    return {field.name: as_data(getattr(value, field.name)) for field in _fields(value)}


def _fields(value: object) -> Sequence[attrs.Attribute[object]]:
    found: Sequence[attrs.Attribute[object]] = attrs.fields(cast("type[attrs.AttrsInstance]", type(value)))
    return found


def to_json(data: object, *, indent: int | None = 2) -> str:
    """Write data as JSON.

    Args:
        data: what `as_data` returned.
        indent: spaces for each level; None for one line. Default 2.
    """
    return json.dumps(data, indent=indent, ensure_ascii=False)


def to_yaml(data: object) -> str:
    """Write data as YAML: its scalars as JSON has them, which YAML understands, so that none is mistaken.

    Args:
        data: what `as_data` returned.
    """
    return "\n".join(_yaml(data))


def _yaml(data: object) -> Iterator[str]:
    match data:
        case dict() if data:
            for name, value in cast("dict[str, object]", data).items():
                yield from _entry(f"{_scalar(name)}:", value)
        case list() if data:
            for value in cast("list[object]", data):
                first, *rest = _yaml(value)
                yield f"- {first}"
                yield from (f"  {line}" for line in rest)
        case _:
            yield _scalar(data)


def _entry(name: str, value: object) -> Iterator[str]:
    if _has_lines(value):
        yield name
        yield from (f"  {line}" for line in _yaml(value))
    else:
        yield f"{name} {_scalar(value)}"


def _has_lines(value: object) -> bool:
    return isinstance(value, dict | list) and bool(cast("list[object]", value))


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "." not in text:
        # One reader of YAML or another takes a number with an exponent and no point for a text.
        return text.replace("e", ".0e")
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"


_PLAIN = re.compile("[A-Za-z_][A-Za-z_0-9]*")
#: Words that mean something else in one version of YAML or another.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
