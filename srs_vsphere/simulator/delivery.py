"""How a call is answered, faults included: plain data that each door carries out in its own way."""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Protocol

from attrs import evolve, frozen

from srs_vsphere.simulator.clock import Clock
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.mishaps import KEY_HEADER, bring_about, conditions_of
from srs_vsphere.simulator.pages import page
from srs_vsphere.simulator.simulator import Simulator

_REMEMBERED = 10_000
_log = logging.getLogger("srs_vsphere.simulator")


class Service(Protocol):
    """What stands behind a door: as a rule a `Simulator`."""

    @property
    def clock(self) -> Clock:
        """Where its time comes from."""
        ...

    def handle(self, request: Request, /) -> Reply:
        """Carry a request out."""
        ...

    def operation_of(self, request: Request, /) -> str | None:
        """Name the operation that a request asks for."""
        ...


@frozen
class Delivery:
    """What a door must do with a call.

    Args:
        reply: what to answer; None for nothing at all, until the client goes away.
        refused: the connection is refused.
        reset: the connection is reset, after the delay.
        delay: seconds to wait first.
        trickle: bytes per step and seconds between steps, for the body.
        cut_after: bytes of the body after which the connection closes.
    """

    reply: Reply | None = None
    refused: bool = False
    reset: bool = False
    delay: float = 0.0
    trickle: tuple[int, float] | None = None
    cut_after: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is just an answer in one piece."""
        return (
            self.reply is not None
            and isinstance(self.reply.body, bytes)
            and not self.delay
            and self.trickle is None
            and self.cut_after is None
        )

    def pieces(self, reply: Reply, chunk: int | None = None) -> Iterator[bytes]:
        """Make the body step by step, whole.

        Args:
            reply: the answer.
            chunk: bytes per step where nothing trickles; None for as they are.
        """
        step = self.trickle[0] if self.trickle is not None else chunk
        for piece in (reply.body,) if isinstance(reply.body, bytes) else reply.body:
            if step is None:
                yield piece
            else:
                for at in range(0, len(piece), step):
                    yield piece[at : at + step]


class Dispatcher:
    """Takes the calls of a door: asks the faults about each, and has the service carry it out.

    Args:
        service: carries calls out.
        faults: what goes wrong.
        host: name of the host, as faults know it.
    """

    def __init__(self, service: Service, faults: FaultPlan, host: str) -> None:
        self.service = service
        self.faults = faults
        self.host = host
        self._users: dict[str, str] = {}

    def look(self, request: Request, *, connecting: bool = False) -> Fault | None:
        """Let the faults look at a call, of which the body need not be there yet.

        Args:
            request: the request.
            connecting: whether the call also stands for a connection, which may be refused.
        """
        if not self.faults.faults:
            return None
        operation = self.service.operation_of(request)
        user = self._user(request, operation)
        return self.faults.choose(operation=operation, user=user, host=self.host, connecting=connecting)

    def serve(self, request: Request, fault: Fault | None) -> Delivery:
        """Carry a call out, with what its fault makes of it.

        Args:
            request: the whole request.
            fault: what `look` found.
        """
        if fault is None:
            return Delivery(self._carry_out(request))
        if fault.refuse:
            return Delivery(refused=True)
        reply = bring_about(self.service, fault, request) if isinstance(self.service, Simulator) else None
        if reply is None and (fault.lost_answer or (fault.status is None and fault.reset is None)):
            reply = self._carry_out(request, fault)
        if fault.reset is not None:
            return Delivery(reset=True, delay=fault.delay)
        if fault.status is not None:
            reply = _answer(fault, fault.status)
        elif fault.lost_answer or reply is None:
            return Delivery()
        return Delivery(
            _disguise(reply, fault), delay=fault.delay, trickle=fault.trickle, cut_after=fault.cut_after
        )

    def _carry_out(self, request: Request, fault: Fault | None = None) -> Reply:
        try:
            if fault is not None and isinstance(self.service, Simulator):
                reply = self.service.handle(request, conditions=conditions_of(fault))
            else:
                reply = self.service.handle(request)
        except Exception as error:  # noqa: BLE001 - as the service: what escapes an operation is an empty 500
            what = f"{request.method} {request.target}"
            _log.error("%.200s is answered with 500: %s: %.500s", what, type(error).__name__, error)
            _log.debug("where it happened", exc_info=error)
            return Reply(500)
        if not reply.body and request.header("authorization"):
            for name, key in reply.headers:
                if name.lower() == KEY_HEADER:
                    self._remember(key, request)
        return reply

    def _user(self, request: Request, operation: str | None) -> str | None:
        key = request.header(KEY_HEADER)
        if key is not None:
            return self._users.get(key)
        return _basic_user(request) if operation == "auth.login" else None

    def _remember(self, key: str, request: Request) -> None:
        user = _basic_user(request)
        if user is not None:
            self._users[key] = user
            if len(self._users) > _REMEMBERED:
                del self._users[next(iter(self._users))]


def _basic_user(request: Request) -> str | None:
    credentials = (request.header("authorization") or "").strip().partition(" ")[2]
    try:
        pair = b64decode(credentials.strip(), validate=True).decode("utf-8", "replace")
    except ValueError:
        return None
    user, colon, _ = pair.partition(":")
    return user if colon else None


def _answer(fault: Fault, status: int) -> Reply:
    if fault.body is not None:
        return Reply(status, fault.headers, fault.body)
    if status < 400 or status == 401:
        return Reply(status, fault.headers)
    reply = page(status)
    return evolve(reply, headers=(*reply.headers, *fault.headers))


def _disguise(reply: Reply, fault: Fault) -> Reply:
    if fault.content_type is not None:
        others = tuple(pair for pair in reply.headers if pair[0].lower() != "content-type")
        reply = evolve(reply, headers=(("Content-Type", fault.content_type), *others))
    if fault.bad_utf8:
        body = reply.body
        reply = evolve(reply, body=_spoil(body) if isinstance(body, bytes) else _spoil_first(body))
    return reply


def _spoil(body: bytes) -> bytes:
    """Put a byte into a body that UTF-8 does not have: into a text of the JSON, if there is one."""
    at = body.find(b':"')
    at = at + 2 if at >= 0 else body.find(b'"') + 1
    return body[:at] + b"\xff" + body[at:]


def _spoil_first(body: Iterable[bytes]) -> Iterator[bytes]:
    pieces = iter(body)
    return chain((_spoil(piece) for piece in [next(pieces, b"")]), pieces)
