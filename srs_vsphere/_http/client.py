"""The HTTP client that a client of ours stands on: the program's own, or a lean one of ours."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import TypeVar, cast

import httpx

from srs_vsphere._http.default_transport import AsyncDefaultTransport, DefaultTransport
from srs_vsphere._http.foreign_client import AsyncForeignTransport, ForeignTransport
from srs_vsphere._http.lean_client import AsyncLeanClient, LeanClient
from srs_vsphere._http.tls_context import ssl_context
from srs_vsphere.auth import ApiKeyAuth, Auth
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.settings import Origin, Timeouts
from srs_vsphere.tls import Tls

_C = TypeVar("_C")


def make_async_http(
    origin: Origin,
    *,
    http_client: httpx.AsyncClient | None,
    transport: httpx.AsyncBaseTransport | None,
    tls: Tls | None,
    auth: Auth | None,
    timeouts: Timeouts,
    max_connections: int,
) -> httpx.AsyncClient:
    """Make the HTTP client of an async client, or take the program's.

    Args:
        origin: where its requests go.
        http_client: the program's own HTTP client, or None.
        transport: the program's own transport, or None.
        tls: whom to trust; None for the system's authorities.
        auth: the client's credentials.
        timeouts: says how long connections are kept.
        max_connections: how many there may be.

    Raises:
        InvalidArgumentTypeError: `http_client` or `transport` is of the wrong kind, or given together with
            what it excludes.
        InvalidArgumentValueError: `http_client` is closed, or has credentials of its own in the place of the
            login's.
    """
    if http_client is not None:
        _check_client(http_client, transport, tls, auth, is_async=True)
        library = _library_of(http_client)
        return (
            http_client
            if library is httpx
            else httpx.AsyncClient(transport=AsyncForeignTransport(http_client, library), trust_env=False)
        )
    if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise InvalidArgumentTypeError(
            f"transport must be an httpx.AsyncBaseTransport, not {type(transport).__name__}"
        )
    return AsyncLeanClient(
        transport
        or AsyncDefaultTransport(
            origin,
            ssl_context(tls or Tls(), origin),
            keep_alive=timeouts.keep_alive,
            max_connections=max_connections,
        )
    )


def make_http(
    origin: Origin,
    *,
    http_client: httpx.Client | None,
    transport: httpx.BaseTransport | None,
    tls: Tls | None,
    auth: Auth | None,
    timeouts: Timeouts,
    max_connections: int,
) -> httpx.Client:
    """Make the HTTP client of a sync client, or take the program's; see `make_async_http`."""
    if http_client is not None:
        _check_client(http_client, transport, tls, auth, is_async=False)
        library = _library_of(http_client)
        return (
            http_client
            if library is httpx
            else httpx.Client(transport=ForeignTransport(http_client, library), trust_env=False)
        )
    if transport is not None and not isinstance(transport, httpx.BaseTransport):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise InvalidArgumentTypeError(
            f"transport must be an httpx.BaseTransport, not {type(transport).__name__}"
        )
    return LeanClient(
        transport
        or DefaultTransport(
            origin,
            ssl_context(tls or Tls(), origin),
            keep_alive=timeouts.keep_alive,
            max_connections=max_connections,
        )
    )


def _check_client(
    http_client: object, transport: object, tls: object, auth: object, *, is_async: bool
) -> None:
    """Judge a program's HTTP client by what it can do, not by its class."""
    wanted = "httpx.AsyncClient" if is_async else "httpx.Client"
    kind = type(http_client).__name__
    send = getattr(http_client, "send", None)
    if isinstance(http_client, type) or not callable(send) or not hasattr(http_client, "build_request"):
        raise InvalidArgumentTypeError(f"http_client must be an {wanted} or have its methods, not {kind}")
    if (inspect.iscoroutinefunction(send) or hasattr(http_client, "aclose")) != is_async:
        raise InvalidArgumentTypeError(
            f"http_client must be an {wanted}, not {kind}: "
            f"{'SrsClient' if is_async else 'AsyncSrsClient'} takes that"
        )
    for name, value in (("transport", transport), ("tls", tls)):
        if value is not None:
            raise InvalidArgumentTypeError(
                f"http_client and {name} exclude each other: set {name} in the http_client"
            )
    if getattr(http_client, "is_closed", False):
        raise InvalidArgumentValueError("http_client is closed: give one that is open, and keep it open")
    own_auth: object = getattr(http_client, "auth", None)
    if auth is not None and not isinstance(auth, ApiKeyAuth) and type(own_auth).__name__ == "BasicAuth":
        raise InvalidArgumentValueError(
            "http_client has auth of its own, whose Authorization header would take the place of the "
            "login's: use auth=ApiKeyAuth(key)"
        )


def _library_of(http_client: object) -> ModuleType:
    """Return the library whose requests a client takes and whose exceptions it raises."""
    for cls in type(http_client).__mro__:
        library = sys.modules.get(cls.__module__.partition(".")[0])
        if hasattr(library, "HTTPError") and hasattr(library, "Request"):
            return cast("ModuleType", library)
    return httpx
