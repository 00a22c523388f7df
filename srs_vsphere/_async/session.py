"""The session with the service: who is calling, and one login for however many are waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from srs_vsphere._async.decoding import read_nothing
from srs_vsphere._async.login import KEY_HEADER, AsyncLogin
from srs_vsphere._async.response import AsyncResponse
from srs_vsphere._async.sender import AsyncSender
from srs_vsphere._concurrency.limiter import AsyncLimiter
from srs_vsphere._concurrency.loop_check import AsyncLoopCheck
from srs_vsphere._service import operations
from srs_vsphere._service.call import Call
from srs_vsphere._service.operations import Operation
from srs_vsphere.auth import ApiKeyAuth, Auth, Secret
from srs_vsphere.errors import AuthenticationError, NotSentError, SrsError

T = TypeVar("T")


class AsyncSession:
    """Makes calls in the name of a user, and logs in when that is needed.

    Args:
        sender: what carries the calls.
        auth: the credentials, or None for operations that need none.
        password_allowed: whether a password may be sent; not to a server that nobody has verified.
    """

    def __init__(self, sender: AsyncSender, auth: Auth | None, *, password_allowed: bool = True) -> None:
        self.sender = sender
        self._login = AsyncLogin(sender, auth, password_allowed=password_allowed)
        self.closed = False
        self._auth = auth
        self._key = auth.key if isinstance(auth, ApiKeyAuth) else None
        self._turn = AsyncLimiter(1)
        self._logins = 0
        self._login_error: SrsError | None = None
        self._loop_check = AsyncLoopCheck()

    async def call(
        self,
        operation: Operation,
        read: Callable[[AsyncResponse, Call], Awaitable[T]],
        *,
        path: str | None = None,
        body: bytes | None = None,
        within: float | None = None,
        whole: bool = True,
    ) -> T:
        """Call an operation, logging in first if needed, and once more if the service forgot the session.

        Args:
            operation: what to call.
            read: takes the result out of the response.
            path: its path, if that holds an id.
            body: JSON to send.
            within: seconds it may take, if that is less than the policy's deadline.
            whole: whether `read` reads the response to its end.

        Returns:
            What `read` returned.

        Raises:
            RuntimeError: the client is closed, or belongs to another event loop.
            SrsError: the call failed.
        """
        self._check_open()
        path = operation.path if path is None else path
        call = self.sender.new_call(operation, path, body, within=within)
        if not operation.needs_key:
            return await self.sender.send(call, read, whole=whole)
        key = self._key
        if key is None:
            key = await self._log_in(call, None)
        try:
            return await self.sender.send(call, read, header=(KEY_HEADER, key), whole=whole)
        except AuthenticationError as error:
            if error.status != 401 or self._auth is None or isinstance(self._auth, ApiKeyAuth):
                raise
        # A 401 is given before anything is carried out, so whatever it was may be sent again.
        key = await self._log_in(call, key)
        return await self.sender.send(call, read, header=(KEY_HEADER, key), whole=whole)

    async def log_in(self) -> Secret:
        """Log in, if that is not done yet.

        Returns:
            The session's key.

        Raises:
            RuntimeError: the client is closed, or belongs to another event loop.
            SrsError: it failed.
        """
        self._check_open()
        if self._key is not None:
            return self._key
        return await self._log_in(self.sender.new_call(operations.LOGIN, operations.LOGIN.path), None)

    async def log_out(self, *, within: float | None = None) -> None:
        """End the session on the service, if this client began it.

        Args:
            within: seconds it may take; default the policy's deadline.

        Raises:
            RuntimeError: the client is closed, or belongs to another event loop.
            SrsError: it failed; the session then ends by itself after 30 idle minutes.
        """
        self._check_open()
        key = self._key
        if key is None or isinstance(self._auth, ApiKeyAuth):
            return
        self._key = None
        call = self.sender.new_call(operations.LOGOUT, operations.LOGOUT.path, within=within)
        try:
            await self.sender.send(call, read_nothing, header=(KEY_HEADER, key))
        except AuthenticationError as error:
            # The service has forgotten the session already.
            if error.status != 401:
                raise

    async def leave(self, within: float) -> SrsError | None:
        """Log out on the way out: bounded in time, reached by no cancellation, never raising.

        Args:
            within: seconds it may take.

        Returns:
            Why the service may still keep the session, if it may.
        """
        if self.closed:
            return None
        with self.sender.clock.shielded(within):
            try:
                await self.log_out(within=within)
            except SrsError as error:
                return error
        return None

    def _check_open(self) -> None:
        if self.closed:
            raise RuntimeError("this client is closed: make a new one")
        self._loop_check.check()

    async def _log_in(self, call: Call, stale: Secret | None) -> Secret:
        """Return a key newer than the stale one, from the one login that all who wait share."""
        seen = self._logins
        try:
            await self._turn.acquire(call.deadline - self.sender.clock.now())
        except TimeoutError:
            raise NotSentError("no login before the deadline", **call.facts()) from None
        try:
            if self._key is not None and self._key is not stale:
                return self._key
            if self._logins != seen and self._login_error is not None:
                raise self._login_error.again()
            self._key = None
            self._key = await self._ask_for_key(call)
            return self._key
        finally:
            self._turn.release()

    async def _ask_for_key(self, call: Call) -> Secret:
        clock = self.sender.clock
        credentials = await self._login.credentials(call)
        try:
            key = await self._login.key(call, credentials)
        except SrsError as error:
            # A login that only this caller's deadline ended says nothing to the others.
            if clock.now() < call.deadline:
                self._login_error = error
                self._logins += 1
            raise
        self._login_error = None
        self._logins += 1
        return key
