"""The properties of values, as the service's JSON output lists them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite
from uuid import UUID

from srs_vsphere.simulator.objects.texts import to_string
from srs_vsphere.simulator.objects.values import EnumValue, OrderedDictionary, Version, is_mapping, is_object

_KEYS = "System.Collections.Specialized.OrderedDictionary+OrderedDictionaryKeyValueCollection"


def properties(value: object) -> dict[str, object]:
    """Return the properties of a value that is written as an object."""
    if isinstance(value, EnumValue):
        return {"value__": value.number}
    if isinstance(value, OrderedDictionary):
        return {
            "Count": len(value),
            "IsFixedSize": False,
            "IsReadOnly": False,
            "IsSynchronized": False,
            "Keys": _KEYS,
            "SyncRoot": "System.Collections.Specialized.OrderedDictionary",
            "Values": _KEYS,
        }
    if isinstance(value, UUID):
        return {"Variant": value.bytes[8] >> 4, "Version": value.bytes[6] >> 4, "Guid": str(value)}
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, Version):
        return _version(value)
    if is_mapping(value):
        named = {to_string(name): member for name, member in value.items()}
        return dict(sorted(named.items(), key=lambda item: item[0].casefold())) if is_object(value) else named
    return {}


def is_plain(value: object) -> bool:
    """Say whether JSON has values like this one."""
    return isinstance(value, bool | int | float | Decimal | str | datetime) and not isinstance(value, Version)


def scalar(value: object) -> object:
    """Return what a property's value is in JSON: itself if JSON has such values, otherwise its text."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value).replace("inf", "Infinity").replace("nan", "NaN")
    return value if value is None or is_plain(value) else to_string(value)


def time_text(value: datetime) -> str:
    """Return a time as the round-trip format of .NET has it, in UTC."""
    time = value.astimezone(UTC) if value.tzinfo is not None else value
    return f"{time.replace(tzinfo=None).isoformat(timespec='microseconds')}0Z"


def _duration(value: timedelta) -> dict[str, object]:
    ticks = (value.days * 86_400 + value.seconds) * 10_000_000 + value.microseconds * 10
    whole = abs(ticks)
    sign = -1 if ticks < 0 else 1
    seconds = ticks / 10_000_000
    return {
        "Days": sign * (whole // 864_000_000_000),
        "Hours": sign * (whole // 36_000_000_000 % 24),
        "Microseconds": sign * (whole // 10 % 1000),
        "Milliseconds": sign * (whole // 10_000 % 1000),
        "Minutes": sign * (whole // 600_000_000 % 60),
        "Nanoseconds": sign * (whole % 10 * 100),
        "Seconds": sign * (whole // 10_000_000 % 60),
        "Ticks": ticks,
        "TotalDays": ticks / 864_000_000_000,
        "TotalHours": ticks / 36_000_000_000,
        "TotalMicroseconds": ticks / 10,
        "TotalMilliseconds": ticks / 10_000,
        "TotalMinutes": ticks / 600_000_000,
        "TotalNanoseconds": ticks * 100.0,
        "TotalSeconds": seconds,
    }


def _version(value: Version) -> dict[str, object]:
    parts = [int(part) for part in value.split(".")] + [-1] * 4
    return {
        "Build": parts[2],
        "Major": parts[0],
        "MajorRevision": -1,
        "Minor": parts[1],
        "MinorRevision": -1,
        "Revision": parts[3],
    }
