"""The operators between values, for operands of which it is certain what PowerShell makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import TypeGuard

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.errors import StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.texts import joined, text
from srs_vsphere.simulator.objects.values import LARGEST, Int64, check_size, elements, fits, is_array

#: Whole numbers up to here are exact as doubles.
_EXACT = 2**53
_SIMPLE = frozenset({str, bool, int, Int64, float})
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_WORD = re.compile(r"(?!inf|nan)[a-z]+", re.IGNORECASE | re.ASCII)
_SORTED = re.compile(r"[a-z0-9]*", re.IGNORECASE | re.ASCII)


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


def _add(left: object, right: object) -> object:
    if is_array(left):
        together: list[object] | str = [*left, *(elements(right) if is_array(right) else [right])]
    elif type(left) is str:
        together = left + text(right)
    elif left is None and (_is_number(right) or type(right) is str):
        return right
    else:
        return _arithmetic("+", left, right)
    check_size(len(together))
    return together


def _multiply(left: object, right: object) -> object:
    if type(left) is str and type(right) is int and 0 <= len(left) * right <= LARGEST:
        return left * right
    return _arithmetic("*", left, right)


def _arithmetic(sign: str, left: object, right: object) -> object:
    if type(left) is int and type(right) is str:
        right = number_in(right)
    if not (_is_number(left) and _is_number(right)):
        raise NotUnderstoodError(f"{_kind(left)} {sign} {_kind(right)}")
    whole = [operand for operand in (left, right) if isinstance(operand, int)]
    if sign == "%" or (sign == "/" and not right):
        if len(whole) < 2:
            raise NotUnderstoodError("the remainder of a fraction, or its division by zero")
        if not right:
            raise StatementError("Attempted to divide by zero.")
    result = _RESULTS[sign](left, right)
    if isinstance(result, int):
        if all(type(operand) is int and fits(operand, 32) for operand in whole):
            return result if fits(result, 32) else float(result)
        if all(fits(number, 64) for number in (*whole, result)):
            return Int64(result)
    elif isfinite(result) and all(abs(operand) <= _EXACT for operand in whole):
        return result
    raise NotUnderstoodError("arithmetic with very large numbers")


def _divided(left: float, right: float) -> float:
    whole = isinstance(left, int) and isinstance(right, int) and left % right == 0
    return left // right if whole else left / right


_RESULTS: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divided,
    # With the sign of the dividend.
    "%": lambda left, right: abs(left) % abs(right) * (-1 if left < 0 else 1),
}


def _span(left: object, right: object) -> object:
    # A whole number given as a parameter is an Int64; the range is of Int32 all the same.
    ends = [int(end) for end in (left, right) if isinstance(end, int) and type(end) in {int, Int64}]
    if len(ends) == 2 and all(fits(end, 32) for end in ends) and abs(ends[1] - ends[0]) < LARGEST:
        first, last = ends
        return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))
    raise NotUnderstoodError(f"{_kind(left)} .. {_kind(right)}, or so many numbers")


def _join(left: object, right: object) -> object:
    if any(is_array(element) for element in elements(left)) or type(right) is not str:
        raise NotUnderstoodError("-join of arrays in an array, or with something else than a text")
    return joined(elements(left), right)


def _order(left: object, right: object) -> int:
    """Return whether the left value is less, the same or more: -1, 0 or 1."""
    if type(left) is str and (type(right) is str or type(right) is int):
        one, other = left.lower(), text(right).lower()
        if _SORTED.fullmatch(one) and _SORTED.fullmatch(other):
            return (one > other) - (one < other)
    elif _is_number(left):
        if type(right) is str and _WHOLE.fullmatch(right):
            right = int(right)
        if _is_number(right):
            return (left > right) - (left < right)
    raise NotUnderstoodError(f"the order of {_kind(left)} and {_kind(right)}")


def _same(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if type(right) in _SIMPLE:
        if type(left) is bool:
            return left is values.truth(right)
        if _is_number(left):
            try:
                return left == (number_in(right) if isinstance(right, str) else right)
            except StatementError:
                return False
        if type(left) is str:
            other = text(right)
            if left == other or (left.isascii() and other.isascii()):
                return left.lower() == other.lower()
    raise NotUnderstoodError(f"whether {_kind(left)} and {_kind(right)} are the same")


_QUESTIONS: dict[str, Callable[[object, object], bool]] = {
    "eq": _same,
    "ne": lambda left, right: not _same(left, right),
    "lt": lambda left, right: _order(left, right) < 0,
    "le": lambda left, right: _order(left, right) <= 0,
    "gt": lambda left, right: _order(left, right) > 0,
    "ge": lambda left, right: _order(left, right) >= 0,
}
_OTHERS: dict[str, Callable[[object, object], object]] = {
    "+": _add,
    "-": partial(_arithmetic, "-"),
    "*": _multiply,
    "/": partial(_arithmetic, "/"),
    "%": partial(_arithmetic, "%"),
    "..": _span,
    "contains": lambda left, right: any(_same(element, right) for element in elements(left)),
    "join": _join,
}
COMPARISONS = (*_QUESTIONS, "contains", "join")


def operate(name: str, left: object, right: object) -> object:
    """Return what an operator gives; a comparison with an array gives the elements for which it is true."""
    question = _QUESTIONS.get(name)
    if question is None:
        return _OTHERS[name](left, right)
    return [each for each in left if question(each, right)] if is_array(left) else question(left, right)


def _is_number(value: object) -> TypeGuard[int | float]:
    return type(value) in {int, Int64, float}


def _kind(value: object) -> str:
    return "null" if value is None else values.type_name(value)
