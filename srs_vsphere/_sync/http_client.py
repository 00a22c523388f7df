"""The HTTP client that a client of ours stands on: the program's own, or a lean one of ours."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import httpx

from srs_vsphere._http.default_transport import DefaultTransport
from srs_vsphere._http.lean_client import LeanClient
from srs_vsphere._http.program_client import ForeignErrors, built_by, check_client, library_of
from srs_vsphere._http.tls_context import ssl_context
from srs_vsphere.auth import Auth
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.settings import Origin, Timeouts
from srs_vsphere.tls import Tls


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
        check_client(http_client, httpx.Client, transport, tls, auth)
        library = library_of(http_client)
        return (
            http_client
            if library is httpx
            else httpx.Client(transport=ForeignTransport(http_client, library), trust_env=False)
        )
    if transport is not None and not isinstance(transport, httpx.BaseTransport):
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


class ForeignTransport(httpx.BaseTransport):
    """Sends requests through a client that has httpx's methods and another library's classes.

    Args:
        client: the client, which is not closed with the transport.
        library: whose exceptions it raises.
    """

    def __init__(self, client: httpx.Client, library: ModuleType) -> None:
        self._client = client
        self._errors = ForeignErrors(library)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            httpx.TransportError: the like of it was raised.
        """
        with self._errors.translated():
            built = built_by(self._client, request)
            response = self._client.send(built, stream=True, follow_redirects=False)
        return httpx.Response(
            response.status_code,
            headers=response.headers.raw,
            stream=_Body(response, self._errors),
            extensions=response.extensions,
        )


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response, errors: ForeignErrors) -> None:
        self._response = response
        self._errors = errors

    def __iter__(self) -> Iterator[bytes]:
        with self._errors.translated():
            for chunk in self._response.iter_raw():
                yield chunk

    def close(self) -> None:
        with self._errors.translated():
            self._response.close()
