"""What a script works on: its variables, the time that passes in it, and what it has written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from attrs import define, field

from srs_vsphere.simulator.powershell.errors import NotUnderstoodError, ScriptError
from srs_vsphere.simulator.scripting import StreamMessage

#: Where the objects go that a statement returns.
Sink: TypeAlias = Callable[[object], None]

#: Two records do not have the same time.
_BETWEEN_RECORDS = 0.0001
#: A script that takes more steps than this is not one for a simulator.
_MOST_STEPS = 200_000


@define(eq=False)
class Machine:
    """One run of a script.

    Args:
        variables: the global ones, which stay after the script.
        elapsed: how much time has passed, in seconds.
        records: what was written to the streams.
    """

    variables: dict[str, object]
    elapsed: float = 0.0
    records: list[StreamMessage] = field(factory=list[StreamMessage])
    _steps: int = 0

    def step(self) -> None:
        """Count a step.

        Raises:
            NotUnderstoodError: there were too many.
        """
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise NotUnderstoodError("it takes too many steps")

    def write(self, stream: str, message: str) -> None:
        """Write a record.

        Args:
            stream: the stream's name.
            message: what to write.
        """
        self.records.append(StreamMessage(stream, message, self.elapsed))
        self.elapsed += _BETWEEN_RECORDS


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
        """Return the value of a variable, None if it has none.

        Args:
            name: its name in lower case, without a scope.
        """
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope.outer
        return self.machine.variables.get(name)

    def set(self, name: str, value: object, *, everywhere: bool = False) -> None:
        """Give a variable a value.

        Args:
            name: its name in lower case, without a scope.
            value: the value.
            everywhere: whether the global one is meant.
        """
        # The outermost block of a script is the runspace's global scope.
        own = self.outer is not None and not everywhere
        (self.variables if own else self.machine.variables)[name] = value

    def write_error(self, message: str, action: str | None = None) -> None:
        """Write an error, or end the script if errors shall do so.

        Args:
            message: what happened.
            action: what the command itself says shall be done about errors.

        Raises:
            ScriptError: errors shall end the script.
        """
        wanted = (action or str(self.get("erroractionpreference") or "Continue")).lower()
        if wanted == "stop":
            reason = (
                'because the preference variable "ErrorActionPreference" or common parameter is set to Stop'
            )
            raise ScriptError(
                "ActionPreferenceStopException", f"The running command stopped {reason}: {message}"
            )
        if wanted not in {"silentlycontinue", "ignore"}:
            self.machine.write("error", message)


Expression: TypeAlias = Callable[[Scope], object]
Statement: TypeAlias = Callable[[Scope, Sink], None]


@define(eq=False)
class ScriptBlock:
    """A block of statements as a value.

    Args:
        body: the statements.
        parameters: its parameters.
    """

    body: Sequence[Statement]
    parameters: Sequence[Parameter] = ()
    advanced: bool = False

    def run(self, scope: Scope, sink: Sink) -> None:
        """Carry out the statements.

        Args:
            scope: where.
            sink: where the objects go that they return.
        """
        for statement in self.body:
            scope.machine.step()
            statement(scope, sink)


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
