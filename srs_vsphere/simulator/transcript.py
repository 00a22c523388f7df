"""What came of a script, by the interpreter or by a behaviour that a test registered."""

from __future__ import annotations

from attrs import define, field, frozen

from srs_vsphere.simulator.objects.errors import ScriptError
from srs_vsphere.simulator.scripting import StreamMessage

#: Two records do not have the same time.
_BETWEEN_RECORDS = 0.0001


@frozen
class ErrorRecord:
    """An error with its line in the script, 0 for none of its own, and its time after the start."""

    error: ScriptError
    line: int
    at: float


@define(eq=False)
class Transcript:
    """What a script writes while time passes in it.

    Args:
        elapsed: how much time has passed, in seconds.
        records: what was written to the streams.
        errors: all errors, silent ones too, oldest first.
        line: the line of the statement that is carried out.
    """

    elapsed: float = 0.0
    records: list[StreamMessage] = field(factory=list[StreamMessage])
    errors: list[ErrorRecord] = field(factory=list[ErrorRecord])
    line: int = 1

    def write(self, stream: str, message: str, *, at: float | None = None) -> None:
        """Write a record to a stream, now or at another time."""
        self.records.append(StreamMessage(stream, message, self.elapsed if at is None else at))
        self.elapsed += _BETWEEN_RECORDS if at is None else 0.0

    def note(self, error: ScriptError) -> None:
        """Keep an error without writing it to a stream."""
        self.errors.append(ErrorRecord(error, self.line, self.elapsed))


@define
class Result:
    """What came out of a script.

    Args:
        output: its objects, with the times at which they came.
        error: what ended it.
        exited: whether it was left with ``exit``, which loses its output.
        unread: at which line and column reading the script failed; nothing if it was read.
        unbound: whether its parameters did not fit, so that it did not begin.
    """

    output: list[tuple[float, object]] = field(factory=list["tuple[float, object]"])
    error: ScriptError | None = None
    exited: bool = False
    unread: str = ""
    unbound: bool = False
