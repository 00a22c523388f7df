"""The HTTP client that a client of ours stands on.

Its transport is the program's if there is one, else ours where it can be used, else httpx's own.
"""

from __future__ import annotations

from urllib.request import getproxies

import httpx

from srs_vsphere._http.default_transport import AsyncDefaultTransport, DefaultTransport
from srs_vsphere._http.lean_client import LeanAsyncClient, LeanClient
from srs_vsphere._http.tls_context import ssl_context
from srs_vsphere.settings import Origin, Timeouts
from srs_vsphere.tls import Tls


def make_async_http(
    origin: Origin,
    *,
    transport: httpx.AsyncBaseTransport | None,
    tls: Tls,
    timeouts: Timeouts,
    max_connections: int,
) -> httpx.AsyncClient:
    """Make the HTTP client of an async client.

    Args:
        origin: where its requests go.
        transport: the program's own transport, or None.
        tls: whom to trust.
        timeouts: says how long connections are kept.
        max_connections: how many there may be.

    Raises:
        TypeError: the transport is none.
    """
    if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise TypeError(f"transport must be an httpx.AsyncBaseTransport, not {type(transport).__name__}")
    if transport is None and proxied():
        return httpx.AsyncClient(
            verify=ssl_context(tls, origin), limits=_limits(timeouts, max_connections), follow_redirects=False
        )
    if transport is None:
        transport = AsyncDefaultTransport(
            origin,
            ssl_context(tls, origin),
            keep_alive=timeouts.keep_alive,
            max_connections=max_connections,
        )
    return LeanAsyncClient(transport)


def make_http(
    origin: Origin,
    *,
    transport: httpx.BaseTransport | None,
    tls: Tls,
    timeouts: Timeouts,
    max_connections: int,
) -> httpx.Client:
    """Make the HTTP client of a sync client; the arguments are those of `make_async_http`."""
    if transport is not None and not isinstance(transport, httpx.BaseTransport):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise TypeError(f"transport must be an httpx.BaseTransport, not {type(transport).__name__}")
    if transport is None and proxied():
        return httpx.Client(
            verify=ssl_context(tls, origin), limits=_limits(timeouts, max_connections), follow_redirects=False
        )
    if transport is None:
        transport = DefaultTransport(
            origin,
            ssl_context(tls, origin),
            keep_alive=timeouts.keep_alive,
            max_connections=max_connections,
        )
    return LeanClient(transport)


def proxied() -> bool:
    """Whether the environment names a proxy."""
    return bool({"http", "https", "all"} & getproxies().keys())


def _limits(timeouts: Timeouts, max_connections: int) -> httpx.Limits:
    # The sender's limiter is the limit: httpx's own queue loses slots when tasks are cancelled.
    return httpx.Limits(
        max_connections=None,
        max_keepalive_connections=max_connections,
        keepalive_expiry=timeouts.keep_alive,
    )
