"""Commands on runspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from srs_vsphere.cli.connection import open_client
from srs_vsphere.cli.console import confirm, say
from srs_vsphere.cli.durations import Duration
from srs_vsphere.cli.finding import Filters, find_runspace
from srs_vsphere.cli.options import DEFAULTS, Shared
from srs_vsphere.cli.problems import ExitCode, UsageError, exit_code_of, message_of
from srs_vsphere.cli.showing import Column, View, show_list, show_one, text
from srs_vsphere.cli.table import Heading
from srs_vsphere.errors import SrsError
from srs_vsphere.models import Runspace

if TYPE_CHECKING:
    from srs_vsphere import SrsClient
    from srs_vsphere.cli.options import Options


def _error(runspace: Runspace) -> str:
    return text(runspace.error_details.error_message) if runspace.error_details else ""


VIEW: View[Runspace] = View(
    columns=(
        Column(Heading("ID"), lambda runspace: runspace.id),
        Column(Heading("NAME", flexible=True), lambda runspace: text(runspace.name)),
        Column(Heading("STATE"), lambda runspace: text(runspace.state)),
        Column(Heading("CREATED"), lambda runspace: text(runspace.creation_time)),
        Column(Heading("ERROR", flexible=True, optional=True), _error),
    ),
    name=lambda runspace: runspace.id,
)

_Name = Annotated[str | None, Parameter(name="--name")]
_State = Annotated[Literal["creating", "ready", "active", "error"] | None, Parameter(name="--state")]


def list_runspaces(
    *, older: Duration | None = None, name: _Name = None, state: _State = None, options: Shared = DEFAULTS
) -> None:
    """List the runspaces, oldest first.

    Args:
        older: only those created longer ago than this, such as 10m.
        name: only those with a name like this, such as nightly*.
        state: only those in this state.
    """
    filters = Filters(older=older, name=name, state=state)
    with open_client(options) as client:
        show_list(filters.matching(client.runspaces.list()), VIEW, options)


def get(runspace: str, /, *, options: Shared = DEFAULTS) -> None:
    """Show one runspace.

    Args:
        runspace: its id or its name.
    """
    with open_client(options) as client:
        show_one(find_runspace(client, runspace, "RUNSPACE"), VIEW, options)


def create(
    name: str | None = None,
    /,
    *,
    vcenter: bool = False,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    wait_quota: Duration = 0.0,
    options: Shared = DEFAULTS,
) -> None:
    """Create a runspace, and wait until it is ready.

    Args:
        name: what to call it; default a unique name.
        vcenter: connect it to vCenter as the user who is logged in, which is checked.
        wait: wait until it is ready, which is the default.
        wait_quota: time to wait for room if the service has none.
    """
    # Loaded on use: it needs more than the other commands.
    from srs_vsphere.cli.creating import create_ready

    with open_client(options) as client:
        runspace = create_ready(
            client, name, vcenter=vcenter, wait=wait, timeout=options.timeout, wait_quota=wait_quota
        )
        try:
            show_one(runspace, VIEW, options)
        except BaseException:
            # Nobody has learnt its id.
            client.runspaces.delete(runspace)
            raise


def remove(
    *runspaces: str,
    older: Duration | None = None,
    name: _Name = None,
    state: _State = None,
    all_: Annotated[bool, Parameter(name="--all")] = False,
    dry_run: bool = False,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"))] = False,
    options: Shared = DEFAULTS,
) -> int:
    """Remove runspaces: those that are named, or those that the options choose.

    Args:
        runspaces: their ids or names.
        older: those created longer ago than this, such as 10m.
        name: those with a name like this, such as nightly*.
        state: those in this state.
        all_: all of them.
        dry_run: only list those that would be removed.
        yes: do not ask.
    """
    filters = Filters(older=older, name=name, state=state)
    if sum((bool(runspaces), filters.given, all_)) != 1:
        raise UsageError(
            "RUNSPACES", "name the runspaces, or choose them with --older, --name and --state, or take --all"
        )
    with open_client(options) as client:
        if runspaces:
            known = client.runspaces.list()
            # One may be named twice, or by its id and its name.
            chosen = list(
                dict.fromkeys(find_runspace(client, each, "RUNSPACES", known=known) for each in runspaces)
            )
        else:
            chosen = filters.matching(client.runspaces.list())
        if dry_run or not chosen:
            show_list(chosen, VIEW, options)
            say("nothing was removed", options)
            return ExitCode.OK
        count = (
            f"{len(chosen)} runspaces" if len(chosen) > 1 else f"runspace {chosen[0].name or chosen[0].id}"
        )
        if not confirm(f"Remove {count}", yes=yes):
            say("nothing was removed", options)
            return ExitCode.OK
        return _removed(client, chosen, options)


def _removed(client: SrsClient, chosen: list[Runspace], options: Options) -> int:
    """Remove runspaces, each whatever becomes of the others."""
    code = ExitCode.OK
    gone: list[Runspace] = []
    for runspace in chosen:
        try:
            client.runspaces.delete(runspace)
        except SrsError as error:
            say(f"srs: {message_of(error)}")
            code = code or exit_code_of(error)
        else:
            gone.append(runspace)
    show_list(gone, VIEW, options)
    return code
