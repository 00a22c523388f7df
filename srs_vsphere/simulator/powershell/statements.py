"""Statements: pipelines, assignments, conditions, and the parameters at the beginning of a script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from attrs import frozen

from srs_vsphere.simulator.objects import operators
from srs_vsphere.simulator.objects.conversions import full_name
from srs_vsphere.simulator.objects.errors import ScriptError, ScriptExit, ScriptReturn
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import elements, plain, text, truth, unwrapped
from srs_vsphere.simulator.powershell.commands import Command, Stage, command, unknown
from srs_vsphere.simulator.powershell.expressions import TYPE, Expressions, array_of, collect, variable_name
from srs_vsphere.simulator.powershell.machine import (
    Expression,
    Machine,
    Parameter,
    ScriptBlock,
    Sink,
    Statement,
)

_ASSIGNMENT = re.compile(r"\$((?:(?:global|script):)?\w+)[ \t]*([-+*/]?=)(?!=)", re.IGNORECASE)
_KEYWORD = re.compile(r"(if|throw|exit|return|foreach|break)\b(?![-\w])", re.IGNORECASE)
_NOT_HERE = re.compile(
    r"(function|filter|class|enum|switch|for|while|do|try|trap|begin|process|end|using|data|param|continue"
    r"|workflow|configuration|parallel|sequence|inlinescript|dynamicparam|clean|until|catch|finally"
    r"|else|elseif)\b(?![-\w])",
    re.IGNORECASE,
)
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
_ENDS = frozenset({"", ";", "|", "\n", "\r", ")", "}"})
_CALM = frozenset({"continue", "silentlycontinue"})
#: The values that preference variables may be given here; the last two change nothing that is shown.
_PREFERENCES = {
    "erroractionpreference": _CALM | {"stop"},
    "warningpreference": _CALM,
    "verbosepreference": _CALM,
    "debugpreference": _CALM,
    "informationpreference": _CALM,
    "progresspreference": _CALM,
}
_OPERATIONS = {
    "+=": operators.add,
    "-=": operators.subtract,
    "*=": operators.multiply,
    "/=": operators.divide,
}


def parse(script: str) -> ScriptBlock:
    """Read a whole script; an error if it ends in the condition of an ``if``, refused if it is not known."""
    reader = _Statements(script)
    try:
        return reader.script()
    except NotUnderstoodError as error:
        error.line = error.line or reader.line
        raise


@frozen(eq=False)
class _Call:
    """A command with its arguments, before it runs; without a command PowerShell would not know it either."""

    name: str
    command: Command | None
    arguments: Mapping[str, Expression]
    piped: bool

    def start(self, machine: Machine, sink: Sink) -> Stage:
        if self.command is None:
            unknown(self.name)
        arguments = {name: plain(value(machine)) for name, value in self.arguments.items()}
        try:
            return self.command.run(machine, arguments | ({"input": True} if self.piped else {}), sink)
        except NotUnderstoodError as error:
            error.what = error.what if self.name in error.what else f"{error.what} of {self.name}"
            raise


class _Statements(Expressions):
    # How many loops are around the place.
    _loops = 0

    def script(self) -> ScriptBlock:
        self.skip_separators()
        advanced = self.match(_BINDING) is not None
        self.skip_separators()
        parameters = self._parameters() if self.match(_PARAM) else []
        if advanced and not parameters:
            raise self.not_understood("[CmdletBinding()] without parameters")
        mandatory = any(parameter.mandatory for parameter in parameters)
        return ScriptBlock(self.statements(""), parameters, advanced or mandatory)

    def statements(self, closing: str) -> list[Statement]:
        found: list[Statement] = []
        while True:
            self.skip_separators()
            if self.ended() and closing:
                raise self.not_understood(f"the end of the text, where {closing!r} is missing")
            if self.take(closing) if closing else self.ended():
                return found
            found.append(self._statement())
            self.skip_blanks()
            after_block = self.text[: self.at].rstrip().endswith("}")
            if self.sign() not in {"", ";", "\n", "\r", closing} and not after_block:
                raise self.not_understood()

    def _statement(self) -> Statement:
        line = self.line
        if keyword := self.match(_KEYWORD):
            return self._keyword(keyword.group(1).lower(), line)
        if assignment := self.match(_ASSIGNMENT):
            name = _own_name(assignment.group(1))
            self.skip_lines()
            return Statement(line, partial(_assign, name, assignment.group(2), self.assigned()))
        return self._pipeline()

    def _keyword(self, keyword: str, line: int) -> Statement:
        if keyword == "if":
            return self._if(line)
        if keyword == "foreach":
            return self._foreach(line)
        if self.blocks and keyword != "throw":
            raise self.not_understood(f"{keyword} inside a block or an expression")
        if keyword == "break" and self._loops:
            raise self.not_understood("break inside a loop")
        self.skip_blanks()
        body = [] if self.sign() in _ENDS else [self._pipeline()]
        return Statement(line, partial({"throw": _throw, "return": _return}.get(keyword, _exit), body))

    def _if(self, line: int) -> Statement:
        branches: list[tuple[Expression, ScriptBlock]] = []
        start = -1
        while start < 0 or self.match(_ELSEIF):
            self.skip_lines()
            self.expect("(")
            if self.ended():
                before = self.text[: self.at].split("\n")[-1].strip()
                what = f"Missing condition in if statement after '{before}'."
                raise ScriptError(what, "IncompleteParseException")
            branches.append((self.parenthesised(), self._body()))
            start = self.at
            self.skip_lines()
        otherwise = self._body() if self.match(_ELSE) else None
        if otherwise is None:
            self.at = start
        return Statement(line, partial(_choose, branches, otherwise))

    def _body(self) -> ScriptBlock:
        self.skip_lines()
        self.expect("{")
        return ScriptBlock(self.nested("}"))

    def _foreach(self, line: int) -> Statement:
        self.skip_lines()
        self.expect("(")
        self.skip_lines()
        variable = self.match(_NAME)
        self.skip_lines()
        if variable is None or not self.match(_IN):
            raise self.not_understood()
        name, found = _own_name(variable.group(1)), self.parenthesised()
        self._loops += 1
        body = self._body()
        self._loops -= 1
        return Statement(line, partial(_each, name, found, body))

    def assigned(self) -> Expression:
        line, keyword = self.line, self.match(_KEYWORD)
        if keyword is not None and keyword.group(1).lower() in {"if", "foreach"}:
            self.blocks += 1
            statement = self._keyword(keyword.group(1).lower(), line)
            self.blocks -= 1
        elif keyword is not None:
            raise self.not_understood()
        elif _COMMAND.match(self.text, self.at):
            statement = self._pipeline()
        else:
            first = self.expression()
            self.skip_blanks()
            if not self.looking_at("|"):
                return first
            statement = Statement(line, partial(_run, first, self._stages()))
        return lambda machine: unwrapped(collect(statement, machine))

    def _pipeline(self) -> Statement:
        line = self.line
        if keyword := self.match(_NOT_HERE) or self.match(_KEYWORD):
            raise self.not_understood(f"the keyword {keyword.group(1)}")
        if _COMMAND.match(self.text, self.at):
            return Statement(line, partial(_run, None, [self._call(piped=False), *self._stages()]))
        return Statement(line, partial(_run, self.expression(), self._stages()))

    def _stages(self) -> list[_Call]:
        stages: list[_Call] = []
        self.skip_blanks()
        while self.take("|"):
            self.skip_lines()
            stages.append(self._call(piped=True))
            self.skip_blanks()
        if self.sign() not in _ENDS:
            raise self.not_understood()
        return stages

    def _call(self, *, piped: bool) -> _Call:
        line, match = self.line, self.match(_COMMAND)
        if match is None:
            raise self.not_understood()
        # Looked up at once, so that a script with a command that is not known here does not begin to run.
        try:
            found, given = command(match.group()), self._named_arguments()
            return _Call(match.group(), found, {} if found is None else found.bound(given), piped)
        except NotUnderstoodError as error:
            error.line = error.line or line
            raise

    def _named_arguments(self) -> list[tuple[str | None, Expression | None]]:
        arguments: list[tuple[str | None, Expression | None]] = []
        while True:
            self.skip_blanks()
            if self.sign() in _ENDS:
                return arguments
            name = self.match(_PARAMETER)
            value = self._argument() if name is None or name.group(2) else None
            arguments.append((name.group(1).lower() if name else None, value))

    def _argument(self) -> Expression:
        parts = [self._argument_value()]
        while self.comma():
            parts.append(self._argument_value())
        return parts[0] if len(parts) == 1 else partial(array_of, parts)

    def _argument_value(self) -> Expression:
        found: object = None
        value: Expression = lambda _: found  # noqa: E731 - most arguments are what they look like
        if self.take("{"):
            self.blocks += 1
            found = ScriptBlock(self.nested("}"))
            self.blocks -= 1
        elif number := self.match(_ARGUMENT):
            found = float(number.group()) if number.group(2) else int(number.group())
        elif self.sign() in {"'", '"', "$", "("} or self.looking_at("@(") or self.looking_at("@{"):
            value = self.value()
        elif word := self.match(_WORD):
            found = word.group()
        else:
            raise self.not_understood()
        if self.sign() not in _ENDS | {" ", "\t", "`", ","}:
            raise self.not_understood()
        return value

    def _parameters(self) -> list[Parameter]:
        self.skip_lines()
        self.expect("(")
        found: list[Parameter] = []
        self.commas = False
        self.skip_lines()
        while not self.take(")"):
            if found:
                self.expect(",")
                self.skip_lines()
            found.append(self._parameter())
            self.skip_lines()
        self.commas = True
        return found

    def _parameter(self) -> Parameter:
        found = Parameter("")
        while self.looking_at("["):
            if attribute := self.match(_MANDATORY):
                found.mandatory = "mandatory" in attribute.group(1).lower()
            elif (named := self.match(TYPE)) and found.type is None:
                found.type = full_name(named.group(1))
            else:
                raise self.not_understood()
            self.skip_lines()
        name = self.match(_NAME)
        if name is None:
            raise self.not_understood()
        found.name = name.group(1)
        _own_name(found.name)
        self.skip_lines()
        if self.take("="):
            self.skip_lines()
            found.default = self.expression()
        return found


def _own_name(written: str) -> str:
    """Return the name of a variable that a script may give a value."""
    name = variable_name(written)
    if name in {"true", "false", "null", "args", "_"}:
        raise NotUnderstoodError(f"an assignment to ${name}")
    if name.endswith("preference") and name not in _PREFERENCES:
        raise NotUnderstoodError(f"${written}")
    return name


def _run(expression: Expression | None, calls: Sequence[_Call], machine: Machine, sink: Sink) -> None:
    for call in calls:
        if call.command is None:
            unknown(call.name)
    stages: list[Stage] = []
    for call in reversed(calls):
        stages.insert(0, call.start(machine, sink))
        sink = stages[0].take
    # A command at the beginning gets nothing through the pipeline: what it does, it does when it starts.
    for value in elements(expression(machine)) if expression is not None else ():
        machine.step()
        sink(value)
    for stage in stages:
        stage.end()


def _assign(name: str, operator: str, expression: Expression, machine: Machine, _: Sink) -> None:
    value = expression(machine)
    if operator != "=":
        value = _OPERATIONS[operator](plain(machine.variables.get(name)), plain(value))
    if machine.typed.get(name) is not None:
        raise NotUnderstoodError(f"an assignment to the typed parameter ${name}")
    if name in _PREFERENCES and (not isinstance(value, str) or value.lower() not in _PREFERENCES[name]):
        raise NotUnderstoodError(f"this value of ${name}")
    machine.variables[name] = machine.weighed(value)


def _choose(
    branches: Sequence[tuple[Expression, ScriptBlock]],
    otherwise: ScriptBlock | None,
    machine: Machine,
    sink: Sink,
) -> None:
    for condition, body in branches:
        if truth(condition(machine)):
            body.run(machine, sink)
            return
    if otherwise is not None:
        otherwise.run(machine, sink)


def _each(name: str, found: Expression, body: ScriptBlock, machine: Machine, sink: Sink) -> None:
    values = found(machine)
    for value in [] if values is None else elements(values):
        machine.variables[name] = value
        body.run(machine, sink)


def _throw(body: Sequence[Statement], machine: Machine, _: Sink) -> None:
    found = [value for statement in body for value in collect(statement, machine)]
    silent = machine.preference("erroractionpreference") == "silentlycontinue"
    if silent or len(found) > 1 or any(type(value) not in {str, int} for value in found):
        raise NotUnderstoodError("throw with something else than a text, or while errors are silent")
    message = text(found) if found else "ScriptHalted"
    error = ScriptError(message, id=message, category="OperationStopped", target=text(found))
    machine.note(error)
    raise error


def _return(body: Sequence[Statement], machine: Machine, sink: Sink) -> None:
    for statement in body:
        statement.run(machine, sink)
    raise ScriptReturn


def _exit(_: Sequence[Statement], machine: Machine, __: Sink) -> None:
    machine.step()
    raise ScriptExit
