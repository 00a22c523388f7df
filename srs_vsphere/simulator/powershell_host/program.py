"""How a host process is started: which PowerShell, and with what."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

HOST_SCRIPT = Path(__file__).with_name("pwsh-host.ps1")
_OPTIONS = ("-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File")
_QUIET = {"POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off"}
# As in the service's own runspaces, which run on Linux: every culture is there and is like the invariant one.
_INVARIANT = {
    "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
    "DOTNET_SYSTEM_GLOBALIZATION_PREDEFINED_CULTURES_ONLY": "0",
}


def command_line(powershell: str | Sequence[str]) -> list[str]:
    """Return the command that starts a host process.

    Args:
        powershell: a program's name or path, or these with arguments of its own.

    Raises:
        ValueError: it is empty.
        FileNotFoundError: there is no such program.
    """
    program, *arguments = [powershell] if isinstance(powershell, str) else powershell or [""]
    if not program:
        raise ValueError("powershell must name a program, such as 'pwsh'")
    found = shutil.which(program)
    if found is None:
        where = "there is no file" if Path(program).name != program else "the PATH has no program"
        raise FileNotFoundError(
            f"powershell: {where} {program!r}; https://aka.ms/powershell says how to get PowerShell 7 for "
            "Windows, macOS and Linux"
        )
    return [found, *arguments, *_OPTIONS, str(HOST_SCRIPT)]


def environment() -> dict[str, str]:
    """Return the environment of a host process."""
    return {**os.environ, **_QUIET, **({} if sys.platform == "win32" else _INVARIANT)}
