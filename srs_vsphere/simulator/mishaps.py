"""What faults do to the service itself, just before the call that they hit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srs_vsphere.simulator.answers import error_details, json_reply
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.simulator import Simulator

if TYPE_CHECKING:
    from srs_vsphere.simulator.faults import Fault

KEY_HEADER = "x-srs-api-key"
_NAMING = ("runspaces.get", "runspaces.delete", "script_executions.create")
_NO_ROOM = {
    "runspaces.create": (2020, "Maximum number of running runspaces is reached"),
    "web_consoles.create": (2060, "Maximum number of web consoles is reached"),
}


def bring_about(simulator: Simulator, fault: Fault, request: Request) -> Reply | None:
    """Change the service as a fault says.

    Args:
        simulator: the service.
        fault: the fault.
        request: the call that it hits.

    Returns:
        The answer, if the call is not to be carried out after all.
    """
    if fault.restart:
        simulator.restart()
    if fault.stale_session:
        _end_session(simulator, request)
    if fault.runspace_death:
        for runspace in _runspaces(simulator, request):
            simulator.kill_runspace(runspace)
    if fault.runspace_unreachable:
        for runspace in _runspaces(simulator, request):
            simulator.make_unreachable(runspace)
    return _no_room(simulator, request) if fault.full_quota else None


def conditions_of(fault: Fault) -> dict[str, str]:
    """Return what goes wrong within the call that a fault hits, if that is carried out.

    Args:
        fault: the fault.
    """
    texts = {
        "slow_creation": None if fault.slow_creation is None else str(fault.slow_creation),
        "creation_error": fault.creation_error,
        "pod_error": fault.pod_error,
    }
    return {name: text for name, text in texts.items() if text is not None}


def _end_session(simulator: Simulator, request: Request) -> None:
    # A logout ends the session of this caller and no other.
    key = request.header(KEY_HEADER)
    if key is not None:
        simulator.handle(Request("POST", "/api/auth/logout", ((KEY_HEADER, key),)))


def _runspaces(simulator: Simulator, request: Request) -> list[str]:
    """Return the runspace that a call names, or all of them if it is of a kind that names none."""
    known = list(simulator.runspaces)
    if simulator.operation_of(request) not in _NAMING:
        return known
    return [known_id for known_id in known if known_id in request.target or known_id.encode() in request.body]


def _no_room(simulator: Simulator, request: Request) -> Reply | None:
    # The list at the same path tells whether this caller gets as far as the quota.
    key = ((KEY_HEADER, request.header(KEY_HEADER) or ""),)
    listed = simulator.handle(Request("GET", request.target, key))
    if listed.status != 200:
        return listed
    code, message = _NO_ROOM[simulator.operation_of(request) or ""]
    return json_reply(error_details(code, message), 500)
