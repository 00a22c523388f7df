"""The command that runs a script."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Literal, cast

from attrs import evolve
from cyclopts import Parameter

from srs_vsphere.cli.connection import open_client
from srs_vsphere.cli.console import say
from srs_vsphere.cli.durations import Duration
from srs_vsphere.cli.finding import find_runspace
from srs_vsphere.cli.options import DEFAULTS, Options, Shared
from srs_vsphere.cli.problems import UsageError, exit_code_for
from srs_vsphere.cli.progress import progress
from srs_vsphere.cli.results import say_outcome, say_record, show_output, show_result
from srs_vsphere.cli.script_source import NO_SCRIPT, File, Script, parameters, script_text
from srs_vsphere.errors import SrsError, WaitTimeoutError

if TYPE_CHECKING:
    from srs_vsphere import RunspaceHandle, ScriptResult, SrsClient

#: The service ends a script after an hour itself.
_DEFAULT_TIMEOUT = 3600.0

Format = Literal["text", "json", "raw"]


def run(
    file: File = None,
    /,
    *,
    script: Script = NO_SCRIPT,
    vcenter: bool = False,
    runspace: str | None = None,
    keep: bool = False,
    wait_quota: Duration = 0.0,
    format: Format = "text",
    streams: Annotated[bool, Parameter(name=(), negative="--no-streams")] = True,
    options: Shared = DEFAULTS,
) -> int:
    """Run a script, in a runspace of its own, and write what it puts out.

    Args:
        file: the script; - for standard input.
        vcenter: connect the runspace to vCenter as the user who is logged in, which is checked.
        runspace: run it in this runspace, by id or name, instead of a new one.
        keep: keep the new runspace.
        wait_quota: time to wait for room if the service has none.
        format: form of the output: text, json for data of any depth, raw for the service's own documents.
        streams: do not read what it writes to its streams; its errors are not seen then.
    """
    text = script_text(file, script.command, stdin_is_taken=options.password_stdin)
    given = {
        "parameters": parameters(script),
        "output": format,
        "streams": streams,
        # The whole result has them, too.
        "on_record": say_record if streams and options.output == "table" else None,
    }
    if runspace is not None and (vcenter or keep or wait_quota):
        raise UsageError("--runspace", "--vcenter, --keep and --wait-quota go with a new runspace only")
    timeout = options.timeout or _DEFAULT_TIMEOUT
    # The time is the script's: each call to the service has the usual time.
    with open_client(evolve(options, timeout=None)) as client, progress("running", options):
        try:
            if runspace is not None:
                target = find_runspace(client, runspace, "--runspace")
                result = _running(client)(text, **given, timeout=timeout, runspace=target)
            elif keep:
                result = _run_and_keep(
                    client, text, given, timeout, vcenter=vcenter, wait_quota=wait_quota, options=options
                )
            else:
                result = _running(client)(
                    text,
                    **given,
                    timeout=timeout,
                    run_vc_connection_script=vcenter,
                    wait_for_quota=wait_quota,
                )
        except WaitTimeoutError as error:
            if error.output:
                show_output(error.output)
            raise
    if options.output == "table":
        show_output(result.output)
    else:
        show_result(result, options)
    say_outcome(result)
    return exit_code_for(result.outcome)


def _running(runner: SrsClient | RunspaceHandle) -> Callable[..., ScriptResult[object]]:
    # The form of the output is known at run time only, so that none of the overloads fits.
    return cast("Callable[..., ScriptResult[object]]", runner.run)


def _run_and_keep(
    client: SrsClient,
    text: str,
    given: Mapping[str, object],
    timeout: float,
    *,
    vcenter: bool,
    wait_quota: float,
    options: Options,
) -> ScriptResult[object]:
    """Run a script in a new runspace that stays, unless the program is interrupted."""
    ends = time.monotonic() + timeout
    with ExitStack() as stack:
        handle = stack.enter_context(
            client.runspaces.open(
                run_vc_connection_script=vcenter, timeout=timeout, wait_for_quota=wait_quota
            )
        )
        say(f"keeping runspace {handle.id}", options)
        try:
            result = _running(handle)(text, **given, timeout=max(0.001, ends - time.monotonic()))
        except SrsError:
            stack.pop_all()
            raise
        # Without its end the block leaves the runspace as it is.
        stack.pop_all()
        return result
