"""Faults as data: which calls are hit, and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal

from attrs import field, fields, frozen

from srs_vsphere.simulator.fault_arguments import check_fault, header_pairs, read_fault, to_bytes
from srs_vsphere.simulator.users import subject

_CREATIONS = ("runspaces.create", "web_consoles.create")


@frozen(kw_only=True)
class Fault:
    """One thing that goes wrong, and when.

    Which calls (all that are given must hold; none given means every call):

    Args:
        operation: an operation's name, or a pattern such as ``runspaces.*``.
        host: name of the simulated host.
        user: name of the user whose session or login it is.
        nth: the first call that is hit, counted from 1 among those that match; alone it hits that call only.
        times: how many calls are hit at most.
        probability: the chance with which a matching call is hit, from the plan's seed.

    What happens:

    Args:
        refuse: connections are refused. A listening socket cannot count what it refuses, so with a real
            server this lasts until the fault is removed; in process each request counts as a connection.
        reset: ``before`` the request's body is read, or ``after``; it is not carried out unless
            ``lost_answer`` says so.
        delay: seconds by which the answer is held back; the request is carried out at once. On a real
            socket these are real seconds, whatever the simulator's clock does: so are the client's timeouts.
        trickle: bytes per step and seconds between steps, for the body.
        status: HTTP status answered instead of carrying the request out; 0 gives the line ``HTTP/1.1 0 ``.
        headers: header fields of that answer.
        body: body of that answer; default: the proxy's HTML page for the status.
        content_type: content type to claim instead of the true one.
        cut_after: bytes of the body after which the connection closes.
        bad_utf8: the body holds a byte that no UTF-8 text has.
        lost_answer: the request is carried out but its answer never comes: instead there is ``status`` or
            ``reset="after"`` if given, else silence until the client goes away.
        stale_session: the caller's session has expired, just before the call.
        restart: the gateway restarts just before the call: all sessions and runspaces are gone.
        runspace_death: the runspace that the call names dies just before it, or all of them if it names none.
        slow_creation: seconds by which the runspace created by this call stays ``creating`` longer.
        runspace_unreachable: the runspace that the call names, or all of them if it names none, cannot be
            reached from now on.
        creation_error: text with which this call fails to create a runspace or web console.
        pod_error: text with which the runspace or web console that this call creates ends in ``error``.
        full_quota: the call finds no room for another runspace or web console.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has an impossible value, or two of them contradict each other.
    """

    operation: str | None = None
    host: str | None = None
    user: str | None = None
    nth: int | None = None
    times: int | None = None
    probability: float | None = None

    refuse: bool = False
    reset: Literal["before", "after"] | None = None
    delay: float = 0.0
    trickle: tuple[int, float] | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), converter=header_pairs)
    body: bytes | None = field(default=None, converter=to_bytes)
    content_type: str | None = None
    cut_after: int | None = None
    bad_utf8: bool = False
    lost_answer: bool = False
    stale_session: bool = False
    restart: bool = False
    runspace_death: bool = False
    runspace_unreachable: bool = False
    slow_creation: float | None = None
    creation_error: str | None = None
    pod_error: str | None = None
    full_quota: bool = False

    def __attrs_post_init__(self) -> None:
        check_fault({attribute.name: getattr(self, attribute.name) for attribute in fields(type(self))})

    @classmethod
    def from_json(cls, value: str | bytes | Mapping[str, object]) -> Fault:
        """Make a fault from a JSON object with the same names as the arguments.

        Args:
            value: the JSON text, or what it was parsed to. ``body`` may be a text or any JSON value,
                ``headers`` is an object, ``trickle`` a pair.

        Raises:
            TypeError: a member has the wrong type.
            ValueError: it is not a JSON object, a member is unknown, or the fault is impossible.
        """
        known = [attribute.name for attribute in fields(cls)]
        return cls(**read_fault(value, known))

    def hits(self, *, operation: str | None, user: str | None, host: str) -> bool:
        """Tell whether a call is of the kind that this fault is about.

        Args:
            operation: the call's operation; None for a call that is none.
            user: whose call it is, if known.
            host: name of the host it came to.
        """
        if self.host is not None and self.host != host:
            return False
        if self.user is not None and (user is None or subject(self.user) != subject(user)):
            return False
        if self.slow_creation is not None and operation != "runspaces.create":
            return False
        creating = self.creation_error is not None or self.pod_error is not None or self.full_quota
        if creating and operation not in _CREATIONS:
            return False
        return self.operation is None or (operation is not None and fnmatchcase(operation, self.operation))
