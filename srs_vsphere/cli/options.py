"""The options that every command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from attrs import frozen
from cyclopts import Parameter

from srs_vsphere.cli.durations import Duration
from srs_vsphere.cli.problems import UsageError

OutputForm: TypeAlias = Literal["table", "json", "ndjson", "yaml", "name"]


@frozen(kw_only=True)
class Options:
    """What every command may be given.

    Args:
        url: address of the service, such as https://srs.example.com.
        username: user of vCenter's single sign-on.
        password_stdin: take the password from the first line of standard input.
        ca_file: PEM file with the certificates to trust.
        thumbprint: trust the one certificate with this thumbprint.
        insecure: do not check the certificate; a password is sent only if this is given twice.
        profile: name of a profile in srs/config.toml, in the folder for settings.
        no_session: use a session that ends with the command, not the one that commands share.
        timeout: time for the command's work, such as 30s, 10m or 1h.
        output: form of what goes to standard output; default table; with name, only ids.
        quiet: no progress and no messages, only errors.
        verbose: tell the cause of an error; twice, its trace, too.
        no_color: no colors.
    """

    url: str | None = None
    username: str | None = None
    password_stdin: bool = False
    ca_file: Path | None = None
    thumbprint: str | None = None
    insecure: Annotated[int, Parameter(count=True)] = 0
    profile: str | None = None
    no_session: bool = False
    timeout: Duration | None = None
    output: Annotated[OutputForm, Parameter(name=("--output", "-o"))] = "table"
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"))] = False
    verbose: Annotated[int, Parameter(name=("--verbose", "-v"), count=True)] = 0
    no_color: bool = False


#: For a command's signature.
Shared = Annotated[Options, Parameter(name="*", group="Options of every command")]
DEFAULTS = Options()

#: Options of every command that may stand before it, and whether a value follows.
LEADING = {
    "--url": True,
    "--username": True,
    "--password-stdin": False,
    "--ca-file": True,
    "--thumbprint": True,
    "--insecure": False,
    "--profile": True,
    "--no-session": False,
    "--timeout": True,
    "--output": True,
    "-o": True,
    "--quiet": False,
    "-q": False,
    "--verbose": False,
    "-v": False,
    "-vv": False,
    "--no-color": False,
}


def moved_behind(words: list[str]) -> list[str]:
    """Move the options that stand before the command behind it, where they are understood.

    Args:
        words: the command line.

    Raises:
        UsageError: no command follows them.
    """
    taken = 0
    while taken < len(words) and (name := words[taken].partition("=")[0]) in LEADING:
        taken += 2 if LEADING[name] and "=" not in words[taken] else 1
    leading, rest = words[:taken], words[taken:]
    if leading and not rest:
        raise UsageError(leading[-1], "a command must follow, or a value is missing: try `srs --help`")
    if not leading or rest[0].startswith("-"):
        return words
    # Before a `--`, behind which everything is an argument.
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *leading, *rest[end:]]
