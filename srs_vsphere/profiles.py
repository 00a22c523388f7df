"""A client's settings from environment variables and a TOML file of named profiles.

An argument goes before a variable, and a variable before the profile. Of what excludes each other, such as
two passwords, the one that comes first in this order counts.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

from srs_vsphere._validation import words_of
from srs_vsphere.auth import ApiKeyAuth, Auth, BasicAuth, Secret
from srs_vsphere.errors import InvalidArgumentError, InvalidArgumentValueError
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.tls import Tls

_SECRETS: Final = ("password", "password_file", "api_key")
_TRUST: Final = ("ca_file", "thumbprint", "known_hosts", "insecure")
_SETTINGS: Final = ("url", "username", *_SECRETS, *_TRUST, "timeout")
_HIDDEN: Final = frozenset({"password", "api_key"})
#: All else is hidden as soon as it is read: a misspelt name may be that of a secret.
_SHOWN: Final = frozenset(_SETTINGS) - _HIDDEN
_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("", "0", "false", "no", "off")


class FoundSettings(NamedTuple):
    """What environment and profile say, in the form of a client's arguments.

    Args:
        url: of the service.
        auth: the credentials.
        tls: whom to trust.
        retry: with the timeout as its deadline.
    """

    url: str
    auth: Auth | None
    tls: Tls
    retry: RetryPolicy


class _Source(NamedTuple):
    """Settings of one place, secrets hidden, and how a setting is called there."""

    values: Mapping[str, object]
    prefix: str = ""
    variables: bool = False

    def name(self, setting: str) -> str:
        return f"SRS_{setting.upper()}" if self.variables else f"{self.prefix}{setting}"


def config_file(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """Return where the profiles are, whether or not there is such a file.

    Args:
        environ: the environment; default that of this process.
        platform: as ``sys.platform`` names it; default this one.
    """
    environ = os.environ if environ is None else environ
    if platform == "win32":
        folder = Path(environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "srs" / "config.toml"


def find_settings(
    *,
    profile: str | None = None,
    url: str | None = None,
    needs_auth: bool = True,
    needs_tls: bool = True,
    needs_retry: bool = True,
) -> FoundSettings:
    """Read the settings of a client.

    Args:
        profile: name of the profile; default what ``SRS_PROFILE`` names, or ``default`` if there is one.
        url: the URL, if the caller has it.
        needs_auth: whether credentials are looked for.
        needs_tls: whether it is looked for whom to trust.
        needs_retry: whether the timeout is looked for.

    Raises:
        InvalidArgumentValueError: something is missing, excludes something else, or cannot be used. The
            message names everything that is wrong, and no secret.
    """
    problems: list[str] = []
    variables = {
        name: value if name in _SHOWN else Secret(value)
        for name in _SETTINGS
        if (value := os.environ.get(f"SRS_{name.upper()}", ""))
    }
    sources = (_Source(variables, variables=True), _read_profile(profile, problems))
    found_url = url or _first(sources, "url")
    if not isinstance(found_url, str):
        problems.append("SRS_URL is not set")
    auth = _auth(sources, problems) if needs_auth else None
    tls = _tls(sources, problems) if needs_tls else Tls()
    retry = _retry(sources, problems) if needs_retry else RetryPolicy()
    if problems:
        # A traceback shows this frame's variables, and they hold no secret that is not hidden.
        raise InvalidArgumentValueError("; ".join(problems), advice=_ADVICE)
    return FoundSettings(cast("str", found_url), auth, tls, retry)


_ADVICE: Final = "Set the variables, pass arguments, or name a profile with SRS_PROFILE."


def _read_profile(profile: str | None, problems: list[str]) -> _Source:
    nothing = _Source({})
    wanted = profile or os.environ.get("SRS_PROFILE")
    path = config_file()
    try:
        with path.open("rb") as file:
            # Loaded on use: there may be no profiles.
            import tomllib

            status = os.fstat(file.fileno())
            profiles = _hidden(tomllib.load(file))
    except FileNotFoundError:
        if wanted is not None:
            problems.append(f"profile {wanted!r} is not there: there is no file {path}")
        return nothing
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
        return nothing
    except ValueError as error:
        problems.append(f"{path} is not TOML: {error}")
        return nothing
    if profiles is None:
        problems.append(f"{path} must hold tables such as [profiles.lab]")
        return nothing
    mode = 0 if sys.platform == "win32" else status.st_mode
    if mode & stat.S_IWOTH:
        # Who can change url and certificate is sent the password, wherever that is kept.
        problems.append(f"everybody can write {path}: run chmod o-w {path}")
        return nothing
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and any(_HIDDEN & values.keys() for values in profiles.values()):
        problems.append(f"{path} holds a password, and others can read it: run chmod 600 {path}")
        return nothing
    if wanted is None and "default" not in profiles:
        return nothing
    name = wanted or "default"
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        problems.append(f"profile {name!r} is not in {path}, which has {known}")
        return nothing
    unknown = sorted(profiles[name].keys() - set(_SETTINGS))
    problems += [f"profile {name!r} has {key!r}, which is no setting" for key in unknown]
    return _Source(profiles[name], prefix=f"profile {name!r}: ")


def _hidden(document: Mapping[str, object]) -> dict[str, dict[str, object]] | None:
    profiles = document.get("profiles", {})
    if not isinstance(profiles, dict):
        return None
    found: dict[str, dict[str, object]] = {}
    for name, table in cast("dict[str, object]", profiles).items():
        if not isinstance(table, dict):
            return None
        found[name] = {
            key: value if key in _SHOWN else Secret(cast("str", value))
            for key, value in cast("dict[str, object]", table).items()
        }
    return found


def _first(sources: tuple[_Source, ...], setting: str) -> object:
    return next((source.values[setting] for source in sources if setting in source.values), None)


def _given(source: _Source, settings: tuple[str, ...]) -> list[str]:
    return [name for name in settings if name in source.values]


def _auth(sources: tuple[_Source, ...], problems: list[str]) -> Auth | None:
    username = _first(sources, "username")
    for source in sources:
        given = _given(source, _SECRETS)
        if len(given) > 1:
            names = " and ".join(source.name(name) for name in given)
            problems.append(f"{names} are set: two credentials at once")
            return None
        if not given:
            continue
        if given[0] != "api_key" and username is None:
            problems.append("SRS_USERNAME is not set")
            return None
        try:
            return _make_auth(source, given[0], username, from_variable="username" in sources[0].values)
        except (InvalidArgumentError, TypeError, ValueError) as error:
            problems.append(f"{source.name(given[0])}: {words_of(error)}")
            return None
    if username is None:
        problems.append("SRS_USERNAME is not set")
    problems.append("SRS_PASSWORD is not set (nor SRS_PASSWORD_FILE, nor SRS_API_KEY)")
    return None


def _make_auth(source: _Source, kind: str, username: object, *, from_variable: bool) -> Auth:
    from srs_vsphere.credential_sources import EnvAuth, FileAuth

    value = source.values[kind]
    if kind == "api_key":
        return ApiKeyAuth(cast("Secret", value))
    if kind == "password_file":
        return FileAuth(cast("str", username), str(Path(cast("str", value)).expanduser()))
    if source.variables and from_variable:
        # It names the variables, so that the client holds no password.
        return EnvAuth()
    return BasicAuth(cast("str", username), cast("Secret", value))


def _tls(sources: tuple[_Source, ...], problems: list[str]) -> Tls:
    for source in sources:
        given = _given(source, _TRUST)
        if not given:
            continue
        try:
            known_hosts = source.values.get("known_hosts")
            return Tls(
                ca_file=_path(source.values.get("ca_file")),
                thumbprint=cast("str | None", source.values.get("thumbprint")),
                known_hosts=_paths(known_hosts),
                verify=_verify(source.values.get("insecure", "")),
            )
        except (InvalidArgumentError, TypeError, ValueError) as error:
            problems.append(f"{' and '.join(source.name(name) for name in given)}: {words_of(error)}")
            return Tls()
    # Whoever uses govc has named the hosts already.
    return Tls(known_hosts=_paths(os.environ.get("GOVC_TLS_KNOWN_HOSTS")))


def _verify(insecure: object) -> bool | Literal["never"]:
    if isinstance(insecure, bool):
        return not insecure
    text = str(insecure).lower()
    if text == "never":
        return "never"
    if text in _YES or text in _NO:
        return text in _NO
    raise InvalidArgumentValueError("it must be true, false or never")


def _path(value: object) -> str | None:
    return None if value is None else str(Path(cast("str", value)).expanduser())


def _paths(value: object) -> tuple[str, ...]:
    """Read one path or several, which govc separates as ``PATH`` does."""
    if value is None:
        return ()
    names = cast("list[str]", value) if isinstance(value, list) else str(value).split(os.pathsep)
    return tuple(str(Path(name).expanduser()) for name in names if name)


def _retry(sources: tuple[_Source, ...], problems: list[str]) -> RetryPolicy:
    for source in sources:
        value = source.values.get("timeout")
        if value is None:
            continue
        try:
            return RetryPolicy(deadline=float(value) if isinstance(value, str) else cast("float", value))
        except (InvalidArgumentError, TypeError, ValueError):
            problems.append(f"{source.name('timeout')} must be a number of seconds above 0")
    return RetryPolicy()
