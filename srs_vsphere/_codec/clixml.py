"""CLIXML encoder: Python values as the XML that PowerShell's own serializer reads back exactly.

One whole number or one text would survive as JSON; lists, mappings, dates, secrets and the like would not.
What has no exact counterpart in PowerShell is refused, with the place where it was found.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import inf, isnan
from pathlib import PurePath
from typing import Protocol, cast
from uuid import UUID

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.models.credential import Credential
from srs_vsphere.secret import Secret

#: Deepest nesting that is encoded; PowerShell's reader gives up at 50.
MAX_DEPTH = 32

_START = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
_LIST = "<T>System.Collections.ArrayList</T><T>System.Object</T>"
_DICT = "<T>System.Collections.Hashtable</T><T>System.Object</T>"
_CREDENTIAL = "<T>System.Management.Automation.PSCredential</T><T>System.Object</T>"

# Control characters, lone surrogates and the two that XML lacks; an underscore that would start an escape.
_ESCAPED = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|_(?=[xX])")
_XML_SIGNS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_DECIMAL_DIGITS = 29
_DECIMAL_SCALE = 28
_LONGEST_DURATION = timedelta(days=10_675_199)


class NumpyScalar(Protocol):
    """A scalar of numpy, such as ``numpy.int64(5)``, which arrives as what it stands for."""

    @property
    def itemsize(self) -> int:
        """How many bytes it takes."""
        ...

    def item(self) -> object:
        """Return the value."""
        ...


class _NumpyTime(NumpyScalar, Protocol):
    def astype(self, kind: str, /) -> NumpyScalar: ...


class ClixmlText(str):
    """A CLIXML document, whose repr does not show it: it may hold secrets."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<CLIXML of {len(self)} characters>"


def encode(value: object, path: str = "value") -> ClixmlText:
    """Encode one value.

    Lists and tuples become an ``ArrayList``, mappings a ``Hashtable``, an enum's member its value, a scalar
    of numpy what it stands for, a path its text, a time a ``DateTime`` in UTC, a date a ``DateTime`` at
    midnight without a zone, a duration or a time of day a ``TimeSpan``, a `Secret` a ``SecureString``, a
    `Credential` a ``PSCredential``, a whole number the first of ``Int32``, ``Int64``, ``UInt64`` and
    ``Decimal`` that holds it.

    Args:
        value: text, number, boolean, Decimal, aware datetime, date, time without a zone, timedelta, UUID,
            bytes, path, numpy scalar, Secret, Credential, or lists and mappings of these and None.
        path: what errors call it, such as ``parameters['p']``.

    Returns:
        The CLIXML document.

    Raises:
        TypeError: it is None, or it is or holds a type that has no counterpart.
        ValueError: it holds a value that has no exact counterpart, itself, or too deep a nesting.
    """
    if by_value(value) is None:
        raise InvalidArgumentTypeError(f"{path} must not be None: PowerShell would get True")
    return ClixmlText(f"{_START}{''.join(_Encoder().element(value, '', path))}</Objs>")


def by_value(value: object) -> object:
    """Return what an enum's member, a numpy scalar or a path stands for, and anything else as it is."""
    while isinstance(value, Enum):
        value = cast("object", value.value)
    if isinstance(value, PurePath):
        return str(value)
    # Whoever has a value of numpy has loaded it.
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, cast("type", numpy.generic)):
        return value
    return _without_numpy(cast("_NumpyTime", value))


def _without_numpy(value: _NumpyTime) -> object:
    plain = value.item()
    match type(value).__name__:
        case "timedelta64" if isinstance(plain, int):
            # Too fine for a timedelta: it would be taken for a number.
            short = value.astype("timedelta64[us]")
            return short.item() if short == value else value
        case "datetime64" if not isinstance(plain, date):
            return value
        case _:
            return plain


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
        elif isinstance(value, Credential):
            yield from self._credential(value, name, path)
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
            plain = by_value(key)
            if plain is None or isinstance(plain, Secret):
                raise InvalidArgumentTypeError(f"{path} has {plain} for a key, which a Hashtable cannot have")
            encoded = _scalar(plain, ' N="Key"', f"the key {place}")
            text = _shown(plain).lower()
            if text in seen:
                raise InvalidArgumentValueError(
                    f"{place} differs from another key in letter case or type only: as texts they are one to"
                    " PowerShell"
                )
            seen.add(text)
            yield f"<En>{encoded}"
            yield from self.element(value, ' N="Value"', place)
            yield "</En>"
        yield "</DCT></Obj>"
        self._open.pop()

    def _credential(self, credential: Credential, name: str, path: str) -> Iterator[str]:
        yield self._enter(credential, name, _CREDENTIAL, path)
        yield "<Props>"
        yield _scalar(credential.username, ' N="UserName"', path)
        yield _scalar(credential.password, ' N="Password"', path)
        yield "</Props></Obj>"
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
            return "DT", _instant(value, path)
        case date():
            return "DT", f"{value.isoformat()}T00:00:00"
        case time():
            return "TS", _time_of_day(value, path)
        case timedelta():
            return "TS", _duration(value, path)
        case Secret():
            return "SS", _secret(value, path)
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


def _instant(value: datetime, path: str) -> str:
    if value.utcoffset() is None:
        raise InvalidArgumentValueError(f"{path} is a time without a time zone: give it one, such as UTC")
    try:
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        raise InvalidArgumentValueError(f"{path} is outside the years 1 to 9999 in UTC") from None


def _time_of_day(value: time, path: str) -> str:
    if value.tzinfo is not None:
        raise InvalidArgumentValueError(
            f"{path} is a time of day with a time zone, which a TimeSpan cannot hold"
        )
    since_midnight = datetime.combine(date.min, value) - datetime.combine(date.min, time.min)
    return _duration(since_midnight, path)


def _duration(value: timedelta, path: str) -> str:
    if abs(value) >= _LONGEST_DURATION:
        raise InvalidArgumentValueError(f"{path} is longer than a .NET TimeSpan can hold")
    minutes, seconds = divmod(abs(value), timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    sign = "-" if value < timedelta() else ""
    return f"{sign}P{days}DT{hours}H{minutes}M{seconds.seconds}.{seconds.microseconds:06}S"


def _secret(value: Secret, path: str) -> str:
    if not isinstance(value.reveal(), str):
        raise InvalidArgumentTypeError(
            f"{path} is a Secret that holds {type(value.reveal()).__name__}, not text"
        )
    if not value.reveal():
        raise InvalidArgumentValueError(
            f"{path} is an empty secret, which PowerShell cannot read: leave it out instead"
        )
    return value.reveal().encode("utf-16-le", "surrogatepass").hex()


def _shown(key: object) -> str:
    """Return the text that a key becomes, as far as two of different types may become the same."""
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return key.isoformat() if isinstance(key, date) else str(key)
