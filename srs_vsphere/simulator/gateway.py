"""The gateway: its parts, put together, and what they answer to each operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from srs_vsphere.simulator import routing, templates
from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.answers import OK, UNAUTHORIZED, json_reply
from srs_vsphere.simulator.behaviours import Behaviours
from srs_vsphere.simulator.bodies import read_render, read_runspace, read_script
from srs_vsphere.simulator.clock import Clock, VirtualClock
from srs_vsphere.simulator.conditions import Conditions
from srs_vsphere.simulator.engine import Engine
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.executions import Executions
from srs_vsphere.simulator.ids import Ids
from srs_vsphere.simulator.lifecycle import Lifecycle
from srs_vsphere.simulator.login import Login
from srs_vsphere.simulator.parameters import path_choice, query_flag
from srs_vsphere.simulator.problems import BindingError
from srs_vsphere.simulator.routing import Call
from srs_vsphere.simulator.runspace_answers import RunspaceAnswers
from srs_vsphere.simulator.runspaces import Runspaces
from srs_vsphere.simulator.script_answers import ScriptAnswers
from srs_vsphere.simulator.scripting import STREAMS
from srs_vsphere.simulator.sessions import Session, Sessions
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.users import Users
from srs_vsphere.simulator.waiting import Waiting
from srs_vsphere.simulator.web_consoles import WebConsoles

if TYPE_CHECKING:
    from srs_vsphere.simulator.powershell_host.hosts import Hosts


class Gateway:
    """All parts of the simulated service. It is used by one thread at a time.

    Args:
        users: passwords by user name.
        settings: limits and durations.
        clock: where the time comes from.
        seed: makes ids and keys.
        strict: whether a script that is not understood fails.
        powershell: the command that starts a real PowerShell for a runspace; None for none.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        settings: Settings,
        clock: Clock,
        seed: int,
        *,
        strict: bool,
        powershell: Sequence[str] | None = None,
    ) -> None:
        self.settings = settings
        agenda, ids, conditions = Agenda(clock), Ids(seed), Conditions()
        self.agenda: Agenda = agenda
        self.ids: Ids = ids
        self.conditions: Conditions = conditions
        self.behaviours: Behaviours = Behaviours()
        self.reserved = 0
        self.sessions: Sessions = Sessions(agenda, ids, settings.session_validity)
        self.executions: Executions = Executions(agenda, settings)
        self.runspaces: Runspaces = Runspaces(agenda, ids)
        engine = Engine(self.behaviours, settings, strict=strict)
        self.engine: Engine = engine
        self.hosts: Hosts | None = None if powershell is None else _hosts(powershell, agenda)
        self.lifecycle: Lifecycle = Lifecycle(
            agenda, ids, settings, self.sessions, self.runspaces, self.executions, engine, self.hosts
        )
        self.consoles: WebConsoles = WebConsoles(agenda, ids, settings, conditions, self.quota_left)
        self._waiting: Waiting | None = None
        if isinstance(clock, VirtualClock) and clock.auto:
            self._waiting = Waiting(clock, agenda, self.runspaces, self.executions, self.consoles)
        self._login = Login(Users(users), self.sessions, agenda, conditions, settings)
        self._runspace_answers = RunspaceAnswers(
            settings, conditions, self.runspaces, self.lifecycle, self.quota_left
        )
        self._script_answers = ScriptAnswers(agenda, ids, settings, self.runspaces, self.executions, engine)
        self._about = json_reply(
            {
                "name": "Script Runtime Service for vSphere",
                "vendor": "VMware, Inc.",
                "version": settings.version,
                "api_version": "1.0.0",
            }
        )
        self._operations = self._all_operations()
        self._timers = 0
        self.start_timers()

    def quota_left(self) -> int:
        """Return how many runspaces and web consoles may still be made."""
        return self.settings.quota - self.reserved - len(self.runspaces) - len(self.consoles)

    def answer(self, request: Request) -> Reply:
        """Answer a request.

        Args:
            request: the request.
        """
        self.agenda.catch_up()
        routed = routing.route(request)
        # A key is looked at whatever the request is for, and that alone keeps its session alive.
        session = self.sessions.use(request.header("x-srs-api-key"))
        if isinstance(routed, Reply):
            return routed
        if routed.operation == "about":
            return self._about
        if routed.operation == "auth.login":
            return self._login.answer(request)
        if session is None:
            return UNAUTHORIZED
        try:
            if self._waiting is None:
                return self._operations[routed.operation](routed, session)
            self._waiting.before(routed, session)
            reply = self._operations[routed.operation](routed, session)
            self._waiting.after(routed, reply, session)
            return reply
        except BindingError as error:
            return error.reply(f"|{self.ids.hexadecimal(8)}-{self.ids.hexadecimal(16)}.")

    def restart(self, *, keep_history: bool) -> None:
        """Forget what the gateway holds in memory, and begin anew.

        Args:
            keep_history: whether the history of scripts is on a disk that stays.
        """
        self.sessions.end_all()
        for runspace in self.runspaces:
            runspace.pod.end()
        if self.hosts is not None:
            # Those too that only wait for their runspace to be disconnected.
            self.hosts.close()
        self.runspaces.clear()
        self.consoles.clear()
        self.executions.restart(keep_history=keep_history)
        self.start_timers()

    def start_timers(self) -> None:
        """Start the timers of the cleanup and of the retention anew."""
        self._timers += 1
        timers = self._timers

        def every(seconds: float, action: Callable[[], bool]) -> Callable[[], None]:
            def tick() -> None:
                if timers == self._timers:
                    wait = seconds
                    if not action():
                        # Before the next request it finds nothing either, however far the clock was moved.
                        wait += seconds * ((self.agenda.present - self.agenda.now) // seconds)
                    self.agenda.after(wait, tick)

            return tick

        self.agenda.after(self.settings.first_cleanup, every(self.settings.cleanup_interval, self._clean_up))
        interval = self.settings.history_interval
        self.agenda.after(interval, every(interval, self.executions.apply_retention))

    def _clean_up(self) -> bool:
        """Remove what is not needed any more; say whether there is more that may be removed later."""
        left = self.lifecycle.clean_up()
        self.consoles.clean_up(self.sessions.is_active)
        return bool(self.sessions.active() or self.consoles) or left

    def _logout(self, _: Call, session: Session) -> Reply:
        self.sessions.end(session)
        return OK

    def _all_operations(self) -> dict[str, Callable[[Call, Session], Reply]]:
        runspaces, scripts, consoles = self._runspace_answers, self._script_answers, self.consoles
        return {
            "auth.logout": self._logout,
            "runspaces.list": lambda _, session: runspaces.list(session.user),
            "runspaces.get": lambda call, session: runspaces.get(session.user, call.path[0]),
            "runspaces.create": lambda call, session: runspaces.create(session, read_runspace(call.request)),
            "runspaces.delete": lambda call, session: runspaces.delete(session.user, call.path[0]),
            "script_executions.list": lambda call, session: scripts.list(
                session.user, skip_system=query_flag(call.query, "skipSystemExecutions")
            ),
            "script_executions.create": lambda call, session: scripts.create(
                session.user, read_script(call.request)
            ),
            "script_executions.get": lambda call, session: scripts.get(session.user, call.path[0]),
            "script_executions.output": lambda call, session: scripts.output(session.user, call.path[0]),
            "script_executions.streams": lambda call, session: scripts.stream(
                session.user, call.path[0], path_choice("stream-type", call.path[1], STREAMS)
            ),
            "script_executions.cancel": lambda call, session: scripts.cancel(session.user, call.path[0]),
            "argument_scripts.templates": lambda _, __: templates.list_templates(),
            "argument_scripts.template": lambda call, _: templates.get_template(call.path[0]),
            "argument_scripts.script": lambda call, _: templates.render(read_render(call.request)),
            "web_consoles.list": lambda _, session: consoles.list(session.user),
            "web_consoles.create": lambda call, session: consoles.create(
                session, wait=query_flag(call.query, "wait")
            ),
            "web_consoles.get": lambda call, session: consoles.get(session.user, call.path[0]),
            "web_consoles.delete": lambda call, session: consoles.delete(session.user, call.path[0]),
        }


def _hosts(command: Sequence[str], agenda: Agenda) -> Hosts:
    # It brings subprocesses along, which most simulators do without.
    from srs_vsphere.simulator.powershell_host.hosts import Hosts

    return Hosts(command, agenda)
