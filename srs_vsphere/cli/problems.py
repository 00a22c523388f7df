"""Exit codes of the ``srs`` command, and what it says of errors."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srs_vsphere import ScriptOutcome, SrsError


class ExitCode(IntEnum):
    """What the command's exit status means."""

    OK = 0
    #: The script failed, was canceled or lost; some hosts of a fleet failed; or the service's own failure.
    FAILED = 1
    #: The command line, the environment or a file is wrong; nothing was sent.
    USAGE = 2
    #: The script ran to its end, and its error stream is not empty.
    SUCCEEDED_WITH_ERRORS = 3
    #: The login or the server's certificate was refused.
    LOGIN = 4
    QUOTA = 5
    NOT_FOUND = 6
    #: No complete response came from the service.
    TRANSPORT = 7
    TIMEOUT = 8
    INTERRUPTED = 130
    #: 128 and the signal's number: this is SIGTERM's.
    TERMINATED = 143


class UsageError(Exception):
    """The command line, the environment or a file is wrong; nothing was done.

    Args:
        argument: the argument's name, as on the command line; empty if the problem names it.
        problem: what is wrong with it.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(argument, problem)
        self.argument: str = argument
        self.problem: str = problem

    def __str__(self) -> str:
        return f"{self.argument}: {self.problem}" if self.argument else self.problem


class Terminated(BaseException):
    """The process was asked to end; raised in the main thread, so that all blocks clean up.

    Args:
        number: of the signal: SIGTERM, or SIGHUP when the terminal is closed.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number: int = number


def exit_code_of(error: SrsError) -> ExitCode:
    """Return the exit code for an error of the package.

    Args:
        error: the error.
    """
    from srs_vsphere import errors
    from srs_vsphere.certificate import CertificateError

    for kinds, code in (
        ((errors.InvalidArgumentError,), ExitCode.USAGE),
        ((errors.AuthenticationError, CertificateError), ExitCode.LOGIN),
        ((errors.QuotaExceededError,), ExitCode.QUOTA),
        ((errors.NotFoundError,), ExitCode.NOT_FOUND),
        ((errors.WaitTimeoutError, errors.ResponseTimeoutError), ExitCode.TIMEOUT),
        ((errors.TransportError,), ExitCode.TRANSPORT),
    ):
        if isinstance(error, kinds):
            return code
    return ExitCode.FAILED


def exit_code_for(outcome: ScriptOutcome) -> ExitCode:
    """Return the exit code for what came of a script.

    Args:
        outcome: what came of it.
    """
    codes = {"succeeded": ExitCode.OK, "succeeded_with_errors": ExitCode.SUCCEEDED_WITH_ERRORS}
    return codes.get(outcome.value, ExitCode.FAILED)


def message_of(error: SrsError) -> str:
    """Return an error's line, with what to do in the command's own terms.

    Args:
        error: the error.
    """
    for kind in type(error).__mro__:
        # What an error advises of its own knows more.
        if kind.__name__ in _ADVICE and error.advice == getattr(kind, "advice", None):
            error.advice = _ADVICE[kind.__name__]
            break
    return in_own_terms(" ".join(str(error).split()))


def in_own_terms(text: str) -> str:
    """Put the command's own terms in the place of the package's, which are for programs.

    Args:
        text: what the package says.
    """
    for words, own in OWN_TERMS:
        text = re.sub(words, own, text)
    return text


#: In place of what the package advises, which is written for programs.
_ADVICE = {
    "CertificateError": "Look at it with `srs cert`; if it is right, trust it with `srs cert --pin`.",
    "AuthenticationError": "Check user name and password, and that the service reaches vCenter's single"
    " sign-on.",
    "QuotaExceededError": "Remove what is not needed (`srs runspace ls`, `srs runspace rm`), or wait for room"
    " with --wait-quota.",
    "RunspaceBusyError": "Wait for the running script to end, cancel it (`srs script cancel`), or use another"
    " runspace.",
    "ResponseTimeoutError": "Check the service and the network, or give it more time with --timeout.",
    "OutcomeUnknownError": "Look at what there is (`srs runspace ls`, `srs script ls`) before you repeat it.",
}
#: The package's words, as patterns, and the command's.
OWN_TERMS = (
    (r"with Tls\(thumbprint=[^)]*\)", "with `srs cert --pin`"),
    (r'say Tls\(verify="never"\)', "give --insecure twice"),
    ("pass arguments, or name a profile with SRS_PROFILE", "give options, or name a profile with --profile"),
    (r": wait, or raise RetryPolicy\(attempts=\)", ""),
    (r"with timeout= or RetryPolicy\(deadline=\)", "with --timeout"),
    (r"argument_scripts\.list\(\)", "`srs template ls`"),
    (r"runspaces\.list\(\)", "`srs runspace ls`"),
    (r"script_executions\.list\(\)", "`srs script ls`"),
    (r"web_consoles\.list\(\)", "`srs console ls`"),
    (r"script_executions\.output\(\) and ?\.records\(\)", "`srs script output` and `srs follow`"),
    (r"script_executions\.output\(\)", "`srs script output`"),
    # Not behind the name of a file of hosts, which has such words of its own.
    (r"^(\[Errno [^]]*\] )?ca_file (?=must|cannot)", r"\1--ca-file "),
    ("^thumbprint (?=must)", "--thumbprint "),
)
