"""Script executions: scripts that run, or ran, in a runspace."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from srs_vsphere.models.model import Model


class ScriptExecutionState(StrEnum):
    """State of a script; a value this list lacks stays what the service sent, a word or a number."""

    RUNNING = "running"
    #: Ended without a terminating error; its error stream may hold errors all the same.
    SUCCESS = "success"
    ERROR = "error"
    CANCELED = "canceled"


class OutputFormat(StrEnum):
    """How the service gives a script's output: one text, or one JSON document for each object."""

    TEXT = "text"
    JSON = "json"


@frozen
class ScriptExecution(Model):
    """A script that runs, or ran.

    Args:
        id: what the service calls it; empty on a `stuck` record.
        name: what its creator called it; names need not be unique.
        state: where it stands; `ScriptExecutionState.SUCCESS` does not promise an empty error stream.
        output_objects_format: format of the output; in its first moments the service may say text for json.
        reason: why it ended in error or was canceled, with a stack trace.
        start_time: when it started, with its time zone; missing in the first moments.
        end_time: when it ended, with its time zone.
    """

    id: str = ""
    name: str | None = None
    state: ScriptExecutionState | str | int | None = None
    output_objects_format: OutputFormat | str | int | None = None
    reason: str | None = field(default=None, repr=False)
    start_time: datetime | None = None
    end_time: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether the script has ended, in whatever way."""
        return self.state in _ENDED

    @property
    def stuck(self) -> bool:
        """Whether the service lost the script at its start: such a record has no id and never changes."""
        return not self.id


_ENDED = frozenset({ScriptExecutionState.SUCCESS, ScriptExecutionState.ERROR, ScriptExecutionState.CANCELED})
