"""The texts of values, as PowerShell makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
from uuid import UUID

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    EnumValue,
    SwitchParameter,
    TypeName,
    check_size,
    elements,
    is_mapping,
    is_object,
    type_name,
)


def number_text(value: float) -> str:
    """Return a number as PowerShell writes it: fifteen digits of it."""
    if not isfinite(value):
        return {"inf": "∞", "-inf": "-∞"}.get(str(value), "NaN")
    digits, _, exponent = f"{value:.14e}".partition("e")
    power = int(exponent)
    if value == 0:
        return "-0" if str(value).startswith("-") else "0"
    if -5 < power < 15:
        plain = f"{Decimal(digits).scaleb(power):f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    digits = digits.rstrip("0").rstrip(".")
    return f"{digits}E{'-' if power < 0 else '+'}{abs(power):02d}"


def to_string(value: object) -> str:
    """Return what the value's own ``ToString`` gives."""
    if value is None or is_object(value):
        return ""
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return f"{value:%m/%d}/{value.year:04} {value:%H:%M:%S}"
    if isinstance(value, timedelta):
        return _duration_text(value)
    if isinstance(value, EnumValue):
        return value.name
    if isinstance(value, TypeName):
        return value.full
    if isinstance(value, SwitchParameter):
        return str(value.present)
    if isinstance(value, bool | int | str | UUID | Decimal):
        return str(value)
    return type_name(value)


def element_text(value: object) -> str:
    """Return the text that PowerShell makes of a value that stands among others."""
    if is_mapping(value) and is_object(value):
        return "@{" + "; ".join(f"{name}={to_string(member)}" for name, member in value.items()) + "}"
    if isinstance(value, bytes):
        return " ".join(map(str, value))
    return to_string(value)


def text(value: object) -> str:
    """Return the text that PowerShell makes of a value inside a string.

    Raises:
        NotUnderstoodError: that is not certain.
    """
    return joined(elements(value), " ")


def joined(values: Sequence[object], separator: str) -> str:
    """Return the texts of some values with a separator between them.

    Raises:
        NotUnderstoodError: it is not certain what they are, or they are very long.
    """
    texts: list[str] = []
    length = -len(separator)
    for value in values:
        for member in value.values() if is_mapping(value) and is_object(value) else (value,):
            if isinstance(member, TypeName):
                raise NotUnderstoodError("the text of a type")
            if isinstance(member, float) and float(number_text(member).replace("∞", "inf")) != member:
                raise NotUnderstoodError("a fraction of more than fifteen digits as text")
            if member is not value and not isinstance(member, None | str | bool | int | float | dict | list):
                raise NotUnderstoodError(f"the text of an object with a {type_name(member)}")
        texts.append(element_text(value))
        length += len(separator) + len(texts[-1])
        check_size(length)
    return separator.join(texts)


def _duration_text(value: timedelta) -> str:
    ticks = (value.days * 86_400 + value.seconds) * 10_000_000 + value.microseconds * 10
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    seconds, fraction = divmod(ticks, 10_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days}." if days else ""
    tail = f".{fraction:07d}" if fraction else ""
    return f"{sign}{day}{hours:02d}:{minutes:02d}:{seconds:02d}{tail}"
