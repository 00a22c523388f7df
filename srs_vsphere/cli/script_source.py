"""What is to be run: the script's text, and its parameters, from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from attrs import frozen
from cyclopts import Parameter

from srs_vsphere._service.script_text import decoded
from srs_vsphere.auth import Secret
from srs_vsphere.cli.problems import UsageError
from srs_vsphere.errors import InvalidArgumentValueError

if TYPE_CHECKING:
    from srs_vsphere import ParameterValue

_STANDARD_INPUT = "-"

#: A path, so that shells complete it.
File = Annotated[Path | None, Parameter(allow_leading_hyphen=True)]


@frozen(kw_only=True)
class ScriptOptions:
    """The script's text where it is not a file, and its parameters.

    Args:
        command: the script itself, instead of a file.
        parameter: a parameter: NAME=TEXT, NAME:=JSON or NAME=@FILE with a text; may be repeated.
        text: a parameter NAME=TEXT, the text as it is, even where it begins with @; may be repeated.
        secret: name of a parameter that is asked for and arrives as SecureString; may be repeated.
    """

    command: Annotated[str | None, Parameter(name=("--command", "-c"), allow_leading_hyphen=True)] = None
    parameter: Annotated[
        tuple[str, ...], Parameter(name=("--parameter", "-p"), allow_leading_hyphen=True)
    ] = ()
    text: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=True)] = ()
    secret: tuple[str, ...] = ()


#: For a command's signature.
Script = Annotated[ScriptOptions, Parameter(name="*")]
NO_SCRIPT = ScriptOptions()


def script_text(file: Path | None, command: str | None, *, stdin_is_taken: bool) -> str:
    """Return the script's text.

    Args:
        file: path of a file, or ``-`` for standard input.
        command: the text itself.
        stdin_is_taken: whether a password is read from standard input.

    Raises:
        UsageError: none or both are given, or the file cannot be read as a text.
    """
    if command is not None and file is None:
        if not command.strip():
            raise UsageError("-c", "the script must not be blank")
        return command
    if file is None or command is not None:
        raise UsageError("FILE", "give a file, - for standard input, or the script itself with -c")
    name = str(file)
    if name == _STANDARD_INPUT:
        if stdin_is_taken:
            raise UsageError(
                "FILE", "standard input cannot hold the script and, with --password-stdin, the password"
            )
        content, name = sys.stdin.buffer.read(), "standard input"
    elif name.startswith("-"):
        raise UsageError(name, "there is no such option")
    else:
        content = _content(name, "FILE", " (-c takes the script itself)")
    text = _text(content, name, "FILE")
    if not text.strip():
        raise UsageError("FILE", f"{name} is blank")
    return text


def parameters(options: ScriptOptions) -> dict[str, ParameterValue]:
    """Return the script's parameters.

    Args:
        options: what the command line says of them.

    Raises:
        UsageError: one cannot be understood, is given twice, or there is no terminal to ask on.
    """
    found: dict[str, ParameterValue] = {}
    for given in options.parameter:
        name, value = _split(given, "-p", "NAME=TEXT, NAME:=JSON or NAME=@FILE")
        if name.endswith(":"):
            name = name[:-1]
            _put(found, name, _json(name, value), "-p")
        elif value.startswith("@"):
            content = _content(value[1:], f"-p {name}")
            _put(found, name, _text(content, value[1:], f"-p {name}"), "-p")
        else:
            _put(found, name, value, "-p")
    for given in options.text:
        name, value = _split(given, "--text", "NAME=TEXT")
        _put(found, name, value, "--text")
    for name in options.secret:
        _put(found, name, _asked(name), "--secret")
    return found


def _split(given: str, argument: str, form: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not name.strip(" :"):
        # What follows may be a secret.
        start = repr(given[:20] + ("…" if len(given) > 20 else ""))
        raise UsageError(argument, f"{start} is not {form}")
    return name, value


def _put(found: dict[str, ParameterValue], name: str, value: ParameterValue, argument: str) -> None:
    if not name.strip():
        raise UsageError(argument, "a parameter's name must not be blank")
    if name.lower() in {known.lower() for known in found}:
        raise UsageError(argument, f"{name} is given twice: PowerShell ignores letter case")
    found[name] = value


def _json(name: str, text: str) -> ParameterValue:
    # Loaded on use: the help needs none of it.
    from srs_vsphere._codec.strict_json import loads_text

    try:
        value = cast("ParameterValue | None", loads_text(text))
    except ValueError as error:
        raise UsageError(f"-p {name}", f"its value is not JSON: {error}") from error
    if value is None:
        raise UsageError(f"-p {name}", "null cannot be given: leave the parameter out to have its default")
    return value


def _asked(name: str) -> Secret:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("--secret", f"{name}: there is no terminal to ask for it at")
    import getpass

    return Secret(getpass.getpass(f"{name}: ", stream=sys.stderr))


def _content(path: str, argument: str, hint: str = "") -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(argument, f"{path} cannot be read: {error.strerror}{hint}") from error
    except ValueError as error:
        raise UsageError(argument, f"{path!r} is no path: {error}") from error


def _text(content: bytes, name: str, argument: str) -> str:
    try:
        return decoded(content, name)
    except InvalidArgumentValueError as error:
        raise UsageError(argument, error.message) from error
