"""The client: one service, one user, and everything the service offers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self, TypeVar, Unpack, overload

import httpx

from srs_vsphere._sync.argument_scripts import ArgumentScripts
from srs_vsphere._sync.decoding import read_one
from srs_vsphere._sync.runspace_block import RunspaceHandle
from srs_vsphere._sync.runspaces import Runspaces
from srs_vsphere._sync.script_executions import ScriptExecutions
from srs_vsphere._sync.sender import Sender
from srs_vsphere._sync.session import Session
from srs_vsphere._sync.web_consoles import WebConsoles
from srs_vsphere._codec.structured_output import DEFAULT_DEPTH
from srs_vsphere._concurrency.clock import Clock
from srs_vsphere._http import log_redaction
from srs_vsphere._http.client import make_http
from srs_vsphere._service import operations
from srs_vsphere._service.script_request import ClientRunOptions, OutputChoice, check_runspace, prepare
from srs_vsphere.auth import Auth
from srs_vsphere.models import About, PSDocument, Runspace
from srs_vsphere.results import ScriptResult
from srs_vsphere.retry import RetryEvent, RetryPolicy
from srs_vsphere.settings import Origin, Timeouts, check_arguments
from srs_vsphere.tls import Tls

_log = logging.getLogger("srs_vsphere")

T = TypeVar("T")

_read_about = read_one(About)

_RUN_TAKES = frozenset(ClientRunOptions.__annotations__)

#: Logging out on leaving ``with`` may take no longer.
_SECONDS_TO_LEAVE = 5.0


class SrsClient:
    """A client of one Script Runtime Service, safe to share between threads.

    Leaving its ``with`` block logs out and closes all connections.

    Args:
        url: scheme, host and perhaps port of the service, such as ``https://srs.example.com``.
        auth: `BasicAuth` or `ApiKeyAuth`; default None, which is enough for `about` only.
        retry: when a failed request is tried again; default `RetryPolicy()`.
        timeouts: how long an attempt may wait for each of its steps; default `Timeouts()`.
        tls: how the service's certificate is checked; default `Tls()`, the system's authorities.
        http_client: an `httpx.Client` of your own (or httpx2's) that all requests go through as you
            configured it, but redirects are not followed; it is not closed with this client, and excludes
            `transport` and `tls`. Default: one of this client's own.
        transport: an httpx transport to use instead of the client's own; it is closed with the client,
            and `tls` does not apply to it.
        max_connections: requests on their way at once, the others wait their turn; default 20.
        on_retry: called with a `RetryEvent` before each wait, for logs and metrics; what it raises is logged.

    Raises:
        TypeError: an argument is of the wrong kind; the message names it.
        ValueError: an argument makes no sense; the message names it.
    """

    runspaces: Runspaces
    script_executions: ScriptExecutions
    argument_scripts: ArgumentScripts
    web_consoles: WebConsoles

    def __init__(
        self,
        url: str,
        *,
        auth: Auth | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        tls: Tls | None = None,
        http_client: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        max_connections: int = 20,
        on_retry: Callable[[RetryEvent], object] | None = None,
    ) -> None:
        try:
            origin = Origin.parse(url)
        finally:
            # A url with a password in it is refused, and a traceback would show this frame's variables.
            del url
        retry = RetryPolicy() if retry is None else retry
        timeouts = Timeouts() if timeouts is None else timeouts
        check_arguments(auth, retry, timeouts, Tls() if tls is None else tls, max_connections, on_retry)
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
        )
        self._session = Session(sender, auth)
        self.runspaces = Runspaces(self._session)
        self.script_executions = ScriptExecutions(self._session)
        self.argument_scripts = ArgumentScripts(self._session)
        self.web_consoles = WebConsoles(self._session)

    def __repr__(self) -> str:
        state = "closed" if self._session.closed else "open"
        return f"<{type(self).__name__} {self._session.sender.origin.url} {state}>"

    def about(self) -> About:
        """Return the service's name and versions; needs no credentials (``GET /api/about``).

        Raises:
            SrsError: the call failed.
        """
        return self._session.call(operations.ABOUT, _read_about)

    def login(self) -> None:
        """Log in now instead of with the first call that needs it (``POST /api/auth/login``).

        Raises:
            AuthenticationError: the credentials were refused, or none were given.
            SrsError: the call failed.
        """
        self._session.log_in()

    def logout(self) -> None:
        """End the session on the service (``POST /api/auth/logout``); leaving ``with`` does it too.

        A key given as `ApiKeyAuth` is left alone: whoever got it ends it. The service removes the
        session's runspaces within a minute or two.

        Raises:
            SrsError: the call failed; the session then ends by itself after 30 idle minutes.
        """
        self._session.log_out()

    @overload
    def run(
        self, script: str, *, output: Literal["text"] = "text", **options: Unpack[ClientRunOptions]
    ) -> ScriptResult[str]: ...
    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["json"],
        depth: int = DEFAULT_DEPTH,
        output_type: type[T],
        **options: Unpack[ClientRunOptions],
    ) -> ScriptResult[list[T]]: ...
    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["json"],
        depth: int = DEFAULT_DEPTH,
        **options: Unpack[ClientRunOptions],
    ) -> ScriptResult[list[object]]: ...
    @overload
    def run(
        self, script: str, *, output: Literal["raw"], **options: Unpack[ClientRunOptions]
    ) -> ScriptResult[list[PSDocument]]: ...
    def run(
        self,
        script: str,
        *,
        output: OutputChoice = "text",
        depth: int = DEFAULT_DEPTH,
        output_type: type | None = None,
        **options: Unpack[ClientRunOptions],
    ) -> ScriptResult[object]:
        """Run a script and return what came of it: opens a runspace, runs, collects, deletes.

        Args:
            script: the script.
            output: the form of the output: ``text``, one text in which tables are cut at 80 columns;
                ``json``, Python values of any depth; ``raw``, the service's own documents, one level deep.
            depth: for ``json``: how many levels below each object are kept; default 8.
            output_type: for ``json``: a class that each object is made into.
            **options: see `ClientRunOptions` and `RunOptions`.

        Returns:
            What came of it; look at ``outcome`` before trusting ``output``.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            WaitTimeoutError: it did not end in time, and was canceled.
            QuotaExceededError: the service has no room for a runspace.
            TypeError: an argument is of the wrong kind, before anything is sent.
            ValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        job = prepare(script, options, takes=_RUN_TAKES, output=output, depth=depth, output_type=output_type)
        runspace_id = check_runspace(options)
        if runspace_id is not None:
            return RunspaceHandle(self._session, Runspace(runspace_id)).run_job(job)
        opening = self.runspaces.open(
            options.get("name"),
            run_vc_connection_script=options.get("run_vc_connection_script", False),
            wait_for_quota=options.get("wait_for_quota", 0.0),
        )
        with opening as handle:
            return handle.run_job(job)

    def close(self) -> None:
        """Close all connections, without logging out; a second call does nothing.

        An `http_client` of the program's stays open.
        """
        self._session.closed = True
        if self._closes_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            problem = self._session.leave(_SECONDS_TO_LEAVE)
            if problem is not None:
                _log.warning("the session on the service was not ended: %s", problem)
        finally:
            self.close()
