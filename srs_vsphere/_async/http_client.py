"""The HTTP client that a client of ours stands on: the program's own, or a lean one of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType

import httpx

from srs_vsphere._http.default_transport import AsyncDefaultTransport
from srs_vsphere._http.lean_client import AsyncLeanClient
from srs_vsphere._http.program_client import ForeignErrors, built_by, check_client, library_of
from srs_vsphere._http.tls_context import ssl_context
from srs_vsphere.auth import Auth
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.settings import Origin, Timeouts
from srs_vsphere.tls import Tls


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
    """Make the HTTP client that a client stands on, or take the program's.

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
        check_client(http_client, httpx.AsyncClient, transport, tls, auth)
        library = library_of(http_client)
        return (
            http_client
            if library is httpx
            else httpx.AsyncClient(transport=AsyncForeignTransport(http_client, library), trust_env=False)
        )
    if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
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


class AsyncForeignTransport(httpx.AsyncBaseTransport):
    """Sends requests through a client that has httpx's methods and another library's classes.

    Args:
        client: the client, which is not closed with the transport.
        library: whose exceptions it raises.
    """

    def __init__(self, client: httpx.AsyncClient, library: ModuleType) -> None:
        self._client = client
        self._errors = ForeignErrors(library)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.TransportError: the like of it was raised.
        """
        with self._errors.translated():
            built = built_by(self._client, request)
            response = await self._client.send(built, stream=True, follow_redirects=False)
        return httpx.Response(
            response.status_code,
            headers=response.headers.raw,
            stream=_Body(response, self._errors),
            extensions=response.extensions,
        )


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, errors: ForeignErrors) -> None:
        self._response = response
        self._errors = errors

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._errors.translated():
            async for chunk in self._response.aiter_raw():
                yield chunk

    async def aclose(self) -> None:
        with self._errors.translated():
            await self._response.aclose()
