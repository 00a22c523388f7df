"""What the transports in process share: everything but waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import httpx

from srs_vsphere.simulator.clock import VirtualClock
from srs_vsphere.simulator.delivery import Delivery, Dispatcher, Service
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.http1 import framed_headers, has_body
from srs_vsphere.simulator.simulator import Simulator
from srs_vsphere.simulator.traffic import Traffic


class InProcess:
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
        self._dispatcher = Dispatcher(service, self.faults, name)
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
        fault = self._dispatcher.look(sent, connecting=True)
        if fault is not None and fault.refuse:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        self.traffic.requested(sent.method, sent.target)
        return sent, fault

    def _serve(self, request: Request, fault: Fault | None) -> Delivery:
        """Have a whole request carried out; what a behaviour raises comes out at once."""
        delivery = self._dispatcher.serve(request, fault)
        if isinstance(self.service, Simulator):
            self.service.raise_failures()
        return delivery

    def _wait(self, seconds: float, request: httpx.Request) -> tuple[float, bool]:
        """Return how long to wait in real time, and whether the client's timeout passes."""
        timeout = _read_timeout(request)
        if self._virtual is not None:
            late = timeout is not None and seconds > timeout
            self._virtual.advance(timeout if late and timeout is not None else seconds)
            return 0.0, late
        if timeout is not None and seconds > timeout:
            return timeout, True
        return seconds, False

    def _silence(self, request: httpx.Request) -> float | None:
        """Return how long to wait in real time when nothing ever comes; None for ever."""
        timeout = _read_timeout(request)
        if timeout is not None and self._virtual is not None:
            self._virtual.advance(timeout)
            return 0.0
        return timeout

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


def _read_timeout(request: httpx.Request) -> float | None:
    timeouts = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
    return timeouts.get("read")


def reset(request: httpx.Request) -> httpx.ReadError:
    """Return what httpx raises where a connection is reset."""
    return httpx.ReadError("[Errno 104] Connection reset by peer", request=request)


def too_late(request: httpx.Request) -> httpx.ReadTimeout:
    """Return what httpx raises where a response takes too long."""
    return httpx.ReadTimeout("timed out", request=request)
