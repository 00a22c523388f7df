"""The PowerShell scripts around a user's script that carry values in and results out; read on use."""

from __future__ import annotations

from functools import cache


@cache
def service_script(name: str) -> str:
    """Return the text of one of the scripts, with its placeholders in capitals still in it.

    Args:
        name: which: ``structured-output``, ``structured-rest``, ``text-output``, ``parameter-value`` or
            ``argument-script``.

    Raises:
        FileNotFoundError: there is no such script.
    """
    # Loaded on use: most programs import this package without running a script.
    from importlib.resources import files

    return (files("srs_vsphere") / "_service" / "scripts" / f"{name}.ps1").read_text("utf-8")
