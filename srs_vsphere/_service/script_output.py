"""What came of a script, put together from all that the service tells of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from attrs import field, frozen

from srs_vsphere._codec.scalars import Misfit, plain
from srs_vsphere._codec.structured_output import PowerShellError, documents, structured
from srs_vsphere._service.error_details import described, reason_record, without_reason
from srs_vsphere.models import ScriptExecution, ScriptExecutionState, StreamGap, StreamRecord, StreamType
from srs_vsphere.results import (
    LEFT_EARLY,
    OutputMismatchError,
    ScriptOutcome,
    ScriptResult,
    outcome_of,
    split_streams,
)

OutputChoice: TypeAlias = Literal["text", "json", "raw"]
#: The output as the service has it.
Texts: TypeAlias = Sequence[str | None] | None


@frozen
class ReadOutput:
    """A script's output, read.

    Args:
        output: what the result has: where an object does not fit, its data.
        data: the same without objects of a program's classes.
        misfits: what does not fit, in words.
        errors: what PowerShell knows of the script's errors.
        ended: whether the script came to its end; None where the form of the output does not tell.
    """

    output: object
    data: object
    misfits: tuple[str, ...] = ()
    errors: Sequence[PowerShellError] = ()
    ended: bool | None = None


@frozen
class OutputReader:
    """How a script's output is read.

    Args:
        choice: its form.
        make: makes an object of each value; None for the values as they are.
        keep: whether what does not fit stays among the objects as data.
    """

    choice: OutputChoice = "text"
    make: Callable[[object], object] | None = None
    keep: bool = False

    def read(self, output: Texts, rest: Texts = None) -> ReadOutput:
        """Read the output.

        Args:
            output: the output as the service has it.
            rest: what the script that asks for the rest put out, if that was asked for.

        Raises:
            WireError: it is not what the service documents.
        """
        match self.choice:
            case "text":
                text = "\n".join(text for text in output or () if text is not None)
                return ReadOutput(text, text)
            case "raw":
                objects = documents(output)
                return ReadOutput(objects, objects)
            case "json":
                return self._values(output, rest)

    def _values(self, output: Texts, rest: Texts) -> ReadOutput:
        first = structured(output, digits=self.make is not None)
        more = structured(rest, digits=self.make is not None)
        values = first.values + more.values
        errors = first.errors or more.errors
        if self.make is None:
            return ReadOutput(values, values, (), errors, first.ended)
        data = [plain(value) for value in values]
        objects: list[object] = []
        misfits: list[str] = []
        for index, value in enumerate(values):
            try:
                objects.append(self.make(value))
            except Misfit as error:
                objects.append(data[index])
                misfits += [f"object {index}{place}: {problem}" for place, problem in error.problems]
        whole = objects if self.keep or not misfits else data
        return ReadOutput(whole, data, tuple(misfits), errors, first.ended)


@frozen
class CollectedScript:
    """All that the service tells of a script.

    Args:
        execution: the script, as it was last seen.
        followed: what it wrote to its streams, in order of time.
        read: its output.
        script: the user's script, None if it is not known.
        lost: whether it is unknown what became of it.
        lost_streams: how many streams could not be read.
    """

    execution: ScriptExecution
    followed: Sequence[StreamRecord | StreamGap]
    read: ReadOutput
    script: str | None = field(default=None, repr=False)
    lost: bool = False
    lost_streams: int = 0

    def result(self) -> ScriptResult[object]:
        """Put the result together."""
        execution, read = self.execution, self.read
        streams = split_streams([record for record in self.followed if isinstance(record, StreamRecord)])
        errors = described(streams[StreamType.ERROR], read.errors, self.script)
        outcome = ScriptOutcome.LOST if self.lost else outcome_of(execution, errors)
        failed = outcome is ScriptOutcome.FAILED
        if failed:
            errors = without_reason(errors, execution.reason)
        left_early = read.ended is False and execution.state == ScriptExecutionState.SUCCESS
        gaps = sum(gap.at_least for gap in self.followed if isinstance(gap, StreamGap))
        return ScriptResult(
            outcome=outcome,
            output=read.output,
            errors=errors,
            warnings=streams[StreamType.WARNING],
            information=streams[StreamType.INFORMATION],
            verbose=streams[StreamType.VERBOSE],
            debug=streams[StreamType.DEBUG],
            # How many there were in a stream that is gone is unknown.
            lost_records=gaps + self.lost_streams,
            left_early=LEFT_EARLY if left_early and not self.lost else None,
            failure=reason_record(execution.reason, read.errors, self.script) if failed else None,
            mismatches=read.misfits,
            execution=execution,
        )


def settled(
    result: ScriptResult[object], reader: OutputReader, *, check: bool, host: str
) -> ScriptResult[object]:
    """Return a result, unless it is to be raised.

    Args:
        result: what came of a script.
        reader: what read its output.
        check: whether anything but plain success raises.
        host: host and port of the service.

    Raises:
        ScriptFailedError: it did not plainly succeed, and that was to be checked.
        OutputMismatchError: its output does not fit, and that was not to be kept.
    """
    if check:
        result.raise_for_outcome()
    if result.mismatches and not reader.keep:
        first, *others = result.mismatches
        many = f"{len(others) + 1} values do" if others else "a value does"
        raise OutputMismatchError(
            f"{many} not fit output_type: {first}", result=result, operation="run", host=host
        )
    return result
