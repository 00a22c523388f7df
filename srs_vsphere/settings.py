"""Settings of a client: the service's URL and the timeouts."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import SplitResult, urlsplit

from attrs import field, frozen

from srs_vsphere._host_and_port import split_port
from srs_vsphere._validation import check_count, check_flag, seconds
from srs_vsphere.auth import ApiKeyAuth, BasicAuth, CredentialSource, is_sign_auth
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.telemetry import Telemetry
from srs_vsphere.tls import Tls

_NAME = re.compile(r"(?!.{254})[\w-]{1,63}(?:\.[\w-]{1,63})*\.?")


@frozen(kw_only=True)
class Timeouts:
    """How long one attempt of a request may wait for each of its steps, in seconds.

    The retry policy's deadline bounds all of them together.

    Args:
        connect: for the connection, TLS included; default 10.
        read: for the next bytes of the response; default 30.
        write: for the request's bytes to be taken; default 30.
        login: for the response to a login, in which the service asks vCenter twice, for up to 30 seconds
            each time, and of a web console that the service is to wait for; default 75.
        keep_alive: how long an idle connection is kept for the next request; default 90.

    Raises:
        TypeError: one of them is not a number.
        ValueError: one of them is not positive and finite.
    """

    connect: float = field(default=10.0, validator=seconds)
    read: float = field(default=30.0, validator=seconds)
    write: float = field(default=30.0, validator=seconds)
    login: float = field(default=75.0, validator=seconds)
    keep_alive: float = field(default=90.0, validator=seconds)


@frozen
class Origin:
    """Where the service is.

    Args:
        url: scheme, host and port, without a slash at the end; a name in another script is in Punycode.
        host: host and port as errors name them.
        secure: whether it is reached over TLS.
    """

    url: str
    host: str
    secure: bool

    @property
    def host_header(self) -> str:
        """The host as requests name it: a zone has a meaning on this machine only."""
        before, zone, after = self.host.partition("%")
        return f"{before}]{after.partition(']')[2]}" if zone else self.host

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        name, _ = split_port(self.host)
        try:
            return ipaddress.ip_address(name.strip("[]")).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")

    @classmethod
    def parse(cls, url: str) -> Origin:
        """Read the URL that a client is given.

        Args:
            url: such as ``https://srs.example.com``; a port may follow, and nothing else.

        Raises:
            TypeError: it is not text.
            ValueError: it lacks scheme or host, or has more than scheme, host and port.
        """
        if not isinstance(url, str):
            raise InvalidArgumentTypeError(f"url must be text, not {type(url).__name__}")
        found = _read(url)
        # It may hold a password, and a traceback of the error below shows this frame's variables.
        del url
        if isinstance(found, str):
            raise InvalidArgumentValueError(f"url {found}")
        return found


def _read(url: str) -> Origin | str:
    """Return what a URL leads to, or what is wrong with it; that never repeats the URL."""
    example = "give it as https://srs.example.com or https://srs.example.com:8443"
    # Readers of URLs drop some of these, not always the same.
    if " " in url or not url.isprintable():
        return f"must not hold spaces or control characters: {example}"
    parts = _split(url)
    if parts is None:
        return f"has an impossible host or port: {example}"
    if parts.scheme not in {"http", "https"}:
        return f"must begin with https:// or http://: {example}"
    if parts.username is not None or parts.password is not None:
        return "must not hold credentials: pass auth=BasicAuth(username, password) instead"
    if not parts.hostname:
        return f"names no host: {example}"
    if parts.path not in {"", "/"} or "?" in url or "#" in url:
        return f"must not have a path, query or fragment: {example}"
    name = _host(parts.hostname, in_brackets="[" in url)
    if name is None:
        return f"has an impossible host or port: {example}"
    host = name if parts.port is None else f"{name}:{parts.port}"
    return Origin(url=f"{parts.scheme}://{host}", host=host, secure=parts.scheme == "https")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def _host(name: str, *, in_brackets: bool) -> str | None:
    """Return a host as it is written in a URL, or None if it is none."""
    # Loaded on use: only a client asks, and it has loaded it.
    import httpx

    try:
        if in_brackets:
            ipaddress.IPv6Address(name)
            return f"[{name}]"
        # Its own reading is wider, but knows numeric addresses, and names in other scripts by their Punycode.
        encoded = httpx.URL(f"https://{name}").raw_host.decode("ascii")
    except (ValueError, httpx.InvalidURL):
        return None
    return encoded if encoded and _NAME.fullmatch(name) else None


def check_auth(auth: object) -> None:
    """Refuse what is no credentials, by name; the caller deletes its variable, too, as a traceback shows it.

    Args:
        auth: a client's argument of this name.

    Raises:
        TypeError: it is of the wrong kind.
    """
    is_class = isinstance(auth, type)
    if auth is None or (
        not is_class and (isinstance(auth, BasicAuth | ApiKeyAuth | CredentialSource) or is_sign_auth(auth))
    ):
        return
    kind = auth if isinstance(auth, type) else type(auth)
    # With its module, for there is a BasicAuth elsewhere, too.
    given = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    # Given as text it is a password, and a traceback shows this frame's variables.
    del auth
    raise InvalidArgumentTypeError(
        f"auth must be BasicAuth, ApiKeyAuth, SignAuth or a CredentialSource, not {given}"
    )


def check_arguments(
    retry: object, timeouts: object, tls: object, max_connections: object, on_retry: object
) -> None:
    """Refuse arguments of a client that cannot work, by name.

    Args:
        retry: a client's argument of this name, like all that follow.
        timeouts: see there.
        tls: see there.
        max_connections: see there.
        on_retry: see there.

    Raises:
        TypeError: one is of the wrong kind.
        ValueError: `max_connections` is less than 1.
    """
    for name, value, kind in (
        ("retry", retry, RetryPolicy),
        ("timeouts", timeouts, Timeouts),
        ("tls", tls, Tls),
    ):
        if not isinstance(value, kind):
            raise InvalidArgumentTypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")
    check_count("max_connections", max_connections)
    if on_retry is not None and not callable(on_retry):
        raise InvalidArgumentTypeError(f"on_retry must be callable, not {type(on_retry).__name__}")


def is_password_safe(auth: object, origin: Origin, tls: Tls, *, own_connections: bool) -> bool:
    """Say whether a password may be sent; one that is given already is refused at once if not.

    Args:
        auth: a client's argument of this name.
        origin: where the service is.
        tls: a client's argument of this name.
        own_connections: whether the client makes them, and not a transport or HTTP client of the program's.

    Raises:
        InvalidArgumentValueError: `auth` has a password, which anybody on the way could read.
    """
    if tls.verify is False:
        what, instead = "tls=Tls(verify=False)", "pin the certificate with Tls(thumbprint=...)"
    elif not origin.secure and own_connections and tls.verify is True and not origin.is_local:
        what, instead = "a url with http://", "use https://"
    else:
        return True
    if isinstance(auth, BasicAuth):
        raise InvalidArgumentValueError(
            f'{what} would show the password to anybody on the way: {instead}, or say Tls(verify="never")'
        )
    return False


def check_session_file(session_file: object, auth: object) -> None:
    """Refuse a session file that cannot work.

    Args:
        session_file: a client's argument of this name.
        auth: likewise.

    Raises:
        InvalidArgumentTypeError: it is no path.
        InvalidArgumentValueError: it is empty, or the credentials cannot log in or do not say for whom.
    """
    if session_file is None:
        return
    if not isinstance(session_file, str | os.PathLike):
        kind = type(session_file).__name__
        raise InvalidArgumentTypeError(f"session_file must be a path, not {kind}")
    if not os.fspath(session_file):
        raise InvalidArgumentValueError("session_file must name a file, not be empty")
    if auth is None or isinstance(auth, ApiKeyAuth) or "username" not in dir(auth):
        raise InvalidArgumentValueError(
            "session_file needs auth that logs in and has a username, to know whose session it keeps"
        )


def check_observers(on_event: object, telemetry: object, log_scripts: object) -> None:
    """Refuse observers that cannot work.

    Args:
        on_event: a client's argument of this name, like all that follow.
        telemetry: see there.
        log_scripts: see there.

    Raises:
        InvalidArgumentTypeError: one is of the wrong kind.
    """
    if on_event is not None and not callable(on_event):
        raise InvalidArgumentTypeError(f"on_event must be callable, not {type(on_event).__name__}")
    if isinstance(telemetry, type) or not (telemetry is None or isinstance(telemetry, Telemetry)):
        raise InvalidArgumentTypeError("telemetry must be such as srs_vsphere.otel.OpenTelemetry()")
    check_flag("log_scripts", log_scripts)
