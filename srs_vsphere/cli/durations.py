"""Times on the command line: 90, 30s, 10m, 1h30m, 2d."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import Parameter

if TYPE_CHECKING:
    from cyclopts import Token

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")


def parse_duration(text: str) -> float:
    """Return a duration in seconds.

    Args:
        text: a number of seconds, or numbers with units, the largest unit first or not.

    Raises:
        ValueError: it is neither, or no time at all.
    """
    text = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        seconds = float(text)
    elif text and not _PART.sub("", text):
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    else:
        raise ValueError(f"{text!r} is no time: give it like 30s, 10m or 1h30m")
    if not 0 < seconds <= sys.float_info.max:
        raise ValueError("it must be more than 0 seconds, and no more than a number can hold")
    return seconds


def duration_text(seconds: float) -> str:
    """Write a duration with its two largest units.

    Args:
        seconds: how long.
    """
    if seconds < 60:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for large, small, unit, sub in ((86400, 3600, "d", "h"), (3600, 60, "h", "m"), (60, 1, "m", "s")):
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large}{unit}{rest}{sub}" if rest else f"{whole // large}{unit}"
    return f"{whole}s"


def _converted(type_: object, tokens: Sequence[Token]) -> float:
    del type_
    return parse_duration(tokens[0].value)


Duration: TypeAlias = Annotated[float, Parameter(converter=_converted, metavar="TIME")]
