"""The pieces that expressions are put together from: each is asked for its value in a scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from srs_vsphere.simulator.powershell.machine import Expression, Scope, ScriptBlock, Statement
from srs_vsphere.simulator.powershell.members import call_member, element_at, member_of
from srs_vsphere.simulator.powershell.values import Int64, text, truth

_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}


def constant(value: object) -> Expression:
    """Return an expression that always gives the same value.

    Args:
        value: the value.
    """
    return lambda _: value


def variable_name(written: str) -> str:
    """Return a variable's name in lower case, without a scope.

    Args:
        written: its name as it was written.
    """
    return written.lower().rpartition(":")[2]


def collect(body: Sequence[Statement], scope: Scope) -> list[object]:
    """Return what statements put out.

    Args:
        body: the statements.
        scope: where they are carried out.
    """
    found: list[object] = []
    ScriptBlock(body).run(scope, found.append)
    return found


def number_written(match: re.Match[str]) -> object:
    """Return the number that was written: digits, perhaps an ``l``, and perhaps a unit."""
    digits, long, unit = match.groups()
    if digits.lower().startswith("0x"):
        value: int | float = int(digits, 16)
    else:
        value = int(digits) if digits.isdigit() else float(digits)
    value *= _UNITS[unit.lower()] if unit else 1
    return Int64(value) if long else value


def with_both(
    operation: Callable[[object, object], object], left: Expression, right: Expression
) -> Expression:
    """Return an expression that makes one value of two."""
    return lambda scope: operation(left(scope), right(scope))


def with_logic(word: str, left: Expression, right: Expression) -> Expression:
    """Return an expression that joins two questions; the second is asked only if it matters."""
    if word == "and":
        return lambda scope: truth(left(scope)) and truth(right(scope))
    if word == "or":
        return lambda scope: truth(left(scope)) or truth(right(scope))
    return lambda scope: truth(left(scope)) is not truth(right(scope))


def put_together(parts: Sequence[Expression]) -> Expression:
    """Return an expression that puts texts together."""
    return lambda scope: "".join(text(part(scope)) for part in parts)


def unwrapped(values: list[object]) -> object:
    """Return a list's only element, None if it is empty, and the list itself if it has more."""
    if len(values) > 1:
        return values
    return values[0] if values else None


def key_written(written: str) -> object:
    """Return a key of a hashtable that was written without quotes."""
    return int(written) if written.isdecimal() else written


def key_of(value: object) -> object:
    """Return a value as the key of a hashtable."""
    return value if isinstance(value, int) else text(value)


def element_of(expression: Expression, index: Expression) -> Expression:
    """Return an expression that takes an element of a value."""
    return lambda scope: element_at(expression(scope), index(scope))


def property_of(expression: Expression, name: str) -> Expression:
    """Return an expression that takes a property of a value."""
    return lambda scope: member_of(expression(scope), name)


def result_of(expression: Expression, name: str, arguments: Sequence[Expression]) -> Expression:
    """Return an expression that calls a method of a value."""
    return lambda scope: call_member(expression(scope), name, [argument(scope) for argument in arguments])
