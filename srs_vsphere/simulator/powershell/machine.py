"""What a script works on: its variables, the time that passes in it, and what it has written."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

from attrs import define, field, frozen

from srs_vsphere.simulator.objects.errors import ScriptError, StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import is_array
from srs_vsphere.simulator.scripting import StreamMessage

#: Two records do not have the same time.
_BETWEEN_RECORDS = 0.0001
#: A script that takes more steps than this is not one for a simulator.
_MOST_STEPS = 200_000
#: Nor one that keeps the simulator from all others, in seconds of computing; waiting does not count.
_MOST_SECONDS = 1.0
#: Where the types of variables are kept: no variable has such a name.
_TYPES = ":types"


@frozen
class ErrorRecord:
    """An error with its line in the script, 0 for none of its own, and its time after the start."""

    error: ScriptError
    line: int
    at: float


@define(eq=False)
class Machine:
    """One run of a script.

    Args:
        variables: all of them, by their names in lower case; they stay after the script.
        elapsed: how much time has passed, in seconds.
        records: what was written to the streams.
        errors: all errors, silent ones too, oldest first.
        line: the line of the statement that is carried out.
    """

    variables: dict[str, object]
    elapsed: float = 0.0
    records: list[StreamMessage] = field(factory=list[StreamMessage])
    errors: list[ErrorRecord] = field(factory=list[ErrorRecord])
    line: int = 1
    _steps: int = 0
    _since: float = field(factory=time.thread_time)

    def step(self, size: int = 0) -> None:
        """Count a step, and more for a large value; a script that takes too many is not understood."""
        self._steps += 1 + size // 100
        if self._steps > _MOST_STEPS:
            raise NotUnderstoodError(f"more than {_MOST_STEPS} steps")
        if time.thread_time() - self._since > _MOST_SECONDS:
            raise NotUnderstoodError(f"more than {_MOST_SECONDS:g} s of computing")

    def weighed(self, value: object) -> object:
        """Return a value after it was counted how large it is."""
        if isinstance(value, str) or is_array(value):
            self.step(len(value))
        return value

    @property
    def typed(self) -> Mapping[str, str | None]:
        """The types of the variables that have been parameters; they stay, as the variables do."""
        return cast("Mapping[str, str | None]", self.variables.get(_TYPES, {}))

    def declare(self, name: str, type_: str | None, value: object) -> None:
        """Make a variable of a parameter."""
        self.variables[_TYPES] = {**self.typed, name: type_}
        self.variables[name] = value

    def preference(self, name: str, default: str = "Continue") -> str:
        """Return a preference variable in lower case."""
        return str(self.variables.get(name) or default).lower()

    def write(self, stream: str, message: str, *, at: float | None = None) -> None:
        """Write a record to a stream, now or at another time."""
        self.records.append(StreamMessage(stream, message, self.elapsed if at is None else at))
        self.elapsed += _BETWEEN_RECORDS if at is None else 0.0

    def note(self, error: ScriptError) -> None:
        """Keep an error without writing it to a stream."""
        self.errors.append(ErrorRecord(error, self.line, self.elapsed))

    def write_error(self, error: ScriptError, action: str | None = None) -> None:
        """Write an error to its stream, or end the script if errors shall do so; the action comes first."""
        wanted = action or self.preference("erroractionpreference")
        if wanted != "ignore":
            self.note(error)
        if wanted == "stop":
            raise ScriptError(
                'The running command stopped because the preference variable "ErrorActionPreference" or '
                f"common parameter is set to Stop: {error.message}",
                "ActionPreferenceStopException",
            )
        if wanted == "continue":
            self.write("error", error.message)


#: Where the objects go that a statement puts out.
Sink: TypeAlias = Callable[[object], None]
Expression: TypeAlias = Callable[[Machine], object]


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
                if machine.preference("erroractionpreference") == "stop":
                    what = f"the error {error.message!r} while $ErrorActionPreference is 'Stop'"
                    raise NotUnderstoodError(what) from None
                machine.write_error(error)
        machine.line = outside


@define(eq=False)
class Parameter:
    """A parameter of a script, with its type and default if it has them."""

    name: str
    type: str | None = None
    default: Expression | None = None
    mandatory: bool = False
