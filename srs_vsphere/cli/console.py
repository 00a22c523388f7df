"""Standard output for data, standard error for everything else."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterable

from srs_vsphere.cli.options import Options
from srs_vsphere.cli.problems import UsageError

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"


def write_data(lines: Iterable[str]) -> None:
    """Write lines to standard output, and see that they leave.

    Args:
        lines: without their line ends.

    Raises:
        BrokenPipeError: its reader has closed it.
    """
    try:
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError as error:
        # How Windows tells of a closed pipe.
        if sys.platform == "win32" and error.errno == errno.EINVAL:
            raise BrokenPipeError(*error.args) from error
        raise


def say(text: str, options: Options | None = None) -> None:
    """Write a message to standard error.

    Args:
        text: one line.
        options: the command's options; with ``--quiet`` nothing is written.
    """
    if options is None or not options.quiet:
        print(text, file=sys.stderr, flush=True)


def is_live(options: Options) -> bool:
    """Whether progress can be shown: standard error is a terminal, and nobody asked for quiet.

    Args:
        options: the command's options.
    """
    return sys.stderr.isatty() and not options.quiet and os.environ.get("TERM") != "dumb"


def has_colors(options: Options) -> bool:
    """Whether standard output takes colors.

    Args:
        options: the command's options.
    """
    plain = options.no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    capable = sys.platform != "win32" or "WT_SESSION" in os.environ
    return sys.stdout.isatty() and capable and not plain


def width() -> int | None:
    """Return the width of standard output in cells; None if it is no terminal and COLUMNS is not set."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def bold(text: str, options: Options) -> str:
    """Return a text in bold, where there are colors.

    Args:
        text: the text.
        options: the command's options.
    """
    return f"{_BOLD}{text}{_RESET}" if has_colors(options) else text


def confirm(question: str, *, yes: bool) -> bool:
    """Ask for permission on a terminal.

    Args:
        question: what to ask, without a question mark.
        yes: whether permission was given on the command line.

    Raises:
        UsageError: there is no terminal to ask on, and permission was not given.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("--yes", f"{question}: this needs --yes where there is no terminal to ask at")
    sys.stderr.write(f"{question}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
