"""A table of hosts that changes while it is watched, on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from srs_vsphere.cli.options import Options
from srs_vsphere.cli.table import plain

if TYPE_CHECKING:
    from rich.console import Group

    from srs_vsphere.fleet import FleetEvent, FleetSnapshot

_EVENTS_SHOWN = 5
#: Beside hosts and events: the headings, how many hosts are left out, and where the cursor stands.
_OTHER_LINES = 3


def can_be_shown(options: Options) -> bool:
    """Whether standard output is a terminal, and a table is wanted.

    Args:
        options: the command's options.
    """
    return options.output == "table" and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def show_live(
    events: Iterable[FleetEvent],
    snapshot: Callable[[], FleetSnapshot],
    names: list[str],
    line: Callable[[FleetEvent], str],
    options: Options,
) -> None:
    """Show how the hosts stand, until the events end; those with problems, if there is not room for all.

    Args:
        events: what changes.
        snapshot: says how everything stands.
        names: the hosts, in their order.
        line: writes an event.
        options: the command's options.
    """
    from rich.console import Console
    from rich.live import Live

    latest: list[str] = []
    console = Console(no_color=options.no_color or None)

    def shown() -> Group:
        return _shown(snapshot(), names, latest, console.height)

    # The table is made when it is shown, four times a second, and not for each event, of which there may be
    # as many as there are hosts.
    with Live(get_renderable=shown, console=console):
        for event in events:
            latest = [*latest, text][-_EVENTS_SHOWN:] if (text := line(event)) else latest


def _shown(snapshot: FleetSnapshot, names: list[str], latest: list[str], height: int) -> Group:
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Column, Table
    from rich.text import Text

    rows = [_row(name, snapshot) for name in names]
    room = max(1, height - _EVENTS_SHOWN - _OTHER_LINES)
    left = len(rows) - room
    if left > 0:
        # Those that need a look first, each kind in the order of the file.
        rows = sorted(rows, key=lambda row: row[1] != "down" and not row[3])[:room]
        latest = [f"and {left} more hosts", *latest]
    table = Table(Column("HOST", no_wrap=True), "STATE", "RUNSPACES", "ERROR", box=None)
    for name, *cells in rows:
        table.add_row(escape(plain(name)), *cells)
    return Group(table, *(Text(line, no_wrap=True, overflow="ellipsis") for line in latest))


def _row(name: str, snapshot: FleetSnapshot) -> tuple[str, str, str, str]:
    host = snapshot.hosts.get(name)
    runspaces = None if host is None or host.runspaces is None else list(host.runspaces.values())
    state = "" if host is None or host.up is None else "up" if host.up else "down"
    failed = sum(str(runspace.state) == "error" for runspace in runspaces or ())
    return name, state, "" if runspaces is None else str(len(runspaces)), str(failed) if failed else ""
