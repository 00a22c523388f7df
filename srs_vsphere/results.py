"""What came of a script: its outcome, told truthfully, with its output and everything it wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from html import escape
from typing import Generic, TypeVar, Unpack, cast

from attrs import field, frozen

from srs_vsphere.errors import DecodeError, Facts, InvalidArgumentValueError, SrsError
from srs_vsphere.models.error_record import ErrorRecord
from srs_vsphere.models.script_execution import ScriptExecution, ScriptExecutionState
from srs_vsphere.models.stream_record import StreamRecord, StreamType
from srs_vsphere.parameters import Parameters

OutputT_co = TypeVar("OutputT_co", covariant=True)

#: Of a text, ``repr()`` shows no more than this.
_LONGEST_SHOWN = 100

#: How the service's reason begins when it gave a script up: its runspace died, was deleted, or ran another
#: script too soon. A script's own error begins with the name of a type instead.
LOST_REASON = "Runspace where script runs doesn't respond"
#: What `ScriptResult.left_early` says.
LEFT_EARLY = (
    "The script left before its end, by `exit`, or by a `break` or `continue` outside a loop, which the"
    " service calls success. To have a script fail, use `throw`; to end one early and well, `return`."
)
#: Of a syntax error, PowerShell tells first where it is.
_PLACE_OF_SYNTAX_ERROR = re.compile(r"[\w.]*ParseException: At line:\d+ char:\d+")


class ScriptOutcome(StrEnum):
    """What came of a script; the service's own state tells less."""

    SUCCEEDED = "succeeded"
    #: It ran to its end, but errors are in its error stream.
    SUCCEEDED_WITH_ERRORS = "succeeded_with_errors"
    #: A terminating error ended it, or kept it from starting.
    FAILED = "failed"
    CANCELED = "canceled"
    #: The service lost sight of it: it may have run to its end, or only begun.
    LOST = "lost"


def outcome_of(execution: ScriptExecution, errors: Sequence[StreamRecord]) -> ScriptOutcome:
    """Tell what came of a script.

    Args:
        execution: the script, ended or stuck.
        errors: the records of its error stream.

    Returns:
        The outcome; a stuck record's script is lost.

    Raises:
        ValueError: it has not ended.
    """
    if execution.stuck:
        return ScriptOutcome.LOST
    match execution.state:
        case ScriptExecutionState.SUCCESS:
            return ScriptOutcome.SUCCEEDED_WITH_ERRORS if errors else ScriptOutcome.SUCCEEDED
        case ScriptExecutionState.CANCELED:
            return ScriptOutcome.CANCELED
        case ScriptExecutionState.ERROR:
            lost = (execution.reason or "").startswith(LOST_REASON)
            return ScriptOutcome.LOST if lost else ScriptOutcome.FAILED
        case _:
            raise InvalidArgumentValueError(f"the script has not ended: its state is {execution.state}")


@frozen(repr=False)
class ScriptResult(Generic[OutputT_co]):
    """What came of a script.

    Args:
        outcome: what came of it.
        output: what it put out; for a failed script what came before the error, if the format keeps that.
        errors: records of the error stream; the error that ended a failed script is in `reason` instead. With
            ``output="json"`` they tell line, id, category and stack too.
        warnings: records of the warning stream.
        information: records of the information stream, ``Write-Host`` included.
        verbose: records of the verbose stream.
        debug: records of the debug stream.
        lost_records: at least how many records of all streams were lost; the service keeps 50 of each.
        left_early: of a script with state success and ``output="json"``: that it did not come to its end, and
            what that means; None if it did.
        failure: with ``output="json"``: what PowerShell knows of the error that ended a failed script.
        mismatches: what did not fit ``output_type``, where that was to be kept.
        execution: the script as the service last told of it.
    """

    outcome: ScriptOutcome
    output: OutputT_co
    errors: list[ErrorRecord] = field(factory=list[ErrorRecord])
    warnings: list[StreamRecord] = field(factory=list[StreamRecord])
    information: list[StreamRecord] = field(factory=list[StreamRecord])
    verbose: list[StreamRecord] = field(factory=list[StreamRecord])
    debug: list[StreamRecord] = field(factory=list[StreamRecord])
    lost_records: int = 0
    left_early: str | None = None
    failure: ErrorRecord | None = None
    mismatches: tuple[str, ...] = ()
    execution: ScriptExecution = field(factory=ScriptExecution, repr=False)

    def __repr__(self) -> str:
        told = [f"outcome={self.outcome.value!r}"]
        if self.reason is not None:
            told.append(f"reason={_cut(self.reason)!r}")
        told += [f"{name}={count}" for name, count in self._counts() if count]
        return f"{type(self).__name__}({', '.join(told)})"

    def _repr_html_(self) -> str:
        """Return a small table, which notebooks show."""
        rows = [("script", self.execution.name or self.execution.id), ("outcome", self.outcome.value)]
        if self.reason is not None:
            rows.append(("reason", _cut(self.reason)))
        if self.duration is not None:
            rows.append(("duration", f"{self.duration:.1f} s"))
        rows += [(name, str(count)) for name, count in self._counts() if count]
        if isinstance(self.output, str):
            rows.append(("output", _cut(self.output)))
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        return f"<table>{cells}</table>"

    def _counts(self) -> list[tuple[str, int]]:
        output: object = self.output
        size = len(cast("list[object]", output)) if isinstance(output, list) else len(str(output or ""))
        return [
            ("objects" if isinstance(output, list) else "characters", size),
            ("errors", len(self.errors)),
            ("warnings", len(self.warnings)),
            ("information", len(self.information)),
            ("verbose", len(self.verbose)),
            ("debug", len(self.debug)),
            ("lost_records", self.lost_records),
        ]

    @property
    def reason(self) -> str | None:
        """Why it failed, was canceled or lost, in one line, such as ``RuntimeException: no such VM``.

        It is the first line of `reason_text`; of a syntax error it goes on with the parser's own sentence.
        """
        lines = [line.strip() for line in (self.reason_text or "").splitlines() if line.strip()]
        if not lines:
            return None
        if _PLACE_OF_SYNTAX_ERROR.fullmatch(lines[0]):
            # The lines that show the place begin with a plus sign.
            shown = next((at for at, line in enumerate(lines[1:], 1) if not line.startswith("+")), 0)
            if shown > 1:
                return f"{lines[0]}: {lines[shown]}"
        return lines[0]

    @property
    def reason_text(self) -> str | None:
        """The whole of why it failed, was canceled or lost, with the stack trace."""
        return self.execution.reason

    @property
    def duration(self) -> float | None:
        """How many seconds it ran by the server's clock, None if the service does not say."""
        start, end = self.execution.start_time, self.execution.end_time
        return (end - start).total_seconds() if start is not None and end is not None else None

    def raise_for_outcome(self, *, allow_errors: bool = False) -> None:
        """Raise unless the script succeeded.

        Args:
            allow_errors: whether errors in the error stream are fine as long as the script ran to its end.

        Raises:
            ScriptFailedError: it did not succeed; the error carries this result.
        """
        if self.outcome is ScriptOutcome.SUCCEEDED:
            return
        if allow_errors and self.outcome is ScriptOutcome.SUCCEEDED_WITH_ERRORS:
            return
        raise ScriptFailedError(self._failure(), result=self, advice=self._advice())

    def _failure(self) -> str:
        name = f"the script {self.execution.name!r}" if self.execution.name else "the script"
        match self.outcome:
            case ScriptOutcome.SUCCEEDED_WITH_ERRORS:
                return f"{name} wrote {self._errors_told()}"
            case ScriptOutcome.CANCELED:
                return f"{name} was canceled"
            case ScriptOutcome.LOST:
                forgotten = "the service did not see it start, or does not know it any more"
                return f"{name} was lost: {self.reason or forgotten}"
            case _:
                return f"{name} failed: {self.reason or 'no reason was given'}"

    def _errors_told(self) -> str:
        if not self.errors:
            return "errors, which were lost"
        first = " ".join(self.errors[0].message.split())
        if self.lost_records:
            # It was not noted which stream lost records; the first error may be among them.
            return f"{len(self.errors)} errors or more, the first that was kept: {first}"
        return f"{'an error' if len(self.errors) == 1 else f'{len(self.errors)} errors'}, the first: {first}"

    def _advice(self) -> str:
        lost = ""
        if self.lost_records:
            records = "1 record was" if self.lost_records == 1 else f"{self.lost_records} records were"
            lost = f" At least {records} lost: the service keeps 50 of each stream."
        # In format text the service keeps nothing of a script that did not come to its end.
        kept = "result.output has what came before" if self.output else "Nothing of its output was kept"
        match self.outcome:
            case ScriptOutcome.SUCCEEDED_WITH_ERRORS:
                all_or_some = "those that were kept" if lost else "them all"
                return f"It ran to its end: result.errors has {all_or_some}, result.output its output.{lost}"
            case ScriptOutcome.FAILED:
                return f"{kept}, result.reason_text has the stack trace.{lost}"
            case ScriptOutcome.CANCELED:
                return f"{kept}.{lost}"
            case _:
                return (
                    "It may have run to its end, or only begun: look at what it was to do before running it"
                    " again."
                )


class ScriptFailedError(SrsError):
    """A script did not succeed.

    Args:
        message: what happened.
        result: outcome, output and streams of the script.
        **facts: as for `SrsError`.
    """

    advice = "The error's result has output, streams and the whole reason."

    def __init__(self, message: str, *, result: ScriptResult[object], **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.result: ScriptResult[object] = result


class OutputMismatchError(DecodeError):
    """A script's output does not fit the class that its objects were to be made into.

    Args:
        message: what happened.
        result: outcome and streams of the script; its output is the plain values.
        **facts: as for `SrsError`.
    """

    advice = (
        "The error's result has all as plain values; on_mismatch='keep' leaves what does not fit as it is."
        " Members of .NET objects that lie deeper come with a higher depth."
    )

    def __init__(self, message: str, *, result: ScriptResult[object], **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.result: ScriptResult[object] = result

    @property
    def mismatches(self) -> tuple[str, ...]:
        """What does not fit: number of the object, the member's path, what it held and what was asked for."""
        return self.result.mismatches


@frozen
class PoolResult(Generic[OutputT_co]):
    """What came of one input of a pool's ``map()``.

    Args:
        index: the input's place, from 0.
        parameters: the input.
        result: what came of the script, None if it could not be run.
        error: why it could not.
    """

    index: int
    parameters: Parameters
    result: ScriptResult[OutputT_co] | None = None
    error: SrsError | None = None

    def get(self) -> ScriptResult[OutputT_co]:
        """Return the result.

        Raises:
            SrsError: there is none.
        """
        if self.result is None:
            raise self.error or RuntimeError("neither result nor error")
        return self.result


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1] + "…"


def split_streams(records: Sequence[StreamRecord]) -> dict[StreamType, list[StreamRecord]]:
    """Sort records by their stream, each stream's in the order given.

    Args:
        records: records of any streams.

    Returns:
        All five streams, those without records empty.
    """
    return {stream: [record for record in records if record.stream == stream] for stream in StreamType}
