"""The operators between values, for operands of which it is certain what PowerShell makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from math import isfinite
from typing import TypeAlias

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.errors import StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    LARGEST,
    Int64,
    check_size,
    elements,
    fits,
    is_array,
    text,
    truth,
)

#: Whole numbers up to here are exact as doubles.
_EXACT = 2**53
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_WORD = re.compile(r"(?!inf|nan)[a-z]+", re.IGNORECASE | re.ASCII)
_SORTED = re.compile(r"[a-z0-9]*", re.IGNORECASE | re.ASCII)


_Operation: TypeAlias = Callable[[int | float, int | float], int | float]


def number_in(value: str) -> int:
    """Return the whole number that a text stands for; a word is an error, anything else is refused."""
    if not value or _WHOLE.fullmatch(value):
        return int(value or 0)
    if _WORD.fullmatch(value):
        raise StatementError(
            f'Cannot convert value "{value}" to type "System.Int32". '
            f"Error: \"The input string '{value}' was not in a correct format.\"",
            id="InvalidCastFromStringToInteger",
            category="InvalidArgument",
        )
    raise NotUnderstoodError(f"{value[:20]!r} as a number")


def add(left: object, right: object) -> object:
    """Return the sum of two numbers, or two texts or arrays put together."""
    if is_array(left):
        return of_size([*left, *(elements(right) if is_array(right) else [right])])
    if type(left) is str:
        return of_size(left + text(right))
    if left is None and (_is_number(right) or type(right) is str):
        return right
    return _arithmetic("+", left, right, lambda one, other: one + other)


def subtract(left: object, right: object) -> object:
    """Return the difference of two numbers."""
    return _arithmetic("-", left, right, lambda one, other: one - other)


def multiply(left: object, right: object) -> object:
    """Return the product of two numbers, or a text several times."""
    if type(left) is str and type(right) is int and 0 <= len(left) * right <= LARGEST:
        return left * right
    return _arithmetic("*", left, right, lambda one, other: one * other)


def divide(left: object, right: object) -> object:
    """Return the quotient of two numbers, a whole one if it can be."""

    def quotient(one: int | float, other: int | float) -> int | float:
        if not other:
            raise _by_zero(one, other)
        exact = isinstance(one, int) and isinstance(other, int) and one % other == 0
        return one // other if exact else one / other

    return _arithmetic("/", left, right, quotient)


def remainder(left: object, right: object) -> object:
    """Return the remainder of a division of whole numbers, with the sign of the dividend."""

    def rest(one: int | float, other: int | float) -> int | float:
        if not other or isinstance(one, float) or isinstance(other, float):
            raise _by_zero(one, other)
        return abs(one) % abs(other) * (-1 if one < 0 else 1)

    return _arithmetic("%", left, right, rest)


def span(left: object, right: object) -> object:
    """Return the whole numbers from one to another."""
    if type(left) is int and type(right) is int and abs(right - left) <= LARGEST:
        return list(range(left, right + 1) if left <= right else range(left, right - 1, -1))
    raise NotUnderstoodError(f"{_kind(left)} .. {_kind(right)}, or so many numbers")


def _join(left: object, right: object) -> object:
    if any(is_array(element) for element in elements(left)) or type(right) is not str:
        raise NotUnderstoodError("-join of arrays in an array, or with something else than a text")
    texts = [text(element) for element in elements(left)]
    check_size(len(right) * len(texts) + sum(map(len, texts)))
    return right.join(texts)


def _order(left: object, right: object) -> int:
    """Return whether the left value is less, the same or more: -1, 0 or 1."""
    if type(left) is str and (type(right) is str or type(right) is int):
        one, other = left.lower(), text(right).lower()
        if _SORTED.fullmatch(one) and _SORTED.fullmatch(other):
            return (one > other) - (one < other)
    elif isinstance(left, int | float) and _is_number(left):
        if type(right) is str and _WHOLE.fullmatch(right):
            right = int(right)
        if isinstance(right, int | float) and _is_number(right):
            return (left > right) - (left < right)
    raise NotUnderstoodError(f"the order of {_kind(left)} and {_kind(right)}")


def _same(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, bool | values.SwitchParameter) and isinstance(right, bool | int | float | str):
        if type(right) is bool or isinstance(left, bool):
            return truth(left) is truth(right)
    elif _is_number(left):
        try:
            other = (
                number_in(right) if type(right) is str else int(right) if isinstance(right, bool) else right
            )
        except StatementError:
            return False
        if isinstance(other, int | float):
            return left == other
    elif type(left) is str and (type(right) is str or type(right) is bool or _is_number(right)):
        one, two = left, text(right)
        if one == two or (one.isascii() and two.isascii()):
            return one.lower() == two.lower()
    raise NotUnderstoodError(f"whether {_kind(left)} and {_kind(right)} are the same")


def _like(left: object, right: object) -> bool:
    if type(left) is str and type(right) is str and (left + right).isascii() and not set(right) & set("[]`"):
        # Not .* for each star: a text that does not match would be tried in all ways to divide it.
        return re.fullmatch(translate(right), left, re.IGNORECASE) is not None
    raise NotUnderstoodError("-like with anything else than plain texts, * and ?")


_QUESTIONS: dict[str, Callable[[object, object], bool]] = {
    "eq": _same,
    "ne": lambda left, right: not _same(left, right),
    "lt": lambda left, right: _order(left, right) < 0,
    "le": lambda left, right: _order(left, right) <= 0,
    "gt": lambda left, right: _order(left, right) > 0,
    "ge": lambda left, right: _order(left, right) >= 0,
    "like": _like,
    "notlike": lambda left, right: not _like(left, right),
}
_OTHERS: dict[str, Callable[[object, object], object]] = {
    "contains": lambda left, right: any(_same(element, right) for element in elements(left)),
    "in": lambda left, right: any(_same(element, left) for element in elements(right)),
    "join": _join,
}
COMPARISONS = (*_QUESTIONS, *_OTHERS)


def compare(name: str, left: object, right: object) -> object:
    """Return what a comparison gives; of an array it takes the elements for which it is true."""
    question = _QUESTIONS.get(name)
    if question is None:
        return _OTHERS[name](left, right)
    if is_array(left):
        return [element for element in left if question(element, right)]
    return question(left, right)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    return "null" if value is None else values.type_name(value)


def of_size(value: list[object] | str) -> object:
    """Return a text or an array, unless it is so large that more of its kind would be too much."""
    check_size(len(value))
    return value


def _by_zero(one: int | float, other: int | float) -> Exception:
    if isinstance(one, float) or isinstance(other, float):
        return NotUnderstoodError("this operation between fractions")
    return StatementError("Attempted to divide by zero.")


def _arithmetic(sign: str, left: object, right: object, operation: _Operation) -> object:
    if type(left) is int and type(right) is str:
        right = number_in(right)
    if not (isinstance(left, int | float) and isinstance(right, int | float)) or bool in {
        type(left),
        type(right),
    }:
        raise NotUnderstoodError(f"{_kind(left)} {sign} {_kind(right)}")
    whole = [operand for operand in (left, right) if isinstance(operand, int)]
    result = operation(left, right)
    if isinstance(result, int):
        if all(type(operand) is int and fits(operand, 32) for operand in whole):
            return result if fits(result, 32) else float(result)
        if all(fits(number, 64) for number in (*whole, result)):
            return Int64(result)
    elif isfinite(result) and all(abs(operand) <= _EXACT for operand in whole):
        return result
    raise NotUnderstoodError("arithmetic with very large numbers")
