"""Logging in: credentials are asked for, sent, and traded for an API key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import frozen

from srs_vsphere._async.decoding import AsyncReader, read_nothing
from srs_vsphere._async.response import AsyncResponse
from srs_vsphere._async.sender import AsyncSender
from srs_vsphere._concurrency.completion import AsyncCompletion
from srs_vsphere._concurrency.credential_reader import AsyncCredentialReader
from srs_vsphere._service import operations
from srs_vsphere._service.call import Call
from srs_vsphere.auth import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    CredentialSource,
    LoginAuth,
    Secret,
    check_key,
    is_sign_auth,
)
from srs_vsphere.errors import (
    AuthenticationError,
    DecodeError,
    InvalidArgumentTypeError,
    NotSentError,
    SrsError,
)

_log = logging.getLogger("srs_vsphere")

KEY_HEADER = "X-SRS-API-KEY"

#: Ending the session of a login that failed may take no longer.
_SECONDS_TO_END = 5.0
#: Refused credentials are not sent again for so long: vCenter locks an account after five refusals within
#: 180 seconds, unless it is set otherwise.
_SECONDS_REFUSED = 180.0


@frozen
class _Refusal:
    """Credentials that the service refused."""

    credentials: LoginAuth
    error: AuthenticationError
    at: float


class AsyncLogin:
    """Trades credentials for API keys.

    Args:
        sender: makes the calls.
        auth: the credentials, or where to ask for them.
        password_allowed: whether a password may be sent; not where anybody on the way could read it.
    """

    def __init__(self, sender: AsyncSender, auth: Auth | None, *, password_allowed: bool) -> None:
        self._sender = sender
        self._auth = auth
        self._password_allowed = password_allowed
        self._reader = AsyncCredentialReader()
        self._refusal: _Refusal | None = None
        self.start_afresh()

    def start_afresh(self) -> None:
        """Begin anew, in a process that was forked: logins under way are the other's."""
        self._completion: AsyncCompletion[Secret] = AsyncCompletion(self._end)
        self._made: Secret | None = None

    @property
    def is_settled(self) -> bool:
        """Whether all logins that were interrupted have ended."""
        return self._completion.is_settled

    async def settle(self, seconds: float) -> None:
        """Wait until the logins that were interrupted have ended, and their sessions.

        Args:
            seconds: how long, for each.
        """
        await self._completion.settle(seconds)

    def keep(self) -> None:
        """Note that the latest key is kept where it will be found."""
        self._made = None

    def give_up(self) -> None:
        """End the session of the latest key, without waiting for it, if the key was not kept."""
        made, self._made = self._made, None
        if made is not None:
            self._completion.undo_later(made)

    async def key(self, call: Call) -> Secret:
        """Log in; the key is to be kept, or given up.

        Args:
            call: what it is for; its deadline counts.

        Returns:
            The key of the new session.

        Raises:
            AuthenticationError: there are no credentials, they must not be sent, or they were refused.
            TypeError: the program's own source of credentials returned something else.
            SrsError: it failed.
        """
        sender = self._sender
        began = sender.clock.now()
        with sender.observer.span("srs.login", {"server.address": call.host}):
            credentials = await self._credentials(call)
            self._check_refusal(credentials)
            try:
                # Once it is sent, only its response tells the key: broken off, it would leave a session.
                key = await self._completion.result_of(lambda: self._trade(call, credentials))
                self._made = key
            except AuthenticationError as error:
                self._refusal = _Refusal(credentials, error, sender.clock.now())
                raise
        self._refusal = None
        seconds = sender.clock.now() - began
        # Loaded on use: a session that is kept in a file needs no login.
        from srs_vsphere.events import LoggedIn

        await sender.observer.tell(LoggedIn(host=call.host, username=credentials.username, seconds=seconds))
        return key

    async def _credentials(self, call: Call) -> LoginAuth:
        auth = self._auth
        if auth is None or isinstance(auth, ApiKeyAuth):
            raise AuthenticationError(
                "no credentials were given",
                **call.facts(advice="Pass auth=BasicAuth(username, password) or ApiKeyAuth(key)."),
            )
        if isinstance(auth, CredentialSource):
            found = await self._ask(auth, call)
            if not (isinstance(found, BasicAuth) or is_sign_auth(found)):
                kind = type(found).__name__
                # Returned as text it is a password, and a traceback shows this frame's variables.
                del found
                raise InvalidArgumentTypeError(
                    f"auth.credentials() must return BasicAuth or SignAuth, not {kind}"
                )
            auth = found
        if isinstance(auth, BasicAuth) and not self._password_allowed:
            raise AuthenticationError(
                "the password was not sent, since anybody on the way could read it",
                **call.facts(
                    advice="Use https://, and pin the certificate with Tls(thumbprint=...); "
                    'or say Tls(verify="never").'
                ),
            )
        return auth

    async def _ask(self, source: CredentialSource, call: Call) -> LoginAuth:
        clock = self._sender.clock
        try:
            with clock.limit(max(0.0, call.deadline - clock.now())):
                return await self._reader.read(source)
        except TimeoutError:
            raise NotSentError("no credentials before the deadline", **call.facts()) from None
        except AuthenticationError as error:
            error.operation, error.host = call.operation.name, call.host
            raise

    async def _trade(self, call: Call, credentials: LoginAuth) -> Secret:
        sender = self._sender
        operation = operations.LOGIN
        login = sender.new_call(
            operation, operation.path, within=max(0.0, call.deadline - sender.clock.now())
        )
        stray: list[Secret] = []

        def look(response: AsyncResponse, error: SrsError) -> None:
            key = response.header(KEY_HEADER)
            if key is not None:
                stray.append(Secret(key))
            if not isinstance(credentials, BasicAuth) and isinstance(error, AuthenticationError):
                from srs_vsphere._service.clock_skew import clock_skew

                error.advice = clock_skew(response.header("date"), datetime.now(UTC)) or _SIGN_ADVICE

        try:
            return await sender.send(
                login, _read_key, header=("Authorization", self._header(credentials)), on_refusal=look
            )
        except BaseException as error:
            if login.attempts and not isinstance(error, Exception):
                _log.warning(
                    "a login on %s was broken off: a session that it made stays until it has idled", call.host
                )
            raise
        finally:
            for key in stray:
                await self._end(key)

    def _check_refusal(self, credentials: LoginAuth) -> None:
        """Refuse what the service refused a moment ago: further attempts would lock the account."""
        refusal = self._refusal
        if refusal is None or refusal.credentials != credentials:
            return
        ago = self._sender.clock.now() - refusal.at
        if ago >= _SECONDS_REFUSED:
            return
        error = refusal.error.again()
        error.message = f"these credentials were refused {ago:.0f} s ago, and were not sent again"
        error.advice = (
            f"Correct them; the same are sent again after {_SECONDS_REFUSED:g} s, lest the account be locked."
        )
        raise error

    def _header(self, credentials: LoginAuth) -> Secret | Callable[[], Secret]:
        if isinstance(credentials, BasicAuth):
            return credentials.authorization()
        operation, origin = operations.LOGIN, self._sender.origin
        # Made anew for each attempt, since a nonce is good for one.
        return lambda: credentials.authorization(
            operation.method, operation.path, origin.host, secure=origin.secure
        )

    async def _end(self, key: Secret) -> None:
        """End a session that the service made although it refused the login."""
        operation = operations.LOGOUT
        call = self._sender.new_call(operation, operation.path, within=_SECONDS_TO_END)
        with self._sender.clock.shielded(_SECONDS_TO_END):
            try:
                await self._sender.send(call, read_nothing, header=(KEY_HEADER, check_key(key)))
            except (SrsError, ValueError):
                # It ends by itself when it has idled.
                return


_SIGN_ADVICE = (
    "Check that the token is delegatable, that the service trusts the token service that issued it, and"
    " whether a proxy stands before the service (SignAuth's proxied=)."
)


async def _key_in(response: AsyncResponse, call: Call) -> Secret:
    await response.read()
    header = response.header(KEY_HEADER)
    key = None if header is None else Secret(header)
    del header
    try:
        if key is not None and response.status == 200:
            return check_key(key)
    except ValueError:
        pass
    raise DecodeError(
        "the response to the login holds no usable API key", **call.facts(status=response.status)
    )


_read_key = AsyncReader(_key_in)
