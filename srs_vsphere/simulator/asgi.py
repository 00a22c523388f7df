"""The simulator as an ASGI application, for any ASGI server and for tests of an application around it.

::

    uvicorn.run(SimApp(Simulator()))
    httpx.AsyncClient(transport=httpx.ASGITransport(SimApp(simulator)), base_url="http://srs.test")

An application has no socket: it can neither refuse nor reset a connection, nor send a status line of its
own. Faults that want that are refused when they are added. An answer that is cut ends with an exception, on
which a server closes the connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TypeAlias, cast

from anyio import sleep

from srs_vsphere.simulator.delivery import Delivery, Dispatcher, Service
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.http1 import framed_headers, has_body
from srs_vsphere.simulator.simulator import Simulator

Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class CutError(ConnectionResetError):
    """A fault ends the connection here."""


class SimApp:
    """An ASGI application for one simulated host.

    Args:
        service: the simulator.
        faults: what goes wrong; default: a new empty plan.
        name: the host's name, as faults know it.

    Raises:
        ValueError: a fault needs a socket.
    """

    def __init__(self, service: Service, *, faults: FaultPlan | None = None, name: str = "srs") -> None:
        self.service = service
        self.faults: FaultPlan = faults if faults is not None else FaultPlan()
        self._dispatcher = Dispatcher(service, self.faults, name)
        self.faults.watch(_needs_no_socket)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection's scope, as ASGI has it.

        Args:
            scope: what is wanted.
            receive: gives the client's messages.
            send: takes the application's.

        Raises:
            CutError: a fault cuts the answer.
            Exception: what a behaviour raised, after the answer with status 500.
        """
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += cast("bytes", message.get("body", b""))
            more = bool(message.get("more_body"))
        request = Request(
            cast("str", scope["method"]),
            _target(scope),
            tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])
            ),
            bytes(body),
        )
        delivery = self._dispatcher.serve(request, self._dispatcher.look(request))
        if delivery.delay:
            await sleep(delivery.delay)
        if delivery.reply is None:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await self._send(delivery, delivery.reply, request.method, send)
        if isinstance(self.service, Simulator):
            self.service.raise_failures()

    async def _send(self, delivery: Delivery, reply: Reply, method: str, send: Send) -> None:
        headers = [
            (name.lower().encode(), value.encode())
            for name, value in framed_headers(reply, method=method)
            if name != "Transfer-Encoding"
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        left = delivery.cut_after
        for piece in delivery.pieces(reply) if has_body(reply, method) else ():
            if delivery.trickle is not None and delivery.trickle[1]:
                await sleep(delivery.trickle[1])
            kept = piece if left is None else piece[:left]
            await send({"type": "http.response.body", "body": kept, "more_body": True})
            if len(kept) < len(piece):
                raise CutError("a fault cuts the answer here")
            if left is not None:
                left -= len(kept)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _target(scope: Message) -> str:
    raw = cast("bytes | None", scope.get("raw_path"))
    path = raw.partition(b"?")[0].decode("latin-1") if raw else cast("str", scope["path"])
    query = cast("bytes", scope.get("query_string", b"")).decode("latin-1")
    return f"{path}?{query}" if query else path


async def _live(receive: Receive, send: Send) -> None:
    while True:
        kind = cast("str", (await receive())["type"])
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _needs_no_socket(faults: tuple[Fault, ...]) -> None:
    for fault in faults:
        for key, wanted in (("refuse", fault.refuse), ("reset", fault.reset), ("status", fault.status == 0)):
            if wanted:
                what = "status 0" if key == "status" else key
                raise ValueError(f"{what} is impossible for an ASGI application: it has no socket of its own")
