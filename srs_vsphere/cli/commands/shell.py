"""The command with a prompt: one runspace, into which commands are typed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from attrs import evolve

from srs_vsphere.cli.connection import open_client, state_folder
from srs_vsphere.cli.console import say
from srs_vsphere.cli.durations import Duration
from srs_vsphere.cli.finding import find_runspace
from srs_vsphere.cli.options import DEFAULTS, Options, Shared
from srs_vsphere.cli.problems import UsageError, message_of
from srs_vsphere.cli.progress import progress
from srs_vsphere.cli.prompt import History, read_command
from srs_vsphere.cli.results import say_outcome, say_record, show_output
from srs_vsphere.errors import NotFoundError, SrsError

if TYPE_CHECKING:
    from srs_vsphere import Runspace, ScriptResult, SrsClient

_LEAVE = frozenset({"exit", "quit"})


def shell(
    *,
    vcenter: bool = False,
    runspace: str | None = None,
    wait_quota: Duration = 0.0,
    options: Shared = DEFAULTS,
) -> None:
    """Type commands into one runspace, which is deleted at the end; what one sets, the next finds.

    Ctrl-C stops the command that runs; exit, or Ctrl-D at the prompt, leaves.

    Args:
        vcenter: connect the runspace to vCenter as the user who is logged in, which is checked.
        runspace: use this runspace, by id or name, instead of a new one.
        wait_quota: time to wait for room if the service has none.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("shell", "it needs a terminal; a script from standard input runs with `srs run -`")
    if runspace is not None and (vcenter or wait_quota):
        raise UsageError("--runspace", "--vcenter and --wait-quota go with a new runspace only")
    timeout = options.timeout or 3600.0
    with ExitStack() as stack:
        client = stack.enter_context(open_client(evolve(options, timeout=None)))
        if runspace is None:
            with progress("opening a runspace", options):
                block = client.runspaces.open(run_vc_connection_script=vcenter, wait_for_quota=wait_quota)
                target = stack.enter_context(block).runspace
        else:
            target = find_runspace(client, runspace, "--runspace")
        stack.enter_context(History(state_folder() / "history"))
        say(f"runspace {target.id}; exit or Ctrl-D leaves", options)
        _converse(client, target, timeout, options)


def _converse(client: SrsClient, runspace: Runspace, timeout: float, options: Options) -> None:
    while True:
        try:
            command = read_command("srs> ")
        except KeyboardInterrupt:
            say("")
            continue
        if command is None or command.strip().lower() in _LEAVE:
            return
        if command.strip():
            _answer(
                lambda text: client.run(text, runspace=runspace, timeout=timeout, on_record=say_record),
                command,
                options,
            )


def _answer(run: Callable[[str], ScriptResult[str]], command: str, options: Options) -> None:
    """Run a command; whatever becomes of it, the next may come."""
    try:
        with progress("running", options):
            result = run(command)
    except KeyboardInterrupt:
        say("it was stopped")
    except NotFoundError:
        # The runspace is gone.
        raise
    except SrsError as error:
        say(f"srs: {message_of(error)}")
    else:
        show_output(result.output)
        say_outcome(result)
