"""What came of a script: its output on standard output, its streams and its outcome on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srs_vsphere.cli.console import say, write_data
from srs_vsphere.cli.data import as_data, members_of, to_json
from srs_vsphere.cli.options import Options
from srs_vsphere.cli.showing import View, show_one
from srs_vsphere.cli.table import plain, printable
from srs_vsphere.models import StreamGap, StreamRecord, StreamType

if TYPE_CHECKING:
    from srs_vsphere import ScriptResult


def show_output(output: object) -> None:
    """Write a script's output to standard output: a text as it is, values as JSON.

    Args:
        output: the output.
    """
    if isinstance(output, str):
        if output:
            write_data([output.removesuffix("\n")])
    elif output is not None:
        write_data([to_json(as_data(output))])


def show_result(result: ScriptResult[object], options: Options) -> None:
    """Write all of a result to standard output, as JSON or YAML.

    Args:
        result: what came of a script.
        options: the command's options; they say in which form.
    """
    view: View[ScriptResult[object]] = View(
        columns=(), name=lambda shown: shown.execution.id, data=result_data
    )
    show_one(result, view, options)


def result_data(result: ScriptResult[object]) -> dict[str, object]:
    """Return what JSON and YAML hold of a result.

    Args:
        result: what came of a script.
    """
    return {**members_of(result), "reason": result.reason, "duration": result.duration}


def record_line(record: StreamRecord | StreamGap) -> str:
    """Write a record as one line, or more if it has more.

    Args:
        record: the record, or a place where some are missing.
    """
    if isinstance(record, StreamGap):
        return f"{record.stream}: at least {record.at_least} records are missing"
    message = printable(record.message).rstrip()
    # What `Write-Host` writes is meant for the reader as it is.
    return message if record.stream == StreamType.INFORMATION else f"{record.stream}: {message}"


def say_record(record: StreamRecord) -> None:
    """Write a record to standard error.

    Args:
        record: the record.
    """
    say(record_line(record))


def say_outcome(result: ScriptResult[object]) -> None:
    """Write to standard error what came of a script, unless it plainly succeeded.

    Args:
        result: what came of a script.
    """
    if result.lost_records:
        say(f"srs: at least {result.lost_records} records of its streams were lost")
    if result.outcome == "succeeded":
        return
    outcome = str(result.outcome).replace("_", " ")
    reason = f": {plain(result.reason)}" if result.reason else ""
    say(f"srs: the script {'was ' if outcome in {'canceled', 'lost'} else ''}{outcome}{reason}")
