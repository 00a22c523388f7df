"""How scripts end before their time, and how the simulator gives up on one."""

from __future__ import annotations

_AUTOMATION = "System.Management.Automation."


class NotUnderstoodError(Exception):
    """A script uses what this small part of PowerShell does not have."""


class ScriptError(Exception):
    """A terminating error of a script.

    Args:
        kind: the exception's type, without the namespace of PowerShell.
        message: what happened.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.text: str = f"{_AUTOMATION}{kind}: {message}"


class ScriptExit(Exception):  # noqa: N818 - it is no error
    """A script was left with ``exit``."""


class ScriptReturn(Exception):  # noqa: N818 - it is no error
    """A script block was left with ``return``.

    Args:
        values: what it returns.
    """

    def __init__(self, values: list[object]) -> None:
        super().__init__()
        self.values = values


def incomplete(message: str) -> ScriptError:
    """Return the error of a script that ends too early.

    Args:
        message: what is missing.
    """
    return ScriptError("IncompleteParseException", message)
