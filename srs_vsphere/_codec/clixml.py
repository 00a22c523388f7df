"""CLIXML encoder: Python values as the XML that PowerShell's own serializer reads back exactly.

One whole number or one text would survive as JSON; lists, mappings, dates and the like would not. What has
no exact counterpart in PowerShell is refused, with the place where it was found.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from math import inf, isnan
from typing import cast
from uuid import UUID

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError

#: Deepest nesting that is encoded; PowerShell's reader gives up at 50.
MAX_DEPTH = 32

_START = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
_LIST = "<T>System.Collections.ArrayList</T><T>System.Object</T>"
_DICT = "<T>System.Collections.Hashtable</T><T>System.Object</T>"

# Control characters, lone surrogates and the two that XML lacks; an underscore that would start an escape.
_ESCAPED = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|_(?=[xX])")
_XML_SIGNS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_DECIMAL_DIGITS = 29
_DECIMAL_SCALE = 28


def encode(value: object, path: str = "value") -> str:
    """Encode one value.

    Lists and tuples become an ``ArrayList``, mappings a ``Hashtable``, a member of an enum its value, a time
    a ``DateTime`` in UTC, a whole number the first of ``Int32``, ``Int64``, ``UInt64`` and ``Decimal`` that
    holds it.

    Args:
        value: text, number, boolean, Decimal, aware datetime, UUID, bytes, or lists and mappings of these and
            None.
        path: what errors call it, such as ``parameters['p']``.

    Returns:
        The CLIXML document.

    Raises:
        TypeError: it is None, or it is or holds a type that has no counterpart.
        ValueError: it holds a value that has no exact counterpart, itself, or too deep a nesting.
    """
    if by_value(value) is None:
        raise InvalidArgumentTypeError(f"{path} must not be None: PowerShell would get True")
    return f"{_START}{''.join(_Encoder().element(value, '', path))}</Objs>"


def by_value(value: object) -> object:
    """Return what an enum's member stands for, and anything else as it is."""
    while isinstance(value, Enum):
        value = cast("object", value.value)
    return value


class _Encoder:
    def __init__(self) -> None:
        self._last_ref = -1
        self._open: list[int] = []

    def element(self, value: object, name: str, path: str) -> Iterator[str]:
        value = by_value(value)
        if isinstance(value, Mapping):
            yield from self._mapping(cast("Mapping[object, object]", value), name, path)
        elif isinstance(value, list | tuple):
            yield from self._list(cast("list[object] | tuple[object, ...]", value), name, path)
        elif value is None:
            yield f"<Nil{name}/>"
        else:
            yield _scalar(value, name, path)

    def _list(self, items: list[object] | tuple[object, ...], name: str, path: str) -> Iterator[str]:
        yield self._enter(items, name, _LIST, path)
        yield "<LST>"
        for index, item in enumerate(items):
            yield from self.element(item, "", f"{path}[{index}]")
        yield "</LST></Obj>"
        self._open.pop()

    def _mapping(self, mapping: Mapping[object, object], name: str, path: str) -> Iterator[str]:
        yield self._enter(mapping, name, _DICT, path)
        yield "<DCT>"
        seen: set[str] = set()
        for key, value in mapping.items():
            place = f"{path}[{key!r}]" if isinstance(key, str | int) else f"{path}[{type(key).__name__}]"
            if by_value(key) is None:
                raise InvalidArgumentTypeError(f"{path} has None for a key, which a Hashtable cannot have")
            encoded = _scalar(by_value(key), ' N="Key"', f"the key {place}")
            if encoded.lower() in seen:
                raise InvalidArgumentValueError(
                    f"{place} differs from another key in letter case only: PowerShell ignores it"
                )
            seen.add(encoded.lower())
            yield f"<En>{encoded}"
            yield from self.element(value, ' N="Value"', place)
            yield "</En>"
        yield "</DCT></Obj>"
        self._open.pop()

    def _enter(self, container: object, name: str, types: str, path: str) -> str:
        if id(container) in self._open:
            raise InvalidArgumentValueError(f"{path} contains itself")
        if len(self._open) >= MAX_DEPTH:
            raise InvalidArgumentValueError(f"{path} is nested deeper than {MAX_DEPTH} levels")
        self._open.append(id(container))
        self._last_ref += 1
        ref = self._last_ref
        return f'<Obj{name} RefId="{ref}"><TN RefId="{ref}">{types}</TN>'


def _scalar(value: object, name: str, path: str) -> str:
    tag, text = _tagged(value, path)
    return f"<{tag}{name}>{text}</{tag}>"


def _tagged(value: object, path: str) -> tuple[str, str]:
    match value:
        case str():
            return "S", _text(value)
        case bool():
            return "B", "true" if value else "false"
        case int():
            return _whole_number(value, path)
        case float():
            return "Db", _float(value)
        case Decimal():
            return "D", _decimal(value, path)
        case datetime():
            return "DT", _time(value, path)
        case UUID():
            return "G", str(value)
        case bytes() | bytearray():
            return "BA", base64.b64encode(value).decode("ascii")
        case _:
            raise InvalidArgumentTypeError(
                f"{path} is of type {type(value).__name__}, which cannot be given to a script"
            )


def _text(text: str) -> str:
    escaped = _ESCAPED.sub(_escape, text)
    # A reader of XML may drop a text of nothing but spaces.
    if escaped and not escaped.strip():
        escaped = re.sub(r"\s", _escape, escaped)
    return escaped.translate(_XML_SIGNS)


def _escape(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def _whole_number(value: int, path: str) -> tuple[str, str]:
    if -(2**31) <= value < 2**31:
        return "I32", str(value)
    if -(2**63) <= value < 2**63:
        return "I64", str(value)
    if 0 <= value < 2**64:
        return "U64", str(value)
    if abs(value) < 2**96:
        return "D", str(value)
    raise InvalidArgumentValueError(
        f"{path} is a whole number of more than 96 bits, which a list or mapping cannot carry"
    )


def _float(value: float) -> str:
    if isnan(value):
        return "NaN"
    if value in {inf, -inf}:
        return "INF" if value > 0 else "-INF"
    return repr(float(value))


def _decimal(value: Decimal, path: str) -> str:
    if not value.is_finite():
        raise InvalidArgumentValueError(f"{path} is {value}, which a .NET Decimal cannot hold")
    # Looking at the exponent first keeps 1E+999999 from being written out.
    if value and (value.adjusted() >= _DECIMAL_DIGITS or value.adjusted() < -_DECIMAL_SCALE):
        raise InvalidArgumentValueError(f"{path} is too large or too small for a .NET Decimal")
    if not value:
        return "0"
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".") if len(text.partition(".")[2]) > _DECIMAL_SCALE else text
    digits, _, fraction = text.partition(".")
    if len(fraction) > _DECIMAL_SCALE or abs(int(digits + fraction)) >= 2**96:
        raise InvalidArgumentValueError(f"{path} has more digits than a .NET Decimal can hold")
    return text


def _time(value: datetime, path: str) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentValueError(f"{path} is a time without a time zone: give it one, such as UTC")
    try:
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        raise InvalidArgumentValueError(f"{path} is outside the years 1 to 9999 in UTC") from None
