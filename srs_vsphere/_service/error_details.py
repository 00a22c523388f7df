"""Which of the errors that PowerShell knows is which record of the error stream."""

from __future__ import annotations

import re
from collections.abc import Sequence

from srs_vsphere._codec.structured_output import PowerShellError
from srs_vsphere.models.error_record import ErrorRecord
from srs_vsphere.models.stream_record import StreamRecord

#: A frame in text that is in no file, as the user's script is.
_FRAME = re.compile(r"at .*, <No file>: line (\d+)")
_BINDING = re.compile(r"[\w.]*ParameterBinding\w*Exception: (.*)", re.DOTALL)


def described(
    records: Sequence[StreamRecord], errors: Sequence[PowerShellError], script: str | None = None
) -> list[ErrorRecord]:
    """Add to the records of an error stream what PowerShell knows of them.

    Args:
        records: the records, oldest first.
        errors: all errors, oldest first, those among them that the script handled.
        script: the user's script, None if it is not known.

    Returns:
        The records, matched by message and order; one that has no match keeps its message only.
    """
    described: list[ErrorRecord] = []
    begin = 0
    for record in records:
        found = [at for at in range(begin, len(errors)) if errors[at].message == record.message]
        if found:
            begin = found[0] + 1
        error = errors[found[0]] if found else None
        described.append(_described(record, error, script))
    return described


def reason_record(
    reason: str | None, errors: Sequence[PowerShellError], script: str | None = None
) -> ErrorRecord | None:
    """Return what PowerShell knows of the error that ended a script.

    Args:
        reason: why it failed, as the service says.
        errors: as for `described`.
        script: as for `described`.

    Returns:
        The record, None if nothing more is known than the reason.
    """
    for error in reversed(errors):
        if error.message and reason and error.message in reason:
            return _described(StreamRecord(error.message), error, script)
    return None


def without_reason(records: Sequence[ErrorRecord], reason: str | None) -> list[ErrorRecord]:
    """Leave out the record of an error that the reason tells already.

    Where a parameter cannot be bound, the script around the user's one reports that once and ends with it.

    Args:
        records: the records of the error stream, described.
        reason: why the script failed, as the service says; None if it did not.

    Returns:
        The records, without that one.
    """
    binding = _BINDING.match(reason or "")
    if binding is None or not records or records[-1].stack:
        return list(records)
    told = bool(records[-1].message.strip()) and binding[1].startswith(records[-1].message.strip())
    return list(records[:-1] if told else records)


def _described(record: StreamRecord, error: PowerShellError | None, script: str | None) -> ErrorRecord:
    if error is None:
        return ErrorRecord(record.message, record.time, record.stream)
    # The last frame is the call of the user's script by the one around it.
    stack = tuple(error.trace.splitlines()[:-1])
    line = next((int(frame[1]) for text in stack if (frame := _FRAME.fullmatch(text.strip()))), None)
    lines = (script or "").splitlines()
    return ErrorRecord(
        record.message,
        record.time,
        record.stream,
        line=line,
        script_line=lines[line - 1].strip() if line is not None and 0 < line <= len(lines) else None,
        error_id=error.id,
        category=error.category,
        target=error.target,
        exception_type=error.type,
        stack=stack,
    )
