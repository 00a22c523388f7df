"""The simulator in process, as transports for httpx: no socket, and yet faults like a network's.

::

    transport = SimTransport(Simulator())
    client = AsyncSrsClient("http://srs.test", auth=BasicAuth("alice", "secret"), transport=transport)
    with transport.faults.armed(Fault(refuse=True, times=2)):
        ...
    httpx.Client(transport=SyncSimTransport(simulator), base_url="http://srs.test")

With a `VirtualClock` nothing is waited for: a delay moves the clock on, and where it is longer than the
request's read timeout, the clock moves by that much and `httpx.ReadTimeout` is raised. With a `SystemClock`
delays take their time, in real seconds. What a registered behaviour raises comes out of the call itself.
``transport.traffic.open`` counts the responses that nobody has closed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import cast

import httpx
from anyio import sleep, sleep_forever
from anyio.lowlevel import checkpoint

from srs_vsphere.simulator.clock import VirtualClock
from srs_vsphere.simulator.delivery import Delivery, Desk, Service
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.http1 import framed_headers, has_body
from srs_vsphere.simulator.simulator import Simulator
from srs_vsphere.simulator.traffic import Traffic


class _InProcess:
    """What both transports share: everything but waiting.

    Args:
        service: the simulator.
        faults: what goes wrong; default: a new empty plan.
        name: the host's name, as faults know it.
        chunk: bytes of the body that come at a time; None for as they are.
    """

    def __init__(
        self,
        service: Service,
        *,
        faults: FaultPlan | None = None,
        name: str = "srs",
        chunk: int | None = None,
    ) -> None:
        if chunk is not None and chunk < 1:
            raise ValueError(f"chunk must be 1 or more, not {chunk}")
        self.service = service
        self.faults: FaultPlan = faults if faults is not None else FaultPlan()
        self.traffic: Traffic = Traffic()
        self._desk = Desk(service, self.faults, name)
        self._chunk = chunk
        self._virtual = service.clock if isinstance(service.clock, VirtualClock) else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.traffic!r})"

    def _connect(self, request: httpx.Request) -> tuple[Request, Fault | None]:
        """Send a request without its body."""
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw
        )
        sent = Request(request.method, request.url.raw_path.decode("ascii"), headers)
        fault = self._desk.look(sent, connecting=True)
        if fault is not None and fault.refuse:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        self.traffic.requested(sent.method, sent.target)
        return sent, fault

    def _serve(self, request: Request, fault: Fault | None) -> Delivery:
        """Have a whole request carried out; what a behaviour raises comes out at once."""
        delivery = self._desk.serve(request, fault)
        if isinstance(self.service, Simulator):
            self.service.raise_failures()
        return delivery

    def _wait(self, seconds: float, request: httpx.Request) -> tuple[float, bool]:
        """Return how long to wait in real time, and whether the client's patience ends then."""
        patience = _patience(request)
        if self._virtual is not None:
            late = patience is not None and seconds > patience
            self._virtual.advance(patience if late and patience is not None else seconds)
            return 0.0, late
        if patience is not None and seconds > patience:
            return patience, True
        return seconds, False

    def _silence(self, request: httpx.Request) -> float | None:
        """Return how long to wait in real time when nothing ever comes; None for ever."""
        patience = _patience(request)
        if patience is not None and self._virtual is not None:
            self._virtual.advance(patience)
            return 0.0
        return patience

    def _head(self, reply: Reply, request: httpx.Request) -> tuple[int, list[tuple[str, str]]]:
        if not 100 <= reply.status <= 999:
            line = f"HTTP/1.1 {reply.status} ".encode()
            raise httpx.RemoteProtocolError(f"illegal status line: {bytearray(line)}", request=request)
        self.traffic.connected()
        return reply.status, framed_headers(reply, method=request.method)

    def pieces(self, reply: Reply, delivery: Delivery, request: httpx.Request) -> Iterator[bytes]:
        """Make the body piece by piece, until it is cut; for this door's own parts only.

        Args:
            reply: what it is the body of.
            delivery: how it is sent.
            request: the request.

        Raises:
            httpx.RemoteProtocolError: it is cut.
        """
        if not has_body(reply, request.method):
            return
        left = delivery.cut_after
        sent = 0
        for piece in delivery.pieces(reply, self._chunk):
            kept = piece if left is None else piece[: left - sent]
            sent += len(kept)
            if kept:
                yield kept
            if len(kept) < len(piece):
                whole = len(reply.body) if isinstance(reply.body, bytes) else "more"
                raise httpx.RemoteProtocolError(
                    "peer closed connection without sending complete message body "
                    f"(received {sent} bytes, expected {whole})",
                    request=request,
                )


class SimTransport(_InProcess, httpx.AsyncBaseTransport):
    """The simulator as a transport for `httpx.AsyncClient`, on asyncio and trio.

    Args:
        service: the simulator.
        faults: what goes wrong; default: a new empty plan.
        name: the host's name, as faults know it.
        chunk: bytes of the body that come at a time; default: as they are.

    Raises:
        ValueError: the chunk is not positive.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request.

        Args:
            request: the request.

        Raises:
            httpx.TransportError: a fault wants it.
        """
        await checkpoint()
        sent, fault = self._connect(request)
        if fault is not None and fault.reset == "before":
            await self.pause(fault.delay, request)
            raise _reset(request)
        stream = cast("httpx.AsyncByteStream", request.stream)
        body = b"".join([part async for part in stream])
        delivery = self._serve(Request(sent.method, sent.target, sent.headers, body), fault)
        if delivery.delay:
            await self.pause(delivery.delay, request)
        if delivery.reset:
            raise _reset(request)
        if delivery.reply is None:
            await self._hang(request)
            raise _too_late(request)
        status, headers = self._head(delivery.reply, request)
        return httpx.Response(
            status, headers=headers, stream=_AsyncBody(self, delivery.reply, delivery, request)
        )

    async def pause(self, seconds: float, request: httpx.Request) -> None:
        """Wait as a fault wants it; for this door's own parts only.

        Args:
            seconds: how long.
            request: whose patience it may exceed.

        Raises:
            httpx.ReadTimeout: it did.
        """
        real, late = self._wait(seconds, request)
        if real:
            await sleep(real)
        else:
            await checkpoint()
        if late:
            raise _too_late(request)

    async def _hang(self, request: httpx.Request) -> None:
        real = self._silence(request)
        if real is None:
            await sleep_forever()
        else:
            await sleep(real)


class SyncSimTransport(_InProcess, httpx.BaseTransport):
    """The simulator as a transport for `httpx.Client`.

    A call that is never answered raises `httpx.ReadTimeout` even if the client would wait for ever.

    Args:
        service: the simulator.
        faults: what goes wrong; default: a new empty plan.
        name: the host's name, as faults know it.
        chunk: bytes of the body that come at a time; default: as they are.

    Raises:
        ValueError: the chunk is not positive.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request.

        Args:
            request: the request.

        Raises:
            httpx.TransportError: a fault wants it.
        """
        sent, fault = self._connect(request)
        if fault is not None and fault.reset == "before":
            self.pause(fault.delay, request)
            raise _reset(request)
        body = b"".join(cast("httpx.SyncByteStream", request.stream))
        delivery = self._serve(Request(sent.method, sent.target, sent.headers, body), fault)
        self.pause(delivery.delay, request)
        if delivery.reset:
            raise _reset(request)
        if delivery.reply is None:
            time.sleep(self._silence(request) or 0.0)
            raise _too_late(request)
        status, headers = self._head(delivery.reply, request)
        return httpx.Response(
            status, headers=headers, stream=_SyncBody(self, delivery.reply, delivery, request)
        )

    def pause(self, seconds: float, request: httpx.Request) -> None:
        """Wait as a fault wants it; for this door's own parts only.

        Args:
            seconds: how long.
            request: whose patience it may exceed.

        Raises:
            httpx.ReadTimeout: it did.
        """
        if seconds:
            real, late = self._wait(seconds, request)
            time.sleep(real)
            if late:
                raise _too_late(request)


class _Body:
    """A response's body on its way, which counts as an open connection until it is closed.

    Args:
        transport: where it comes from.
        reply: what it is the body of.
        delivery: how it is sent.
        request: the request.
    """

    def __init__(
        self, transport: _InProcess, reply: Reply, delivery: Delivery, request: httpx.Request
    ) -> None:
        self._request = request
        self._pieces = transport.pieces(reply, delivery, request)
        self._step = delivery.trickle[1] if delivery.trickle is not None else 0.0
        self._traffic: Traffic | None = transport.traffic

    def _end(self) -> None:
        if self._traffic is not None:
            self._traffic.disconnected()
            self._traffic = None


class _AsyncBody(_Body, httpx.AsyncByteStream):
    # An iterator of its own, not a generator: one that is left early is nobody's business then.
    def __init__(
        self, transport: SimTransport, reply: Reply, delivery: Delivery, request: httpx.Request
    ) -> None:
        super().__init__(transport, reply, delivery, request)
        self._pause = transport.pause

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            await self._pause(self._step, self._request)
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._end()


class _SyncBody(_Body, httpx.SyncByteStream):
    def __init__(
        self, transport: SyncSimTransport, reply: Reply, delivery: Delivery, request: httpx.Request
    ) -> None:
        super().__init__(transport, reply, delivery, request)
        self._pause = transport.pause

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._pause(self._step, self._request)
            yield piece

    def close(self) -> None:
        self._end()


def _patience(request: httpx.Request) -> float | None:
    timeouts = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
    return timeouts.get("read")


def _reset(request: httpx.Request) -> httpx.ReadError:
    return httpx.ReadError("[Errno 104] Connection reset by peer", request=request)


def _too_late(request: httpx.Request) -> httpx.ReadTimeout:
    return httpx.ReadTimeout("timed out", request=request)
