"""The session with the service: who is calling, and one login for however many are waiting."""

from __future__ import annotations

import copy
import warnings
from typing import Self, TypeVar

from attrs import define, evolve, field

from srs_vsphere._sync.decoding import Reader, read_nothing
from srs_vsphere._sync.login import KEY_HEADER, Login
from srs_vsphere._sync.script_turns import ScriptTurns
from srs_vsphere._sync.sender import Sender
from srs_vsphere._sync.shared_session import SharedSession
from srs_vsphere._concurrency.clean_up import clean_up
from srs_vsphere._concurrency.forks import start_afresh_in_children
from srs_vsphere._concurrency.limiter import Limiter
from srs_vsphere._concurrency.loop_check import LoopCheck
from srs_vsphere._service import operations
from srs_vsphere._service.call import Call
from srs_vsphere._service.operations import Operation
from srs_vsphere._service.session_file import SessionFile
from srs_vsphere._validation import check_seconds
from srs_vsphere.auth import ApiKeyAuth, Auth, Secret
from srs_vsphere.errors import AuthenticationError, ClosedError, NotSentError, SrsError
from srs_vsphere.retry import RetryPolicy

T = TypeVar("T")

_INHERITED = "this process was forked after the client had used its http_client or transport"
_INHERITED_ADVICE = (
    "Make client and http_client or transport anew in this process: connections are not shared."
)


@define
class _State:
    """What all views of a session share."""

    key: Secret | None
    closed: bool = False
    #: Whether requests would go over connections of the process that this one was forked from.
    inherited: bool = False
    #: Held by the one task that logs in.
    turn: Limiter = field(factory=lambda: Limiter(1))
    logins: int = 0
    login_error: SrsError | None = None
    loop_check: LoopCheck = field(factory=LoopCheck)
    #: The service, where only closing the client would end the session.
    host: str | None = None

    def __del__(self) -> None:
        # It is set last: a Ctrl-C may have come before.
        host: str | None = getattr(self, "host", None)
        if host is not None and self.key is not None and not self.closed:
            warnings.warn(
                f"a client of {host} was never closed, and its session stays until it has idled:"
                " use `with`",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


class Session:
    """Makes calls in the name of a user, and logs in when that is needed.

    Args:
        sender: what carries the calls.
        auth: the credentials, or None for operations that need none.
        password_allowed: whether a password may be sent; not where anybody on the way could read it.
        session_file: where keys are kept for other processes, or None.
    """

    def __init__(
        self,
        sender: Sender,
        auth: Auth | None,
        *,
        password_allowed: bool = True,
        session_file: SessionFile | None = None,
    ) -> None:
        self.sender = sender
        self._login = Login(sender, auth, password_allowed=password_allowed)
        self._shared: SharedSession | None = None
        if session_file is not None and auth is not None:
            self._shared = SharedSession(session_file, self._login, auth, sender.clock)
        self.turns: ScriptTurns = ScriptTurns()
        self._auth = auth
        self._state = _State(auth.key if isinstance(auth, ApiKeyAuth) else None)
        if self._shared is None and not isinstance(auth, ApiKeyAuth):
            self._state.host = sender.origin.host
        self._timeout: float | None = None
        self._retry: RetryPolicy | None = None
        start_afresh_in_children(self)

    def start_afresh(self) -> None:
        """Begin anew, in a process that was forked from the one that this session was made in."""
        if not isinstance(self._auth, ApiKeyAuth):
            # The other process logs out with its key.
            self._state.key = None
        self._state.turn = Limiter(1)
        self._state.login_error = None
        self._state.loop_check = LoopCheck()
        self._login.start_afresh()
        self.turns.start_afresh()
        self.sender.start_afresh()
        if self.sender.shares_connections:
            self._state.closed = self._state.inherited = True

    @property
    def closed(self) -> bool:
        """Whether the client is closed, or being closed."""
        return self._state.closed

    @property
    def inherited(self) -> bool:
        """Whether its HTTP client belongs to the process that this one was forked from."""
        return self._state.inherited

    def with_options(self, timeout: float | None, retry: RetryPolicy | None) -> Self:
        """Return a view of this session whose calls have options of their own.

        Args:
            timeout: seconds for each call; None for this session's.
            retry: when a failed request is tried again; None for this session's policy.
        """
        view = copy.copy(self)
        if timeout is not None:
            view._timeout = timeout  # noqa: SLF001 - of the same class
        if retry is not None:
            view._retry = retry  # noqa: SLF001 - of the same class
        return view

    def call(
        self,
        operation: Operation,
        reader: Reader[T],
        *,
        id: str | None = None,
        body: bytes | None = None,
        within: float | None = None,
        timeout: float | None = None,
    ) -> T:
        """Call an operation, logging in first if needed, and once more if the service forgot the session.

        Args:
            operation: what to call.
            reader: takes the result out of the response.
            id: which resource, if it is about one.
            body: JSON to send.
            within: seconds it may take, if that is less than the policy's deadline.
            timeout: seconds that the caller gave it, instead of the policy's deadline.

        Returns:
            What `reader` took out.

        Raises:
            ClosedError: the client is closed, or was closed in the meantime.
            RuntimeError: the client belongs to another event loop.
            SrsError: the call failed.
        """
        state = self._state
        loop_check = state.loop_check
        if state.closed or loop_check.loop is not loop_check.running():
            self._check_open()
        path = operation.path if id is None else operation.path_for(id)
        call = self.sender.new_call(operation, path, body, within=within, policy=self._policy(timeout))
        if not operation.needs_key:
            return self.sender.send(call, reader)
        key = state.key
        if key is None:
            key = self._log_in(call, None)
        try:
            return self.sender.send(call, reader, header=(KEY_HEADER, key))
        except AuthenticationError as error:
            if error.status != 401 or self._auth is None or isinstance(self._auth, ApiKeyAuth):
                raise
        # A 401 is given before anything is carried out, so whatever it was may be sent again.
        key = self._log_in(call, key)
        return self.sender.send(call, reader, header=(KEY_HEADER, key))

    def log_in(self, timeout: float | None = None) -> Secret:
        """Log in, if that is not done yet.

        Args:
            timeout: seconds that the caller gave it.

        Returns:
            The session's key.

        Raises:
            ClosedError: the client is closed.
            RuntimeError: the client belongs to another event loop.
            SrsError: it failed.
        """
        self._check_open()
        if self._state.key is not None:
            return self._state.key
        login = operations.LOGIN
        return self._log_in(self.sender.new_call(login, login.path, policy=self._policy(timeout)), None)

    def log_out(self, timeout: float | None = None) -> None:
        """End the session on the service, if this client began it.

        Args:
            timeout: seconds that the caller gave it.

        Raises:
            ClosedError: the client is closed.
            RuntimeError: the client belongs to another event loop.
            SrsError: it failed; the session then ends by itself after 30 idle minutes.
        """
        self._check_open()
        self._log_out(timeout=timeout)

    def leave(self, seconds: float) -> None:
        """Let nothing begin any more, and log out: bounded in time, reached by no cancellation.

        Calls under way are not tried again, and cannot log in again. A session that may be left is logged.

        Args:
            seconds: how long it may take.
        """
        state = self._state
        if state.closed:
            return
        state.closed = self.sender.closed = True
        if self._shared is not None and self._login.is_settled:
            # Other processes go on with it.
            return
        clean_up(
            lambda: self._log_out_last(seconds),
            seconds=seconds,
            left=f"the session on {self.sender.origin.host} was not ended, and stays until it has idled",
        )

    def _log_out_last(self, seconds: float) -> None:
        # A login under way may still bring a key, which is ended then.
        try:
            self._state.turn.acquire(seconds)
        except TimeoutError:
            raise NotSentError("a login was under way and may still succeed") from None
        try:
            self._login.settle(seconds)
            if self._shared is None:
                self._log_out(within=seconds)
        finally:
            self._state.turn.release()

    def _log_out(self, *, within: float | None = None, timeout: float | None = None) -> None:
        key = self._state.key
        if isinstance(self._auth, ApiKeyAuth) or (key is None and self._shared is None):
            return
        self._state.key = None
        logout = operations.LOGOUT
        call = self.sender.new_call(logout, logout.path, within=within, policy=self._policy(timeout))
        try:
            if self._shared is not None:
                key = self._shared.take(call, key)
            if key is not None:
                self.sender.send(call, read_nothing, header=(KEY_HEADER, key))
        except AuthenticationError as error:
            # The service has forgotten the session already.
            if error.status != 401:
                raise
        except BaseException:
            # Where it may not have arrived, closing the client tries once more.
            self._state.key = self._state.key or key
            raise

    def _policy(self, timeout: float | None) -> RetryPolicy | None:
        """Return the policy of a call; None for the sender's own."""
        if timeout is not None:
            check_seconds("timeout", timeout)
        seconds = self._timeout if timeout is None else timeout
        if seconds is None:
            return self._retry
        return evolve(self._retry or self.sender.policy, deadline=seconds)

    def _check_open(self) -> None:
        if self._state.closed:
            if self._state.inherited:
                raise ClosedError(_INHERITED, advice=_INHERITED_ADVICE)
            raise ClosedError("this client is closed")
        self._state.loop_check.check()

    def _log_in(self, call: Call, stale: Secret | None) -> Secret:
        """Return a key newer than the stale one, from the one login that all who wait share."""
        state = self._state
        seen = state.logins
        try:
            state.turn.acquire(call.deadline - self.sender.clock.now())
        except TimeoutError:
            raise NotSentError("no login before the deadline", **call.facts()) from None
        try:
            if state.closed:
                raise ClosedError("the client was closed during the call", **call.facts())
            if state.key is not None and state.key is not stale:
                return state.key
            if state.logins != seen and state.login_error is not None:
                raise state.login_error.again()
            state.key = None
            try:
                state.key = self._ask_for_key(call, stale)
                self._login.keep()
            except BaseException:
                self._login.give_up()
                raise
            return state.key
        finally:
            state.turn.release()

    def _ask_for_key(self, call: Call, stale: Secret | None) -> Secret:
        state, clock = self._state, self.sender.clock
        try:
            if self._shared is not None:
                key = self._shared.key(call, stale)
            else:
                key = self._login.key(call)
        except SrsError as error:
            # A login that only this caller's deadline ended says nothing to the others.
            if clock.now() < call.deadline:
                state.login_error = error
                state.logins += 1
            raise
        state.login_error = None
        state.logins += 1
        return key
