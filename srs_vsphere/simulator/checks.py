"""Checks of what callers give: the argument is named when it is impossible."""

from __future__ import annotations

from math import isfinite


def check_seconds(name: str, value: object) -> None:
    """Refuse what is no length of time.

    Args:
        name: the argument's name.
        value: what was given.

    Raises:
        TypeError: it is no number.
        ValueError: it is negative or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not (isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be 0 seconds or more, and finite, not {value!r}")


def check_times(value: object, least: int = 1) -> None:
    """Refuse what is no number of times.

    Args:
        value: what was given as ``times``.
        least: how many times it must be at least.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is less.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"times must be a whole number, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"times must be {least} or more, not {value!r}")
