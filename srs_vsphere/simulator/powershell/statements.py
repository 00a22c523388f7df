"""Statements: pipelines, assignments, conditions, and the parameters at the beginning of a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from srs_vsphere.simulator.objects.errors import ScriptError, ScriptExit, ScriptReturn, StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.texts import text
from srs_vsphere.simulator.objects.values import elements, plain, truth, unwrapped
from srs_vsphere.simulator.powershell.commands import Call, Command, command, run_pipeline
from srs_vsphere.simulator.powershell.conversions import full_name
from srs_vsphere.simulator.powershell.expressions import TYPE, Expressions, array_of, collect, variable_name
from srs_vsphere.simulator.powershell.machine import (
    Expression,
    Machine,
    Parameter,
    ScriptBlock,
    Sink,
    Statement,
    constant,
)
from srs_vsphere.simulator.powershell.operators import operate
from srs_vsphere.simulator.powershell.scanner import LINES, SEPARATORS

_ASSIGNMENT = re.compile(r"\$((?:(?:global|script):)?\w+)[ \t]*([-+*/]?)=(?!=)", re.IGNORECASE)
_KEYWORD = re.compile(r"(if|throw|exit|return|foreach|break)\b(?![-\w])", re.IGNORECASE)
_VALUED = re.compile(r"(if|foreach)\b(?![-\w])", re.IGNORECASE)
_COMMAND = re.compile(r"[A-Za-z_][\w-]*(?=[\s;|)}]|$)|[%?](?=[\s{])")
_PARAMETER = re.compile(r"-([A-Za-z]\w*)(:?)")
_WORD = re.compile(r"[A-Za-z_][\w.:/\\*+=%!?-]*")
_ARGUMENT = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{0,5}[1-9])?(?=[\s;|)},]|$)", re.ASCII)
_ELSEIF = re.compile(r"elseif\b", re.IGNORECASE)
_ELSE = re.compile(r"else\b", re.IGNORECASE)
_IN = re.compile(r"in\b", re.IGNORECASE)
_BINDING = re.compile(r"\[CmdletBinding\(\)\]", re.IGNORECASE)
_PARAM = re.compile(r"param\b", re.IGNORECASE)
_MANDATORY = re.compile(r"\[Parameter\(\s*(|Mandatory|Mandatory\s*=\s*\$true)\s*\)\]", re.IGNORECASE)
_NAME = re.compile(r"\$(\w+)")
_EXIT_CODE = re.compile(r"(?<=exit )\d{1,9}\b", re.ASCII | re.IGNORECASE)
#: The one preference that changes nothing here.
_PROGRESS = "progresspreference"
_ALWAYS = constant(True)
_ENDS = frozenset({"", ";", "|", "\n", "\r", ")", "}"})


def parse(script: str) -> ScriptBlock:
    """Read a whole script; an error if it ends in the condition of an ``if``, refused if it is not known."""
    reader = _Statements(script)
    try:
        return reader.script()
    except NotUnderstoodError as error:
        error.line = error.line or reader.line
        raise


class _Statements(Expressions):
    def script(self) -> ScriptBlock:
        self.skip(SEPARATORS)
        advanced = self.match(_BINDING) is not None
        self.skip(SEPARATORS)
        parameters = self._parameters() if self.match(_PARAM) else []
        if advanced and not parameters:
            raise self.not_understood("[CmdletBinding()] without parameters")
        mandatory = any(parameter.mandatory for parameter in parameters)
        return ScriptBlock(self.statements(""), parameters, advanced or mandatory)

    def statements(self, closing: str) -> list[Statement]:
        found: list[Statement] = []
        self.deeper(1)
        while True:
            self.skip(SEPARATORS)
            if not self.sign() and closing:
                raise self.not_understood(f"the end of the text, where {closing!r} is missing")
            if self.take(closing) if closing else not self.sign():
                self.deeper(-1)
                return found
            found.append(self._statement())
            self.skip()
            if self.sign() not in {"", ";", "\n", "\r", closing}:
                raise self.not_understood()

    def _statement(self) -> Statement:
        line = self.line
        if keyword := self.match(_KEYWORD):
            return self._keyword(keyword[1].lower(), line)
        if assignment := self.match(_ASSIGNMENT):
            name = _own_name(assignment[1])
            self.skip(LINES)
            return Statement(line, partial(_assign, name, assignment[2], self.assigned()))
        return self._pipeline()

    def _keyword(self, keyword: str, line: int) -> Statement:
        if keyword == "if":
            return self._if(line)
        if keyword == "foreach":
            return self._foreach(line)
        if self.blocks and keyword != "throw":
            raise self.not_understood(f"{keyword} inside a block or an expression")
        self.skip()
        if keyword in {"exit", "break"}:
            self.match(_EXIT_CODE)
            return Statement(line, _exit)
        body = None if self.sign() in _ENDS else self._pipeline()
        return Statement(line, partial(_leave, partial(_throw if keyword == "throw" else _return, body)))

    def _if(self, line: int) -> Statement:
        branches: list[tuple[Expression, ScriptBlock]] = []
        start = -1
        while start < 0 or self.match(_ELSEIF):
            self.expect("(")
            if not self.sign():
                before = self.text[: self.at].split("\n")[-1].strip()
                what = f"Missing condition in if statement after '{before}'."
                raise ScriptError(what, "IncompleteParseException")
            branches.append((self.parenthesised(), self._body()))
            start = self.at
            self.skip(LINES)
        if self.match(_ELSE):
            branches.append((_ALWAYS, self._body()))
        else:
            self.at = start
        return Statement(line, partial(_choose, branches))

    def _body(self) -> ScriptBlock:
        self.expect("{")
        return ScriptBlock(self.statements("}"))

    def _foreach(self, line: int) -> Statement:
        self.expect("(")
        self.skip(LINES)
        variable = self.match(_NAME)
        self.skip(LINES)
        if variable is None or not self.match(_IN):
            raise self.not_understood()
        name, found = _own_name(variable[1]), self.parenthesised()
        self.blocks += 1
        body = self._body()
        self.blocks -= 1
        return Statement(line, partial(_each, name, found, body))

    def assigned(self) -> Expression:
        line = self.line
        if keyword := self.match(_VALUED):
            self.blocks += 1
            statement = self._keyword(keyword[1].lower(), line)
            self.blocks -= 1
        elif _COMMAND.match(self.text, self.at):
            statement = self._pipeline()
        else:
            first = self.expression()
            self.skip()
            if not self.looking_at("|"):
                return first
            statement = Statement(line, partial(run_pipeline, first, self._stages()))
        return lambda machine: unwrapped(collect(statement, machine))

    def _pipeline(self) -> Statement:
        line = self.line
        first = None if _COMMAND.match(self.text, self.at) else self.expression()
        calls = [self._call(piped=False)] if first is None else []
        return Statement(line, partial(run_pipeline, first, calls + self._stages()))

    def _stages(self) -> list[Call]:
        stages: list[Call] = []
        self.skip()
        while self.take("|"):
            self.skip(LINES)
            stages.append(self._call(piped=True))
            self.skip()
        if self.sign() not in _ENDS:
            raise self.not_understood()
        return stages

    def _call(self, *, piped: bool) -> Call:
        match = self.match(_COMMAND)
        if match is None:
            raise self.not_understood()
        # Looked up at once, so that a script with a command that is not known here does not begin to run.
        found = command(match[0])
        return Call(match[0], found, self._arguments(found), piped)

    def _arguments(self, known: Command | None) -> dict[str, Expression]:
        found: dict[str, Expression] = {}
        loose: list[Expression] = []
        while True:
            self.skip()
            if self.sign() in _ENDS:
                break
            name = self.match(_PARAMETER)
            if name is None:
                loose.append(self._argument())
            elif known is not None:
                whole = known.parameter(name[1].lower())
                if whole in found:
                    raise self.not_understood(f"the parameter -{whole}, given twice")
                self.skip()
                is_on = not name[2] and whole in known.switches
                found[whole] = _ALWAYS if is_on else self._argument()
        if known is None:
            return {str(number): value for number, value in enumerate(loose)}
        if known.takes_all and len(loose) > 1:
            loose = [partial(array_of, loose)]
        free = [name for name in known.positional if name not in found]
        if len(loose) > len(free):
            raise self.not_understood("more arguments than parameters")
        return found | dict(zip(free, loose, strict=False))

    def _argument(self) -> Expression:
        parts = [self._argument_value()]
        while self.comma():
            parts.append(self._argument_value())
        return parts[0] if len(parts) == 1 else partial(array_of, parts)

    def _argument_value(self) -> Expression:
        if self.take("{"):
            value = constant(self.block("}"))
        elif number := self.match(_ARGUMENT):
            value = constant(float(number[0]) if number[2] else int(number[0]))
        elif self.sign() in {"'", '"'}:
            value = self.primary()
        elif self.sign() in {"$", "("} or self.looking_at("@(") or self.looking_at("@{"):
            value = self.value()
        elif word := self.match(_WORD):
            value = constant(word[0])
        else:
            raise self.not_understood()
        if self.sign() not in _ENDS | {" ", "\t", ","}:
            raise self.not_understood()
        return value

    def _parameters(self) -> list[Parameter]:
        self.expect("(")
        found: list[Parameter] = []
        self.skip(LINES)
        while not self.take(")"):
            if found:
                self.expect(",")
                self.skip(LINES)
            found.append(self._parameter())
            self.skip(LINES)
        return found

    def _parameter(self) -> Parameter:
        found = Parameter("")
        while self.looking_at("["):
            if attribute := self.match(_MANDATORY):
                found.mandatory = "mandatory" in attribute[1].lower()
            elif (named := self.match(TYPE)) and found.type is None:
                found.type = full_name(named[1])
            else:
                raise self.not_understood()
            self.skip(LINES)
        name = self.match(_NAME)
        found.name = name[1] if name is not None else ""
        _own_name(found.name or "null")
        self.skip(LINES)
        if self.take("="):
            self.skip(LINES)
            found.default = self.operand()
        return found


def _own_name(written: str) -> str:
    """Return the name of a variable that a script may give a value."""
    name = variable_name(written)
    if name in {"true", "false", "null", "args", "_"}:
        raise NotUnderstoodError(f"an assignment to ${name}")
    if name.endswith("preference") and name != _PROGRESS:
        raise NotUnderstoodError(f"${written}")
    return name


def _assign(name: str, operator: str, expression: Expression, machine: Machine, _: Sink) -> None:
    value = expression(machine)
    if operator:
        before = plain(machine.variables.get(name))
        machine.step(before, plain(value))
        value = operate(operator, before, plain(value))
    if name == _PROGRESS and value != "SilentlyContinue":
        raise NotUnderstoodError(f"this value of ${name}")
    machine.assign(name, value)


def _choose(branches: Sequence[tuple[Expression, ScriptBlock]], machine: Machine, sink: Sink) -> None:
    for condition, body in branches:
        machine.step()
        if truth(condition(machine)):
            body.run(machine, sink)
            return


def _each(name: str, found: Expression, body: ScriptBlock, machine: Machine, sink: Sink) -> None:
    values = found(machine)
    for value in [] if values is None else elements(values):
        machine.assign(name, value)
        body.run(machine, sink)


def _leave(run: Callable[[Machine, Sink], None], machine: Machine, sink: Sink) -> None:
    try:
        run(machine, sink)
    except StatementError as error:
        raise NotUnderstoodError("an error in what the script is left with") from error


def _throw(body: Statement | None, machine: Machine, _: Sink) -> None:
    found = [] if body is None else collect(body, machine)
    if body is not None and not (len(found) == 1 and found[0] and type(found[0]) in {str, int}):
        raise NotUnderstoodError("throw with something else than a text")
    message = text(found) if found else "ScriptHalted"
    error = ScriptError(message, id=message, category="OperationStopped", target=text(found))
    machine.note(error)
    raise error


def _return(body: Statement | None, machine: Machine, sink: Sink) -> None:
    if body is not None:
        body.run(machine, sink)
    raise ScriptReturn


def _exit(_: Machine, __: Sink) -> None:
    raise ScriptExit
