"""Asking for credentials: what blocks must not hold up an event loop, and a thread cannot await."""

from __future__ import annotations

import inspect
from typing import cast

from srs_vsphere.auth import CredentialSource, LoginAuth
from srs_vsphere.errors import InvalidArgumentTypeError


class AsyncCredentialReader:
    """Asks a source of credentials from the async client."""

    async def read(self, source: CredentialSource) -> LoginAuth:
        """Return the credentials for one login.

        A plain method runs in a worker thread, for it may read files, a network or a person's answer.
        """
        method = source.credentials
        if inspect.iscoroutinefunction(method):
            return cast("LoginAuth", await method())
        # Loaded on use: a thread needs no other.
        import anyio.to_thread

        found = await anyio.to_thread.run_sync(method, abandon_on_cancel=True)
        return await found if inspect.isawaitable(found) else found


class CredentialReader:
    """Asks a source of credentials from the sync client."""

    def read(self, source: CredentialSource) -> LoginAuth:
        """Return the credentials for one login.

        Raises:
            TypeError: its method is a coroutine function.
        """
        found = source.credentials()
        if inspect.isawaitable(found):
            if inspect.iscoroutine(found):
                found.close()
            raise InvalidArgumentTypeError(
                "auth.credentials() must not be async: the sync client cannot await it"
            )
        return found
