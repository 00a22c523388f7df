"""httpx's clients, made lean: a prepared request goes straight to the transport.

``httpx.AsyncClient.send`` costs more than all our layers together: it looks at auth, cookies, redirects and
event hooks for every request. None is in use here, so a prepared request goes past them. As soon as one is in
use, or a mock or tracer has replaced a function of httpx, no request is prepared and all go httpx's own way.
"""

from __future__ import annotations

import logging
import sys
from operator import is_
from typing import TYPE_CHECKING, Any

import httpx

from srs_vsphere._http import sending_functions
from srs_vsphere._http.default_transport import AsyncDefaultTransport, DefaultTransport
from srs_vsphere._http.prepared_request import PreparedRequest

if TYPE_CHECKING:
    from collections.abc import Coroutine

_async_functions = sending_functions.ASYNC
_functions = sending_functions.SYNC
_modules = sys.modules

_log = logging.getLogger(httpx.__name__)


class _Watched:
    """A property of httpx's clients; who has read it once may change what it holds.

    Args:
        original: the property.
    """

    def __init__(self, original: property) -> None:
        self._original = original

    def __get__(self, client: AsyncLeanClient | LeanClient, owner: type) -> object:
        client.was_touched = True
        return self._original.__get__(client, owner)

    def __set__(self, client: AsyncLeanClient | LeanClient, value: object) -> None:
        client.was_touched = True
        self._original.__set__(client, value)


class AsyncLeanClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` that sends prepared requests straight through a transport of ours.

    Args:
        transport: only through an `AsyncDefaultTransport` requests may go straight.

    Attributes:
        is_renewed: whether it opens connections of its own in a forked process.
    """

    #: Whether anybody had access to hooks, auth or cookies; only then they are looked at for each request.
    was_touched: bool = False

    if not TYPE_CHECKING:
        auth = _Watched(httpx.AsyncClient.auth)
        cookies = _Watched(httpx.AsyncClient.cookies)
        event_hooks = _Watched(httpx.AsyncClient.event_hooks)

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        self._default = transport if isinstance(transport, AsyncDefaultTransport) else None
        self.is_renewed: bool = self._default is not None
        self._connects_directly = None if self._default is None else self._default.connects_directly
        self._own: httpx.AsyncBaseTransport | None = None

    def connects_directly(self) -> bool:
        """Whether requests go from this machine to the service, through no proxy, mock or tracer."""
        return self._connects_directly is not None and self._connects_directly()

    def goes_straight(self) -> bool:
        """Whether the next request may be prepared: nothing of httpx's is in use, and nothing is replaced."""
        if self._own is None and not self._has_own():
            return False
        if self.follow_redirects or (self.was_touched and _is_in_use(self)):
            return False
        functions = _async_functions
        if functions.missing not in _modules:
            read, original = functions.seen
            if all(map(is_, read(functions.libraries), original)):
                return True
        return functions.are_original()

    def _has_own(self) -> bool:
        if self._default is not None:
            self._own = self._default.own()
            # It is chosen once and for all.
            self._default = None
        return self._own is not None

    def send(  # pyright: ignore[reportIncompatibleMethodOverride] - it has another name for a coroutine's type
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: Any = httpx.USE_CLIENT_DEFAULT,  # noqa: ANN401 - httpx does not export its type
        follow_redirects: Any = httpx.USE_CLIENT_DEFAULT,  # noqa: ANN401 - likewise
    ) -> Coroutine[Any, Any, httpx.Response]:
        """Send a request: a prepared one straight through the transport, another as httpx does.

        Args:
            request: the request.
            stream: whether the response's body is left unread; a prepared request's is.
            auth: as for `httpx.AsyncClient.send`.
            follow_redirects: as for `httpx.AsyncClient.send`.
        """
        if self._own is None or not isinstance(request, PreparedRequest):
            return super().send(request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        if _log.isEnabledFor(logging.INFO):
            return self._send_and_log(self._own, request)
        return self._own.handle_async_request(request)

    async def _send_and_log(self, own: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
        response = await own.handle_async_request(request)
        _log_response(request, response)
        return response


class LeanClient(httpx.Client):
    """An `httpx.Client` that sends prepared requests straight through a transport of ours.

    Args:
        transport: only through a `DefaultTransport` requests may go straight.

    Attributes:
        is_renewed: whether it opens connections of its own in a forked process.
    """

    #: Whether anybody had access to hooks, auth or cookies; only then they are looked at for each request.
    was_touched: bool = False

    if not TYPE_CHECKING:
        auth = _Watched(httpx.Client.auth)
        cookies = _Watched(httpx.Client.cookies)
        event_hooks = _Watched(httpx.Client.event_hooks)

    def __init__(self, transport: httpx.BaseTransport) -> None:
        super().__init__(transport=transport, follow_redirects=False, trust_env=False)
        default = transport if isinstance(transport, DefaultTransport) else None
        self._own = None if default is None else default.own()
        self.is_renewed: bool = default is not None
        self._connects_directly = None if default is None else default.connects_directly

    def connects_directly(self) -> bool:
        """Whether requests go from this machine to the service, through no proxy, mock or tracer."""
        return self._connects_directly is not None and self._connects_directly()

    def goes_straight(self) -> bool:
        """Whether the next request may be prepared: nothing of httpx's is in use, and nothing is replaced."""
        if self._own is None or self.follow_redirects or (self.was_touched and _is_in_use(self)):
            return False
        functions = _functions
        if functions.missing not in _modules:
            read, original = functions.seen
            if all(map(is_, read(functions.libraries), original)):
                return True
        return functions.are_original()

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
            stream: whether the response's body is left unread; a prepared request's is.
            auth: as for `httpx.Client.send`.
            follow_redirects: as for `httpx.Client.send`.
        """
        if self._own is None or not isinstance(request, PreparedRequest):
            return super().send(request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        response = self._own.handle_request(request)
        if _log.isEnabledFor(logging.INFO):
            _log_response(request, response)
        return response


def _is_in_use(client: httpx.AsyncClient | httpx.Client) -> bool:
    hooks = client.event_hooks
    return bool(hooks["request"] or hooks["response"] or client.auth or client.cookies)


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
