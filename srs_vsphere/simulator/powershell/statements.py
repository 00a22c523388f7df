"""Statements: pipelines, assignments, conditions, and the parameters at the beginning of a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import elements, plain, text, truth, unwrapped
from srs_vsphere.simulator.powershell import operators
from srs_vsphere.simulator.powershell.commands import Call, Stage, bound_arguments, command, unknown
from srs_vsphere.simulator.powershell.conversions import full_name
from srs_vsphere.simulator.powershell.errors import ScriptError, ScriptExit, ScriptReturn
from srs_vsphere.simulator.powershell.expressions import Expressions, collect, variable_name
from srs_vsphere.simulator.powershell.machine import (
    Expression,
    Parameter,
    Scope,
    ScriptBlock,
    Sink,
    Statement,
)

_ASSIGNMENT = re.compile(r"\$((?:(?:global|script):)?\w+)[ \t]*([-+*/]?=)(?!=)", re.IGNORECASE)
_KEYWORD = re.compile(r"(if|throw|exit|return|foreach|break)\b(?![-\w])", re.IGNORECASE)
_NOT_HERE = re.compile(
    r"(function|filter|class|enum|switch|for|while|do|try|trap|begin|process|end|using|data|param|continue"
    r"|workflow|configuration|parallel|sequence|inlinescript|dynamicparam|clean|until|catch|finally|else|elseif)"
    r"\b(?![-\w])",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"[A-Za-z_][\w-]*(?=[\s;|)}]|$)|[%?](?=[\s{])")
_PARAMETER = re.compile(r"-([A-Za-z]\w*)(:?)")
_WORD = re.compile(r"[A-Za-z_][\w.:/\\*+=%!?-]*")
_ARGUMENT = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{0,5}[1-9])?(?=[\s;|)},]|$)")
_ELSEIF = re.compile(r"elseif\b", re.IGNORECASE)
_ELSE = re.compile(r"else\b", re.IGNORECASE)
_IN = re.compile(r"in\b", re.IGNORECASE)
_BINDING = re.compile(r"\[CmdletBinding\(\)\]", re.IGNORECASE)
_PARAM = re.compile(r"param\b", re.IGNORECASE)
_MANDATORY = re.compile(r"\[Parameter\(\s*(|Mandatory|Mandatory\s*=\s*\$true)\s*\)\]", re.IGNORECASE)
_TYPE = re.compile(r"\[([\w.]+(?:\[\])?)\]")
_NAME = re.compile(r"\$(\w+)")
_ENDS = frozenset({"", ";", "|", "\n", "\r", ")", "}"})
#: The values that preference variables may be given here.
_PREFERENCES = {
    "erroractionpreference": {"continue", "silentlycontinue", "stop"},
    "warningpreference": {"continue", "silentlycontinue"},
    "verbosepreference": {"continue", "silentlycontinue"},
    "debugpreference": {"continue", "silentlycontinue"},
    # These two change nothing that the service shows.
    "informationpreference": {"continue", "silentlycontinue"},
    "progresspreference": {"continue", "silentlycontinue"},
}


def parse(script: str) -> ScriptBlock:
    """Read a whole script.

    Args:
        script: its text.

    Raises:
        ScriptError: it ends within the condition of an ``if``.
        NotUnderstoodError: it uses what is not known here.
    """
    reader = _Statements(script)
    try:
        return reader.script()
    except NotUnderstoodError as error:
        if error.line is None:
            error.line = reader.line
        raise


class _Statements(Expressions):
    # How many blocks of ForEach-Object and Where-Object, and how many loops are around the place.
    _blocks = 0
    _loops = 0

    def script(self) -> ScriptBlock:
        self.skip_separators()
        advanced = self.match(_BINDING) is not None
        self.skip_separators()
        parameters = self._parameters() if self.match(_PARAM) else []
        if advanced and not parameters:
            raise self.not_understood("[CmdletBinding()] without parameters")
        advanced = advanced or any(parameter.mandatory for parameter in parameters)
        return ScriptBlock(self.statements(""), parameters, advanced)

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
            if self.sign() not in {"", ";", "\n", "\r", closing} and not self.text[
                : self.at
            ].rstrip().endswith("}"):
                raise self.not_understood()

    def _statement(self) -> Statement:
        if self.match(_NOT_HERE):
            raise self.not_understood(f"the keyword {self.text[: self.at].split()[-1]}")
        line = self.line
        keyword = self.match(_KEYWORD)
        if keyword is not None:
            return self._keyword(keyword.group(1).lower(), line)
        assignment = self.match(_ASSIGNMENT)
        if assignment is not None:
            return self._assignment(assignment.group(1), assignment.group(2), line)
        return self.pipeline()

    def _keyword(self, keyword: str, line: int) -> Statement:
        if keyword == "if":
            return self._if(line)
        if keyword == "foreach":
            return self._foreach(line)
        if self._blocks and keyword != "throw":
            raise self.not_understood(f"{keyword} inside a block of a pipeline")
        if keyword == "break" and self._loops:
            raise self.not_understood("break inside a loop")
        self.skip_blanks()
        body = [] if self.sign() in _ENDS else [self.pipeline()]
        if keyword == "throw":
            return Statement(line, partial(_throw, body))
        if keyword == "return":
            return Statement(line, partial(_return, body))
        if keyword == "break" and body:
            raise self.not_understood("break with a label")
        return Statement(line, _exit)

    def _if(self, line: int) -> Statement:
        branches = [self._branch()]
        otherwise = ScriptBlock([])
        while True:
            start = self.at
            self.skip_lines()
            if self.match(_ELSEIF):
                branches.append(self._branch())
                continue
            if self.match(_ELSE):
                otherwise = self._body()
            else:
                self.at = start
            return Statement(line, partial(_choose, branches, otherwise))

    def _branch(self) -> tuple[Expression, ScriptBlock]:
        self.skip_lines()
        self.expect("(")
        if not self.text[self.at :].strip():
            before = self.text[: self.at].split("\n")[-1].strip()
            what = f"Missing condition in if statement after '{before}'."
            raise ScriptError(what, "IncompleteParseException")
        return self._condition(), self._body()

    def _condition(self) -> Expression:
        self.skip_lines()
        condition = self.assigned_pipeline()
        self.skip_lines()
        self.expect(")")
        return condition

    def _body(self) -> ScriptBlock:
        self.skip_lines()
        self.expect("{")
        return ScriptBlock(self._nested("}"))

    def _foreach(self, line: int) -> Statement:
        self.skip_lines()
        self.expect("(")
        self.skip_lines()
        variable = self.match(_NAME)
        self.skip_lines()
        if variable is None or not self.match(_IN):
            raise self.not_understood()
        name = _own_name(variable.group(1))
        values = self._condition()
        self._loops += 1
        body = self._body()
        self._loops -= 1
        return Statement(line, partial(_each, name, values, body))

    def _assignment(self, written: str, operator: str, line: int) -> Statement:
        self.skip_lines()
        everywhere = ":" in written
        return Statement(line, partial(_assign, _own_name(written), everywhere, operator, self.assigned()))

    def assigned(self) -> Expression:
        line = self.line
        keyword = self.match(_KEYWORD)
        if keyword is None:
            return self.assigned_pipeline()
        if keyword.group(1).lower() not in {"if", "foreach"}:
            raise self.not_understood()
        statement = self._keyword(keyword.group(1).lower(), line)
        return lambda scope: unwrapped(collect(statement, scope))

    def assigned_pipeline(self) -> Expression:
        if self._command_next():
            statement = self.pipeline()
            return lambda scope: unwrapped(collect(statement, scope))
        line = self.line
        first = self.expression()
        self.skip_blanks()
        if not self.looking_at("|"):
            return first
        statement = self._piped(first, line)
        return lambda scope: unwrapped(collect(statement, scope))

    def _command_next(self) -> bool:
        return self.looking_at("&") or _COMMAND.match(self.text, self.at) is not None

    def pipeline(self) -> Statement:
        line = self.line
        if self.take("&"):
            self.skip_blanks()
            self.expect("{")
            blocks, self._blocks = self._blocks, 0
            block = ScriptBlock(self._nested("}"))
            self._blocks = blocks
            return self._piped(partial(_invoked, block), line)
        if _COMMAND.match(self.text, self.at):
            calls = [self._call(piped=False), *self._stages()]
            return Statement(line, partial(_run_commands, calls))
        if self.match(_NOT_HERE) or self.match(_KEYWORD):
            raise self.not_understood()
        return self._piped(self.expression(), line)

    def _piped(self, first: Expression, line: int) -> Statement:
        return Statement(line, partial(_run_expression, first, self._stages()))

    def _stages(self) -> list[Call]:
        stages: list[Call] = []
        while True:
            self.skip_blanks()
            if not self.take("|"):
                break
            self.skip_lines()
            stages.append(self._call(piped=True))
        if self.sign() not in _ENDS:
            raise self.not_understood()
        return stages

    def _call(self, *, piped: bool) -> Call:
        line = self.line
        match = self.match(_COMMAND)
        if match is None:
            raise self.not_understood()
        # Looked up at once, so that a script with a command that is not known here does not begin to run.
        try:
            found = command(match.group())
            return Call(match.group(), found, bound_arguments(found, self._named_arguments()), piped)
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
            if name is None:
                arguments.append((None, self._command_argument()))
                continue
            arguments.append((name.group(1).lower(), self._command_argument() if name.group(2) else None))

    def _command_argument(self) -> Expression:
        parts = [self._command_value()]
        while self._ended_argument() and self._comma():
            parts.append(self._command_value())
        return parts[0] if len(parts) == 1 else lambda scope: [plain(part(scope)) for part in parts]

    def _ended_argument(self) -> bool:
        if self.sign() not in _ENDS and self.sign() not in {" ", "\t", "`", ","}:
            raise self.not_understood()
        return True

    def _command_value(self) -> Expression:
        if self.take("{"):
            self._blocks += 1
            block = ScriptBlock(self._nested("}"))
            self._blocks -= 1
            return lambda _: block
        if number := self.match(_ARGUMENT):
            value = float(number.group()) if number.group(2) else int(number.group())
            return lambda _: value
        if self.sign() in {"'", '"', "$", "("} or self.looking_at("@(") or self.looking_at("@{"):
            return self.value()
        word = self.match(_WORD)
        if word is None:
            raise self.not_understood()
        return lambda _: word.group()

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
        mandatory = False
        type_: str | None = None
        while self.looking_at("["):
            attribute = self.match(_MANDATORY)
            named = None if attribute is not None else self.match(_TYPE)
            if attribute is not None:
                mandatory = "mandatory" in attribute.group(1).lower()
            elif named is not None and type_ is None:
                type_ = full_name(named.group(1))
            else:
                raise self.not_understood()
            self.skip_lines()
        name = self.match(_NAME)
        if name is None:
            raise self.not_understood()
        _own_name(name.group(1))
        self.skip_lines()
        if not self.take("="):
            return Parameter(name.group(1), type_, None, mandatory)
        self.skip_lines()
        return Parameter(name.group(1), type_, self.expression(), mandatory)


def _own_name(written: str) -> str:
    """Return the name of a variable that a script may give a value."""
    name = variable_name(written)
    if name in {"true", "false", "null", "args", "input", "_"}:
        raise NotUnderstoodError(f"an assignment to ${name}")
    if name.endswith("preference") and name not in _PREFERENCES:
        raise NotUnderstoodError(f"${written}")
    return name


def _stages(calls: Sequence[Call], scope: Scope, sink: Sink) -> list[Stage]:
    for call in calls:
        if call.command is None:
            unknown(call.name)
    stages: list[Stage] = []
    for call in reversed(calls):
        stage = call.start(scope, sink)
        stages.insert(0, stage)
        sink = stage.take
    return stages


def _run_expression(expression: Expression, calls: Sequence[Call], scope: Scope, sink: Sink) -> None:
    stages = _stages(calls, scope, sink)
    take = stages[0].take if stages else sink
    for value in elements(expression(scope)):
        scope.machine.step()
        take(value)
    for stage in stages:
        stage.end()


def _run_commands(calls: Sequence[Call], scope: Scope, sink: Sink) -> None:
    # The first command gets nothing through the pipeline: what it does, it does when it starts.
    for stage in _stages(calls, scope, sink):
        stage.end()


def _assign(
    name: str, everywhere: bool, operator: str, expression: Expression, scope: Scope, _: Sink
) -> None:
    value = expression(scope)
    if operator != "=":
        operations = {
            "+": operators.add,
            "-": operators.subtract,
            "*": operators.multiply,
            "/": operators.divide,
        }
        value = operations[operator[0]](plain(scope.get(name)), plain(value))
    if name in scope.machine.typed:
        raise NotUnderstoodError(f"an assignment to the typed parameter ${name}")
    if name in _PREFERENCES and (not isinstance(value, str) or value.lower() not in _PREFERENCES[name]):
        raise NotUnderstoodError(f"this value of ${name}")
    scope.set(name, value, everywhere=everywhere)


def _choose(
    branches: Sequence[tuple[Expression, ScriptBlock]], otherwise: ScriptBlock, scope: Scope, sink: Sink
) -> None:
    for condition, body in branches:
        if truth(condition(scope)):
            body.run(scope, sink)
            return
    otherwise.run(scope, sink)


def _each(name: str, values: Expression, body: ScriptBlock, scope: Scope, sink: Sink) -> None:
    found = values(scope)
    for value in [] if found is None else elements(found):
        scope.set(name, value)
        body.run(scope, sink)


def _invoked(block: ScriptBlock, scope: Scope) -> object:
    found: list[object] = []
    try:
        block.run(Scope(scope.machine, outer=scope), found.append)
    except ScriptReturn as left:
        found += left.values
    return found


def _throw(body: Sequence[Statement], scope: Scope, _: Sink) -> None:
    found = [value for statement in body for value in collect(statement, scope)]
    if len(found) > 1 or any(not isinstance(value, str | int) for value in found):
        raise NotUnderstoodError("throw with something else than a text")
    if scope.preference("erroractionpreference") == "silentlycontinue":
        raise NotUnderstoodError("throw while errors are silent")
    message = text(found) if found else "ScriptHalted"
    error = ScriptError(message, id=message, category="OperationStopped", target=text(found))
    scope.machine.note(error)
    raise error


def _return(body: Sequence[Statement], scope: Scope, _: Sink) -> None:
    raise ScriptReturn([value for statement in body for value in collect(statement, scope)])


def _exit(scope: Scope, _: Sink) -> None:
    scope.machine.step()
    raise ScriptExit
