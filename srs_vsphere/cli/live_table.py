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
    """Show how all hosts stand, until the events end.

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
    with Live(_shown(snapshot(), names, latest), console=console) as live:
        for event in events:
            latest = [*latest, text][-_EVENTS_SHOWN:] if (text := line(event)) else latest
            live.update(_shown(snapshot(), names, latest))


def _shown(snapshot: FleetSnapshot, names: list[str], latest: list[str]) -> Group:
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table("HOST", "STATE", "RUNSPACES", "ERROR", box=None)
    for name in names:
        host = snapshot.hosts.get(name)
        runspaces = None if host is None or host.runspaces is None else list(host.runspaces.values())
        state = "" if host is None or host.up is None else "up" if host.up else "down"
        failed = sum(str(runspace.state) == "error" for runspace in runspaces or ())
        table.add_row(
            escape(plain(name)),
            state,
            "" if runspaces is None else str(len(runspaces)),
            str(failed) if failed else "",
        )
    return Group(table, *(Text(line, no_wrap=True, overflow="ellipsis") for line in latest))
