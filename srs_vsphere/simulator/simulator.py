"""The simulated service: requests in, replies out, no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import RLock
from types import MappingProxyType

from srs_vsphere.simulator import routing
from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.answers import OK, UNAUTHORIZED, Json, json_reply
from srs_vsphere.simulator.clock import Clock, SystemClock
from srs_vsphere.simulator.conditions import Conditions
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.ids import Ids
from srs_vsphere.simulator.routing import Call
from srs_vsphere.simulator.runspaces import Runspaces
from srs_vsphere.simulator.sessions import Session, Sessions
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.users import Users, subject

DEFAULT_USERS: Mapping[str, str] = MappingProxyType({"alice": "secret", "bob": "secret"})
_STATES = ("creating", "ready", "error")


class Simulator:
    """One simulated service, from its router to its runspaces.

    Every request is answered at once, by the time that the clock shows; what had to happen before that, such
    as a runspace becoming ready, happens first. It may be used from several threads.

    Args:
        users: passwords by user name.
        settings: limits and durations.
        clock: where the time comes from; the machine's own time by default.
        seed: makes ids and keys; two simulators with the same seed and requests give the same answers.

    Raises:
        ValueError: a user name is blank, or two are the same.
    """

    def __init__(
        self,
        *,
        users: Mapping[str, str] = DEFAULT_USERS,
        settings: Settings | None = None,
        clock: Clock | None = None,
        seed: int = 0,
    ) -> None:
        self.settings = settings if settings is not None else Settings()
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._lock = RLock()
        self._requests_seen = 0
        self._reserved = 0
        self._agenda = Agenda(self.clock)
        self._ids = Ids(seed)
        self._users = Users(users)
        self._conditions = Conditions()
        self._sessions = Sessions(self._agenda, self._ids, self.settings.session_validity)
        self._runspaces = Runspaces(
            self._agenda, self._ids, self.settings, self._conditions, lambda: self.quota_left
        )
        challenge = (
            'Basic realm="SRS endpoint",'
            f'SIGN realm="{self.settings.realm}",service="SRS endpoint",sts="{self.settings.sts_url}"'
        )
        self._challenge = (("WWW-Authenticate", challenge),)
        self._about = json_reply(
            {
                "name": "Script Runtime Service for vSphere",
                "vendor": "VMware, Inc.",
                "version": self.settings.version,
                "api_version": "1.0.0",
            }
        )
        self._operations: dict[str, Callable[[Call, Session], Reply]] = {
            "auth.logout": self._logout,
            "runspaces.list": lambda _, session: self._runspaces.list(session.user),
            "runspaces.get": lambda call, session: self._runspaces.get(session.user, call.path[0]),
            "runspaces.create": self._create_runspace,
            "runspaces.delete": lambda call, session: self._runspaces.delete(session.user, call.path[0]),
        }

    def handle(self, request: Request) -> Reply:
        """Answer a request.

        Args:
            request: a whole request.

        Returns:
            The whole reply.
        """
        with self._lock:
            self._requests_seen += 1
            self._agenda.catch_up()
            routed = routing.route(request)
            session = self._sessions.use(request.header("x-srs-api-key"))
            if isinstance(routed, Reply):
                return routed
            if routed.operation == "about":
                return self._about
            if routed.operation == "auth.login":
                return self._login(request)
            if session is None:
                return UNAUTHORIZED
            return self._operations[routed.operation](routed, session)

    def operation_of(self, request: Request) -> str | None:
        """Return the name of the operation that a request is for, such as ``runspaces.list``, or None.

        Args:
            request: the request.
        """
        return routing.operation_of(request)

    @property
    def requests_seen(self) -> int:
        """How many requests were handled."""
        return self._requests_seen

    @property
    def session_count(self) -> int:
        """How many sessions are valid."""
        with self._lock:
            self._agenda.catch_up()
            return len(self._sessions.active())

    @property
    def runspace_ids(self) -> list[str]:
        """The ids of all users' runspaces."""
        with self._lock:
            self._agenda.catch_up()
            return [runspace.id for runspace in self._runspaces]

    @property
    def quota_left(self) -> int:
        """How many runspaces and web consoles may still be made."""
        return self.settings.quota - self._reserved - len(self._runspaces)

    def add_runspace(
        self,
        *,
        user: str = "alice",
        name: str | None = None,
        state: str = "ready",
        error_details: Mapping[str, Json] | None = None,
        connected: bool = False,
    ) -> str:
        """Put a runspace there, past quota and creation; no cleanup removes it.

        Args:
            user: whose it is.
            name: its name.
            state: ``creating``, ``ready`` or ``error``; it stays so.
            error_details: why it failed.
            connected: whether a connection to vCenter was asked for.

        Returns:
            Its id.

        Raises:
            ValueError: there is no such state.
        """
        if state not in _STATES:
            raise ValueError(f"state must be one of {', '.join(_STATES)}, not {state!r}")
        with self._lock:
            self._agenda.catch_up()
            error = dict(error_details) if error_details is not None else None
            runspace = self._runspaces.add(
                subject(user), None, name, connected=connected, state=state, error=error
            )
            return runspace.id

    def expire_sessions(self) -> None:
        """End all sessions at once: their keys are refused from now on."""
        with self._lock:
            self._sessions.end_all()

    def restart(self) -> None:
        """Restart the gateway: sessions and runspaces are gone."""
        with self._lock:
            self._agenda.catch_up()
            self._sessions.end_all()
            self._runspaces.clear()

    def _login(self, request: Request) -> Reply:
        user = self._users.from_basic(request)
        if user is None:
            return Reply(401, self._challenge)
        return Reply(200, (("X-SRS-API-KEY", self._sessions.open(user).key),))

    def _logout(self, _: Call, session: Session) -> Reply:
        self._sessions.end(session)
        return OK

    def _create_runspace(self, call: Call, session: Session) -> Reply:
        body = json.loads(call.request.body or b"{}")
        return self._runspaces.create(
            session, body.get("name"), connected=bool(body.get("run_vc_connection_script"))
        )
