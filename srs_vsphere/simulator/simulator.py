"""The simulated service: requests in, replies out, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, Self, TypeAlias
from weakref import WeakMethod, finalize

from srs_vsphere.simulator import routing
from srs_vsphere.simulator.answers import Json, error_reply
from srs_vsphere.simulator.behaviours import BehaviourFailedError, ScriptAnswer, ScriptBehaviour, ScriptMatch
from srs_vsphere.simulator.clock import Clock, SystemClock, VirtualClock
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.gateway import Gateway
from srs_vsphere.simulator.script_log import ScriptRun
from srs_vsphere.simulator.service_failures import ServiceFailures
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.users import subject

DEFAULT_USERS: Mapping[str, str] = MappingProxyType({"alice": "secret", "bob": "secret"})
_NONE: Mapping[str, str] = MappingProxyType({})
_STATES = ("creating", "ready", "error")
#: What becomes of a script that neither a behaviour nor the interpreter understands.
UnknownScripts: TypeAlias = Literal["fail", "succeed"]
UNKNOWN_SCRIPTS: tuple[UnknownScripts, ...] = ("fail", "succeed")


class Simulator(ServiceFailures):
    """One simulated service, from its router to its runspaces.

    Every request is answered at once, by the time that the clock shows; what had to happen before that, such
    as a runspace becoming ready, happens first. It may be used from several threads.

    The methods that make something go wrong say for how many occasions (``times``); None means until
    `clear_conditions` is called.

    Args:
        users: passwords by user name; a name without a domain is of ``vsphere.local``.
        settings: limits and durations; by default those of the appliance.
        clock: where the time comes from; by default the machine's own time.
        seed: makes ids and keys; two simulators with the same seed and requests give the same answers.
        unknown_scripts: what becomes of a script that neither a registered behaviour nor the small
            interpreter understands: ``fail`` ends it in state ``error``, with a reason that begins with
            ``simulator:`` and says what is not understood; ``succeed`` ends it without output. Default:
            ``fail``.
        powershell: a program, such as ``pwsh``, or it with arguments of its own: PowerShell 7, which runs the
            scripts for which no behaviour is registered, and those of parameters, one process a runspace. It
            does what they say, with this user's rights and in real time. Default: none, the simulator answers
            itself.

    Raises:
        TypeError: an argument is of the wrong kind.
        ValueError: a user name is blank or holds a colon, or two are the same; ``unknown_scripts`` is another
            word; ``powershell`` is empty, or the clock is a `VirtualClock` beside it.
        FileNotFoundError: there is no such program.
    """

    def __init__(
        self,
        *,
        users: Mapping[str, str] = DEFAULT_USERS,
        settings: Settings | None = None,
        clock: Clock | None = None,
        seed: int = 0,
        unknown_scripts: UnknownScripts = "fail",
        powershell: str | Sequence[str] | None = None,
    ) -> None:
        if unknown_scripts not in UNKNOWN_SCRIPTS:
            raise ValueError(f"unknown_scripts must be 'fail' or 'succeed', not {unknown_scripts!r}")
        if not isinstance(settings, Settings | None):
            raise TypeError(f"settings must be Settings, not {type(settings).__name__}")
        if not isinstance(clock, Clock | None):
            raise TypeError(f"clock must be a Clock, such as VirtualClock(), not {type(clock).__name__}")
        self.settings: Settings = settings if settings is not None else Settings()
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._requests_seen = 0
        self._failures: list[BaseException] = []
        command = None if powershell is None else _command_line(powershell, self.clock)
        strict = unknown_scripts == "fail"
        super().__init__(Gateway(users, self.settings, self.clock, seed, strict=strict, powershell=command))
        if self._gateway.hosts is not None:
            self._gateway.hosts.watch(WeakMethod(self._look))
            finalize(self, self._gateway.hosts.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the PowerShell processes of all runspaces, if there are any; these cannot be reached then.

        Servers do it when they end. It also happens when nothing refers to the simulator any more, and when
        the program ends, however it does.
        """
        if self._gateway.hosts is not None:
            self._gateway.hosts.close()

    def handle(self, request: Request, *, conditions: Mapping[str, str] = _NONE) -> Reply:
        """Answer a request.

        Args:
            request: a whole request.
            conditions: what goes wrong with this request only; faults use it.

        Returns:
            The whole reply; where a behaviour raised, HTTP status 500, and `raise_failures` raises what it
            raised.
        """
        with self._lock, self._gateway.conditions.for_one_call(conditions):
            self._requests_seen += 1
            try:
                return self._gateway.answer(request)
            except BehaviourFailedError as failure:
                self._failures.append(failure.error)
                return error_reply(500, 500, f"simulator: {failure}")

    def operation_of(self, request: Request) -> str | None:
        """Return the name of the operation that a request is for, such as ``runspaces.list``, or None.

        Args:
            request: the request.
        """
        return routing.operation_of(request)

    def on_script(
        self,
        match: ScriptMatch,
        reply: ScriptAnswer | None = None,
        *,
        times: int | None = None,
        replies: Sequence[ScriptAnswer] | None = None,
        system: bool = False,
        parameter_scripts: bool = False,
    ) -> ScriptBehaviour:
        """Say what comes out of a script; of several behaviours that match, the newest counts.

        Args:
            match: which scripts: an exact text, a pattern that is searched for in it, or a function that says
                yes.
            reply: what comes out, or a function that says so.
            times: for how many calls at most. Default: for all, or for as many as there are ``replies``.
            replies: instead of one reply, one for each call, in order; the last is repeated if ``times``
                says so.
            system: whether a pattern or a function also sees the service's own scripts. Default: no.
            parameter_scripts: whether a pattern or a function also sees scripts that make the value of a
                parameter. Default: no.

        Returns:
            The behaviour; its ``calls`` are the scripts that it has answered, ``remove()`` ends it.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: neither or both of ``reply`` and ``replies`` are given, ``times`` is less than the
                number of replies, or a behaviour for the same match is registered already.
        """
        with self._lock:
            return self._gateway.behaviours.add(
                match, reply, times=times, replies=replies, system=system, parameter_scripts=parameter_scripts
            )

    @property
    def scripts(self) -> tuple[ScriptRun, ...]:
        """The last ten thousand scripts that were started, oldest first, each with its state.

        The scripts of parameters and those of the service itself are among them.
        """
        with self._lock:
            self._gateway.agenda.catch_up()
            return tuple(record.seen() for record in self._gateway.engine.scripts)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why scripts ended in ``error`` because they were not understood, oldest first."""
        return tuple(self._gateway.engine.refusals)

    def assert_all_used(self) -> None:
        """Check that each registered behaviour has given each of its replies.

        Raises:
            AssertionError: one has not; it is named.
        """
        with self._lock:
            self._gateway.behaviours.assert_all_used()

    def raise_failures(self) -> None:
        """Raise what a behaviour raised, the first of several, if any did; then it counts as told.

        The doors do that themselves: a server when it ends, a transport in process at once.
        """
        with self._lock:
            failures = [*self._failures, *self._gateway.engine.failures]
            self._failures.clear()
            self._gateway.engine.failures.clear()
        if failures:
            if len(failures) > 1:
                failures[0].add_note(f"{len(failures) - 1} more of the simulator's behaviours raised")
            raise failures[0]

    @property
    def requests_seen(self) -> int:
        """How many requests were handled."""
        return self._requests_seen

    @property
    def session_count(self) -> int:
        """How many sessions are valid."""
        with self._lock:
            self._gateway.agenda.catch_up()
            return len(self._gateway.sessions.active())

    @property
    def runspaces(self) -> Mapping[str, str]:
        """The states of all users' runspaces, by id."""
        with self._lock:
            self._gateway.agenda.catch_up()
            return {runspace.id: runspace.state for runspace in self._gateway.runspaces}

    @property
    def web_console_count(self) -> int:
        """How many web consoles there are."""
        with self._lock:
            self._gateway.agenda.catch_up()
            return len(self._gateway.consoles)

    @property
    def execution_count(self) -> int:
        """How many script executions are remembered, of all users."""
        with self._lock:
            self._gateway.agenda.catch_up()
            return len(self._gateway.executions)

    @property
    def quota_left(self) -> int:
        """How many runspaces and web consoles may be made; less than none after too many `add_runspace`."""
        with self._lock:
            self._gateway.agenda.catch_up()
            return self._gateway.quota_left()

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
            OSError: its PowerShell process cannot be started.
        """
        if state not in _STATES:
            raise ValueError(f"state must be one of {', '.join(_STATES)}, not {state!r}")
        with self._lock:
            self._gateway.agenda.catch_up()
            runspaces = self._gateway.runspaces
            runspace = runspaces.add(subject(user), None, name, connected=connected, state=state)
            if state == "ready":
                self._gateway.lifecycle.provide_host(runspace.pod)
            if error_details is not None:
                runspace.error = dict(error_details)
                runspaces.changed(runspace)
            return runspace.id

    def _look(self) -> None:
        """Let happen what is due, without a request."""
        with self._lock:
            self._gateway.agenda.catch_up()


def _command_line(powershell: str | Sequence[str], clock: Clock) -> list[str]:
    if isinstance(clock, VirtualClock):
        what = "powershell: a real program takes real time, which a VirtualClock does not show"
        raise ValueError(what)  # noqa: TRY004 - each of the two is all right without the other
    from srs_vsphere.simulator.powershell_host.program import command_line

    return command_line(powershell)
