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
``transport.traffic.open`` counts the responses that are not closed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import cast

import httpx
from anyio import sleep, sleep_forever
from anyio.lowlevel import checkpoint

from srs_vsphere.simulator.delivery import Delivery
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.in_process import InProcess, reset, too_late
from srs_vsphere.simulator.traffic import Traffic


class SimTransport(InProcess, httpx.AsyncBaseTransport):
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
            httpx.TransportError: a fault says so.
        """
        await checkpoint()
        sent, fault = self._connect(request)
        if fault is not None and fault.reset == "before":
            await self.pause(fault.delay, request)
            raise reset(request)
        stream = cast("httpx.AsyncByteStream", request.stream)
        body = b"".join([part async for part in stream])
        delivery = self._serve(Request(sent.method, sent.target, sent.headers, body), fault)
        if delivery.delay:
            await self.pause(delivery.delay, request)
        if delivery.reset:
            raise reset(request)
        if delivery.reply is None:
            await self._hang(request)
            raise too_late(request)
        status, headers = self._head(delivery.reply, request)
        return httpx.Response(
            status, headers=headers, stream=_AsyncBody(self, delivery.reply, delivery, request)
        )

    async def pause(self, seconds: float, request: httpx.Request) -> None:
        """Wait as a fault says; for this door's own parts only.

        Args:
            seconds: how long.
            request: whose read timeout it may exceed.

        Raises:
            httpx.ReadTimeout: it did.
        """
        real, late = self._wait(seconds, request)
        if real:
            await sleep(real)
        else:
            await checkpoint()
        if late:
            raise too_late(request)

    async def _hang(self, request: httpx.Request) -> None:
        real = self._silence(request)
        if real is None:
            await sleep_forever()
        else:
            await sleep(real)


class SyncSimTransport(InProcess, httpx.BaseTransport):
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
            httpx.TransportError: a fault says so.
        """
        sent, fault = self._connect(request)
        if fault is not None and fault.reset == "before":
            self.pause(fault.delay, request)
            raise reset(request)
        body = b"".join(cast("httpx.SyncByteStream", request.stream))
        delivery = self._serve(Request(sent.method, sent.target, sent.headers, body), fault)
        self.pause(delivery.delay, request)
        if delivery.reset:
            raise reset(request)
        if delivery.reply is None:
            time.sleep(self._silence(request) or 0.0)
            raise too_late(request)
        status, headers = self._head(delivery.reply, request)
        return httpx.Response(
            status, headers=headers, stream=_SyncBody(self, delivery.reply, delivery, request)
        )

    def pause(self, seconds: float, request: httpx.Request) -> None:
        """Wait as a fault says; for this door's own parts only.

        Args:
            seconds: how long.
            request: whose read timeout it may exceed.

        Raises:
            httpx.ReadTimeout: it did.
        """
        if seconds:
            real, late = self._wait(seconds, request)
            time.sleep(real)
            if late:
                raise too_late(request)


class _Body:
    """A response's body on its way, which counts as an open connection until it is closed.

    Args:
        transport: where it comes from.
        reply: what it is the body of.
        delivery: how it is sent.
        request: the request.
    """

    def __init__(
        self, transport: InProcess, reply: Reply, delivery: Delivery, request: httpx.Request
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
    # An iterator, not a generator, which the event loop would have to close if it was left early.
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
