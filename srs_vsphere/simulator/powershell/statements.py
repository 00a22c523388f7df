"""Statements: pipelines, assignments, conditions, and the parameters at the beginning of a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from srs_vsphere.simulator.powershell import operators
from srs_vsphere.simulator.powershell.commands import ABSENT, Stage, bind, command, unknown
from srs_vsphere.simulator.powershell.conversions import full_name
from srs_vsphere.simulator.powershell.errors import (
    NotUnderstoodError,
    ScriptError,
    ScriptExit,
    ScriptReturn,
    incomplete,
)
from srs_vsphere.simulator.powershell.expressions import Expressions
from srs_vsphere.simulator.powershell.machine import (
    Expression,
    Parameter,
    Scope,
    ScriptBlock,
    Sink,
    Statement,
)
from srs_vsphere.simulator.powershell.pieces import collect, constant, unwrapped, variable_name
from srs_vsphere.simulator.powershell.values import elements, text, truth

_ASSIGNMENT = re.compile(r"\$((?:(?:global|script|local|private):)?\w+)[ \t]*([-+*/]?=)(?!=)", re.IGNORECASE)
_KEYWORD = re.compile(r"(if|throw|exit|return|foreach)\b(?![-\w])", re.IGNORECASE)
_NOT_HERE = re.compile(
    r"(function|filter|class|enum|switch|for|while|do|try|trap|begin|process|end|using|data|param|break|continue)"
    r"\b(?![-\w])",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"[A-Za-z_][\w.\\:-]*|[%?](?=[\s{])")
_PARAMETER = re.compile(r"-([A-Za-z]\w*)(:?)")
_WORD = re.compile(r"[^\s;|(){}\"'$@&,]+")
_BINDING = re.compile(r"\[CmdletBinding\([^)]*\)\]", re.IGNORECASE)
_PARAM = re.compile(r"param\b", re.IGNORECASE)
_MANDATORY = re.compile(r"\[Parameter\(([^)]*)\)\]", re.IGNORECASE)
_TYPE = re.compile(r"\[([\w.]+(?:\[\])?)\]")
_NAME = re.compile(r"\$(\w+)")
_ENDS = frozenset({"", ";", "|", "\n", "\r", ")", "}"})
_BLOCK = "Missing closing '}' in statement block or type definition."


def parse(script: str) -> ScriptBlock:
    """Read a whole script.

    Args:
        script: its text.

    Raises:
        ScriptError: it is no correct script.
        NotUnderstoodError: it uses what is not known here.
    """
    return _Statements(script).script()


class _Statements(Expressions):
    def script(self) -> ScriptBlock:
        self.skip_separators()
        advanced = self.match(_BINDING) is not None
        self.skip_separators()
        parameters = self._parameters() if self.match(_PARAM) else []
        if advanced or any(parameter.mandatory for parameter in parameters):
            return ScriptBlock(self.statements(""), parameters, advanced=True)
        return ScriptBlock(self.statements(""), parameters)

    def statements(self, closing: str) -> list[Statement]:
        found: list[Statement] = []
        while True:
            self.skip_separators()
            if self.ended() and not closing:
                return found
            if self.ended():
                raise incomplete(_BLOCK if closing == "}" else f"Missing closing '{closing}' in expression.")
            if closing and self.take(closing):
                return found
            found.append(self.statement())

    def statement(self) -> Statement:
        if self.match(_NOT_HERE):
            raise self.not_understood()
        keyword = self.match(_KEYWORD)
        if keyword is not None:
            return self._keyword(keyword.group(1).lower())
        assignment = self.match(_ASSIGNMENT)
        if assignment is not None:
            return self._assignment(assignment.group(1), assignment.group(2))
        return self._pipeline()

    def _keyword(self, keyword: str) -> Statement:
        if keyword == "if":
            return self._if()
        if keyword == "foreach":
            return self._foreach()
        self.skip_blanks()
        body = [] if self.sign() in _ENDS else [self._pipeline()]
        if keyword == "throw":
            return partial(_throw, body)
        if keyword == "return":
            return partial(_return, body)
        return _exit

    def _if(self) -> Statement:
        branches = [self._branch("if")]
        otherwise: list[Statement] = []
        while True:
            start = self.at
            self.skip_lines()
            if self.take("elseif"):
                branches.append(self._branch("elseif"))
                continue
            if self.take("else"):
                otherwise = self._body()
            else:
                self.at = start
            return partial(_choose, branches, otherwise)

    def _branch(self, keyword: str) -> tuple[list[Statement], list[Statement]]:
        self.skip_lines()
        self.expect("(", f"Missing '(' after '{keyword}' in if statement.")
        self.skip_lines()
        if self.ended():
            raise incomplete(f"Missing condition in if statement after '{keyword} ('.")
        return self._in_brackets(), self._body()

    def _body(self) -> list[Statement]:
        self.skip_lines()
        self.expect("{", "Missing statement block.")
        return self.statements("}")

    def _foreach(self) -> Statement:
        self.skip_lines()
        self.expect("(", "Missing opening '(' after keyword 'foreach'.")
        self.skip_lines()
        variable = self.match(_NAME)
        self.skip_lines()
        if variable is None or not self.take("in"):
            raise self.not_understood()
        values = self._in_brackets()
        return partial(_foreach, variable_name(variable.group(1)), values, self._body())

    def _assignment(self, written: str, operator: str) -> Statement:
        self.skip_lines()
        value = [self.statement()]
        everywhere = written.lower().startswith(("global:", "script:"))
        return partial(_assign, variable_name(written), everywhere, operator, value)

    def _pipeline(self) -> Statement:
        if self.looking_at("& {") or self.looking_at("&{"):
            self.at += 1
            self.skip_blanks()
            return partial(_run_expression, _invoked(self.value()), self._stages())
        if _COMMAND.match(self.text, self.at):
            first = self._call()
            return partial(_run_commands, [first, *self._stages()])
        return partial(_run_expression, self.expression(), self._stages())

    def continued(self, first: Expression, closing: str) -> list[Statement]:
        return [partial(_run_expression, first, self._stages()), *self.statements(closing)]

    def _stages(self) -> list[_Call]:
        stages: list[_Call] = []
        while True:
            self.skip_blanks()
            if not self.take("|"):
                break
            self.skip_lines()
            if self.ended():
                raise incomplete("An empty pipe element is not allowed.")
            stages.append(self._call())
        if self.sign() not in _ENDS:
            raise self.not_understood()
        return stages

    def command_next(self) -> bool:
        # Keywords look like commands.
        return any(pattern.match(self.text, self.at) for pattern in (_COMMAND, _ASSIGNMENT))

    def _call(self) -> _Call:
        match = self.match(_COMMAND)
        if match is None:
            raise self.not_understood()
        arguments: list[tuple[str | None, Expression | None]] = []
        while True:
            self.skip_blanks()
            if self.sign() in _ENDS:
                return _Call(match.group(), arguments)
            name = self.match(_PARAMETER)
            if name is not None and not name.group(2):
                arguments.append((name.group(1).lower(), None))
            else:
                arguments.append((name.group(1).lower() if name else None, self._command_argument()))

    def _command_argument(self) -> Expression:
        parts = [self._command_value()]
        while True:
            self.skip_blanks()
            if not self.take(","):
                break
            self.skip_lines()
            parts.append(self._command_value())
        return parts[0] if len(parts) == 1 else lambda scope: [part(scope) for part in parts]

    def _command_value(self) -> Expression:
        if self.sign() in {"'", '"', "$", "(", "{", "@"} or self.match(re.compile(r"(?=-?\.?\d)")):
            negative = self.take("-")
            value = self.value()
            return (lambda scope: operators.subtract(0, value(scope))) if negative else value
        word = self.match(_WORD)
        if word is None:
            raise self.not_understood()
        return constant(word.group())

    def _parameters(self) -> list[Parameter]:
        self.skip_lines()
        self.expect("(", "Missing '(' in function parameter list.")
        found: list[Parameter] = []
        self.skip_lines()
        while not self.take(")"):
            found.append(self._parameter())
            self.skip_lines()
            if not self.take(",") and not self.looking_at(")"):
                self.expect(")", "Missing ')' in function parameter list.")
            self.skip_lines()
        return found

    def _parameter(self) -> Parameter:
        mandatory = False
        type_: str | None = None
        while self.looking_at("["):
            attribute = self.match(_MANDATORY)
            named = None if attribute is not None else self.match(_TYPE)
            if attribute is not None:
                mandatory = "mandatory" in attribute.group(1).lower().replace("mandatory=$false", "")
            elif named is not None:
                type_ = full_name(named.group(1))
            else:
                raise self.not_understood()
            self.skip_lines()
        name = self.match(_NAME)
        if name is None:
            raise self.not_understood()
        self.skip_lines()
        if not self.take("="):
            return Parameter(name.group(1), type_, None, mandatory)
        self.skip_lines()
        return Parameter(name.group(1), type_, self._argument(), mandatory)


class _Call:
    """A command with its arguments, before it runs."""

    def __init__(self, name: str, arguments: Sequence[tuple[str | None, Expression | None]]) -> None:
        self.name = name
        self._arguments = arguments
        # Looked up at once, so that a script with a command that is not known here does not begin to run.
        self._command = command(name)

    def start(self, scope: Scope, sink: Sink) -> Stage:
        if self._command is None:
            unknown(self.name, scope)
            return Stage(lambda _: None)
        run, switches = self._command
        arguments: list[tuple[str | None, object]] = [
            (name, ABSENT if value is None else value(scope)) for name, value in self._arguments
        ]
        return run(bind(arguments, switches, scope), sink)


def _run_expression(expression: Expression, calls: Sequence[_Call], scope: Scope, sink: Sink) -> None:
    stages = _stages(calls, scope, sink)
    take = stages[0].take if stages else sink
    for value in elements(expression(scope)):
        scope.machine.step()
        take(value)
    for stage in stages:
        stage.end()


def _run_commands(calls: Sequence[_Call], scope: Scope, sink: Sink) -> None:
    # The first command gets nothing through the pipeline: what it does, it does when it starts.
    for stage in _stages(calls, scope, sink):
        stage.end()


def _stages(calls: Sequence[_Call], scope: Scope, sink: Sink) -> list[Stage]:
    stages: list[Stage] = []
    for call in reversed(calls):
        stage = call.start(scope, sink)
        stages.insert(0, stage)
        sink = stage.take
    return stages


def _assign(
    name: str, everywhere: bool, operator: str, body: Sequence[Statement], scope: Scope, _: Sink
) -> None:
    found = collect(body, scope)
    value = unwrapped(found)
    if operator != "=":
        operations: dict[str, Callable[[object, object], object]] = {
            "+": operators.add,
            "-": operators.subtract,
            "*": operators.multiply,
            "/": operators.divide,
        }
        value = operations[operator[0]](scope.get(name), value)
    scope.set(name, value, everywhere=everywhere)


def _choose(
    branches: Sequence[tuple[Sequence[Statement], Sequence[Statement]]],
    otherwise: Sequence[Statement],
    scope: Scope,
    sink: Sink,
) -> None:
    for condition, body in branches:
        if truth(collect(condition, scope)):
            ScriptBlock(body).run(scope, sink)
            return
    ScriptBlock(otherwise).run(scope, sink)


def _foreach(
    name: str, values: Sequence[Statement], body: Sequence[Statement], scope: Scope, sink: Sink
) -> None:
    for value in collect(values, scope):
        scope.set(name, value)
        ScriptBlock(body).run(scope, sink)


def _invoked(block: Expression) -> Expression:
    def run(scope: Scope) -> object:
        value = block(scope)
        if not isinstance(value, ScriptBlock):
            raise NotUnderstoodError("a call of something else than a script block")
        found: list[object] = []
        try:
            value.run(Scope(scope.machine, outer=scope), found.append)
        except ScriptReturn as left:
            found += left.values
        return found

    return run


def _throw(body: Sequence[Statement], scope: Scope, _: Sink) -> None:
    found = collect(body, scope)
    raise ScriptError("RuntimeException", text(found) if found else "ScriptHalted")


def _return(body: Sequence[Statement], scope: Scope, _: Sink) -> None:
    raise ScriptReturn(collect(body, scope))


def _exit(scope: Scope, _: Sink) -> None:
    scope.machine.step()
    raise ScriptExit
