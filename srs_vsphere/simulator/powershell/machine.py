"""What a script works on: its variables, the time that passes in it, and what it has written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from attrs import define, field, frozen

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.powershell.errors import ScriptError, StatementError
from srs_vsphere.simulator.scripting import StreamMessage

#: Where the objects go that a statement puts out.
Sink: TypeAlias = Callable[[object], None]

#: Two records do not have the same time.
_BETWEEN_RECORDS = 0.0001
#: A script that takes more steps than this is not one for a simulator.
_MOST_STEPS = 200_000
#: Nor one that keeps the simulator from all others, in seconds of computing; waiting does not count.
_MOST_SECONDS = 1.0
_SILENT = frozenset({"silentlycontinue", "ignore"})


@frozen
class ErrorRecord:
    """What PowerShell keeps of an error.

    Args:
        error: what happened.
        line: in which line of the script; 0 if it is none of the script's own.
        at: when, in seconds after the script's start.
    """

    error: ScriptError
    line: int
    at: float


@define(eq=False)
class Machine:
    """One run of a script.

    Args:
        variables: the global ones, which stay after the script.
        elapsed: how much time has passed, in seconds.
        records: what was written to the streams.
        errors: all errors, silent ones too, oldest first.
        typed: the variables whose type is fixed, because they are typed parameters.
        line: the line of the statement that is carried out.
    """

    variables: dict[str, object]
    elapsed: float = 0.0
    records: list[StreamMessage] = field(factory=list[StreamMessage])
    errors: list[ErrorRecord] = field(factory=list[ErrorRecord])
    typed: set[str] = field(factory=set[str])
    line: int = 1
    _steps: int = 0
    _since: float = field(factory=time.thread_time)

    def step(self) -> None:
        """Count a step; a script that takes too many is not understood."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise NotUnderstoodError(f"more than {_MOST_STEPS} steps")
        if time.thread_time() - self._since > _MOST_SECONDS:
            raise NotUnderstoodError(f"more than {_MOST_SECONDS:g} s of computing")

    def write(self, stream: str, message: str, *, at: float | None = None) -> None:
        """Write a record to a stream, now or at another time."""
        self.records.append(StreamMessage(stream, message, self.elapsed if at is None else at))
        self.elapsed += _BETWEEN_RECORDS if at is None else 0.0

    def note(self, error: ScriptError) -> None:
        """Keep an error without writing it to a stream."""
        self.errors.append(ErrorRecord(error, self.line, self.elapsed))


@define(eq=False)
class Scope:
    """Where variables are looked up: in a block, in the blocks around it, and globally.

    Args:
        machine: the run.
        variables: the block's own.
        outer: the scope around it.
    """

    machine: Machine
    variables: dict[str, object] = field(factory=dict[str, object])
    outer: Scope | None = None

    def get(self, name: str) -> object:
        """Return the value of a variable by its name in lower case, None if it has none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope.outer
        return self.machine.variables.get(name)

    def set(self, name: str, value: object, *, everywhere: bool = False) -> None:
        """Give a variable a value; the outermost block of a script is the runspace's global scope."""
        own = self.outer is not None and not everywhere
        (self.variables if own else self.machine.variables)[name] = value

    def preference(self, name: str, default: str = "Continue") -> str:
        """Return a preference variable in lower case."""
        return str(self.get(name) or default).lower()

    def write_error(self, error: ScriptError, action: str | None = None) -> None:
        """Write an error to its stream, or end the script if errors shall do so.

        Args:
            error: the error.
            action: what the command itself says shall be done about errors.

        Raises:
            ScriptError: errors shall end the script.
        """
        wanted = (action or self.preference("erroractionpreference")).lower()
        if wanted != "ignore":
            self.machine.note(error)
        if wanted == "stop":
            raise ScriptError(
                'The running command stopped because the preference variable "ErrorActionPreference" or '
                f"common parameter is set to Stop: {error.message}",
                "ActionPreferenceStopException",
            )
        if wanted not in _SILENT:
            self.machine.write("error", error.message)


Expression: TypeAlias = Callable[[Scope], object]


@frozen(eq=False)
class Statement:
    """One statement of a script.

    Args:
        line: where it begins, counted from 1.
        run: carries it out in a scope and puts its objects into a sink.
    """

    line: int
    run: Callable[[Scope, Sink], None]


@define(eq=False)
class ScriptBlock:
    """A block of statements as a value.

    Args:
        body: the statements.
        parameters: its parameters.
        advanced: whether it knows PowerShell's common parameters and refuses unknown ones.
    """

    body: Sequence[Statement]
    parameters: Sequence[Parameter] = ()
    advanced: bool = False

    def run(self, scope: Scope, sink: Sink) -> None:
        """Carry out the statements; an error that ends one of them is written, and the next one begins."""
        machine = scope.machine
        outside = machine.line
        for statement in self.body:
            machine.step()
            machine.line = statement.line
            try:
                statement.run(scope, sink)
            except StatementError as error:
                if scope.preference("erroractionpreference") == "stop":
                    what = f"the error {error.message!r} while $ErrorActionPreference is 'Stop'"
                    raise NotUnderstoodError(what) from None
                scope.write_error(error)
        machine.line = outside


@define(eq=False)
class Parameter:
    """A parameter of a script.

    Args:
        name: its name, as it was written.
        type: the type that it must have; None means any.
        default: its value when none is given.
        mandatory: whether one must be given.
    """

    name: str
    type: str | None = None
    default: Expression | None = None
    mandatory: bool = False
