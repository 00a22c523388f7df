"""Exit codes of the ``srs`` command, and which error ends it with which."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srs_vsphere import SrsError


class ExitCode(IntEnum):
    """What the command's exit status means."""

    OK = 0
    #: The script failed, was canceled or was lost; or another error of the service.
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
    TERMINATED = 143


class UsageError(Exception):
    """The command line is wrong.

    Args:
        argument: the argument's name, as on the command line.
        problem: what is wrong with it.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(argument, problem)
        self.argument: str = argument
        self.problem: str = problem

    def __str__(self) -> str:
        return f"{self.argument}: {self.problem}"


class Terminated(BaseException):  # noqa: N818 - like KeyboardInterrupt, which it stands beside
    """The process was asked to end (SIGTERM); raised in the main thread, so that all blocks clean up."""


def exit_code_of(error: SrsError) -> ExitCode:
    """Return the exit code for an error of the package.

    Args:
        error: the error.
    """
    from srs_vsphere import errors

    for kinds, code in (
        ((errors.AuthenticationError, errors.CertificateError), ExitCode.LOGIN),
        ((errors.QuotaExceededError,), ExitCode.QUOTA),
        ((errors.NotFoundError,), ExitCode.NOT_FOUND),
        ((errors.WaitTimeoutError, errors.ResponseTimeoutError), ExitCode.TIMEOUT),
        ((errors.TransportError,), ExitCode.TRANSPORT),
        ((TypeError, ValueError), ExitCode.USAGE),
    ):
        if isinstance(error, kinds):
            return code
    return ExitCode.FAILED
