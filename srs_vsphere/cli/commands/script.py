"""Commands on script executions."""

from __future__ import annotations

from srs_vsphere.cli.connection import open_client
from srs_vsphere.cli.console import say, write_data
from srs_vsphere.cli.data import as_data, to_json, to_yaml
from srs_vsphere.cli.options import DEFAULTS, Shared
from srs_vsphere.cli.problems import ExitCode
from srs_vsphere.cli.results import record_line
from srs_vsphere.cli.showing import Column, View, seconds_between, show_list, show_one, text
from srs_vsphere.cli.table import Heading
from srs_vsphere.models import ScriptExecution, ScriptExecutionState

_VIEW: View[ScriptExecution] = View(
    columns=(
        Column(Heading("ID"), lambda script: script.id),
        Column(Heading("NAME", flexible=True), lambda script: text(script.name)),
        Column(Heading("STATE"), lambda script: text(script.state)),
        Column(Heading("STARTED"), lambda script: text(script.start_time)),
        Column(
            Heading("TOOK", optional=True), lambda script: seconds_between(script.start_time, script.end_time)
        ),
    ),
    name=lambda script: script.id,
)


def list_scripts(*, system: bool = False, options: Shared = DEFAULTS) -> None:
    """List the scripts that run or ran, oldest first; the service keeps the last 30.

    Args:
        system: also those by which the service connects runspaces to vCenter.
    """
    with open_client(options) as client:
        show_list(client.script_executions.list(skip_system=not system), _VIEW, options)


def get(id: str, /, *, options: Shared = DEFAULTS) -> None:
    """Show one script execution.

    Args:
        id: its id.
    """
    with open_client(options) as client:
        show_one(client.script_executions.get(id), _VIEW, options)


def output(id: str, /, *, options: Shared = DEFAULTS) -> None:
    """Write what a script has put out: one text, or a JSON document for each object.

    Args:
        id: the script execution's id.
    """
    with open_client(options) as client:
        texts = client.script_executions.output(id)
    match options.output:
        case "json":
            write_data([to_json(texts)])
        case "yaml":
            write_data([to_yaml(texts)])
        case "ndjson":
            write_data(to_json(text, indent=None) for text in texts)
        case _:
            write_data(text.removesuffix("\n") for text in texts)


def cancel(id: str, /, *, wait: bool = False, options: Shared = DEFAULTS) -> None:
    """Stop a script.

    Args:
        id: the script execution's id.
        wait: wait until it has ended, and show how.
    """
    with open_client(options) as client:
        client.script_executions.cancel(id)
        if wait:
            show_one(client.script_executions.wait(id, timeout=options.timeout or 3600.0), _VIEW, options)
        else:
            say("it was asked to stop", options)


def follow(id: str, /, *, options: Shared = DEFAULTS) -> int:
    """Show what a script writes to its streams, from their beginning until it ends.

    Args:
        id: the script execution's id.
    """
    with open_client(options) as client:
        records = client.script_executions.follow(id, timeout=options.timeout)
        if options.output in {"json", "yaml"}:
            data = [as_data(record) for record in records]
            write_data([to_json(data) if options.output == "json" else to_yaml(data)])
        else:
            for record in records:
                line = record_line(record)
                write_data([to_json(as_data(record), indent=None) if options.output == "ndjson" else line])
        state = client.script_executions.get(id).state
    say(f"the script ended with state {text(state)}", options)
    return ExitCode.OK if state == ScriptExecutionState.SUCCESS else ExitCode.FAILED
