"""Script executions as the gateway knows them: it asks the runspace again and again.

That way of working has its effects, and all of them are here: what is known in the first moments, output that
comes only with the end, a script that is given up because its runspace has started another one, and one that
stays ``running`` for ever because the first question failed.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from srs_vsphere.simulator.agenda import Agenda, Event
from srs_vsphere.simulator.answers import Json
from srs_vsphere.simulator.bodies import FORMATS
from srs_vsphere.simulator.outcome import Run
from srs_vsphere.simulator.pods import Pod
from srs_vsphere.simulator.settings import Settings

_LOST = (
    "Runspace where script runs doesn't respond. Could be because script active time is longer than maximum "
    "allowed time for a script execution"
)


@define(eq=False)
class Execution:
    """What the gateway knows of one script execution.

    Args:
        id: its id.
        user: whose it is.
        name: what it was called.
        pod: where it runs.
        run: how it really stands there.
        system: whether the service itself started it.
        ended: what to do when it is known to have ended.
        format: the number of the output's format, as far as it is known.
        state: its state, as far as it is known.
        polled: whether the runspace has answered once.
        zombie: whether the first question failed, so that nothing will ever be known.
        stored: whether it has been written to the history, where only its user finds it.
        read: when each stream was asked for last.
    """

    id: str
    user: str
    name: str | None
    pod: Pod
    run: Run
    system: bool
    ended: Callable[[], None] | None = None
    format: int = 0
    state: str = "running"
    reason: str | None = None
    start: str | None = None
    end: str | None = None
    output: list[str | None] | None = None
    streams: dict[str, list[tuple[float, str]]] = field(factory=dict[str, "list[tuple[float, str]]"])
    polled: bool = False
    zombie: bool = False
    stored: bool = False
    changed: float = 0.0
    failures: int = 0
    next_poll: Event | None = None
    read: dict[str, float] = field(factory=dict[str, float])

    def unread(self) -> dict[str, list[float]]:
        """Return the moments of the records that were not asked for yet, by stream."""
        found: dict[str, list[float]] = {}
        for record in self.run.outcome.records if self.polled else ():
            moment = self.run.started + record.at
            if self.read.get(record.stream, -1.0) < moment <= self.changed and record.message.strip():
                found.setdefault(record.stream, []).append(moment)
        return found

    def members(self) -> dict[str, Json]:
        """Return what the service says about it."""
        members: dict[str, Json] = {} if self.zombie else {"id": self.id}
        if self.name is not None:
            members["name"] = self.name
        members["output_objects_format"] = format_name(self.format)
        members["state"] = self.state
        optional = (("reason", self.reason), ("start_time", self.start), ("end_time", self.end))
        members.update((name, value) for name, value in optional if value is not None)
        return members


def format_name(number: int) -> str | int:
    """Return a format as it is written: its word, or its number when it has none.

    Args:
        number: its number.
    """
    return FORMATS[number] if 0 <= number < len(FORMATS) else number


class Executions:
    """All script executions of all users.

    Args:
        agenda: tells the time and keeps what is to happen.
        settings: the limits.
    """

    def __init__(self, agenda: Agenda, settings: Settings) -> None:
        self._agenda = agenda
        self._settings = settings
        self._executions: dict[str, Execution] = {}

    def start(
        self,
        run: Run,
        *,
        pod: Pod,
        user: str,
        name: str | None,
        system: bool = False,
        ended: Callable[[], None] | None = None,
    ) -> Execution:
        """Take note of a script that was started in a pod, and begin to ask for its state.

        Args:
            run: the script.
            pod: where it runs.
            user: whose it is.
            name: what it is called.
            system: whether the service itself starts it.
            ended: what to do when it is known to have ended.
        """
        pod.last = run
        if run.outcome.structured is not None:
            pod.structured = run
        execution = Execution(run.id, user, name, pod, run, system, ended, changed=run.started)
        self._executions[run.id] = execution
        first = self._settings.first_poll
        execution.next_poll = self._agenda.after(first, lambda: self._poll(execution))
        return execution

    def find(self, id: str, user: str) -> Execution | None:
        """Return an execution that a user may see, or None.

        Until it is stored, anybody may who knows its id.

        Args:
            id: its id.
            user: who asks.
        """
        execution = self._executions.get(id)
        if execution is None or (execution.stored and execution.user != user):
            return None
        return execution

    def of(self, user: str, *, skip_system: bool) -> list[Execution]:
        """Return a user's executions, in an order that means nothing.

        Args:
            user: whose.
            skip_system: whether to leave out what the service itself started.
        """
        found = [
            execution
            for execution in self._executions.values()
            if execution.user == user and not execution.zombie and not (skip_system and execution.system)
        ]
        # The service lists a directory; ordered by the ids, clients cannot rely on an order either.
        return sorted(found, key=lambda execution: execution.id)

    def apply_retention(self) -> bool:
        """Remove the oldest executions of each user, and those that are too old.

        Returns:
            Whether there are others that it may remove later.
        """
        by_user: dict[str, list[Execution]] = {}
        # What is in the gateway's memory for ever has no file to be removed.
        for execution in [other for other in self._executions.values() if not other.zombie]:
            by_user.setdefault(execution.user, []).append(execution)
        oldest = self._agenda.now - self._settings.history_age
        for own in by_user.values():
            own.sort(key=lambda execution: execution.changed, reverse=True)
            for position, execution in enumerate(own):
                if position >= self._settings.history or execution.changed < oldest:
                    self._forget(execution)
        return any(not execution.zombie for execution in self._executions.values())

    def restart(self, *, keep_history: bool) -> None:
        """Forget all that was only in the gateway's memory.

        Args:
            keep_history: whether what was stored is still there.
        """
        for execution in list(self._executions.values()):
            if not (keep_history and execution.stored):
                self._forget(execution)

    def __len__(self) -> int:
        return len(self._executions)

    def _forget(self, execution: Execution) -> None:
        self._executions.pop(execution.id, None)
        if execution.next_poll is not None:
            execution.next_poll.cancelled = True

    def _poll(self, execution: Execution) -> None:
        pod, run = execution.pod, execution.run
        if pod.failure is not None or pod.last is not run:
            self._poll_failed(execution)
            return
        now = self._agenda.now
        execution.polled = True
        execution.changed = now
        execution.format = run.format
        execution.start = self._agenda.stamp(run.started)
        execution.state = run.state(now)
        execution.reason = run.reason(now)
        execution.output = run.output(now)
        execution.streams = run.streams(now, self._settings.stream_records)
        if execution.state != "running":
            execution.end = self._agenda.stamp(run.ends)
            self._finish(execution)
        else:
            self._poll_again(execution)

    def _poll_again(self, execution: Execution) -> None:
        interval = self._settings.poll_interval
        execution.next_poll = self._agenda.after(interval, lambda: self._poll(execution))

    def _poll_failed(self, execution: Execution) -> None:
        if not execution.polled:
            execution.zombie = True
            return
        execution.failures += 1
        if execution.failures < self._settings.lost_after_polls:
            self._poll_again(execution)
            return
        execution.state = "error"
        execution.reason = _LOST
        execution.changed = self._agenda.now
        execution.end = self._agenda.stamp(self._agenda.now)
        self._finish(execution)

    def _finish(self, execution: Execution) -> None:
        interval = self._settings.poll_interval
        execution.next_poll = self._agenda.after(interval, lambda: self._store(execution))
        if execution.ended is not None:
            execution.ended()

    def _store(self, execution: Execution) -> None:
        execution.stored = True
