"""The control endpoint: the faults of running doors, changed over HTTP.

It is off unless asked for, listens on loopback only, and on a port of its own::

    GET    /faults          the faults in force, with their numbers and counts
    POST   /faults          a fault, or an array of them; all or none are taken
    DELETE /faults          all of them go
    DELETE /faults/{number} one of them goes
"""

from __future__ import annotations

import json
import re

from srs_vsphere.simulator.clock import Clock
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.fault_json import read_faults, write_fault
from srs_vsphere.simulator.fault_plan import FaultPlan, Rule
from srs_vsphere.simulator.http1 import Limits
from srs_vsphere.simulator.listener import Listener

_PATH = "/faults"
_NUMBER = re.compile(r"[0-9]{1,18}")
# A page in a browser can send requests here, but not under these names, nor with this content type.
_HOSTS = ("127.0.0.1", "localhost")


class Control:
    """Changes a plan on request.

    Args:
        plan: the faults.
        clock: for the ``Date`` header.
    """

    def __init__(self, plan: FaultPlan, clock: Clock) -> None:
        self.clock = clock
        self._plan = plan

    def operation_of(self, request: Request, /) -> str | None:
        """Return None: what is asked here is no operation of the service."""
        return None

    def handle(self, request: Request, /) -> Reply:
        """Answer a request about the faults.

        Args:
            request: the request.
        """
        if (request.header("host") or "").partition(":")[0] not in _HOSTS:
            return _refusal(403, "this endpoint is for 127.0.0.1 only")
        path = request.target.partition("?")[0].rstrip("/")
        if path == _PATH:
            return self._all(request)
        number = path.removeprefix(f"{_PATH}/")
        if number != path and _NUMBER.fullmatch(number) and request.method == "DELETE":
            try:
                self._plan.remove(int(number))
            except ValueError as error:
                return _refusal(404, str(error))
            return Reply(204)
        return _refusal(404, f"there is {_PATH}, and DELETE {_PATH}/{{number}}")

    def _all(self, request: Request) -> Reply:
        if request.method == "GET":
            return _json(200, [_seen(rule) for rule in self._plan.rules])
        if request.method == "DELETE":
            self._plan.clear()
            return Reply(204)
        if request.method != "POST":
            return Reply(405, (("Allow", "GET, POST, DELETE"),))
        if (request.header("content-type") or "").partition(";")[0].strip() != "application/json":
            return _refusal(415, "send application/json")
        try:
            numbers = self._plan.extend(read_faults(request.body))
        except (TypeError, ValueError) as error:
            return _refusal(400, str(error))
        return _json(201, {"numbers": numbers})


def control_listener(plan: FaultPlan, clock: Clock, port: int = 0) -> Listener:
    """Make the listening part of a control endpoint.

    Args:
        plan: the faults that it changes.
        clock: for the ``Date`` header.
        port: where it listens; 0 takes a free port.
    """
    return Listener(Control(plan, clock), FaultPlan(), name="control", port=port, limits=Limits())


def _seen(rule: Rule) -> dict[str, object]:
    return {"number": rule.number, "calls": rule.calls, "hits": rule.hits, "fault": write_fault(rule.fault)}


def _json(status: int, value: object) -> Reply:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Reply(status, (("Content-Type", "application/json"),), body)


def _refusal(status: int, why: str) -> Reply:
    return _json(status, {"error": why})
