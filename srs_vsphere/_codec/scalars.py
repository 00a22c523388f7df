"""Single values out of a script: numbers with the digits that were written, texts that stand for something.

PowerShell writes times as ISO 8601, durations as ``[-][d.]hh:mm:ss[.fffffff]``, enums by name, and numbers
that JSON lacks as texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum, Flag
from functools import partial
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import PurePath
from typing import Self, cast
from uuid import UUID

_LONGEST_SHOWN = 80
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DURATION = re.compile(r"(-)?(?:(\d+)\.)?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?", re.ASCII)
_ADDRESSES = (IPv4Address, IPv6Address, IPv4Interface, IPv6Interface, IPv4Network, IPv6Network)
#: What errors call a value; the more exact kinds first.
_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
}
_NOT_IN_JSON = {"NaN", "Infinity", "-Infinity"}


class WrittenFloat(float):
    """A number as JSON has it, with the digits that were written.

    Args:
        text: those digits.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


class Misfit(Exception):
    """A value does not fit what was asked for.

    Args:
        problems: the place of each problem below the value, such as ``.disks[0]``, and the problem.
        wanted: what was asked for, if it is one problem of the value itself.
    """

    def __init__(self, problems: list[tuple[str, str]], wanted: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems
        self.wanted = wanted

    def within(self, place: str) -> Misfit:
        """Return the same as seen from one level higher.

        Args:
            place: where the value stands there.
        """
        return Misfit([(place + below, problem) for below, problem in self.problems], self.wanted)

    @classmethod
    def of(cls, misfits: Iterable[Misfit]) -> Misfit:
        """Join several.

        Args:
            misfits: all that was found in one value.
        """
        return cls([problem for misfit in misfits for problem in misfit.problems], ())


def misfit(value: object, *wanted: str, said: str | None = None) -> Misfit:
    """Return the problem of a value.

    Args:
        value: what was held.
        *wanted: what was asked for.
        said: what a class itself said of it.
    """
    text = f"{_kind(value)} where {' or '.join(wanted)} was expected"
    if value is not None:
        shown = repr(plain(value))
        text += f": {shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + '…'}"
    return Misfit([("", text if said is None else f"{text} ({said})")], wanted)


def missing(key: str, data: Mapping[str, object]) -> Misfit:
    """Return the problem of a value that lacks a member.

    Args:
        key: the member's name.
        data: the members that it has.
    """
    there = ", ".join(data) or "none"
    shown = there if len(there) <= _LONGEST_SHOWN else there[: _LONGEST_SHOWN - 1] + "…"
    return Misfit([("", f"no member {key}, only: {shown}")], ())


def plain(value: object) -> object:
    """Return a value without the digits that were written, as the standard library has it.

    Args:
        value: a value out of JSON.
    """
    if isinstance(value, WrittenFloat):
        return float(value)
    if isinstance(value, list):
        return [plain(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in cast("dict[str, object]", value).items()}
    return value


def matched(data: Mapping[str, object], keys: Sequence[str]) -> dict[str, object]:
    """Find members by name: as it is written, and otherwise ignoring letter case, as PowerShell does.

    Args:
        data: the value's members.
        keys: the names that are looked for.

    Returns:
        The members found, by the names that were looked for.
    """
    found = {key: data[key] for key in keys if key in data}
    left = [key for key in keys if key not in data]
    if left:
        folded = {name.casefold(): name for name in data if name not in found}
        for key in left:
            name = folded.pop(key.casefold(), None)
            if name is not None:
                found[key] = data[name]
    return found


def scalar_hook(kind: type) -> Callable[[object], object] | None:
    """Return the function that makes a single value, None if the type is none of those."""
    if kind in _HOOKS:
        return _HOOKS[kind]
    if issubclass(kind, Enum):
        return partial(_enum, kind)
    if issubclass(kind, PurePath):
        return partial(_from_text, "a path", kind)
    if kind in _ADDRESSES:
        return partial(_from_text, f"an address ({kind.__name__})", cast("Callable[[str], object]", kind))
    return None


def _kind(value: object) -> str:
    return next((name for kind, name in _KINDS.items() if isinstance(value, kind)), "an object")


def _exactly(kind: type, wanted: str, value: object) -> object:
    if type(value) is not kind:
        raise misfit(value, wanted)
    return value


def _whole(value: object) -> object:
    if type(value) is int:
        return value
    # What Measure-Object adds up is a float, also where all of it is whole.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise misfit(value, "a whole number")


def _number(value: object) -> object:
    if isinstance(value, float) or type(value) is int:
        return float(value)
    if isinstance(value, str) and value in _NOT_IN_JSON:
        return float(value)
    raise misfit(value, "a number")


def _decimal(value: object) -> object:
    try:
        if isinstance(value, WrittenFloat):
            return Decimal(value.text)
        if type(value) is int:
            return Decimal(value)
        if isinstance(value, float):
            return Decimal(repr(value))
        if isinstance(value, str) and value.strip() == value:
            return Decimal(value)
    except InvalidOperation:
        pass
    raise misfit(value, "a decimal number")


def _from_text(wanted: str, make: Callable[[str], object], value: object) -> object:
    if type(value) is str:
        try:
            return make(value)
        except ValueError:
            pass
    raise misfit(value, wanted)


def _datetime(text: str) -> datetime:
    if _ISO_DATE.match(text) is None:
        raise ValueError("no ISO 8601")
    return datetime.fromisoformat(text)


def _date(text: str) -> date:
    return _datetime(text).date()


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("no duration")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    # Python has no room for the seventh digit.
    micros = int((fraction or "0").ljust(7, "0")[:6])
    length = timedelta(int(days or 0), int(seconds), micros, 0, int(minutes), int(hours))
    return -length if sign else length


def _enum(kind: type[Enum], value: object) -> object:
    value = plain(value)
    for member in kind:
        if type(member.value) is type(value) and member.value == value:
            return member
    if isinstance(value, str):
        by_name = {name.casefold(): member for name, member in kind.__members__.items()}
        names = value.split(", ") if issubclass(kind, Flag) else [value]
        members = [by_name.get(name.casefold()) for name in names]
        if all(member is not None for member in members):
            found = cast("list[Enum]", members)
            return found[0] if len(found) == 1 else _together(cast("list[Flag]", found))
    raise misfit(value, f"one of {', '.join(kind.__members__)} ({kind.__name__})")


def _together(flags: list[Flag]) -> Flag:
    together = flags[0]
    for flag in flags[1:]:
        together |= flag
    return together


_BYTE = range(256)


def _bytes(value: object) -> object:
    numbers = _numbers(value)
    if numbers is None or not all(number in _BYTE for number in numbers):
        raise misfit(value, "a list of bytes")
    return bytes(numbers)


def _numbers(value: object) -> list[int] | None:
    items = cast("list[object]", value) if type(value) is list else [None]
    return cast("list[int]", items) if all(type(item) is int for item in items) else None


def _none(value: object) -> object:
    if value is not None:
        raise misfit(value, "null")
    return None


_HOOKS: dict[type, Callable[[object], object]] = {
    str: partial(_exactly, str, "a text"),
    bool: partial(_exactly, bool, "a boolean"),
    int: _whole,
    float: _number,
    Decimal: _decimal,
    bytes: _bytes,
    type(None): _none,
    datetime: partial(_from_text, "a time (ISO 8601)", _datetime),
    date: partial(_from_text, "a date (ISO 8601)", _date),
    timedelta: partial(_from_text, "a duration ([-][d.]hh:mm:ss[.fffffff])", _duration),
    UUID: partial(_from_text, "a UUID", UUID),
}
