"""Logins one after the other, so that a fleet that starts or comes back does not storm the sign-on server."""

from __future__ import annotations

import time

import anyio

from srs_vsphere._concurrency.credential_reader import AsyncCredentialReader
from srs_vsphere.auth import CredentialSource, LoginAuth
from srs_vsphere.errors import AuthenticationError, SrsError


class LoginLimiter:
    """Gives each login its time.

    Args:
        per_second: how many logins may begin in a second.

    Attributes:
        logins: how many have begun.
    """

    def __init__(self, per_second: float) -> None:
        self.logins: int = 0
        self._between = 1.0 / per_second
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Take the next free time.

        Args:
            now: seconds on a monotonic clock.

        Returns:
            Seconds until then.
        """
        at = max(now, self._next)
        self._next = at + self._between
        return at - now


class LimitedAuth:
    """A host's credentials, which the client gets when it is the host's turn to log in.

    Args:
        auth: the credentials, or where to ask for them.
        limiter: gives the turns, to all hosts.
    """

    def __init__(self, auth: LoginAuth | CredentialSource, limiter: LoginLimiter) -> None:
        self._auth = auth
        self._limiter = limiter
        self._reader = AsyncCredentialReader()
        self._has_turn = False

    async def turn(self) -> None:
        """Wait for the next login's turn, before the time for the call begins to run."""
        if not self._has_turn:
            wait = self._limiter.wait(time.monotonic())
            if wait > 0:
                await anyio.sleep(wait)
            self._has_turn = True

    async def credentials(self) -> LoginAuth:
        """Return the credentials for one login, in its turn.

        Raises:
            AuthenticationError: a source of the program's raised something, which is this host's failure.
        """
        await self.turn()
        self._has_turn = False
        self._limiter.logins += 1
        if not isinstance(self._auth, CredentialSource):
            return self._auth
        try:
            return await self._reader.read(self._auth)
        except SrsError:
            raise
        except Exception as error:
            raise AuthenticationError(
                f"{type(self._auth).__name__}.credentials() raised {type(error).__name__}",
                cause=str(error) or None,
                advice="Mend the source of the target's credentials.",
            ) from error
