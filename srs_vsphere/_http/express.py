"""The express lane: reads that go past httpx's client, straight to the transport beneath it.

``httpx.AsyncClient.send`` costs as much as all our layers together, even for a request made once and sent
again. Where the transport is ours and nothing of the program's is in between, a request that was written down
once is handed to it as bytes.
"""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, TypeAlias

import httpx
from attrs import field, frozen

from srs_vsphere._service.call import Call
from srs_vsphere._service.operations import Operation
from srs_vsphere.auth import Secret
from srs_vsphere.settings import Origin, Timeouts

if TYPE_CHECKING:
    from srs_vsphere._http.asyncio_transport import AsyncioTransport, Fetched
    from srs_vsphere._http.connection_pool import Address

_httpx_log = logging.getLogger(httpx.__name__)


class ChosenTransport(httpx.AsyncBaseTransport):
    """The fast transport on asyncio, httpx's own elsewhere; known once the first request is made.

    Args:
        context: for TLS.
        limits: how many connections, and how long they are kept.
    """

    def __init__(self, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._context = context
        self._limits = limits
        self._chosen: httpx.AsyncBaseTransport | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._chosen!r}>"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand a request to the transport that was chosen.

        Args:
            request: the request.
        """
        return await self.chosen().handle_async_request(request)

    def chosen(self) -> httpx.AsyncBaseTransport:
        """Return the transport, chosen for the event loop that is running."""
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen

    async def aclose(self) -> None:
        """Close the transport that was chosen, if one was."""
        if self._chosen is not None:
            await self._chosen.aclose()

    def _choose(self) -> httpx.AsyncBaseTransport:
        # Loaded on use: a program that runs on trio, or only the sync client, has no need of it.
        from srs_vsphere._http.asyncio_transport import AsyncioTransport, can_be_used

        if not can_be_used():
            return httpx.AsyncHTTPTransport(verify=self._context, limits=self._limits, trust_env=False)
        keep_alive = self._limits.keepalive_expiry
        return AsyncioTransport(
            ssl_context=self._context,
            max_connections=self._limits.max_keepalive_connections or 100,
            keep_alive=90.0 if keep_alive is None else keep_alive,
        )


@frozen
class _Written:
    """A request as bytes, to be sent again as long as the key in it is the same."""

    value: Secret | None = field(repr=False)
    data: bytes = field(repr=False)


class WholeAnswer:
    """An answer that is all there; what of httpx's response is used, without its cost.

    Args:
        fetched: status, header fields and body.
    """

    __slots__ = ("_fields", "_read", "body", "status_code")

    def __init__(self, fetched: Fetched) -> None:
        self.status_code: int = fetched.status
        self.body: bytes = fetched.body
        self._fields = fetched.fields
        self._read = False

    @property
    def headers(self) -> httpx.Headers:
        """The header fields."""
        return httpx.Headers(self._fields)

    def aiter_bytes(self) -> WholeAnswer:
        """Return the pieces of the body: there is one."""
        return self

    def __aiter__(self) -> WholeAnswer:
        return self

    async def __anext__(self) -> bytes:
        if self._read or not self.body:
            raise StopAsyncIteration
        self._read = True
        return self.body

    async def aclose(self) -> None:
        """Do nothing: the connection went back when the last byte came."""


#: What a call is answered with.
AsyncAnswer: TypeAlias = httpx.Response | WholeAnswer
Answer: TypeAlias = httpx.Response


def whole_body(answer: AsyncAnswer) -> bytes | None:
    """Return an answer's body if it is all there already.

    Args:
        answer: the answer.
    """
    return answer.body if isinstance(answer, WholeAnswer) else None


class AsyncLane:
    """The express lane of one client.

    Args:
        origin: where its requests go.
        transport: the client's transport, if that is ours.
    """

    def __init__(self, origin: Origin, transport: ChosenTransport | None) -> None:
        self._origin = origin
        self._transport = transport
        self._fast: AsyncioTransport | None = None
        self._address: Address | None = None
        self._written: dict[Operation, _Written] = {}

    def is_open(self) -> bool:
        """Whether it can be taken: in the running event loop, with nobody listening to httpx's log."""
        if self._transport is None or _httpx_log.isEnabledFor(logging.INFO):
            return False
        if self._fast is None:
            self._choose()
        return self._fast is not None

    async def fetch(
        self,
        call: Call,
        headers: dict[str, str],
        secret: tuple[str, Secret] | None,
        timeouts: Timeouts,
        remaining: float,
    ) -> AsyncAnswer:
        """Send a call and return its answer; it raises what httpx would.

        Args:
            call: what to send.
            headers: header fields of every request.
            secret: name and value of the header that proves who is calling.
            timeouts: how long each step may take.
            remaining: seconds that all may take.
        """
        if self._fast is None or self._address is None:
            raise RuntimeError("the express lane is closed")
        patience = timeouts.login if call.operation.slow else timeouts.read
        fetched = await self._fast.fetch(
            self._address,
            self._request(call, headers, secret),
            waits=self._waits(
                min(timeouts.connect, remaining),
                min(patience, remaining),
                min(timeouts.write, remaining),
                remaining,
                remaining,
            ),
            idempotent=call.operation.idempotent,
            # The answer to a login holds the key.
            remember=call.operation.method == "GET",
        )
        if fetched.rest is None and not any(
            name.lower() == b"content-encoding" for name, _ in fetched.fields
        ):
            return WholeAnswer(fetched)
        stream = httpx.ByteStream(fetched.body) if fetched.rest is None else fetched.rest
        return httpx.Response(fetched.status, headers=fetched.fields, stream=stream)

    def _choose(self) -> None:
        from srs_vsphere._http.asyncio_transport import AsyncioTransport
        from srs_vsphere._http.connection_pool import Address
        from srs_vsphere._http.step_timeouts import StepTimeouts

        chosen = self._transport.chosen() if self._transport is not None else None
        if not isinstance(chosen, AsyncioTransport):
            self._transport = None
            return
        url = httpx.URL(self._origin.url)
        default = 443 if self._origin.secure else 80
        self._address = Address(self._origin.secure, url.raw_host.decode("ascii"), url.port or default)
        self._waits = StepTimeouts
        self._fast = chosen

    def _request(self, call: Call, headers: dict[str, str], secret: tuple[str, Secret] | None) -> bytes:
        value = secret[1] if secret is not None else None
        written = self._written.get(call.operation)
        if (
            written is not None
            and written.value is value
            and call.body is None
            and call.path == call.operation.path
        ):
            return written.data
        request = self._write(call, headers, secret)
        if call.body is None and call.path == call.operation.path:
            self._written[call.operation] = _Written(value, request)
        return request

    def _write(self, call: Call, headers: dict[str, str], secret: tuple[str, Secret] | None) -> bytes:
        lines = [f"{call.operation.method} {call.path} HTTP/1.1", f"Host: {self._origin.host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if call.body is not None:
            lines += ["Content-Type: application/json"]
        if call.operation.method == "POST":
            lines += [f"Content-Length: {len(call.body or b'')}"]
        if secret is not None:
            lines += [f"{secret[0]}: {secret[1].reveal()}"]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + (call.body or b"")


class Lane:
    """A sync client has no express lane: there is no transport of ours beneath it."""

    def is_open(self) -> bool:
        """Say no."""
        return False

    def fetch(
        self,
        call: Call,
        headers: dict[str, str],
        secret: tuple[str, Secret] | None,
        timeouts: Timeouts,
        remaining: float,
    ) -> Answer:
        """Refuse: nobody may come here."""
        raise RuntimeError("there is no express lane")
