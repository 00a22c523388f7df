"""Expressions: from text to something that gives a value when asked in a scope."""

from __future__ import annotations

import re
from abc import abstractmethod
from functools import partial

from srs_vsphere.simulator.powershell import operators
from srs_vsphere.simulator.powershell.conversions import call_static, convert, full_name, static_member
from srs_vsphere.simulator.powershell.machine import Expression, ScriptBlock, Statement
from srs_vsphere.simulator.powershell.pieces import (
    collect,
    constant,
    element_of,
    key_of,
    key_written,
    number_written,
    property_of,
    put_together,
    result_of,
    unwrapped,
    variable_name,
    with_both,
    with_logic,
)
from srs_vsphere.simulator.powershell.scanner import Scanner
from srs_vsphere.simulator.powershell.values import (
    Hashtable,
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
            left = with_logic(word, left, self._comparison())
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
            left = with_both(partial(operators.compare, word), left, self._additive())
        return left

    def _additive(self) -> Expression:
        left = self._multiplicative()
        while sign := self._operator(re.compile(r"(\+|-(?![a-z]))(?!=)", re.IGNORECASE)):
            operation = operators.add if sign == "+" else operators.subtract
            left = with_both(operation, left, self._multiplicative())
        return left

    def _multiplicative(self) -> Expression:
        operations = {"*": operators.multiply, "/": operators.divide, "%": operators.remainder}
        left = self._fill()
        while sign := self._operator(re.compile(r"([*/%])(?!=)")):
            left = with_both(operations[sign], left, self._fill())
        return left

    def _fill(self) -> Expression:
        left = self._span()
        while self._operator(_FILL):
            left = with_both(operators.fill, left, self._span())
        return left

    def _span(self) -> Expression:
        left = self._list()
        while self._operator(re.compile(r"\.\.")):
            left = with_both(operators.span, left, self._list())
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
            return lambda scope: unwrapped(collect(body, scope))
        if self.take("@("):
            body = self._in_brackets()
            return lambda scope: collect(body, scope)
        if self.looking_at("@{"):
            return self._hashtable(Hashtable)
        if self.take("("):
            return self._parenthesised()
        if self.take("{"):
            block = ScriptBlock(self.statements("}"))
            return constant(block)
        if sign == "$":
            return self._variable()
        number = self.match(_NUMBER)
        if number is None:
            raise self.not_understood()
        return constant(number_written(number))

    def _parenthesised(self) -> Expression:
        self.skip_lines()
        if self.command_next():
            body = self._in_brackets()
        else:
            self.brackets += 1
            first = self.expression()
            self.skip_blanks()
            self.brackets -= 1
            if self.take(")"):
                # A single expression is not taken apart: an array in brackets stays one.
                return first
            body = self._in_brackets(first)
        return lambda scope: unwrapped(collect(body, scope))

    @abstractmethod
    def command_next(self) -> bool:
        """Say whether a command or a keyword is next and not an expression."""

    @abstractmethod
    def continued(self, first: Expression, closing: str) -> list[Statement]:
        """Read on as `statements` does after an expression that began the first of them."""

    def _in_brackets(self, first: Expression | None = None) -> list[Statement]:
        self.brackets, outside = 0, self.brackets
        try:
            return self.statements(")") if first is None else self.continued(first, ")")
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
                expression = element_of(expression, index)
                continue
            member = self.match(_MEMBER)
            if member is None or match.group() == "::":
                raise self.not_understood()
            if self.take("("):
                expression = result_of(expression, member.group(), self._arguments())
            else:
                expression = property_of(expression, member.group())
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
            left = with_both(operation, left, self._unary())
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
            name = constant(key_written(key.group())) if key is not None else self.value()
            self.skip_blanks()
            self.expect("=", "Missing '=' operator after key in hash literal.")
            self.skip_lines()
            entries.append((name, self._entry()))
        return lambda scope: kind({key_of(name(scope)): value(scope) for name, value in entries})

    def _entry(self) -> Expression:
        body = [self.statement()]
        return lambda scope: unwrapped(collect(body, scope))

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
                    return parts[0] if len(parts) == 1 else put_together(parts)
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
