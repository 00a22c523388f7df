"""The entry point: signals become exceptions, errors become one line and an exit code."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, TextIO

from srs_vsphere.cli.problems import ExitCode, Terminated, UsageError, exit_code_of, in_own_terms, message_of
from srs_vsphere.cli.signals import end_on_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import CycloptsError

_EXTRA = "srs: this command needs the extra: pip install 'srs-vsphere[cli]'"
_NOT_ON_THE_COMMAND_LINE = (
    "--password: other users of this machine can read the command line, so a password is not taken from it;"
    " pipe it in with --password-stdin, set SRS_PASSWORD, or name a file in SRS_PASSWORD_FILE"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the ``srs`` command.

    Args:
        arguments: the command line; default the process's own.

    Returns:
        The exit code, see `ExitCode`.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        _collect_less_garbage()
    if words[:1] == ["simulator"]:
        from srs_vsphere.simulator.command import main as simulate

        return simulate(words[1:])
    warnings.showwarning = _show_warning
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a script puts out may hold what this terminal's encoding lacks.
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        end_on_signals()
    try:
        return _run(words)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. What is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except SystemExit as error:
        # So does rich, which shows the help, tell of a reader that has seen enough.
        if isinstance(error.__context__, BrokenPipeError):
            return ExitCode.OK
        raise
    except KeyboardInterrupt:
        _say("interrupted")
        return ExitCode.INTERRUPTED
    except Terminated as error:
        _say("terminated")
        return 128 + error.number


def _open_closed_streams() -> None:
    """Let nothing stand where the shell has closed a standard stream, and nothing else take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            # Like the real ones it stays open to the end.
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8", closefd=False))


def _collect_less_garbage() -> None:
    """Look for garbage less often, and not at the end: what a command loads stays, and is most there is.

    This is an eighth of what a short command costs.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


def _run(words: list[str]) -> int:
    if any(word == "--password" or word.startswith("--password=") for word in words):
        _say(_NOT_ON_THE_COMMAND_LINE)
        return ExitCode.USAGE
    try:
        from cyclopts import CycloptsError

        from srs_vsphere.cli.app import app
        from srs_vsphere.cli.options import moved_behind
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        print(_EXTRA, file=sys.stderr)
        return ExitCode.USAGE
    try:
        result = app(
            moved_behind(words), exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except (CycloptsError, UsageError) as error:
        _say(_told(error))
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - each ends as one line and an exit code
        return _fail(error, _verbosity(words))
    return result if isinstance(result, int) else ExitCode.OK


def _told(error: CycloptsError | UsageError) -> str:
    unused: list[str] | None = getattr(error, "unused_tokens", None)
    if unused and type(error).__name__ == "UnusedCliTokensError":
        return f"{unused[0]}: the command takes no such argument or option; --help tells what it takes"
    return in_own_terms(_one_line(error))


def _fail(error: Exception, verbosity: int) -> int:
    from srs_vsphere import SrsError

    if isinstance(error, BrokenPipeError):
        raise error
    known = isinstance(error, SrsError | OSError)
    # A fault of this program: its trace is what a report needs.
    if verbosity >= 2 or not known:
        import traceback

        sys.stderr.write("".join(traceback.format_exception(error)))
    _say(message_of(error) if isinstance(error, SrsError) else _one_line(error))
    if verbosity == 1 and error.__cause__ is not None:
        _say(f"cause: {type(error.__cause__).__name__}: {_one_line(error.__cause__)}")
    if isinstance(error, SrsError):
        return exit_code_of(error)
    if isinstance(error, TimeoutError):
        return ExitCode.TIMEOUT
    return ExitCode.USAGE if known else ExitCode.FAILED


def _verbosity(words: list[str]) -> int:
    """Count the -v of the command line: one may have failed to be understood."""
    rest = words[: words.index("--")] if "--" in words else words
    return sum(word.count("v") for word in rest if word in {"-v", "-vv", "-vvv"}) + rest.count("--verbose")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del category, filename, lineno, file, line
    _say(f"warning: {in_own_terms(str(message))}")


def _say(text: str) -> None:
    print(f"srs: {text}", file=sys.stderr)
