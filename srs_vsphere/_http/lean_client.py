"""httpx's clients, made lean: a prepared request goes straight to the transport.

``httpx.AsyncClient.send`` costs more than all our layers together: it looks at auth, cookies, redirects and
event hooks for every request. None is in use here, so a prepared request goes past them. As soon as one is in
use, or a mock or tracer has replaced a function of httpx, no request is prepared and all go httpx's own way.
"""

from __future__ import annotations

import logging
from typing import Any

import httpx

from srs_vsphere._http import sending_functions
from srs_vsphere._http.default_transport import AsyncDefaultTransport, DefaultTransport
from srs_vsphere._http.prepared_request import PreparedRequest

_async_functions_are_original = sending_functions.ASYNC.are_original
_functions_are_original = sending_functions.SYNC.are_original

_log = logging.getLogger(httpx.__name__)


class LeanAsyncClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` that sends prepared requests straight through a transport of ours.

    Args:
        transport: only through an `AsyncDefaultTransport` requests may go straight.

    Attributes:
        is_renewed: whether it opens connections of its own in a forked process.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        self._default = transport if isinstance(transport, AsyncDefaultTransport) else None
        self.is_renewed: bool = self._default is not None
        self._connects_directly = None if self._default is None else self._default.connects_directly
        self._own: httpx.AsyncBaseTransport | None = None

    def connects_directly(self) -> bool:
        """Whether requests go from this machine to the service, through no proxy, mock or tracer."""
        return self._connects_directly is not None and self._connects_directly()

    def takes_prepared(self) -> bool:
        """Whether the next request may be prepared: nothing of httpx's is in use, and nothing is replaced."""
        if self._own is None and not self._has_own():
            return False
        hooks = self.event_hooks
        if hooks["request"] or hooks["response"] or self.auth or self.follow_redirects or self.cookies:
            return False
        return _async_functions_are_original()

    def _has_own(self) -> bool:
        if self._default is not None:
            self._own = self._default.own()
            # It is chosen once and for all.
            self._default = None
        return self._own is not None

    async def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: Any = httpx.USE_CLIENT_DEFAULT,  # noqa: ANN401 - httpx does not export its type
        follow_redirects: Any = httpx.USE_CLIENT_DEFAULT,  # noqa: ANN401 - likewise
    ) -> httpx.Response:
        """Send a request: a prepared one straight through the transport, another as httpx does.

        Args:
            request: the request.
            stream: whether the response's body is left unread.
            auth: as for `httpx.AsyncClient.send`.
            follow_redirects: as for `httpx.AsyncClient.send`.
        """
        if self._own is None or not isinstance(request, PreparedRequest):
            return await super().send(request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        response = await self._own.handle_async_request(request)
        if _log.isEnabledFor(logging.INFO):
            _log_response(request, response)
        if not stream:
            await response.aread()
        return response


class LeanClient(httpx.Client):
    """An `httpx.Client` that sends prepared requests straight through a transport of ours.

    Args:
        transport: only through a `DefaultTransport` requests may go straight.

    Attributes:
        is_renewed: whether it opens connections of its own in a forked process.
    """

    def __init__(self, transport: httpx.BaseTransport) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        self._own = transport.own() if isinstance(transport, DefaultTransport) else None
        default = transport if isinstance(transport, DefaultTransport) else None
        self.is_renewed: bool = default is not None
        self._connects_directly = None if default is None else default.connects_directly

    def connects_directly(self) -> bool:
        """Whether requests go from this machine to the service, through no proxy, mock or tracer."""
        return self._connects_directly is not None and self._connects_directly()

    def takes_prepared(self) -> bool:
        """Whether the next request may be prepared: nothing of httpx's is in use, and nothing is replaced."""
        if self._own is None:
            return False
        hooks = self.event_hooks
        if hooks["request"] or hooks["response"] or self.auth or self.follow_redirects or self.cookies:
            return False
        return _functions_are_original()

    def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: Any = httpx.USE_CLIENT_DEFAULT,  # noqa: ANN401 - httpx does not export its type
        follow_redirects: Any = httpx.USE_CLIENT_DEFAULT,  # noqa: ANN401 - likewise
    ) -> httpx.Response:
        """Send a request: a prepared one straight through the transport, another as httpx does.

        Args:
            request: the request.
            stream: whether the response's body is left unread.
            auth: as for `httpx.Client.send`.
            follow_redirects: as for `httpx.Client.send`.
        """
        if self._own is None or not isinstance(request, PreparedRequest):
            return super().send(request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        response = self._own.handle_request(request)
        if _log.isEnabledFor(logging.INFO):
            _log_response(request, response)
        if not stream:
            response.read()
        return response


def _log_response(request: httpx.Request, response: httpx.Response) -> None:
    """Write the line that httpx writes of each response."""
    _log.info(
        'HTTP Request: %s %s "%s %d %s"',
        request.method,
        request.url,
        response.http_version,
        response.status_code,
        response.reason_phrase,
    )
