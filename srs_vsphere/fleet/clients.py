"""Makes the clients of a fleet: cheap ones, whose logins are staggered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import httpx

from srs_vsphere._async.client import AsyncSrsClient
from srs_vsphere._validation import words_of
from srs_vsphere.auth import ApiKeyAuth, Auth
from srs_vsphere.errors import NotSentError
from srs_vsphere.fleet.login_rate import LimitedAuth, LoginLimiter
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.target import Target
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.settings import Origin

TransportMaker: TypeAlias = Callable[[Target], httpx.AsyncBaseTransport]


class ClientMaker:
    """Makes clients for targets. Those with equal `Tls` share one SSL context, as all clients do.

    Args:
        options: how hosts are treated.
        transport: makes the httpx transport of a target's client; None for the client's own.
    """

    def __init__(self, options: FleetOptions, transport: TransportMaker | None) -> None:
        self._options = options
        self._transport = transport
        self.limiter: LoginLimiter = LoginLimiter(options.login_rate)

    def make(
        self, target: Target, *, operation: str, retry: RetryPolicy, connections: int
    ) -> tuple[AsyncSrsClient, LimitedAuth | None]:
        """Make a client.

        Args:
            target: the host.
            operation: what it is for, for errors.
            retry: how its calls are tried again.
            connections: how many it may open.

        Returns:
            The client, and what staggers its logins, if it logs in at all.

        Raises:
            NotSentError: it cannot be made; such as for a certificate file that is missing, which is this
                host's failure and no other's.
        """
        auth: Auth | None = target.auth
        limited: LimitedAuth | None = None
        if auth is not None and not isinstance(auth, ApiKeyAuth):
            auth = limited = LimitedAuth(auth, self.limiter)
        try:
            client = AsyncSrsClient(
                target.url,
                auth=auth,
                retry=retry,
                timeouts=self._options.timeouts,
                tls=target.tls,
                transport=None if self._transport is None else self._transport(target),
                max_connections=connections,
            )
        except Exception as error:
            # Whatever it is, of the target's settings or of the program's own maker of transports.
            raise NotSentError(
                f"no client could be made: {words_of(error)}",
                operation=operation,
                host=Origin.parse(target.url).host,
                cause=f"{type(error).__name__}: {words_of(error)}",
                advice="Correct the target's settings.",
            ) from error
        return client, limited
