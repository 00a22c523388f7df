"""What a script works on: its variables, the time that passes in it, and what it has written."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from typing import TypeAlias

from attrs import define, field, frozen

from srs_vsphere.simulator.objects.errors import ScriptError, StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.transcript import Transcript

#: A script that takes more steps is not one for a simulator, which it would keep from all others.
_MOST_STEPS = 100_000
#: How many elements, or characters, cost no more than a step.
_PER_STEP = 20


@define(eq=False, kw_only=True)
class Machine(Transcript):
    """One run of a script, with all its variables by their names in lower case; they stay after it."""

    variables: dict[str, object] = field(factory=dict[str, object])
    _steps: int = 0

    def step(self, *values: object) -> None:
        """Count a step, and more for large values; a script that takes too many is not understood."""
        self._steps += 1 + sum(len(value) // _PER_STEP for value in values if isinstance(value, Sized))
        if self._steps > _MOST_STEPS:
            raise NotUnderstoodError(f"more than {_MOST_STEPS} steps")

    def assign(self, name: str, value: object) -> None:
        """Give a variable a value; one with a type would have it converted."""
        if self.variables.get(f":{name}") is not None:
            raise NotUnderstoodError(f"an assignment to the typed parameter ${name}")
        self.step(value)
        self.variables[name] = value

    def declare(self, name: str, type_: str | None, value: object) -> None:
        """Make a variable of a parameter; its type stays with it, under a name that no variable has."""
        self.variables |= {name: value, f":{name}": type_}

    def write_error(self, error: ScriptError, action: str = "continue") -> None:
        """Write an error to its stream, or end the script with it."""
        self.note(error)
        if action == "stop":
            raise ScriptError(
                'The running command stopped because the preference variable "ErrorActionPreference" or '
                f"common parameter is set to Stop: {error.message}",
                "ActionPreferenceStopException",
            )
        if action == "continue":
            self.write("error", error.message)


#: Where the objects go that a statement puts out.
Sink: TypeAlias = Callable[[object], None]
Expression: TypeAlias = Callable[[Machine], object]


def constant(value: object) -> Expression:
    """Return an expression whose value is known before it runs."""
    return lambda _: value


@frozen(eq=False)
class Statement:
    """One statement of a script, with the line where it begins."""

    line: int
    run: Callable[[Machine, Sink], None]


@define(eq=False)
class ScriptBlock:
    """A block of statements, with its parameters; an advanced one refuses unknown ones."""

    body: Sequence[Statement]
    parameters: Sequence[Parameter] = ()
    advanced: bool = False

    def run(self, machine: Machine, sink: Sink) -> None:
        """Carry out the statements; an error that ends one of them is written, and the next one begins."""
        outside = machine.line
        for statement in self.body:
            machine.step()
            machine.line = statement.line
            try:
                statement.run(machine, sink)
            except StatementError as error:
                machine.write_error(error)
        machine.line = outside


@define(eq=False)
class Parameter:
    """A parameter of a script, with its type and default if it has them."""

    name: str
    type: str | None = None
    default: Expression | None = None
    mandatory: bool = False
