"""Progress on a terminal: that something goes on, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from srs_vsphere.cli.console import is_live
from srs_vsphere.cli.options import Options

#: Tells how much is done; on a terminal it moves the bar.
Advance: TypeAlias = Callable[[int], None]


@contextmanager
def progress(what: str, options: Options, *, total: int | None = None) -> Generator[Advance, None, None]:
    """Show progress while a block runs, on a terminal; it is gone afterwards.

    Args:
        what: what is going on.
        options: the command's options.
        total: how much there is to do; None if that is unknown.

    Returns:
        A context manager; inside it, a function that is told how much is done.
    """
    if not is_live(options):
        yield lambda done: None
        return
    # Loaded on use, for it takes longer than most commands.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    count = () if total is None else (MofNCompleteColumn(),)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), *count)
    console = Console(stderr=True, no_color=options.no_color or None)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)
