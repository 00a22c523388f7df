"""From the command line, the environment and a profile to a client."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from srs_vsphere._validation import words_of
from srs_vsphere.auth import ApiKeyAuth
from srs_vsphere.cli.options import Options
from srs_vsphere.cli.problems import UsageError
from srs_vsphere.profiles import FoundSettings, config_file, find_settings
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.tls import Tls

if TYPE_CHECKING:
    from srs_vsphere import SrsClient


def open_client(options: Options, *, needs_login: bool = True) -> SrsClient:
    """Make the client that a command works with, as `SrsClient.from_env` does.

    Args:
        options: the command's options, which go before variables and profile.
        needs_login: whether the command needs credentials.

    Returns:
        The client, to be used in ``with``. The session stays for the next command, unless the options say
        otherwise.

    Raises:
        UsageError: an option makes no sense.
        InvalidArgumentValueError: something is missing; the message names all of it.
    """
    _load_httpx()
    from srs_vsphere import SrsClient

    found = settings(options, needs_login=needs_login)
    shared = not (options.no_session or found.auth is None or isinstance(found.auth, ApiKeyAuth))
    try:
        return SrsClient(
            found.url,
            auth=found.auth,
            tls=found.tls,
            retry=found.retry,
            session_file=state_folder() / "sessions.json" if shared else None,
        )
    except OSError as error:
        raise UsageError("", f"{error.strerror}: {error.filename or 'a certificate'}") from error


def settings(options: Options, *, needs_login: bool = True) -> FoundSettings:
    """Return what options, environment and profile come to.

    Args:
        options: the command's options.
        needs_login: whether the command needs credentials.

    Raises:
        UsageError: an option makes no sense.
        InvalidArgumentValueError: something is missing; the message names all of it.
    """
    _say_who(options)
    tls = _tls(options)
    found = find_settings(
        profile=options.profile,
        url=options.url,
        needs_auth=needs_login,
        needs_tls=tls is None,
        needs_retry=options.timeout is None,
    )
    if tls is not None:
        found = found._replace(tls=tls)
    elif found.tls == Tls() and known_hosts_file().exists():
        found = found._replace(tls=Tls(known_hosts=str(known_hosts_file())))
    if options.timeout is not None:
        found = found._replace(retry=RetryPolicy(deadline=options.timeout))
    return found


def _load_httpx() -> None:
    """Load httpx without its own command, half of its time where click and pygments are installed."""
    name = "click"
    if "httpx" in sys.modules or name in sys.modules:
        return
    # How Python is told that there is no such module; httpx then leaves its command out.
    hidden = cast("dict[str, ModuleType | None]", sys.modules)
    hidden[name] = None
    try:
        import_module("httpx")
    finally:
        del hidden[name]


def known_hosts_file() -> Path:
    """Return the file of trusted certificates that counts where no other is named."""
    return config_file().with_name("known_hosts")


def state_folder() -> Path:
    """Return the folder for what commands leave for the next one: sessions, and what was typed."""
    if sys.platform in {"win32", "darwin"}:
        return config_file().parent
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "srs"


def _say_who(options: Options) -> None:
    """Let what the command line says of the user stand in the place of the variables."""
    if options.username is not None:
        os.environ["SRS_USERNAME"] = options.username
    if options.password_stdin:
        try:
            password = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UsageError("--password-stdin", f"it is not {error.encoding}") from None
        if not password:
            raise UsageError("--password-stdin", "there is no password on standard input")
        os.environ.pop("SRS_PASSWORD_FILE", None)
        os.environ.pop("SRS_API_KEY", None)
        os.environ["SRS_PASSWORD"] = password


def _tls(options: Options) -> Tls | None:
    """Return whom the command line says to trust; None if it does not."""
    if not (options.ca_file or options.thumbprint or options.insecure):
        return None
    try:
        return Tls(
            ca_file=options.ca_file,
            thumbprint=options.thumbprint,
            verify="never" if options.insecure > 1 else not options.insecure,
        )
    except (TypeError, ValueError) as error:
        raise UsageError("", words_of(error)) from error
