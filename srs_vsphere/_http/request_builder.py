"""Calls into requests: one without a body is prepared once, and sent again as long as its key is the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from srs_vsphere._http.lean_client import LeanAsyncClient, LeanClient
from srs_vsphere._http.prepared_request import PreparedRequest
from srs_vsphere._http.step_timeouts import StepTimeouts
from srs_vsphere._service.operations import Operation
from srs_vsphere._version import __version__
from srs_vsphere.auth import Secret
from srs_vsphere.settings import Origin

#: Paths with an id in them are asked for again and again while something is waited for, then never more.
_KEPT = 32


class RequestBuilder:
    """Makes the requests of one client.

    Args:
        origin: where they go.
        http: what they are sent with.
    """

    def __init__(self, origin: Origin, http: httpx.AsyncClient | httpx.Client) -> None:
        self._origin = origin
        self._http = http
        self._lean = http if isinstance(http, LeanAsyncClient | LeanClient) else None
        self._kept: dict[tuple[Operation, str], tuple[Secret | None, PreparedRequest]] = {}
        self._is_renewed = self._lean is not None and self._lean.is_renewed
        #: Whether a process that is forked now would use the connections of this one.
        self.shares_connections = False

    def build(
        self,
        operation: Operation,
        path: str,
        body: bytes | None,
        header: tuple[str, Secret] | None,
        timeouts: StepTimeouts,
        *,
        whole: bool,
    ) -> httpx.Request:
        """Make a request to be sent once.

        Args:
            operation: what is called.
            path: its path with ids and query filled in.
            body: JSON to send.
            header: name and value of the header that proves who is calling.
            timeouts: how long each step may take.
            whole: whether the caller wants the response's whole body at once.

        Returns:
            A `PreparedRequest` if the client takes one at this moment.
        """
        if self._lean is None or not self._lean.takes_prepared():
            return self._plain(operation, path, body, header, timeouts, whole=whole)
        secret = None if header is None else header[1]
        if body is None:
            kept = self._kept.get((operation, path))
            if kept is not None and kept[0] is secret:
                return kept[1].once(timeouts, whole=whole)
        request = PreparedRequest(
            operation.method,
            httpx.URL(self._origin.url + path),
            self._headers(body, header),
            body,
            repeatable=operation.idempotent,
        )
        # A request to log in holds the password, which nothing keeps that need not.
        if body is None and (header is None or header[0] != "Authorization"):
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[operation, path] = (secret, request)
        return request.once(timeouts, whole=whole)

    def _plain(
        self,
        operation: Operation,
        path: str,
        body: bytes | None,
        header: tuple[str, Secret] | None,
        timeouts: StepTimeouts,
        *,
        whole: bool,
    ) -> httpx.Request:
        request = self._http.build_request(
            operation.method,
            self._origin.url + path,
            headers=self._headers(body, header),
            content=body,
            extensions={"timeout": timeouts.extension(), "whole": whole},
        )
        request.stream = _Body(request.content)
        self.shares_connections = not self._is_renewed
        return request

    def _headers(self, body: bytes | None, header: tuple[str, Secret] | None) -> dict[str, str]:
        headers = {
            "Host": self._origin.host_header,
            "User-Agent": f"srs-vsphere/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if header is not None:
            headers[header[0]] = header[1].reveal()
        return headers


class _Body(httpx.ByteStream):
    """A request's body in one piece.

    The HTTP library's own is a generator, which a connection that breaks leaves to the garbage collector.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content
