"""The client: one service, one user, and everything the service offers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from os import PathLike, fspath
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

import httpx

from srs_vsphere._sync.client_options import ClientOptions
from srs_vsphere._sync.client_scripts import ClientScripts
from srs_vsphere._sync.decoding import read_one
from srs_vsphere._sync.http_client import make_http
from srs_vsphere._sync.observer import Observer
from srs_vsphere._sync.runspaces import Runspaces
from srs_vsphere._sync.sender import Sender
from srs_vsphere._sync.session import Session
from srs_vsphere._concurrency.clock import Clock
from srs_vsphere._http import log_redaction
from srs_vsphere._service import operations
from srs_vsphere._service.session_file import SessionFile
from srs_vsphere._signatures import shows_keywords_of
from srs_vsphere._validation import check_seconds
from srs_vsphere.auth import Auth, Secret
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.models import About
from srs_vsphere.retry import RetryEvent, RetryPolicy
from srs_vsphere.settings import (
    Origin,
    Timeouts,
    check_arguments,
    check_auth,
    check_observers,
    check_session_file,
    is_password_safe,
)
from srs_vsphere.telemetry import Telemetry
from srs_vsphere.tls import Tls

if TYPE_CHECKING:
    from srs_vsphere._sync.argument_scripts import ArgumentScripts
    from srs_vsphere._sync.script_executions import ScriptExecutions
    from srs_vsphere._sync.web_consoles import WebConsoles
    from srs_vsphere.events import Event

T = TypeVar("T")

_DEFAULT_RETRY = RetryPolicy()

_read_about = read_one(About)


class SrsClient(ClientScripts):
    """A client of one Script Runtime Service, safe to share between threads.

    Leaving its ``with`` block ends it, as `close` does: nothing begins any more, the session on the
    service is ended and all connections are closed, whatever the block ended with.

    Args:
        url: scheme, host and perhaps port of the service, such as ``https://srs.example.com``.
        auth: `BasicAuth`, `SignAuth` or `ApiKeyAuth`, or where they are asked for at each login: `EnvAuth`,
            `FileAuth`, `KeyringAuth`, `SsoAuth`, or a `CredentialSource` of your own. Default None, which is
            enough for `about` only.
        retry: when a failed request is tried again; default `RetryPolicy()`. `RetryPolicy.off()` for never.
        timeouts: how long an attempt may wait for each of its steps; default `Timeouts()`.
        tls: how the service's certificate is checked; default `Tls()`, the system's authorities.
        http_client: an `httpx.Client` of your own (or httpx2's) that all requests go through as you
            configured it, but redirects are not followed; it is not closed with this client, and excludes
            `transport` and `tls`. A client that has used it is of no use in a process that is forked later.
            Default: one of this client's own.
        transport: an httpx transport to use instead of the client's own; it is closed with the client,
            and `tls` does not apply to it. For a fork the same holds as for `http_client`.
        max_connections: requests on their way at once, the others wait their turn; default 20.
        on_retry: called with a `RetryEvent` before each wait, for logs and metrics; what it raises is logged.
        on_event: called with each event of `srs_vsphere.events`, such as `RequestEnded`; what it raises is
            logged.
        telemetry: where spans and metrics go, such as `srs_vsphere.otel.OpenTelemetry()`; what it raises is
            logged. Default None.
        log_scripts: whether the log shows the text of scripts, at DEBUG; default False.
        session_file: a file that keeps the session's key for the next process, so that commands share one
            session: only `logout` ends it. It belongs to its user alone. Default None, a session of its own.

    Raises:
        InvalidArgumentTypeError: an argument is of the wrong kind; the message names it.
        InvalidArgumentValueError: an argument makes no sense; the message names it.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: Auth | None = None,
        retry: RetryPolicy = _DEFAULT_RETRY,
        timeouts: Timeouts | None = None,
        tls: Tls | None = None,
        http_client: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        max_connections: int = 20,
        on_retry: Callable[[RetryEvent], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
        telemetry: Telemetry | None = None,
        log_scripts: bool = False,
        session_file: str | PathLike[str] | None = None,
    ) -> None:
        try:
            origin = Origin.parse(url)
        finally:
            # A url with a password in it is refused, and a traceback would show this frame's variables.
            del url
        try:
            check_auth(auth)
        except InvalidArgumentTypeError:
            # So would it, if this is a password as text.
            del auth
            raise
        timeouts = Timeouts() if timeouts is None else timeouts
        trusted = Tls() if tls is None else tls
        check_arguments(retry, timeouts, trusted, max_connections, on_retry)
        own_connections = transport is None and http_client is None
        password_allowed = is_password_safe(auth, origin, trusted, own_connections=own_connections)
        check_session_file(session_file, auth)
        check_observers(on_event, telemetry, log_scripts)
        log_redaction.install()
        self._http = make_http(
            origin,
            http_client=http_client,
            transport=transport,
            tls=tls,
            auth=auth,
            timeouts=timeouts,
            max_connections=max_connections,
        )
        self._closes_http = self._http is not http_client
        sender = Sender(
            origin,
            self._http,
            policy=retry,
            timeouts=timeouts,
            max_connections=max_connections,
            on_retry=on_retry,
            clock=Clock(),
            observer=Observer(on_event, telemetry, log_scripts=log_scripts),
        )
        self._take(
            Session(
                sender,
                auth,
                password_allowed=password_allowed,
                session_file=None if session_file is None else SessionFile(fspath(session_file), origin.host),
            )
        )

    @classmethod
    @shows_keywords_of(ClientOptions)
    def from_env(
        cls, *, url: str | None = None, profile: str | None = None, **overrides: Unpack[ClientOptions]
    ) -> Self:
        """Make a client from environment variables and a profile.

        Variables: ``SRS_URL``, ``SRS_USERNAME``, ``SRS_PASSWORD`` or ``SRS_PASSWORD_FILE`` or
        ``SRS_API_KEY``, ``SRS_CA_FILE``, ``SRS_THUMBPRINT``, ``SRS_KNOWN_HOSTS`` (else
        ``GOVC_TLS_KNOWN_HOSTS``), ``SRS_INSECURE`` (``true``, or ``never`` to send a password all the same),
        ``SRS_TIMEOUT`` (seconds for each call), ``SRS_PROFILE``. Profiles are tables such as
        ``[profiles.lab]`` with the same names in lower case, without ``SRS_``, in ``srs/config.toml`` in the
        platform's folder for settings (``~/.config`` on Linux).

        Args:
            url: as for the class.
            profile: name of the profile; default what ``SRS_PROFILE`` names, or ``default`` if there is one.
            **overrides: arguments of the client, which go before variables and profile.

        Raises:
            InvalidArgumentTypeError: an argument is of the wrong kind.
            InvalidArgumentValueError: something is missing or cannot be used; the message names all of it.
            OSError: a certificate's file cannot be read.
        """
        # Loaded on use: most programs give their settings as arguments.
        from srs_vsphere.profiles import find_settings

        try:
            check_auth(overrides.get("auth"))
        except InvalidArgumentTypeError:
            # Given as text it is a password, and a traceback shows this frame's variables.
            del overrides
            raise
        # An HTTP client of the program's knows itself whom to trust.
        needs_tls = "tls" not in overrides and overrides.get("http_client") is None
        found = find_settings(
            profile=profile,
            url=url,
            needs_auth="auth" not in overrides,
            needs_tls=needs_tls,
            needs_retry="retry" not in overrides,
        )
        options: ClientOptions = {
            "auth": found.auth,
            "retry": found.retry,
            **overrides,
        }
        if needs_tls:
            options["tls"] = found.tls
        return cls(found.url, **options)

    def _take(self, session: Session) -> None:
        self._session = session
        self._runspaces = Runspaces(session)
        # Made on use, and loaded then: most programs need the runspaces and `run` only.
        self._script_executions: ScriptExecutions | None = None
        self._argument_scripts: ArgumentScripts | None = None
        self._web_consoles: WebConsoles | None = None

    @property
    def runspaces(self) -> Runspaces:
        """The runspaces of the user: list, get, create, open, wait for and delete them."""
        return self._runspaces

    @property
    def script_executions(self) -> ScriptExecutions:
        """The scripts that run or ran: list, get, create, wait for, follow and cancel them."""
        if self._script_executions is None:
            from srs_vsphere._sync.script_executions import ScriptExecutions

            self._script_executions = ScriptExecutions(self._session)
        return self._script_executions

    @property
    def argument_scripts(self) -> ArgumentScripts:
        """The templates of scripts that look up a parameter's value: list, get and fill them in."""
        if self._argument_scripts is None:
            from srs_vsphere._sync.argument_scripts import ArgumentScripts

            self._argument_scripts = ArgumentScripts(self._session)
        return self._argument_scripts

    @property
    def web_consoles(self) -> WebConsoles:
        """The PowerCLI consoles in a browser: list, get, create, wait for and delete them."""
        if self._web_consoles is None:
            from srs_vsphere._sync.web_consoles import WebConsoles

            self._web_consoles = WebConsoles(self._session)
        return self._web_consoles

    def __repr__(self) -> str:
        # A traceback shows it before it is made, if an argument is refused.
        session: Session | None = getattr(self, "_session", None)
        if session is None:
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} {session.sender.origin.url} {'closed' if session.closed else 'open'}>"

    def with_options(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> Self:
        """Return a view of this client whose calls have options of their own.

        The view shares connections, session, retry budget and turns in runspaces with the client; closing
        either closes both.

        Args:
            timeout: seconds for each call to the service with all its attempts, instead of the retry
                policy's deadline; default as this client has it. Calls that wait for a runspace or a script
                make many such calls; their own ``timeout`` bounds them all.
            retry: when a failed request is tried again; default as this client has it.

        Returns:
            The view.

        Raises:
            InvalidArgumentTypeError: an argument is of the wrong kind.
            InvalidArgumentValueError: an argument makes no sense.
        """
        if timeout is not None:
            check_seconds("timeout", timeout)
        if retry is not None and not isinstance(retry, RetryPolicy):
            raise InvalidArgumentTypeError(f"retry must be RetryPolicy, not {type(retry).__name__}")
        view = copy.copy(self)
        view._take(self._session.with_options(timeout, retry))  # noqa: SLF001 - of the same class
        return view

    def about(self, *, timeout: float | None = None) -> About:
        """Return the service's name and versions; needs no credentials (``GET /api/about``).

        Args:
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            SrsError: the call failed.
        """
        return self._session.call(operations.ABOUT, _read_about, timeout=timeout)

    def login(self, *, timeout: float | None = None) -> Secret:
        """Log in now instead of with the first call that needs it (``POST /api/auth/login``).

        Credentials that were refused are not sent again within three minutes, lest vCenter lock the account.
        A login whose response is lost leaves a session that nobody can end, since only the response tells its
        key: it ends by itself after 30 idle minutes.

        Args:
            timeout: seconds for the whole call; default the retry policy's deadline.

        Returns:
            The session's API key, with which `ApiKeyAuth` resumes the session elsewhere.

        Raises:
            AuthenticationError: the credentials were refused, or none were given.
            SrsError: the call failed.
        """
        return self._session.log_in(timeout)

    def logout(self, *, timeout: float | None = None) -> None:
        """End the session on the service (``POST /api/auth/logout``); leaving ``with`` does it too.

        A key given as `ApiKeyAuth` is left alone: the caller must revoke it. The service removes the
        session's runspaces within a minute or two.

        Args:
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            SrsError: the call failed; the session then ends by itself after 30 idle minutes.
        """
        self._session.log_out(timeout)

    def close(self, *, timeout: float = 5.0) -> None:
        """Log out and close all connections, as leaving ``with`` does; a second call does nothing.

        Nothing begins any more; calls under way that fail end with `ClosedError`, or with the error that says
        that something may have been created or started all the same, and how to find it. The
        session is ended in time, whatever cancels; one that may be left is logged. A key given as
        `ApiKeyAuth` is left alone, and an `http_client` of the program's stays open.

        Args:
            timeout: seconds within which the session is ended; default 5.

        Raises:
            TypeError: `timeout` is no number.
            ValueError: `timeout` is not positive and finite.
        """
        check_seconds("timeout", timeout)
        try:
            self._session.leave(timeout)
        finally:
            if self._closes_http and not self._session.inherited:
                self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
