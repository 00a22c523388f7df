"""Expressions: from text to something that gives a value when asked in a scope."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from math import isfinite

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    NOTHING,
    Hashtable,
    Int64,
    OrderedDictionary,
    TypeName,
    fits,
    plain,
    text,
    truth,
    unwrapped,
)
from srs_vsphere.simulator.powershell import operators
from srs_vsphere.simulator.powershell.conversions import call_static, convert, full_name, static_member
from srs_vsphere.simulator.powershell.machine import Expression, Scope, ScriptBlock, Statement
from srs_vsphere.simulator.powershell.members import call_member, element_at, member_of
from srs_vsphere.simulator.powershell.scanner import Scanner

#: Each level binds more tightly than the one before it.
_LEVELS: tuple[re.Pattern[str], ...] = (
    re.compile(r"-(and|or|xor)\b", re.IGNORECASE),
    re.compile(rf"-i?({'|'.join(operators.COMPARISONS)})\b", re.IGNORECASE),
    re.compile(r"(\+|-)(?![-+=a-z])", re.IGNORECASE),
    re.compile(r"([*/%])(?!=)"),
    re.compile(r"(-f)\b", re.IGNORECASE),
    re.compile(r"(\.\.)"),
)
_OPERATIONS: dict[str, Callable[[object, object], object]] = {
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.remainder,
    "-f": operators.fill,
    "..": operators.span,
}
_NOT = re.compile(r"!|-not\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(0x[0-9a-f]{1,8}|\d{0,19}\.?\d{1,19}(?:e[-+]?\d{1,3})?)([ld])?([kmgt]b)?(?!\w|\.\w)", re.IGNORECASE
)
_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_VARIABLE = re.compile(
    r"\$(?:\{((?:(?:global|script):)?\w+)\}|((?:(?:global|script):)?\w+)(?![\w:]))", re.IGNORECASE
)
_TYPE = re.compile(r"\[([\w.]+(?:\[\])?)\]")
_MEMBER = re.compile(r"[a-z_]\w*", re.IGNORECASE)
_KEY = re.compile(r"[a-z_][\w-]*|\d{1,9}(?=\s*=)", re.IGNORECASE)
_PATHS = re.compile(r"\.(?=[a-z_])|\[", re.IGNORECASE)
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "`": "`", '"': '"', "$": "$", "'": "'"}
#: What PowerShell itself fills in, or what changes how it works.
_AUTOMATIC = frozenset(
    re.findall(
        r"\w+",
        """
        consolefilename enabledexperimentalfeatures error event eventargs eventsubscriber
        executioncontext foreach formatenumerationlimit home host input iscoreclr islinux ismacos
        iswindows lastexitcode matches maximumhistorycount myinvocation nestedpromptlevel ofs
        outputencoding pid profile psboundparameters pscmdlet pscommandpath psculture psdebugcontext
        psdefaultparametervalues psedition psemailserver pshome psitem pslogusercommand
        psmoduleautoloadingpreference psnativecommandargumentpassing psscriptroot pssenderinfo
        pssessionapplicationname psstyle psuiculture psversiontable pwd sender shellid stacktrace switch
        this defaultviserver defaultviservers
        """,
    )
)


def collect(statement: Statement, scope: Scope) -> list[object]:
    """Return what a statement puts out; an error in it ends the statement around it, too."""
    found: list[object] = []
    statement.run(scope, found.append)
    return found


def variable_name(written: str) -> str:
    """Return a variable's name in lower case, without a scope."""
    name = written.lower().rpartition(":")[2]
    if name in _AUTOMATIC or name.startswith("__"):
        raise NotUnderstoodError(f"${written}, which PowerShell itself fills in")
    return name


class Expressions(Scanner):
    """Reads expressions."""

    # Said again for those who check the package's types: they look at each class that sets them.
    at: int
    #: Whether a comma makes an array; between the arguments of a method it does not.
    commas: bool = True

    @abstractmethod
    def statements(self, closing: str) -> list[Statement]:
        """Read statements up to a closing bracket, and the bracket."""

    @abstractmethod
    def pipeline(self) -> Statement:
        """Read a pipeline, or an expression."""

    @abstractmethod
    def assigned(self) -> Expression:
        """Read what stands to the right of ``=``."""

    def expression(self, level: int = 0) -> Expression:
        """Read an expression.

        Args:
            level: which operators may stand in it: those of this level and above.
        """
        if level == len(_LEVELS):
            return self._list()
        left = self.expression(level + 1)
        while word := self._operator(_LEVELS[level]):
            left = _with_both(word, left, self.expression(level + 1))
        return left

    def _operator(self, pattern: re.Pattern[str]) -> str:
        self.skip_blanks()
        match = self.match(pattern)
        if match is None:
            return ""
        self.skip_lines()
        return match.group(1).lower()

    def _list(self) -> Expression:
        parts = [self._unary()]
        while self.commas and self._comma():
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else lambda scope: [plain(part(scope)) for part in parts]

    def _comma(self) -> bool:
        self.skip_blanks()
        found = self.take(",")
        if found:
            self.skip_lines()
        return found

    def _unary(self) -> Expression:
        self.skip_blanks()
        if self.match(_NOT):
            inner = self._unary()
            return lambda scope: not truth(inner(scope))
        if self.commas and self._comma():
            only = self._unary()
            return lambda scope: [plain(only(scope))]
        if self.looking_at("-") and not self.looking_at("--"):
            self.at += 1
            operand = self._unary()
            return lambda scope: operators.subtract(0, plain(operand(scope)))
        return self._cast() if self.looking_at("[") else self.value()

    def _cast(self) -> Expression:
        match = self.match(_TYPE)
        if match is None:
            raise self.not_understood()
        name = match.group(1).lower()
        if name == "void":
            discarded = self._unary()
            return lambda scope: (discarded(scope), NOTHING)[1]
        if name == "ordered":
            return self._hashtable(OrderedDictionary)
        full = full_name(match.group(1))
        if self.take("::"):
            return self._postfix(self._static(full))
        self.skip_blanks()
        if self.ended() or self.sign() in "),;|}\n]":
            return self._postfix(_constant(TypeName(full)))
        if name == "pscustomobject":
            # Only here a hashtable keeps the order in which it was written.
            literal = self._hashtable(OrderedDictionary)
            return lambda scope: convert(literal(scope), full)
        inner = self._unary()
        return lambda scope: convert(plain(inner(scope)), full)

    def _static(self, full: str) -> Expression:
        match = self.match(_MEMBER)
        if match is None:
            raise self.not_understood()
        name = match.group()
        if self.take("("):
            arguments = self._arguments()
            return lambda scope: call_static(full, name, [argument(scope) for argument in arguments])
        return _constant(static_member(full, name))

    def value(self) -> Expression:
        """Read a value: a literal, a variable, something in brackets, with its members."""
        return self._postfix(self._primary())

    def _primary(self) -> Expression:
        sign = self.sign()
        if sign in {"'", '"'}:
            return self._quoted(sign)
        if self.take("$("):
            body = ScriptBlock(self._nested(")"))
            return lambda scope: unwrapped(_output(body, scope))
        if self.take("@("):
            array = ScriptBlock(self._nested(")"))
            return lambda scope: _output(array, scope)
        if self.looking_at("@{"):
            return self._hashtable(Hashtable)
        if self.take("("):
            return self._parenthesised()
        if sign == "$":
            return self._variable()
        number = self.match(_NUMBER)
        if number is None:
            raise self.not_understood()
        return _constant(_number_written(number))

    def _nested(self, closing: str) -> list[Statement]:
        self.commas, commas = True, self.commas
        found = self.statements(closing)
        self.commas = commas
        return found

    def _parenthesised(self) -> Expression:
        self.commas, commas = True, self.commas
        self.skip_lines()
        inner = self.assigned_pipeline()
        self.skip_lines()
        self.expect(")")
        self.commas = commas
        return inner

    @abstractmethod
    def assigned_pipeline(self) -> Expression:
        """Read a pipeline as a value; a single expression in it is not taken apart."""

    def _variable(self) -> Expression:
        match = self.match(_VARIABLE)
        if match is None:
            raise self.not_understood()
        name = variable_name(match.group(1) or match.group(2))
        if name.endswith("preference"):
            raise NotUnderstoodError(f"the value of ${name}", self.line)
        if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        return lambda scope: scope.get(name)

    def _postfix(self, expression: Expression) -> Expression:
        while match := self.match(_PATHS):
            if match.group() == "[":
                self.skip_lines()
                index = self.expression()
                self.skip_lines()
                self.expect("]")
                expression = _element(expression, index)
                continue
            member = self.match(_MEMBER)
            if member is None:
                raise self.not_understood()
            name = member.group()
            expression = (
                _result(expression, name, self._arguments())
                if self.take("(")
                else _property(expression, name)
            )
        return expression

    def _arguments(self) -> list[Expression]:
        arguments: list[Expression] = []
        self.commas, commas = False, self.commas
        self.skip_lines()
        while not self.take(")"):
            if arguments:
                self.expect(",")
                self.skip_lines()
            arguments.append(self.expression())
            self.skip_lines()
        self.commas = commas
        return arguments

    def _hashtable(self, kind: type[Hashtable | OrderedDictionary]) -> Expression:
        self.expect("@{")
        entries: list[tuple[Expression, Expression]] = []
        self.commas, commas = True, self.commas
        self.skip_separators()
        while not self.take("}"):
            key = self.match(_KEY)
            written = key.group() if key is not None else ""
            name = (
                _constant(int(written) if written.isdigit() else written) if key is not None else self.value()
            )
            self.skip_blanks()
            self.expect("=")
            self.skip_lines()
            entries.append((name, self.assigned()))
            self.skip_blanks()
            if self.sign() not in {";", "\n", "\r", "}"}:
                raise self.not_understood()
            self.skip_separators()
        self.commas = commas
        return partial(_mapping, kind, entries)

    def _quoted(self, quote: str) -> Expression:
        self.at += 1
        parts: list[Expression] = []
        literal: list[str] = []
        typographic = "‘’‚‛" if quote == "'" else "“”„"
        while not self.ended():
            sign = self.sign()
            if sign in typographic:
                raise self.not_understood("a typographic quote, which ends a text")
            self.at += 1
            if sign == quote:
                if self.sign() != quote:
                    parts.append(_constant("".join(literal)))
                    return parts[0] if len(parts) == 1 else partial(_put_together, parts)
                self.at += 1
            elif quote == '"' and sign == "`":
                escaped = _ESCAPES.get(self.sign())
                if escaped is None:
                    raise self.not_understood(f"the escape `{self.sign()}")
                sign = escaped
                self.at += 1
            elif quote == '"' and sign == "$" and re.match(r"[\w{($?^:]", self.sign()):
                self.at -= 1
                parts += [_constant("".join(literal)), self._primary()]
                literal = []
                continue
            literal.append(sign)
        raise self.not_understood("a text without its closing quote")


def _constant(value: object) -> Expression:
    return lambda _: value


def _output(body: ScriptBlock, scope: Scope) -> list[object]:
    found: list[object] = []
    body.run(scope, found.append)
    return found


def _number_written(match: re.Match[str]) -> object:
    digits, suffix, unit = (part.lower() if part else "" for part in match.groups())
    value: int | float
    if digits.startswith("0x"):
        value = int(digits, 16)
        if value >= 2**31:
            raise NotUnderstoodError(f"the number {match.group()}")
    elif suffix == "d":
        if unit or "e" in digits:
            raise NotUnderstoodError(f"the number {match.group()}")
        return Decimal(digits)
    else:
        value = int(digits) if digits.isdigit() else float(digits)
    value *= _UNITS[unit] if unit else 1
    if (isinstance(value, int) and not fits(value, 64)) or not isfinite(value):
        raise NotUnderstoodError(f"the number {match.group()}")
    if suffix == "l":
        if not isinstance(value, int):
            raise NotUnderstoodError(f"the number {match.group()}")
        return Int64(value)
    return value


def _with_both(word: str, left: Expression, right: Expression) -> Expression:
    if word == "and":
        return lambda scope: truth(left(scope)) and truth(right(scope))
    if word == "or":
        return lambda scope: truth(left(scope)) or truth(right(scope))
    if word == "xor":
        return lambda scope: truth(left(scope)) is not truth(right(scope))
    operation = _OPERATIONS.get(word) or partial(operators.compare, word)
    return lambda scope: operation(plain(left(scope)), plain(right(scope)))


def _put_together(parts: Sequence[Expression], scope: Scope) -> object:
    return operators.of_size("".join([text(plain(part(scope))) for part in parts]))


def _mapping(
    kind: type[Hashtable | OrderedDictionary], entries: Sequence[tuple[Expression, Expression]], scope: Scope
) -> object:
    found = kind()
    names: set[object] = set()
    for name, value in entries:
        key = name(scope)
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise NotUnderstoodError("a key that is neither a text nor a number")
        names.add(key.lower() if isinstance(key, str) else key)
        found[key] = plain(value(scope))
    if len(names) < len(entries):
        raise NotUnderstoodError("a key that is there twice")
    return found


def _element(expression: Expression, index: Expression) -> Expression:
    return lambda scope: element_at(plain(expression(scope)), index(scope))


def _property(expression: Expression, name: str) -> Expression:
    return lambda scope: member_of(plain(expression(scope)), name)


def _result(expression: Expression, name: str, arguments: Sequence[Expression]) -> Expression:
    return lambda scope: call_member(
        plain(expression(scope)), name, [argument(scope) for argument in arguments]
    )
