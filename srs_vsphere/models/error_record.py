"""Records of a script's error stream, with what PowerShell knows of each."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere.models.stream_record import StreamRecord


@frozen
class ErrorRecord(StreamRecord):
    """An error that a script wrote, or that ended it.

    The service tells the message only. All else comes with ``output="json"``, and is None otherwise.

    Args:
        message: the text, without position and stack.
        time: when the runspace received it, with its time zone.
        stream: the stream it came from.
        line: number of the line in the script, from 1.
        script_line: that line's text.
        error_id: PowerShell's FullyQualifiedErrorId, such as ``PathNotFound,Get-Item``.
        category: PowerShell's category, such as ``ObjectNotFound``.
        target: what the error is about, as text; empty for none.
        exception_type: full name of the .NET exception's type.
        stack: where it happened, the innermost call first, a frame each.
    """

    line: int | None = None
    script_line: str | None = None
    error_id: str | None = None
    category: str | None = None
    target: str | None = None
    exception_type: str | None = None
    stack: tuple[str, ...] = ()
