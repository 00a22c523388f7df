"""Time that passes while a client waits: a virtual clock that moves to what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from attrs import frozen

from srs_vsphere.simulator.agenda import Agenda, Event
from srs_vsphere.simulator.clock import VirtualClock
from srs_vsphere.simulator.exchange import Reply
from srs_vsphere.simulator.executions import Execution, Executions
from srs_vsphere.simulator.routing import Call
from srs_vsphere.simulator.runspaces import Runspace, Runspaces
from srs_vsphere.simulator.sessions import Session
from srs_vsphere.simulator.web_consoles import WebConsoles

#: One question moves the clock past so many events at most.
_MOST_EVENTS = 20_000
_MOST_RECORDS = 40
_OF_EXECUTIONS = frozenset({"script_executions.get", "script_executions.output", "script_executions.streams"})
_CREATIONS = frozenset({"runspaces.create", "script_executions.create", "web_consoles.create"})


@frozen(eq=False)
class Waiting:
    """Moves the clock to what a client waits for.

    Args:
        clock: the clock.
        agenda: what is to happen.
        runspaces: the runspaces.
        executions: the script executions.
        consoles: the web consoles.
    """

    clock: VirtualClock
    agenda: Agenda
    runspaces: Runspaces
    executions: Executions
    consoles: WebConsoles

    def before(self, call: Call, session: Session) -> None:
        """Let time pass until what is asked for has changed, if that is only a matter of time.

        Args:
            call: the question.
            session: whose it is; it does not expire meanwhile, for a client that waits goes on asking.
        """
        pending = self._pending(call, session)
        left = _MOST_EVENTS
        while left and pending is not None and (event := pending()) is not None:
            while left and not event.happened and not event.cancelled:
                self._next(session)
                left -= 1
            if call.operation == "runspaces.list":
                return

    def after(self, call: Call, reply: Reply, session: Session) -> None:
        """Let the next thing happen after a creation was refused: a client that waits for a place asks again.

        Args:
            call: what was asked for.
            reply: the answer.
            session: whose it is.
        """
        if call.operation in _CREATIONS and reply.status == 500:
            self._next(session)

    def _pending(self, call: Call, session: Session) -> Callable[[], Event | None] | None:
        """Return what tells the next event that the client is kept waiting for."""
        if call.operation == "runspaces.get":
            return partial(self._of_runspace, self.runspaces.find(call.path[0], session.user))
        if call.operation == "runspaces.list":
            own = [found for found in self.runspaces if found.user == session.user]
            return lambda: _first([self._of_runspace(each) for each in own])
        if call.operation == "web_consoles.get":
            return partial(self.consoles.pending, call.path[0])
        if call.operation not in _OF_EXECUTIONS:
            return None
        execution = self.executions.find(call.path[0], session.user)
        began = execution.changed if execution is not None else 0.0
        stream = call.path[1].lower() if len(call.path) > 1 else None
        again = execution is not None and stream is not None and execution.read.get(stream) == began
        return partial(self._of_execution, execution, began, stream, again)

    def _next(self, session: Session) -> None:
        due = self.agenda.next_due()
        if due is not None and self.clock.reaches(due):
            self.clock.move_to(due)
            # Before the events: a cleanup among them must find the session alive.
            session.used = due if not session.ended else session.used
            self.agenda.catch_up()

    def _of_runspace(self, runspace: Runspace | None) -> Event | None:
        if runspace is None or runspace.state != "creating":
            return None
        if runspace.starting is not None and not runspace.starting.happened:
            return runspace.starting
        connecting = self.executions.find(runspace.connection_script_id or "", runspace.user)
        return self._of_execution(connecting, self.agenda.now)

    def _of_execution(
        self, execution: Execution | None, began: float, stream: str | None = None, again: bool = False
    ) -> Event | None:
        """Return the gateway's next look at a script, if the client may be kept waiting for it.

        Args:
            execution: the script.
            began: up to when it was known when the question came.
            stream: the stream that was asked for; None if it was something else.
            again: whether that was asked before, and nothing has been looked at since.
        """
        if execution is None or execution.state != "running" or execution.zombie:
            return None
        unread = execution.unread()
        new = {name: sum(at > began for at in moments) for name, moments in unread.items()}
        if stream is not None:
            # News in another stream waits for a client that asks for one after the other, but not for ever.
            held = stream in unread or any(new.values()) or (bool(unread) and not again)
        else:
            # The newest fifty stay: the client reads them before there are more.
            held = any(
                new[name] >= _MOST_RECORDS
                or len(unread[name]) - new[name] < _MOST_RECORDS <= len(unread[name])
                for name in unread
            )
        return None if held else execution.next_poll


def _first(events: list[Event | None]) -> Event | None:
    return min((event for event in events if event is not None), key=lambda event: event.due, default=None)
