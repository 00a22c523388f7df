"""The HTTP client that a client of ours stands on, and what that in turn stands on.

On asyncio, without a proxy, it is the fast transport of this package; elsewhere httpx's own. Whatever a
program puts between (a transport, a proxy, a mock or a tracer that has taken hold of httpx) stays between.
"""

from __future__ import annotations

from pathlib import Path
from types import FunctionType
from urllib.request import getproxies

import httpx

from srs_vsphere._http.express import AsyncLane, ChosenTransport, Lane
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
) -> tuple[httpx.AsyncClient, AsyncLane]:
    """Make the HTTP client of an async client, and the express lane beside it.

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
    context = ssl_context(tls, origin)
    limits = _limits(timeouts, max_connections)
    chosen = None
    if transport is None and not _proxied() and not _taken_hold_of():
        transport = chosen = ChosenTransport(context, limits)
    http = httpx.AsyncClient(transport=transport, verify=context, limits=limits, follow_redirects=False)
    return http, AsyncLane(origin, chosen)


def make_http(
    origin: Origin,
    *,
    transport: httpx.BaseTransport | None,
    tls: Tls,
    timeouts: Timeouts,
    max_connections: int,
) -> tuple[httpx.Client, Lane]:
    """Make the HTTP client of a sync client; the arguments are those of `make_async_http`."""
    if transport is not None and not isinstance(transport, httpx.BaseTransport):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise TypeError(f"transport must be an httpx.BaseTransport, not {type(transport).__name__}")
    http = httpx.Client(
        transport=transport,
        verify=ssl_context(tls, origin),
        limits=_limits(timeouts, max_connections),
        follow_redirects=False,
    )
    return http, Lane()


def _limits(timeouts: Timeouts, max_connections: int) -> httpx.Limits:
    # The sender's limiter are the limit: httpx's own queue loses places when tasks are cancelled.
    return httpx.Limits(
        max_connections=None,
        max_keepalive_connections=max_connections,
        keepalive_expiry=timeouts.keep_alive,
    )


def _proxied() -> bool:
    return bool({"http", "https", "all"} & getproxies().keys())


def _taken_hold_of() -> bool:
    """Whether a mock or a tracer has replaced what httpx sends with, to see the requests."""
    home = str(Path(httpx.__file__).parent)
    return not all(
        type(function) is FunctionType and function.__code__.co_filename.startswith(home)
        for function in (httpx.AsyncClient.send, httpx.AsyncHTTPTransport.handle_async_request)
    )
