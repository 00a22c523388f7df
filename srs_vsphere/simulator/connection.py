"""One connection of the real server: requests in order, answers in order, faults done to the socket."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, cast

from srs_vsphere.simulator.delivery import Delivery, Dispatcher
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.http1 import TOO_SLOW, Head, RefusedRequestError, has_body, response_head
from srs_vsphere.simulator.request_reader import RequestReader

if TYPE_CHECKING:
    from srs_vsphere.simulator.faults import Fault
    from srs_vsphere.simulator.http1 import Limits
    from srs_vsphere.simulator.traffic import Traffic

# A client that sends on while its answer is held back is not read any further than this.
_READ_AHEAD = 256 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# A client that sends many requests at once has so many answered before others have their turn.
_IN_A_ROW = 64
_LINGER = 2.0
_RESET = struct.pack("ii", 1, 0)


class Host(Protocol):
    """What a connection needs of the host that it came to."""

    dispatcher: Dispatcher
    limits: Limits
    traffic: Traffic
    connections: set[Connection]

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        ...

    def date(self) -> str:
        """Return the time for the Date header."""
        ...


class Connection(asyncio.Protocol):
    """One client's connection.

    Args:
        host: the host that it came to.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._received = RequestReader(host.limits)
        self._head: Head | None = None
        self._fault: Fault | None = None
        self._answer: asyncio.Task[None] | None = None
        self._timeout: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._resting = False
        self._ending = False
        self._over = False
        self.began: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether no request has begun."""
        return self._answer is None and self._head is None and not self._received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.began = True
        self._transport = cast("asyncio.Transport", transport)
        self._host.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client and what it still waited for."""
        self._over = True
        self._stop_watching()
        if self._lingering is not None:
            self._lingering.cancel()
        if self._answer is not None:
            self._answer.cancel()
        self._host.lost(self)

    def pause_writing(self) -> None:
        """Stop: the client does not take its answers."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on: the client takes its answers again."""
        self._writable.set()
        self._wire.resume_reading()
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Take what the client has sent, and answer what is whole."""
        if self._over:
            return
        self._received.feed(data)
        self._advance()
        if len(self._received) > _READ_AHEAD and not self._over and self._is_held:
            self._wire.pause_reading()

    def finish(self) -> None:
        """Close as soon as the present answer has gone."""
        self._ending = True
        if self.is_idle:
            self._over = True
            # The client must see the end before it sends its next request, not a loop's step later.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._wire.abort()

    def abort(self) -> None:
        """Close at once."""
        self._over = True
        if self._answer is not None:
            self._answer.cancel()
        self._wire.abort()

    def _watch(self) -> None:
        """Give the client time for the rest of a request that has begun, and for no longer."""
        begun = self._head is not None or bool(self._received)
        if not begun or self._over or self._is_held:
            self._stop_watching()
        elif self._timeout is None or self._head is not None:
            # A head has one span of time in all, and each next part of a body one of its own.
            self._stop_watching()
            seconds = self._host.limits.seconds
            self._timeout = asyncio.get_running_loop().call_later(seconds, self._too_slow)

    def _stop_watching(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def _too_slow(self) -> None:
        self._timeout = None
        if not self._over:
            self._refuse(TOO_SLOW)

    @property
    def _wire(self) -> asyncio.Transport:
        if self._transport is None:
            raise RuntimeError("the connection has not begun")
        return self._transport

    @property
    def _socket(self) -> socket.socket:
        return cast("socket.socket", self._wire.get_extra_info("socket"))

    @property
    def _is_held(self) -> bool:
        return self._answer is not None or self._resting or not self._writable.is_set()

    def _advance(self) -> None:
        """Take whole requests out of the buffer as long as their answers can be sent at once."""
        try:
            for _ in range(_IN_A_ROW):
                if self._over or self._is_held or not self._take():
                    break
            else:
                self._resting = True
                asyncio.get_running_loop().call_soon(self._go_on)
        except RefusedRequestError as refusal:
            self._refuse(refusal.reply)
        self._watch()

    def _go_on(self) -> None:
        self._resting = False
        if not self._over:
            self._wire.resume_reading()
            self._advance()

    def _take(self) -> bool:
        head = self._head
        if head is None:
            head = self._received.take_head()
            if head is None:
                return False
            self._stop_watching()
            self._head = head
            self._begin(head)
            if self._answer is not None:
                return False
        if head.length == 0:
            self._serve(head, head.request)
            return True
        body = self._received.take_body(head)
        if body is None:
            return False
        request = head.request
        self._serve(head, Request(request.method, request.target, request.headers, body))
        return True

    def _begin(self, head: Head) -> None:
        request = head.request
        self._host.traffic.requested(request.method, request.target)
        fault = self._fault = self._host.dispatcher.look(request)
        if fault is not None and fault.reset == "before":
            self._hold(Delivery(reset=True, delay=fault.delay), head)
        if head.expects and head.length != 0 and not self._received and not self._over:
            self._wire.write(_CONTINUE)

    def _serve(self, head: Head, request: Request) -> None:
        fault = self._fault
        delivery = self._host.dispatcher.serve(request, fault)
        self._fault = None
        reply = delivery.reply
        if reply is not None and delivery.is_plain:
            self._head = None
            close = head.close or self._ending
            start = response_head(reply, method=request.method, date=self._host.date(), close=close)
            body = cast("bytes", reply.body) if has_body(reply, request.method) else b""
            self._wire.write(start + body)
            if close:
                self._over = True
                self._wire.close()
        else:
            self._hold(delivery, head)

    def _hold(self, delivery: Delivery, head: Head) -> None:
        self._answer = asyncio.get_running_loop().create_task(self._deliver(delivery, head))
        self._answer.add_done_callback(self._delivered)

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._answer = None
        self._head = None
        if task.cancelled():
            return
        if task.exception() is not None:
            self.abort()
            task.result()
        if self._over:
            return
        self._wire.resume_reading()
        self._advance()

    async def _deliver(self, delivery: Delivery, head: Head) -> None:
        if delivery.delay:
            await asyncio.sleep(delivery.delay)
        if delivery.reset or delivery.refused:
            self._reset()
        elif delivery.reply is None:
            await asyncio.get_running_loop().create_future()
        else:
            await self._send(delivery, delivery.reply, head)

    async def _send(self, delivery: Delivery, reply: Reply, head: Head) -> None:
        method = head.request.method
        close = head.close or self._ending
        self._wire.write(response_head(reply, method=method, date=self._host.date(), close=close))
        cut = delivery.cut_after
        chunked = not isinstance(reply.body, bytes)
        if has_body(reply, method):
            for piece in delivery.pieces(reply):
                if self._over:
                    return
                if delivery.trickle is not None and delivery.trickle[1]:
                    await asyncio.sleep(delivery.trickle[1])
                kept = piece if cut is None else piece[:cut]
                if kept:
                    self._wire.write(b"%x\r\n%b\r\n" % (len(kept), kept) if chunked else kept)
                    await self._writable.wait()
                    # Other clients have their turn, however fast this one reads.
                    await asyncio.sleep(0)
                if cut is not None:
                    cut -= len(kept)
                    if len(kept) < len(piece):
                        close = True
                        break
            else:
                if chunked:
                    self._wire.write(b"0\r\n\r\n")
        if close or self._ending:
            self._over = True
            self._wire.close()

    def _refuse(self, reply: Reply) -> None:
        """Answer, and then throw away what the client goes on sending: closing now would lose the answer."""
        self._over = True
        self._wire.write(response_head(reply, method="GET", date=self._host.date(), close=True))
        self._wire.write(cast("bytes", reply.body))
        if self._wire.can_write_eof():
            self._wire.write_eof()
        self._lingering = asyncio.get_running_loop().call_later(_LINGER, self._wire.abort)

    def _reset(self) -> None:
        self._over = True
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._wire.abort()
