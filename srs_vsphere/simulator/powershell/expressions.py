"""Expressions: from text to something that gives a value when a machine asks for it."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from math import isfinite

from srs_vsphere.simulator.objects import operators
from srs_vsphere.simulator.objects.conversions import call_static, convert, full_name, static_member
from srs_vsphere.simulator.objects.members import call_member, element_at, member_of
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
from srs_vsphere.simulator.powershell.machine import Expression, Machine, ScriptBlock, Statement
from srs_vsphere.simulator.powershell.scanner import Scanner

#: Each level binds more tightly than the one before it.
_LEVELS = (
    re.compile(r"-(and|or)\b", re.IGNORECASE),
    re.compile(rf"-i?({'|'.join(operators.COMPARISONS)})\b", re.IGNORECASE),
    re.compile(r"(\+|-)(?![-+=a-z])", re.IGNORECASE),
    re.compile(r"([*/%])(?!=)"),
    re.compile(r"(\.\.)"),
)
_OPERATIONS: dict[str, Callable[[object, object], object]] = {
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.remainder,
    "..": operators.span,
}
_FLAGS = re.IGNORECASE | re.ASCII
_NOT = re.compile(r"!|-not\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(0x[0-9a-f]{1,7}|\d{0,19}\.?\d{1,19}(?:e[-+]?\d{1,3})?)([ld])?([kmgt]b)?(?!\w|\.\w)", _FLAGS
)
_UNITS = {"": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_VARIABLE = re.compile(
    r"\$(?:\{((?:(?:global|script):)?\w+)\}|((?:(?:global|script):)?\w+)(?![\w:]))", re.IGNORECASE
)
TYPE = re.compile(r"\[([\w.]+(?:\[\])?)\]")
_MEMBER = re.compile(r"[a-z_]\w*", re.IGNORECASE)
_KEY = re.compile(r"[a-z_][\w-]*|\d{1,9}(?=\s*=)", _FLAGS)
_PATHS = re.compile(r"\.(?=[a-z_])|\[", re.IGNORECASE)
_CONSTANTS: dict[str, object] = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "`": "`", '"': '"', "$": "$", "'": "'"}
#: What PowerShell itself fills in, or what changes how it works.
_AUTOMATIC = frozenset(
    re.findall(
        r"\w+",
        """
        consolefilename enabledexperimentalfeatures error event eventargs eventsubscriber executioncontext
        foreach formatenumerationlimit home host input iscoreclr islinux ismacos iswindows lastexitcode
        matches maximumhistorycount myinvocation nestedpromptlevel ofs outputencoding pid profile
        psboundparameters pscmdlet pscommandpath psculture psdebugcontext psdefaultparametervalues psedition
        psemailserver pshome psitem psnativecommandargumentpassing psscriptroot pssenderinfo
        pssessionapplicationname psstyle psuiculture psversiontable pwd sender shellid stacktrace switch
        this defaultviserver defaultviservers
        """,
    )
)


def collect(statement: Statement, machine: Machine) -> list[object]:
    """Return what a statement puts out; an error in it ends the statement around it, too."""
    found: list[object] = []
    statement.run(machine, found.append)
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
    #: How many blocks of pipelines and brackets are around the place, in which nobody leaves the script.
    blocks: int = 0

    @abstractmethod
    def statements(self, closing: str) -> list[Statement]:
        """Read statements up to a closing bracket, and the bracket."""

    @abstractmethod
    def assigned(self) -> Expression:
        """Read a pipeline or a statement as a value; a single expression is not taken apart."""

    def expression(self, level: int = 0) -> Expression:
        """Read an expression, with operators of some level and of those that bind more tightly."""
        if level == len(_LEVELS):
            return self._list()
        left = self.expression(level + 1)
        while word := self._operator(_LEVELS[level]):
            left = partial(_with_both, word, left, self.expression(level + 1))
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
        while self.commas and self.comma():
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else partial(array_of, parts)

    def comma(self) -> bool:
        """Go past a comma if one is next, and say whether it was."""
        self.skip_blanks()
        found = self.take(",")
        if found:
            self.skip_lines()
        return found

    def _unary(self) -> Expression:
        self.skip_blanks()
        if self.match(_NOT):
            inner = self._unary()
            return lambda machine: not truth(inner(machine))
        if self.commas and self.comma():
            return partial(array_of, [self._unary()])
        if self.looking_at("-") and not self.looking_at("--"):
            self.at += 1
            if (number := self.match(_NUMBER)) is not None:
                # A sign belongs to its number: the least Int32 has no positive counterpart.
                return self._postfix(_constant(_number_written(number, -1)))
            operand = self._unary()
            return lambda machine: operators.subtract(0, plain(operand(machine)))
        return self._cast() if self.looking_at("[") else self.value()

    def _cast(self) -> Expression:
        match = self.match(TYPE)
        if match is None:
            raise self.not_understood()
        name = match.group(1).lower()
        if name == "void":
            discarded = self._unary()
            return lambda machine: (discarded(machine), NOTHING)[1]
        if name == "ordered":
            return self._hashtable(OrderedDictionary)
        full = full_name(match.group(1))
        if self.take("::"):
            return self._postfix(self._static(full))
        self.skip_blanks()
        if self.ended() or self.sign() in "),;|}\n]":
            return self._postfix(_constant(TypeName(full)))
        # Only with this type a hashtable keeps the order in which it was written.
        inner = self._hashtable(OrderedDictionary) if name == "pscustomobject" else self._unary()
        return lambda machine: convert(plain(inner(machine)), full)

    def _static(self, full: str) -> Expression:
        match = self.match(_MEMBER)
        if match is None:
            raise self.not_understood()
        name = match.group()
        if self.take("("):
            arguments = self._arguments()
            return lambda machine: call_static(full, name, [argument(machine) for argument in arguments])
        return _constant(static_member(full, name))

    def value(self) -> Expression:
        """Read a value: a literal, a variable, something in brackets, with its members."""
        return self._postfix(self._primary())

    def _primary(self) -> Expression:
        sign = self.sign()
        if sign in {"'", '"'}:
            return self._quoted(sign)
        if self.looking_at("$(") or self.looking_at("@("):
            self.at += 2
            self.blocks += 1
            body = ScriptBlock(self.nested(")"))
            self.blocks -= 1
            return partial(_output, body, sign == "@")
        if self.looking_at("@{"):
            return self._hashtable(Hashtable)
        if self.take("("):
            return self.parenthesised()
        if sign == "$":
            return self._variable()
        number = self.match(_NUMBER)
        if number is None:
            raise self.not_understood()
        return _constant(_number_written(number))

    def nested(self, closing: str) -> list[Statement]:
        """Read the statements within brackets, and the closing one."""
        self.commas, commas = True, self.commas
        found = self.statements(closing)
        self.commas = commas
        return found

    def parenthesised(self) -> Expression:
        """Read a pipeline after its opening bracket, and the closing one."""
        self.commas, commas = True, self.commas
        self.skip_lines()
        inner = self.assigned()
        self.skip_lines()
        self.expect(")")
        self.commas = commas
        return inner

    def _variable(self) -> Expression:
        match = self.match(_VARIABLE)
        if match is None:
            raise self.not_understood()
        name = variable_name(match.group(1) or match.group(2))
        if name.endswith("preference"):
            raise NotUnderstoodError(f"the value of ${name}", self.line)
        if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        return lambda machine: machine.variables.get(name)

    def _postfix(self, expression: Expression) -> Expression:
        while match := self.match(_PATHS):
            if match.group() == "[":
                self.skip_lines()
                index = self.expression()
                self.skip_lines()
                self.expect("]")
                expression = partial(_element, expression, index)
                continue
            member = self.match(_MEMBER)
            name = member.group() if member is not None else ""
            arguments = self._arguments() if self.take("(") else None
            expression = partial(_member, expression, name, arguments)
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
            name = _constant(int(written) if written.isdigit() else written) if written else self.value()
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


def array_of(parts: Sequence[Expression], machine: Machine) -> object:
    """Return the values of some expressions as an array."""
    return [plain(part(machine)) for part in parts]


def _output(body: ScriptBlock, is_array: bool, machine: Machine) -> object:
    found: list[object] = []
    body.run(machine, found.append)
    return found if is_array else unwrapped(found)


def _number_written(match: re.Match[str], sign: int = 1) -> object:
    digits, suffix, unit = (part.lower() if part else "" for part in match.groups())
    if suffix == "d" and not unit and re.fullmatch(r"[\d.]+", digits):
        return Decimal(digits) * sign
    value: int | float = int(digits, 16) if digits.startswith("0x") else 0
    if not value:
        value = int(digits) if digits.isdigit() else float(digits) if "x" not in digits else 0
    value *= _UNITS[unit] * sign
    large = not fits(value, 64) if isinstance(value, int) else not isfinite(value)
    if suffix == "d" or large or (suffix and not isinstance(value, int)):
        raise NotUnderstoodError(f"the number {match.group()}")
    return Int64(value) if suffix else value


def _with_both(word: str, left: Expression, right: Expression, machine: Machine) -> object:
    if word in {"and", "or"}:
        first = truth(left(machine))
        return first if first is (word == "or") else truth(right(machine))
    operation = _OPERATIONS.get(word) or partial(operators.compare, word)
    return machine.weighed(operation(plain(left(machine)), plain(right(machine))))


def _put_together(parts: Sequence[Expression], machine: Machine) -> object:
    return operators.of_size("".join([text(plain(part(machine))) for part in parts]))


def _mapping(
    kind: type[Hashtable | OrderedDictionary],
    entries: Sequence[tuple[Expression, Expression]],
    machine: Machine,
) -> object:
    found = kind()
    names: set[object] = set()
    for name, value in entries:
        key = name(machine)
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise NotUnderstoodError("a key that is neither a text nor a number")
        names.add(key.lower() if isinstance(key, str) else key)
        found[key] = plain(value(machine))
    if len(names) < len(entries):
        raise NotUnderstoodError("a key that is there twice")
    return found


def _element(expression: Expression, index: Expression, machine: Machine) -> object:
    return element_at(plain(expression(machine)), index(machine))


def _member(
    expression: Expression, name: str, arguments: Sequence[Expression] | None, machine: Machine
) -> object:
    value = plain(expression(machine))
    if arguments is None:
        return member_of(value, name)
    return call_member(value, name, [argument(machine) for argument in arguments])
