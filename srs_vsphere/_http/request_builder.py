"""Calls into requests: one without a body is prepared once, and sent again as long as its key is the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from srs_vsphere._http.lean_client import AsyncLeanClient, LeanClient
from srs_vsphere._http.prepared_request import PreparedRequest
from srs_vsphere._http.step_timeouts import StepTimeouts
from srs_vsphere._service.call import Call
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

    Attributes:
        kept: prepared requests without a body, by operation, path, and whether the whole body is wanted.
        shares_connections: whether a process that is forked now would use the connections of this one.
    """

    def __init__(self, origin: Origin, http: httpx.AsyncClient | httpx.Client) -> None:
        self.kept: dict[tuple[Operation, str, bool], PreparedRequest] = {}
        self._url = origin.url
        self._http = http
        self._is_renewed = isinstance(http, AsyncLeanClient | LeanClient) and http.is_renewed
        self.shares_connections: bool = False
        self._fields = {
            "Host": origin.host_header,
            "User-Agent": f"srs-vsphere/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }

    def prepared(
        self, call: Call, header: tuple[str, Secret] | None, timeouts: StepTimeouts, *, whole: bool
    ) -> PreparedRequest:
        """Write down a request for a transport of ours, and keep it if it may be sent again.

        Args:
            call: what is called.
            header: name and value of the header that proves who is calling.
            timeouts: how long each step may take.
            whole: whether the caller wants the response's whole body at once.
        """
        operation, path, body = call.operation, call.path, call.body
        request = PreparedRequest(
            operation.method,
            httpx.URL(self._url + path),
            self._headers(body, header),
            body,
            secret=None if header is None else header[1],
            timeouts=timeouts,
            whole=whole,
            repeatable=operation.idempotent,
        )
        # A request to log in holds the password, which nothing keeps that need not.
        if body is None and (header is None or header[0] != "Authorization"):
            if len(self.kept) >= _KEPT:
                # The older half, of a copy: threads share it.
                for key in [*self.kept][: _KEPT // 2]:
                    self.kept.pop(key, None)
            self.kept[operation, path, whole] = request
        return request

    def plain(
        self, call: Call, header: tuple[str, Secret] | None, timeouts: StepTimeouts, *, whole: bool
    ) -> httpx.Request:
        """Make a request for any HTTP client and transport.

        Args:
            call: what is called.
            header: name and value of the header that proves who is calling.
            timeouts: how long each step may take.
            whole: whether the caller wants the response's whole body at once.
        """
        request = self._http.build_request(
            call.operation.method,
            self._url + call.path,
            headers=self._headers(call.body, header),
            content=call.body,
            extensions={"timeout": timeouts.extension(), "whole": whole},
        )
        request.stream = _Body(request.content)
        self.shares_connections = not self._is_renewed
        return request

    def _headers(self, body: bytes | None, header: tuple[str, Secret] | None) -> dict[str, str]:
        headers = self._fields.copy()
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
