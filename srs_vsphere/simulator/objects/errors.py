"""How scripts end before their time."""

from __future__ import annotations

_AUTOMATION = "System.Management.Automation."


class ScriptError(Exception):
    """A terminating error of a script.

    Args:
        message: what happened.
        kind: the exception's type; without a namespace it is of PowerShell's own.
        id: what PowerShell calls the error, its FullyQualifiedErrorId; default: the exception's type.
        category: its category.
        target: what it is about.
    """

    def __init__(
        self,
        message: str,
        kind: str = "RuntimeException",
        *,
        id: str | None = None,
        category: str = "NotSpecified",
        target: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind: str = kind if "." in kind else _AUTOMATION + kind
        self.id: str = kind if id is None else id
        self.category = category
        self.target = target

    @property
    def text(self) -> str:
        """The exception as .NET writes it, without a stack trace."""
        return f"{self.kind}: {self.message}"


class StatementError(ScriptError):
    """An error that ends its statement only: it is recorded, and the script goes on with the next one."""


class ScriptExit(Exception):
    """A script was left with ``exit``, or with ``break`` outside of a loop."""


class ScriptReturn(Exception):
    """A script was left with ``return``; its output is complete."""
