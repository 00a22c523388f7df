"""Checks of arguments: what makes no sense is refused by name, before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from srs_vsphere.errors import InvalidArgumentError, InvalidArgumentTypeError, InvalidArgumentValueError

if TYPE_CHECKING:
    from attrs import Attribute

T = TypeVar("T")


def words_of(error: Exception) -> str:
    """Return what an error says, for a message that has advice of its own.

    Args:
        error: why an argument was refused, or another error.
    """
    return error.message if isinstance(error, InvalidArgumentError) else str(error)


def check_number(name: str, value: object, *, least: float = 0.0, unit: str = "") -> None:
    """Refuse what is not a finite number of at least `least`.

    Args:
        name: the argument's name.
        value: its value.
        least: the smallest number allowed; default 0.
        unit: what is counted, such as ``seconds``; default nothing.

    Raises:
        InvalidArgumentTypeError: it is not a number.
        InvalidArgumentValueError: it is too small or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = f"a number of {unit}" if unit else "a number"
        raise InvalidArgumentTypeError(f"{name} must be {kind}, not {type(value).__name__}")
    if not least <= value <= sys.float_info.max:
        raise InvalidArgumentValueError(
            f"{name} must be {least:g} or more{f' {unit}' if unit else ''}, not {value!r}"
        )


def check_seconds(name: str, value: object) -> None:
    """Refuse what is not a number of seconds above 0.

    Args:
        name: the argument's name.
        value: its value.

    Raises:
        InvalidArgumentTypeError: it is not a number.
        InvalidArgumentValueError: it is not positive or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgumentTypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value <= sys.float_info.max:
        raise InvalidArgumentValueError(f"{name} must be more than 0 seconds, not {value!r}")


def check_timeout(name: str, seconds: object) -> None:
    """Refuse a time to wait that makes no sense.

    Args:
        name: the argument's name.
        seconds: its value; None for as long as it takes.

    Raises:
        InvalidArgumentTypeError: it is neither None nor a number.
        InvalidArgumentValueError: it is negative or not finite.
    """
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidArgumentTypeError(
            f"{name} must be a number of seconds or None, not {type(seconds).__name__}"
        )
    if not 0 <= seconds <= sys.float_info.max:
        raise InvalidArgumentValueError(f"{name} must be 0 or more seconds, not {seconds!r}")


def check_count(name: str, count: object) -> None:
    """Refuse a number of things that makes no sense.

    Args:
        name: the argument's name.
        count: its value.

    Raises:
        InvalidArgumentTypeError: it is not a whole number.
        InvalidArgumentValueError: it is less than 1.
    """
    if isinstance(count, bool) or not isinstance(count, int):
        raise InvalidArgumentTypeError(f"{name} must be a whole number, not {type(count).__name__}")
    if count < 1:
        raise InvalidArgumentValueError(f"{name} must be 1 or more, not {count}")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False, such as the text ``"false"``, which would count as true.

    Args:
        name: the argument's name.
        value: its value.

    Raises:
        InvalidArgumentTypeError: it is something else.
    """
    if not isinstance(value, bool):
        raise InvalidArgumentTypeError(f"{name} must be True or False, not {type(value).__name__}")


def check_name(name: object) -> None:
    """Refuse a name that is not text.

    Args:
        name: the name, or None.

    Raises:
        InvalidArgumentTypeError: it is something else.
        InvalidArgumentValueError: it is blank.
    """
    if name is None:
        return
    if not isinstance(name, str):
        raise InvalidArgumentTypeError(f"name must be text, not {type(name).__name__}")
    if not name.strip():
        raise InvalidArgumentValueError("name must not be blank: leave it out instead")


# The same checks as validators of attrs' fields.


def number(_: object, attribute: Attribute[float], value: object) -> None:
    """Check a field with `check_number`."""
    check_number(attribute.name, value)


def positive_number(_: object, attribute: Attribute[float], value: object) -> None:
    """Check a field with `check_number`, and refuse 0."""
    check_number(attribute.name, value)
    if value == 0:
        raise InvalidArgumentValueError(f"{attribute.name} must be more than 0")


def seconds(_: object, attribute: Attribute[float], value: object) -> None:
    """Check a field with `check_seconds`."""
    check_seconds(attribute.name, value)


def count(_: object, attribute: Attribute[int], value: object) -> None:
    """Check a field with `check_count`."""
    check_count(attribute.name, value)


def of_kind(kind: type[T]) -> Callable[[object, Attribute[T], object], None]:
    """Return a check that a field's value is of a class.

    Args:
        kind: the class.
    """

    def check(_: object, attribute: Attribute[T], value: object) -> None:
        if not isinstance(value, kind):
            raise InvalidArgumentTypeError(
                f"{attribute.name} must be {kind.__name__}, not {type(value).__name__}"
            )

    return check
