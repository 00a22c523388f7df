"""Expressions: from text to something that gives a value when a machine asks for it."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from typing import TypeAlias

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.texts import text
from srs_vsphere.simulator.objects.values import Hashtable, Int64, OrderedDictionary, plain
from srs_vsphere.simulator.powershell.conversions import convert, full_name
from srs_vsphere.simulator.powershell.machine import Expression, Machine, ScriptBlock, Statement, constant
from srs_vsphere.simulator.powershell.members import call_member, member_of
from srs_vsphere.simulator.powershell.operators import COMPARISONS, operate
from srs_vsphere.simulator.powershell.scanner import LINES, SEPARATORS, Scanner, words

#: The operators; each group binds more tightly than the one before it.
_OPERATOR = re.compile(
    rf"-(?P<logical>and|or)\b|-i?(?P<comparison>{'|'.join(COMPARISONS)})\b"
    r"|(?P<sum>[-+])(?![-+=a-z])|(?P<product>[*/%])(?!=)|(?P<range>\.\.)",
    re.IGNORECASE,
)
_BINDING = {"logical": 1, "comparison": 2, "sum": 3, "product": 4, "range": 5}
_FLAGS = re.IGNORECASE | re.ASCII
_NOT = re.compile(r"!|-not\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(-?)(0x[0-9a-f]{1,7}|\d{0,19}\.?\d{1,19}(?:e[-+]?\d{1,3})?)(l?)([kmgt]b)?(?!\w|\.\w)", _FLAGS
)
_UNITS = {"": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_VARIABLE = re.compile(
    r"\$(?:\{((?:(?:global|script):)?\w+)\}|((?:(?:global|script):)?\w+)(?![\w:]))", re.IGNORECASE
)
TYPE = re.compile(r"\[([\w.]+(?:\[\])?)\]")
_MEMBER = re.compile(r"\.([a-z_]\w*)(\(\))?(?![\w(])", re.IGNORECASE)
_KEY = re.compile(r"[a-z_][\w-]*", _FLAGS)
#: A dollar sign before anything else is one.
_INSERTED = re.compile(r"\$[\w{($?^:]")
_Kind: TypeAlias = type[Hashtable] | type[OrderedDictionary]
_CONSTANTS: dict[str, object] = {"true": True, "false": False}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "`": "`", '"': '"', "$": "$", "'": "'"}
#: Quotes that end a text of the one kind or the other, as in ordinary typography.
_TYPOGRAPHIC = {"'": "‘’‚‛", '"': "“”„"}
#: What PowerShell itself fills in, or what changes how it works.
_AUTOMATIC = words("""
    defaultviserver defaultviservers enabledexperimentalfeatures error executioncontext foreach
    formatenumerationlimit home host input iscoreclr islinux ismacos iswindows lastexitcode matches
    maximumhistorycount myinvocation nestedpromptlevel ofs outputencoding pid profile psboundparameters
    pscmdlet pscommandpath psculture psdefaultparametervalues psedition psemailserver pshome psitem
    psnativecommandargumentpassing psscriptroot psstyle psuiculture psversiontable pwd sender shellid
    stacktrace switch this
""")


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
    #: How many blocks of pipelines and brackets are around the place, in which nobody leaves the script.
    blocks: int = 0

    @abstractmethod
    def statements(self, closing: str) -> list[Statement]:
        """Read statements up to a closing bracket, and the bracket."""

    @abstractmethod
    def assigned(self) -> Expression:
        """Read a pipeline or a statement as a value; a single expression is not taken apart."""

    def expression(self, least: int = 1) -> Expression:
        """Read an expression, with operators that bind at least so tightly."""
        parts = [self.operand()]
        while self.comma():
            parts.append(self.operand())
        first = parts[0] if len(parts) == 1 else partial(array_of, parts)
        rest: list[tuple[str, Expression]] = []
        while True:
            self.skip()
            start, match = self.at, self.match(_OPERATOR)
            group = match.lastgroup if match is not None else None
            if match is None or group is None or _BINDING[group] < least:
                self.at = start
                return partial(_operated, first, rest) if rest else first
            self.skip(LINES)
            rest.append((match[group].lower(), self.expression(_BINDING[group] + 1)))

    def comma(self) -> bool:
        """Go past a comma if one is next, and say whether it was."""
        self.skip()
        found = self.take(",")
        if found:
            self.skip(LINES)
        return found

    def operand(self) -> Expression:
        """Read a value with what stands before it: a sign, a cast, a negation, a comma."""
        self.deeper(1)
        self.skip()
        if self.match(_NOT):
            found: Expression = partial(_negated, self.operand())
        elif self.comma():
            found = partial(array_of, [self.operand()])
        elif number := self.match(_NUMBER):
            # A sign belongs to its number: the least Int32 has no positive counterpart.
            found = constant(_number(number))
        else:
            found = self._cast() if self.looking_at("[") else self.value()
        self.deeper(-1)
        return found

    def _cast(self) -> Expression:
        match = self.match(TYPE)
        if match is None:
            raise self.not_understood()
        name = match[1].lower()
        if name == "ordered":
            return self._hashtable(OrderedDictionary)
        full = full_name(match[1])
        # Only with this type a hashtable keeps the order in which it was written.
        inner = self._hashtable(OrderedDictionary) if name == "pscustomobject" else self.operand()
        return lambda machine: convert(_weighed(plain(inner(machine)), machine), full)

    def value(self) -> Expression:
        """Read a value: a literal, a variable, something in brackets, with its members."""
        found = self.primary()
        while member := self.match(_MEMBER):
            found = partial(_member, found, member[1], call_member if member[2] else member_of)
        return found

    def primary(self) -> Expression:
        """Read a value without its members."""
        sign = self.sign()
        if sign in {"'", '"'}:
            return self._quoted(sign)
        if self.looking_at("$(") or self.looking_at("@("):
            self.at += 2
            return partial(_output, self.block(")"), sign == "@")
        if self.looking_at("@{"):
            return self._hashtable(Hashtable)
        if self.take("("):
            return self.parenthesised()
        if sign == "$":
            return self._variable()
        raise self.not_understood()

    def block(self, closing: str) -> ScriptBlock:
        """Read the statements of a block, in which nobody leaves the script, and its closing bracket."""
        self.blocks += 1
        found = ScriptBlock(self.statements(closing))
        self.blocks -= 1
        return found

    def parenthesised(self) -> Expression:
        """Read a pipeline after its opening bracket, and the closing one."""
        self.skip(LINES)
        inner = self.assigned()
        self.expect(")")
        return inner

    def _variable(self) -> Expression:
        match = self.match(_VARIABLE)
        if match is None:
            raise self.not_understood()
        name = variable_name(match[1] or match[2])
        if name.endswith("preference"):
            raise self.not_understood(f"the value of ${name}")
        return lambda machine: machine.variables.get(name, _CONSTANTS.get(name))

    def _hashtable(self, kind: _Kind) -> Expression:
        if not self.take("@{"):
            raise self.not_understood()
        entries: list[tuple[Expression, Expression]] = []
        self.skip(SEPARATORS)
        while not self.take("}"):
            key = self.match(_KEY)
            name = constant(key[0]) if key is not None else self.value()
            self.skip()
            if not self.take("="):
                raise self.not_understood()
            self.skip(LINES)
            entries.append((name, self.assigned()))
            self.skip()
            if self.sign() not in {";", "\n", "\r", "}"}:
                raise self.not_understood()
            self.skip(SEPARATORS)
        return partial(_mapping, kind, entries)

    def _quoted(self, quote: str) -> Expression:
        self.at += 1
        parts: list[Expression] = []
        literal = ""
        while sign := self.sign():
            if sign in _TYPOGRAPHIC[quote]:
                raise self.not_understood("a typographic quote, which ends a text")
            if quote == '"' and _INSERTED.match(self.text, self.at):
                parts += [constant(literal), self.primary()]
                literal = ""
                continue
            self.at += 1
            if sign == quote and not self.take(quote):
                parts.append(constant(literal))
                return parts[0] if len(parts) == 1 else partial(_put_together, parts)
            if quote == '"' and sign == "`":
                escaped = _ESCAPES.get(self.sign())
                if escaped is None:
                    raise self.not_understood(f"the escape `{self.sign()}")
                sign = escaped
                self.at += 1
            literal += sign
        raise self.not_understood("a text without its closing quote")


def array_of(parts: Sequence[Expression], machine: Machine) -> object:
    """Return the values of some expressions as an array."""
    return _weighed([plain(part(machine)) for part in parts], machine)


def _weighed(value: object, machine: Machine) -> object:
    machine.step(value)
    return value


def _output(body: ScriptBlock, is_array: bool, machine: Machine) -> object:
    found: list[object] = []
    errors = len(machine.errors)
    body.run(machine, found.append)
    if len(machine.errors) > errors and len(body.body) > 1:
        raise NotUnderstoodError("an error among several statements in $() or @()")
    return found if is_array else values.unwrapped(found)


def _number(match: re.Match[str]) -> object:
    sign, digits, suffix, unit = (part.lower() if part else "" for part in match.groups())
    hexadecimal = "x" in digits
    whole = hexadecimal or digits.isdigit()
    value = int(digits, 16 if hexadecimal else 10) if whole else float(digits)
    value *= _UNITS[unit] * (-1 if sign else 1)
    if not (values.fits(value, 64) if isinstance(value, int) else isfinite(value) and not suffix):
        raise NotUnderstoodError(f"the number {match[0]}")
    return Int64(value) if suffix else value


def _negated(inner: Expression, machine: Machine) -> object:
    return not values.truth(inner(machine))


def _operated(first: Expression, rest: Sequence[tuple[str, Expression]], machine: Machine) -> object:
    left = plain(first(machine))
    for word, operand in rest:
        if word in {"and", "or"}:
            left = (
                values.truth(left) if values.truth(left) is (word == "or") else values.truth(operand(machine))
            )
            continue
        right = plain(operand(machine))
        machine.step(left, right)
        left = operate(word, left, right)
        machine.step(left)
    return left


def _put_together(parts: Sequence[Expression], machine: Machine) -> object:
    texts = [text(_weighed(plain(part(machine)), machine)) for part in parts]
    values.check_size(sum(map(len, texts)))
    return "".join(texts)


def _mapping(kind: _Kind, entries: Sequence[tuple[Expression, Expression]], machine: Machine) -> object:
    found = kind()
    for name, value in entries:
        key = name(machine)
        if type(key) is not str:
            raise NotUnderstoodError("a key that is no text")
        found[key] = plain(value(machine))
    if len({str(key).lower() for key in found}) < len(entries):
        raise NotUnderstoodError("a key that is there twice")
    return _weighed(found, machine)


def _member(
    expression: Expression, name: str, find: Callable[[object, str], object], machine: Machine
) -> object:
    return find(_weighed(plain(expression(machine)), machine), name)
