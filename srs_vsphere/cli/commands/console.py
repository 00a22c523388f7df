"""Commands on web consoles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from srs_vsphere.cli.connection import open_client
from srs_vsphere.cli.console import confirm, say
from srs_vsphere.cli.data import members_of
from srs_vsphere.cli.options import DEFAULTS, Shared
from srs_vsphere.cli.problems import UsageError
from srs_vsphere.cli.progress import progress
from srs_vsphere.cli.showing import Column, View, show_list, show_one, text
from srs_vsphere.cli.table import Heading
from srs_vsphere.models import WebConsole

if TYPE_CHECKING:
    from srs_vsphere import SrsClient


def _view(client: SrsClient) -> View[WebConsole]:
    def data(console: WebConsole) -> object:
        return {**members_of(console), "url": client.web_consoles.url(console)}

    return View(
        columns=(
            Column(Heading("ID"), lambda console: console.id),
            Column(Heading("STATE"), lambda console: text(console.state)),
            Column(Heading("CREATED"), lambda console: text(console.creation_time)),
            Column(Heading("URL", flexible=True, optional=True), client.web_consoles.url),
        ),
        name=lambda console: console.id,
        data=data,
    )


def create(
    *, wait: Annotated[bool, Parameter(negative="--no-wait")] = True, options: Shared = DEFAULTS
) -> None:
    """Create a web console, and write its address; it counts against the quota of runspaces.

    Args:
        wait: wait until it is available, which is the default.
    """
    with open_client(options) as client:
        with progress("creating a web console", options):
            console = client.web_consoles.create(wait=wait, timeout=options.timeout or 660.0)
        show_one(console, _view(client), options)


def list_consoles(*, options: Shared = DEFAULTS) -> None:
    """List the web consoles, oldest first."""
    with open_client(options) as client:
        show_list(client.web_consoles.list(), _view(client), options)


def remove(
    *ids: str, yes: Annotated[bool, Parameter(name=("--yes", "-y"))] = False, options: Shared = DEFAULTS
) -> None:
    """Remove web consoles.

    Args:
        ids: their ids.
        yes: do not ask.
    """
    if not ids:
        raise UsageError("IDS", "name the web consoles: `srs console ls` lists them")
    with open_client(options) as client:
        consoles = [client.web_consoles.get(given) for given in ids]
        count = f"{len(consoles)} web consoles" if len(consoles) > 1 else f"web console {consoles[0].id}"
        if not confirm(f"Remove {count}", yes=yes):
            say("nothing was removed", options)
            return
        for console in consoles:
            client.web_consoles.delete(console)
        show_list(consoles, _view(client), options)
