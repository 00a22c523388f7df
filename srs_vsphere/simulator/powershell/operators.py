"""The operators between values."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fnmatch import translate

from srs_vsphere.simulator.powershell.conversions import conversion_failure, number
from srs_vsphere.simulator.powershell.errors import NotUnderstoodError, ScriptError
from srs_vsphere.simulator.powershell.values import (
    Hashtable,
    Int64,
    OrderedDictionary,
    elements,
    is_array,
    is_mapping,
    text,
    truth,
)

_MOST_ELEMENTS = 100_000


def add(left: object, right: object) -> object:
    """Return the sum of two numbers, or two texts, arrays or hashtables put together."""
    if is_array(left):
        return [*left, *elements(right)]
    if isinstance(left, Hashtable | OrderedDictionary) and is_mapping(right):
        return type(left)([*left.items(), *right.items()])
    if isinstance(left, str):
        return left + text(right)
    return _arithmetic(left, right, lambda one, other: one + other)


def subtract(left: object, right: object) -> object:
    """Return the difference of two numbers."""
    return _arithmetic(left, right, lambda one, other: one - other)


def multiply(left: object, right: object) -> object:
    """Return the product of two numbers, or a text or an array several times."""
    if isinstance(left, str) or is_array(left):
        times = int(number(right))
        if len(left) * times > _MOST_ELEMENTS:
            raise NotUnderstoodError("it makes something very large")
        return left * times if isinstance(left, str) else list(left) * times
    return _arithmetic(left, right, lambda one, other: one * other)


def divide(left: object, right: object) -> object:
    """Return the quotient of two numbers, a whole one if it can be."""
    if not number(right):
        raise ScriptError("RuntimeException", "Attempted to divide by zero.")

    def quotient(one: int | float, other: int | float) -> int | float:
        exact = isinstance(one, int) and isinstance(other, int) and one % other == 0
        return one // other if exact else one / other

    return _arithmetic(left, right, quotient)


def remainder(left: object, right: object) -> object:
    """Return the remainder of a division, with the sign of the dividend."""
    if not number(right):
        raise ScriptError("RuntimeException", "Attempted to divide by zero.")
    return _arithmetic(
        left, right, lambda one, other: one - other * (int(one / other) if one % other else one // other)
    )


def span(left: object, right: object) -> object:
    """Return the whole numbers from one to another."""
    first, last = int(number(left)), int(number(right))
    if abs(last - first) > _MOST_ELEMENTS:
        raise NotUnderstoodError("it makes something very large")
    return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))


def join(left: object, right: object) -> object:
    """Return the texts of an array's elements with another text in between."""
    return text(right).join(map(text, elements(left)))


def split(left: object, right: object) -> object:
    """Return the parts of a text between matches of a pattern."""
    return re.split(text(right), text(left), flags=re.IGNORECASE)


def replace(left: object, right: object) -> object:
    """Return a text in which matches of a pattern are replaced."""
    pattern, *rest = elements(right)
    with_ = re.sub(r"\$(\d)", r"\\\1", text(rest[0]) if rest else "")
    return re.sub(text(pattern), with_, text(left), flags=re.IGNORECASE)


def fill(left: object, right: object) -> object:
    """Return a text with values in place of numbers in braces."""
    values = elements(right)

    def value(match: re.Match[str]) -> str:
        index = int(match.group(1))
        if index >= len(values):
            raise ScriptError("RuntimeException", "Error formatting a string: Index is out of range.")
        return text(values[index])

    pattern = text(left)
    if re.search(r"\{\d+[,:]", pattern):
        raise NotUnderstoodError("a format with more than numbers in its braces")
    return re.sub(r"\{(\d+)\}", value, pattern)


def _same(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, bool):
        return left is truth(right)
    if isinstance(left, int | float | Decimal):
        try:
            return left == number(right)
        except ScriptError:
            return False
    if isinstance(left, str):
        return left.casefold() == text(right).casefold()
    return left == right


def _less(left: object, right: object) -> bool:
    if isinstance(left, str):
        return left.casefold() < text(right).casefold()
    return number(left) < number(right)


def _like(left: object, right: object) -> bool:
    return re.fullmatch(translate(text(right)), text(left), re.IGNORECASE) is not None


def _match(left: object, right: object) -> bool:
    return re.search(text(right), text(left), re.IGNORECASE) is not None


_QUESTIONS: dict[str, Callable[[object, object], bool]] = {
    "eq": _same,
    "ne": lambda left, right: not _same(left, right),
    "lt": _less,
    "ge": lambda left, right: not _less(left, right),
    "gt": lambda left, right: _less(right, left),
    "le": lambda left, right: not _less(right, left),
    "like": _like,
    "notlike": lambda left, right: not _like(left, right),
    "match": _match,
    "notmatch": lambda left, right: not _match(left, right),
}
_OTHERS: dict[str, Callable[[object, object], object]] = {
    "contains": lambda left, right: any(_same(element, right) for element in elements(left)),
    "notcontains": lambda left, right: not any(_same(element, right) for element in elements(left)),
    "in": lambda left, right: any(_same(element, left) for element in elements(right)),
    "notin": lambda left, right: not any(_same(element, left) for element in elements(right)),
    "join": join,
    "split": split,
    "replace": replace,
}
COMPARISONS = (*_QUESTIONS, *_OTHERS)


def compare(name: str, left: object, right: object) -> object:
    """Return what an operator of comparison gives; of an array it takes the elements for which it is true.

    Args:
        name: the operator, in lower case.
        left: what stands before it.
        right: what stands after it.
    """
    question = _QUESTIONS.get(name)
    if question is None:
        return _OTHERS[name](left, right)
    if is_array(left):
        return [element for element in left if question(element, right)]
    return question(left, right)


def _arithmetic(
    left: object, right: object, operation: Callable[[int | float, int | float], int | float]
) -> object:
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        raise NotUnderstoodError("arithmetic with decimals")
    if any(is_array(operand) or is_mapping(operand) for operand in (left, right)):
        raise ScriptError("RuntimeException", conversion_failure(right, "System.Int32"))
    result = operation(number(left), number(right))
    wide = isinstance(result, int) and (isinstance(left, Int64) or isinstance(right, Int64))
    return Int64(result) if wide else result
