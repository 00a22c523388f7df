"""The operators between values, for operands of which it is certain what PowerShell makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from math import isfinite

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    LARGEST,
    Int64,
    check_size,
    elements,
    fits,
    is_array,
    is_mapping,
    text,
    truth,
    type_name,
)
from srs_vsphere.simulator.powershell.errors import ScriptError, StatementError

#: Whole numbers up to here are exact as doubles.
_EXACT = 2**53
_WHOLE = re.compile(r"\s*[+-]?\d{1,9}\s*")
_WORD = re.compile(r"(?!inf|nan)[a-z ]*[a-z][a-z ]*", re.IGNORECASE)
_SORTED = re.compile(r"[a-z0-9]*", re.IGNORECASE)


def number_in(value: str, full: str) -> int:
    """Return the number that a text stands for.

    Args:
        value: the text.
        full: the type that is wanted, for the error.

    Raises:
        StatementError: it stands for none.
        NotUnderstoodError: that is not certain.
    """
    if not value:
        return 0
    if _WHOLE.fullmatch(value):
        return int(value)
    if _WORD.fullmatch(value):
        raise not_converted(value, full)
    raise NotUnderstoodError(f"{value[:20]!r} as a number")


def not_converted(value: str, full: str) -> ScriptError:
    """Return the error of a text that cannot become a value of some type."""
    return StatementError(
        f'Cannot convert value "{value}" to type "{full}". '
        f"Error: \"The input string '{value}' was not in a correct format.\"",
        id="InvalidCastFromStringToInteger",
        category="InvalidArgument",
    )


def add(left: object, right: object) -> object:
    """Return the sum of two numbers, or two texts or arrays put together."""
    if is_array(left):
        found: list[object] = [*left, *(elements(right) if is_array(right) else [right])]
        return of_size(found)
    if isinstance(left, str):
        return of_size(left + text(right))
    if left is None:
        if isinstance(right, int | float | str) and not isinstance(right, bool):
            return right
        raise NotUnderstoodError("null + something else than a number or a text")
    return _arithmetic("+", left, right, lambda one, other: one + other)


def subtract(left: object, right: object) -> object:
    """Return the difference of two numbers."""
    return _arithmetic("-", left, right, lambda one, other: one - other)


def multiply(left: object, right: object) -> object:
    """Return the product of two numbers, or a text several times."""
    if isinstance(left, str):
        if not isinstance(right, int) or isinstance(right, bool) or right < 0:
            raise NotUnderstoodError("a text multiplied by something else than a whole number")
        if len(left) * right > LARGEST:
            raise NotUnderstoodError(f"a text of more than {LARGEST} signs")
        return left * right
    return _arithmetic("*", left, right, lambda one, other: one * other)


def divide(left: object, right: object) -> object:
    """Return the quotient of two numbers, a whole one if it can be."""

    def quotient(one: int | float, other: int | float) -> int | float:
        if not other:
            if isinstance(one, float) or isinstance(other, float):
                raise NotUnderstoodError("a division by zero that gives infinity")
            raise StatementError("Attempted to divide by zero.")
        exact = isinstance(one, int) and isinstance(other, int) and one % other == 0
        return one // other if exact else one / other

    return _arithmetic("/", left, right, quotient)


def remainder(left: object, right: object) -> object:
    """Return the remainder of a division of whole numbers, with the sign of the dividend."""

    def rest(one: int | float, other: int | float) -> int | float:
        if isinstance(one, float) or isinstance(other, float):
            raise NotUnderstoodError("% between fractions")
        if not other:
            raise StatementError("Attempted to divide by zero.")
        return abs(one) % abs(other) * (-1 if one < 0 else 1)

    return _arithmetic("%", left, right, rest)


def span(left: object, right: object) -> object:
    """Return the whole numbers from one to another."""
    if not all(isinstance(end, int) and not isinstance(end, bool) and fits(end, 32) for end in (left, right)):
        raise NotUnderstoodError(".. between other things than whole numbers")
    first, last = int(str(left)), int(str(right))
    if abs(last - first) > LARGEST:
        raise NotUnderstoodError(f"more than {LARGEST} numbers")
    return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))


def fill(left: object, right: object) -> object:
    """Return a text with values in place of numbers in braces."""
    values = elements(right)
    if not isinstance(left, str) or re.search(r"[{}]", re.sub(r"\{\d{1,3}\}", "", left)):
        raise NotUnderstoodError("a format with more than numbers in its braces")
    if any(not isinstance(value, str | int | float | None) for value in values):
        raise NotUnderstoodError("-f with other values than texts and numbers")
    if any(int(number) >= len(values) for number in re.findall(r"\{(\d+)\}", left)):
        raise NotUnderstoodError("-f with fewer values than numbers in braces")
    texts = [text(value) for value in values]
    numbers = [int(number) for number in re.findall(r"\{(\d+)\}", left)]
    check_size(len(left) + sum(len(texts[number]) for number in numbers))
    return re.sub(r"\{(\d+)\}", lambda match: texts[int(match[1])], left)


def join(left: object, right: object) -> object:
    """Return the texts of an array's elements with another text in between."""
    if any(is_array(element) for element in elements(left)) or not isinstance(right, str):
        raise NotUnderstoodError("-join of arrays in an array, or with something else than a text")
    texts = [text(element) for element in elements(left)]
    check_size(len(right) * len(texts) + sum(map(len, texts)))
    return right.join(texts)


def _ordering(left: object, right: object) -> int:
    """Return whether the left value is less, the same or more: -1, 0 or 1."""
    if isinstance(left, str):
        other = text(right) if _is_number(right) or isinstance(right, str) else None
        if other is None or not (_SORTED.fullmatch(left) and _SORTED.fullmatch(other)):
            raise NotUnderstoodError("the order of texts with more than letters and digits")
        one, two = left.lower(), other.lower()
        return (one > two) - (one < two)
    if not _is_number(left) or not (_is_number(right) or isinstance(right, str)):
        raise NotUnderstoodError(f"the order of {_kind(left)} and {_kind(right)}")
    try:
        number = number_in(right, type_name(left)) if isinstance(right, str) else _number(right)
    except StatementError:
        raise NotUnderstoodError("the order of a number and a text that is none") from None
    return (_number(left) > number) - (_number(left) < number)


def _same(left: object, right: object) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, bool):
        if isinstance(right, bool | int | float | str):
            return left is truth(right)
    elif _is_number(left):
        if isinstance(right, bool):
            return _number(left) == int(right)
        if isinstance(right, str):
            try:
                return _number(left) == number_in(right, type_name(left))
            except StatementError:
                return False
        if _is_number(right):
            return _number(left) == _number(right)
    elif isinstance(left, str) and isinstance(right, bool | int | float | str):
        other = text(right)
        if left == other or (left.isascii() and other.isascii()):
            return left.lower() == other.lower()
    raise NotUnderstoodError(f"whether {_kind(left)} and {_kind(right)} are the same")


def _like(left: object, right: object) -> bool:
    if not isinstance(right, str) or not isinstance(left, str | int) or not (str(left) + right).isascii():
        raise NotUnderstoodError("-like with something else than plain texts")
    if re.search(r"[\[\]`]", right):
        raise NotUnderstoodError("-like with brackets or escapes in the pattern")
    # Not .* for each star: a text that does not match would be tried in all ways to divide it.
    return re.fullmatch(translate(right), text(left), re.IGNORECASE) is not None


_QUESTIONS: dict[str, Callable[[object, object], bool]] = {
    "eq": _same,
    "ne": lambda left, right: not _same(left, right),
    "lt": lambda left, right: _ordering(left, right) < 0,
    "le": lambda left, right: _ordering(left, right) <= 0,
    "gt": lambda left, right: _ordering(left, right) > 0,
    "ge": lambda left, right: _ordering(left, right) >= 0,
    "like": _like,
    "notlike": lambda left, right: not _like(left, right),
}


def _has(values: object, value: object) -> bool:
    return any(_same(element, value) for element in elements(values))


_OTHERS: dict[str, Callable[[object, object], object]] = {
    "contains": _has,
    "notcontains": lambda left, right: not _has(left, right),
    "in": lambda left, right: _has(right, left),
    "notin": lambda left, right: not _has(right, left),
    "join": join,
}
COMPARISONS = (*_QUESTIONS, *_OTHERS)


def compare(name: str, left: object, right: object) -> object:
    """Return what a comparison gives; of an array it takes the elements for which it is true.

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


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> int | float:
    if isinstance(value, int | float):
        return value
    raise NotUnderstoodError(f"{_kind(value)} as a number")


def _kind(value: object) -> str:
    return "null" if value is None else type_name(value)


def of_size(value: list[object] | str) -> object:
    """Return a text or an array, unless it is so large that more of its kind would be too much."""
    check_size(len(value))
    return value


def _arithmetic(
    sign: str,
    left: object,
    right: object,
    operation: Callable[[int | float, int | float], int | float],
) -> object:
    if isinstance(right, str) and isinstance(left, int) and not isinstance(left, bool):
        right = number_in(right, "System.Int32")
    if is_mapping(left) or not (_is_number(left) and _is_number(right)):
        raise NotUnderstoodError(f"{_kind(left)} {sign} {_kind(right)}")
    one, other = _number(left), _number(right)
    wide = any(isinstance(operand, int) and type_name(operand) != "System.Int32" for operand in (one, other))
    if any(isinstance(operand, int) and not fits(operand, 64) for operand in (one, other)):
        raise NotUnderstoodError("arithmetic with very large numbers")
    result = operation(one, other)
    if isinstance(result, int):
        if not wide:
            return result if fits(result, 32) else float(result)
        if fits(result, 64):
            return Int64(result)
    elif isfinite(result) and all(
        abs(operand) <= _EXACT or isinstance(operand, float) for operand in (one, other)
    ):
        return result
    raise NotUnderstoodError("arithmetic with very large numbers")
