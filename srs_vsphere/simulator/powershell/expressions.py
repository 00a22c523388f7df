"""Expressions: from text to something that gives a value when asked in a scope."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

from srs_vsphere.simulator.powershell import operators
from srs_vsphere.simulator.powershell.conversions import call_static, convert, full_name, static_member
from srs_vsphere.simulator.powershell.machine import Expression, Scope, ScriptBlock, Statement
from srs_vsphere.simulator.powershell.members import call_member, element_at, member_of
from srs_vsphere.simulator.powershell.scanner import Scanner
from srs_vsphere.simulator.powershell.values import (
    Hashtable,
    Int64,
    OrderedDictionary,
    TypeName,
    elements,
    text,
    truth,
)

_COMPARISON = re.compile(rf"-[ic]?({'|'.join(operators.COMPARISONS)})\b", re.IGNORECASE)
_LOGIC = re.compile(r"-(and|or|xor)\b", re.IGNORECASE)
_FILL = re.compile(r"-f\b", re.IGNORECASE)
_NOT = re.compile(r"!|-not\b", re.IGNORECASE)
_JOIN = re.compile(r"-join\b", re.IGNORECASE)
_NUMBER = re.compile(r"(0x[0-9a-f]+|\d*\.?\d+(?:e[-+]?\d+)?)(l)?(kb|mb|gb|tb)?(?![\w])", re.IGNORECASE)
_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|((?:(?:global|script|local|private):)?\w+|[?$^]))", re.IGNORECASE)
_TYPE = re.compile(r"\[([\w.]+(?:\[\])?)\]")
_MEMBER = re.compile(r"\w+")
_KEY = re.compile(r"[\w-]+")
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "null": None}
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
}
_PATHS = re.compile(r"(?:::|\.)(?=\w)|\[")


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


class Expressions(Scanner):
    """Reads expressions."""

    # Said again for those who check the package's types: they look at each class that sets them.
    at: int
    brackets: int

    @abstractmethod
    def statements(self, closing: str) -> list[Statement]:
        """Read statements up to a closing bracket, and the bracket."""

    def expression(self) -> Expression:
        """Read an expression."""
        left = self._comparison()
        while word := self._operator(_LOGIC):
            left = _logic(word, left, self._comparison())
        return left

    def _operator(self, pattern: re.Pattern[str]) -> str:
        self.skip_blanks()
        match = self.match(pattern)
        if match is None:
            return ""
        self.skip_lines()
        return match.group(match.lastindex or 0).lower()

    def _comparison(self) -> Expression:
        left = self._additive()
        while word := self._operator(_COMPARISON):
            left = _binary(partial(operators.compare, word), left, self._additive())
        return left

    def _additive(self) -> Expression:
        left = self._multiplicative()
        while sign := self._operator(re.compile(r"(\+|-(?![a-z]))(?!=)", re.IGNORECASE)):
            operation = operators.add if sign == "+" else operators.subtract
            left = _binary(operation, left, self._multiplicative())
        return left

    def _multiplicative(self) -> Expression:
        operations = {"*": operators.multiply, "/": operators.divide, "%": operators.remainder}
        left = self._fill()
        while sign := self._operator(re.compile(r"([*/%])(?!=)")):
            left = _binary(operations[sign], left, self._fill())
        return left

    def _fill(self) -> Expression:
        left = self._span()
        while self._operator(_FILL):
            left = _binary(operators.fill, left, self._span())
        return left

    def _span(self) -> Expression:
        left = self._list()
        while self._operator(re.compile(r"\.\.")):
            left = _binary(operators.span, left, self._list())
        return left

    def _list(self) -> Expression:
        if self._operator(re.compile(",")):
            only = self._unary()
            return lambda scope: [only(scope)]
        parts = [self._unary()]
        while self._operator(re.compile(",")):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else lambda scope: [part(scope) for part in parts]

    def _unary(self) -> Expression:
        self.skip_blanks()
        if self.match(_NOT):
            inner = self._unary()
            return lambda scope: not truth(inner(scope))
        if self.match(_JOIN):
            inner = self._unary()
            return lambda scope: "".join(map(text, elements(inner(scope))))
        if self.looking_at("-") and not self.looking_at("--"):
            self.at += 1
            inner = self._unary()
            return lambda scope: operators.subtract(0, inner(scope))
        if self.take("+"):
            return self._unary()
        return self._cast() if self.looking_at("[") else self.value()

    def _cast(self) -> Expression:
        match = self.match(_TYPE)
        if match is None:
            raise self.not_understood()
        name = match.group(1)
        if name.lower() == "void":
            raise self.not_understood()
        full = full_name(name)
        if self.looking_at("::"):
            return self._postfix(self._static(full))
        self.skip_blanks()
        if self.ended() or self.sign() in "),;|}\n]" or self.match(re.compile(r"(?=-\w)")):
            return self._postfix(constant(TypeName(full)))
        if self.looking_at("@{") and name.lower() in {"ordered", "pscustomobject"}:
            # Only here a hashtable keeps the order in which it was written.
            literal = self._hashtable(OrderedDictionary)
            return self._postfix(lambda scope: convert(literal(scope), full))
        inner = self._unary()
        return lambda scope: convert(inner(scope), full)

    def _static(self, full: str) -> Expression:
        self.at += 2
        match = self.match(_MEMBER)
        if match is None:
            raise self.not_understood()
        name = match.group()
        if self.take("("):
            arguments = self._arguments()
            return lambda scope: call_static(full, name, [argument(scope) for argument in arguments])
        return constant(static_member(full, name))

    def value(self) -> Expression:
        """Read a value: a literal, a variable, something in brackets, with its members."""
        return self._postfix(self._primary())

    def _primary(self) -> Expression:
        sign = self.sign()
        if sign in {"'", '"'}:
            return self._quoted(sign)
        if self.looking_at("$("):
            self.at += 2
            body = self._in_brackets()
            return lambda scope: _unwrapped(collect(body, scope))
        if self.take("@("):
            body = self._in_brackets()
            return lambda scope: collect(body, scope)
        if self.looking_at("@{"):
            return self._hashtable(Hashtable)
        if self.take("("):
            body = self._in_brackets()
            return lambda scope: _unwrapped(collect(body, scope))
        if self.take("{"):
            block = ScriptBlock(self.statements("}"))
            return constant(block)
        if sign == "$":
            return self._variable()
        number = self.match(_NUMBER)
        if number is None:
            raise self.not_understood()
        return constant(_number(number))

    def _in_brackets(self) -> list[Statement]:
        self.brackets, outside = 0, self.brackets
        try:
            return self.statements(")")
        finally:
            self.brackets = outside

    def _variable(self) -> Expression:
        match = self.match(_VARIABLE)
        if match is None:
            raise self.not_understood()
        name = variable_name(match.group(1) or match.group(2))
        if name in _CONSTANTS:
            return constant(_CONSTANTS[name])
        return lambda scope: scope.get(name)

    def _postfix(self, expression: Expression) -> Expression:
        while match := self.match(_PATHS):
            if match.group() == "[":
                index = self._bracketed("]")
                expression = _index(expression, index)
                continue
            member = self.match(_MEMBER)
            if member is None or match.group() == "::":
                raise self.not_understood()
            if self.take("("):
                expression = _call(expression, member.group(), self._arguments())
            else:
                expression = _member(expression, member.group())
        return expression

    def _bracketed(self, closing: str) -> Expression:
        self.brackets += 1
        inner = self.expression()
        self.skip_blanks()
        self.expect(closing, f"Missing '{closing}' after array index expression.")
        self.brackets -= 1
        return inner

    def _arguments(self) -> list[Expression]:
        arguments: list[Expression] = []
        self.brackets += 1
        self.skip_blanks()
        while not self.take(")"):
            # A comma separates arguments here and makes no array.
            arguments.append(self._argument())
            self.skip_blanks()
            if not self.take(",") and not self.looking_at(")"):
                self.expect(")", "Missing ')' in method call.")
            self.skip_blanks()
        self.brackets -= 1
        return arguments

    def _argument(self) -> Expression:
        left = self._unary()
        while sign := self._operator(re.compile(r"([+*/%]|-(?![a-z]))", re.IGNORECASE)):
            operation = {
                "+": operators.add,
                "-": operators.subtract,
                "*": operators.multiply,
                "/": operators.divide,
                "%": operators.remainder,
            }[sign]
            left = _binary(operation, left, self._unary())
        return left

    def _hashtable(self, kind: type[Hashtable | OrderedDictionary]) -> Expression:
        self.at += 2
        entries: list[tuple[Expression, Expression]] = []
        while True:
            self.skip_separators()
            if self.take("}"):
                break
            if self.ended():
                self.expect("}", "Missing closing '}' in statement block or type definition.")
            key = self.match(_KEY)
            name = constant(key.group()) if key is not None else self.value()
            self.skip_blanks()
            self.expect("=", "Missing '=' operator after key in hash literal.")
            self.skip_lines()
            entries.append((name, self._entry()))
        return lambda scope: kind({_key(name(scope)): value(scope) for name, value in entries})

    def _entry(self) -> Expression:
        body = [self.statement()]
        return lambda scope: _unwrapped(collect(body, scope))

    @abstractmethod
    def statement(self) -> Statement:
        """Read one statement."""

    def _quoted(self, quote: str) -> Expression:
        self.at += 1
        parts: list[Expression] = []
        plain: list[str] = []
        while not self.ended():
            sign = self.sign()
            self.at += 1
            if sign == quote:
                if self.sign() != quote:
                    parts.append(constant("".join(plain)))
                    return parts[0] if len(parts) == 1 else _joined(parts)
                self.at += 1
            elif quote == '"' and sign == "`":
                sign = _ESCAPES.get(self.sign(), self.sign())
                self.at += 1
            elif quote == '"' and sign == "$" and re.match(r"[\w{(?]", self.sign()):
                self.at -= 1
                parts += [constant("".join(plain)), self._primary()]
                plain = []
                continue
            plain.append(sign)
        self.expect(quote, f"The string is missing the terminator: {quote}.")
        raise self.not_understood()


def _number(match: re.Match[str]) -> object:
    digits, long, unit = match.groups()
    if digits.lower().startswith("0x"):
        value: int | float = int(digits, 16)
    else:
        value = int(digits) if digits.isdigit() else float(digits)
    value *= _UNITS[unit.lower()] if unit else 1
    return Int64(value) if long else value


def _binary(operation: Callable[[object, object], object], left: Expression, right: Expression) -> Expression:
    return lambda scope: operation(left(scope), right(scope))


def _logic(word: str, left: Expression, right: Expression) -> Expression:
    if word == "and":
        return lambda scope: truth(left(scope)) and truth(right(scope))
    if word == "or":
        return lambda scope: truth(left(scope)) or truth(right(scope))
    return lambda scope: truth(left(scope)) is not truth(right(scope))


def _joined(parts: Sequence[Expression]) -> Expression:
    return lambda scope: "".join(text(part(scope)) for part in parts)


def _unwrapped(values: list[object]) -> object:
    if len(values) > 1:
        return values
    return values[0] if values else None


def _key(value: object) -> object:
    return value if isinstance(value, int) else text(value)


def _index(expression: Expression, index: Expression) -> Expression:
    return lambda scope: element_at(expression(scope), index(scope))


def _member(expression: Expression, name: str) -> Expression:
    return lambda scope: member_of(expression(scope), name)


def _call(expression: Expression, name: str, arguments: Sequence[Expression]) -> Expression:
    return lambda scope: call_member(expression(scope), name, [argument(scope) for argument in arguments])
