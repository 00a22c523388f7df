"""How reports, events and results of a fleet are shown."""

from __future__ import annotations

from srs_vsphere.cli.data import as_data, members_of
from srs_vsphere.cli.durations import duration_text
from srs_vsphere.cli.problems import ExitCode, exit_code_for, message_of
from srs_vsphere.cli.results import result_data
from srs_vsphere.cli.showing import Column, View, text
from srs_vsphere.cli.table import Heading, plain
from srs_vsphere.errors import SrsError
from srs_vsphere.fleet import (
    FleetEvent,
    HostDown,
    HostReport,
    HostResult,
    HostUp,
    RunspaceChanged,
    RunspaceCreated,
    RunspaceFailed,
    RunspaceGone,
    RunspaceReady,
    SweepEnded,
    SweepLate,
)
from srs_vsphere.models import Runspace, ScriptExecutionState


def _problem(error: SrsError | None) -> str:
    if error is None:
        return ""
    # The host stands beside it, and where there is little width only the beginning is shown.
    bare = error.again()
    bare.operation = bare.host = None
    return message_of(bare)


def _count(report: HostReport, state: str) -> str:
    runspaces = report.runspaces
    return "" if runspaces is None else str(sum(str(runspace.state) == state for runspace in runspaces))


def _report_data(report: HostReport) -> dict[str, object]:
    return {
        "host": report.target.name,
        "url": report.target.url,
        "labels": as_data(report.target.labels),
        "ok": report.ok,
        "runspaces": as_data(report.runspaces),
        "error": _error_data(report.error),
        "elapsed": report.elapsed,
        "attempts": report.attempts,
        "at": as_data(report.at),
    }


def _error_data(error: SrsError | None) -> dict[str, object] | None:
    if error is None:
        return None
    return {
        "kind": type(error).__name__,
        "message": message_of(error),
        "status": error.status,
        "code": error.code,
    }


REPORT: View[HostReport] = View(
    columns=(
        Column(Heading("HOST", flexible=True), lambda report: report.target.name),
        Column(
            Heading("RUNSPACES"),
            lambda report: "" if report.runspaces is None else str(len(report.runspaces)),
        ),
        Column(Heading("READY"), lambda report: _count(report, "ready")),
        Column(Heading("ERROR"), lambda report: _count(report, "error")),
        Column(Heading("TOOK"), lambda report: duration_text(report.elapsed)),
        Column(Heading("PROBLEM", flexible=True), lambda report: _problem(report.error)),
    ),
    name=lambda report: report.target.name,
    data=_report_data,
)


def _result_data(result: HostResult[object]) -> dict[str, object]:
    return {
        "host": result.target.name,
        "url": result.target.url,
        "labels": as_data(result.target.labels),
        "result": None if result.result is None else result_data(result.result),
        "error": _error_data(result.error),
        "earlier": as_data(result.earlier),
        "elapsed": result.elapsed,
        "at": as_data(result.at),
    }


def _outcome(result: HostResult[object]) -> str:
    if result.result is not None:
        return str(result.result.outcome).replace("_", " ")
    return "ran before" if result.earlier is not None else "not run"


def _came_of_it(result: HostResult[object]) -> str:
    if result.result is None:
        return _problem(result.error)
    output = result.result.output
    return result.result.reason or (output if isinstance(output, str) else text(as_data(output)))


RESULT: View[HostResult[object]] = View(
    columns=(
        Column(Heading("HOST", flexible=True), lambda result: result.target.name),
        Column(Heading("OUTCOME"), _outcome),
        Column(Heading("TOOK"), lambda result: duration_text(result.elapsed)),
        Column(Heading("OUTPUT", flexible=True), _came_of_it),
    ),
    name=lambda result: result.target.name,
    data=_result_data,
)


def _subject(event: FleetEvent) -> tuple[str, str]:
    """Return the host that an event is of, and what happened there; nothing for one of the watch itself."""
    match event:
        case SweepEnded():
            failed = f", {event.failed} did not answer" if event.failed else ""
            skipped = f", {event.skipped} were not asked" if event.skipped else ""
            took = duration_text(event.elapsed)
            return "", f"sweep {event.number}: {event.hosts} hosts in {took}{failed}{skipped}"
        case SweepLate():
            return "", f"the interval of {duration_text(event.interval)} is too short"
        case HostUp():
            return event.target.name, "it answers"
        case HostDown():
            return event.target.name, f"it does not answer: {_problem(event.error)}"
        case _:
            runspace = event.runspace
            return event.target.name, f"runspace {runspace.name or runspace.id} {_HAPPENED[type(event)]}"


_HAPPENED: dict[type[object], str] = {
    RunspaceCreated: "is there",
    RunspaceReady: "is ready",
    RunspaceFailed: "failed",
    RunspaceChanged: "is in another state",
    RunspaceGone: "is gone",
}


def _event_data(event: FleetEvent) -> dict[str, object]:
    kind = type(event).__name__
    if isinstance(event, SweepEnded | SweepLate):
        return {"event": kind, **members_of(event)}
    runspace: Runspace | None = getattr(event, "runspace", None)
    return {
        "event": kind,
        "host": event.target.name,
        "at": as_data(event.at),
        "runspace": as_data(runspace),
        "error": _error_data(getattr(event, "error", None)),
    }


EVENT: View[FleetEvent] = View(
    columns=(
        Column(Heading("AT"), lambda event: f"{event.at.astimezone():%H:%M:%S}"),
        Column(Heading("HOST", flexible=True), lambda event: _subject(event)[0]),
        Column(Heading("EVENT", flexible=True), lambda event: _subject(event)[1]),
    ),
    name=lambda event: _subject(event)[0],
    data=_event_data,
)


def event_line(event: FleetEvent) -> str:
    """Write an event as a line; nothing for the end of a sweep in which all went well.

    Args:
        event: the event.
    """
    if isinstance(event, SweepEnded) and not event.failed:
        return ""
    return plain("  ".join(column.cell(event) for column in EVENT.columns if column.cell(event)))


def code_of(result: HostResult[object]) -> ExitCode:
    """Return the exit code for what came of a script on a host.

    Args:
        result: what came of it.
    """
    if result.result is not None:
        return exit_code_for(result.result.outcome)
    succeeded = result.earlier is not None and result.earlier.state == ScriptExecutionState.SUCCESS
    return ExitCode.OK if succeeded else ExitCode.FAILED
