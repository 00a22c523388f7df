"""A state machine drives client and simulator together: what the one says never contradicts the other.

By default it takes the same few hundred walks each time. ``SRS_WALKS=5000`` takes so many random ones.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from srs_vsphere import (
    ApiError,
    DecodeError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    QuotaExceededError,
    RunspaceBusyError,
    RunspaceNotReadyError,
    SrsError,
    StreamInterruptedError,
    WaitTimeoutError,
)
from srs_vsphere.models import StreamGap
from srs_vsphere.results import LOST_REASON, ScriptOutcome
from srs_vsphere.simulator import FaultPlan, Settings
from tests.machine.choosing import SCRIPTS, durations, names, some_faults, works
from tests.machine.driving import Caller
from tests.machine.watching import Log, Watched

WALKS = int(os.environ.get("SRS_WALKS", "0"))

users = st.sampled_from(["alice", "bob"])
picks = st.integers(0, 7)


class Walk(RuleBasedStateMachine):
    """Two users' clients of one simulated service."""

    loop: asyncio.AbstractEventLoop | None = None

    def __init__(self) -> None:
        super().__init__()
        self.simulator = Watched(Settings(quota=8, history=6))
        self.faults = FaultPlan()
        self.callers = {
            user: Caller(user, self.simulator, self.faults, self.loop) for user in ("alice", "bob")
        }
        self.runspaces: list[str] = []
        self.gone: set[str] = set()
        #: What each of the scripts does.
        self.scripts: dict[str, str] = {}
        self.handles: list[tuple[str, object, object]] = []
        self.pools = {}
        #: What a pool could not delete.
        self.left: set[str] = set()
        self.number = 0
        #: What the clients have logged, which is where they tell of what they could not delete.
        self.log = Log()

    # What all rules share.

    def client(self, user: str):
        return self.callers[user].client

    @contextmanager
    def under(self, faults):
        self.faults.extend(faults)
        try:
            yield
        finally:
            self.faults.clear()

    def attempt(self, call, faults):
        """Return what a call returned, or the error that it raised."""
        with self.under(faults):
            try:
                return call()
            except SrsError as error:
                return error

    def is_late(self, faults) -> bool:
        """Whether time may have passed since a response was made."""
        return any(fault.delay or fault.trickle for fault in faults)

    def runspace(self, user: str, pick: int) -> str:
        """One of the user's own as a rule, or somebody's, there or gone."""
        own = list(self.simulator.runspaces_of(user)) or [self.simulator.add_runspace(user=user)]
        known = [*own, *self.runspaces[-2:]]
        return known[pick % len(known)]

    def script(self, pick: int) -> str:
        return list(self.scripts)[-1 - pick % len(self.scripts)]

    def is_told_of(self, runspace) -> bool:
        """Whether the log says of a runspace that it may be left."""
        return any(runspace.id in text or runspace.name in text for text in self.log.texts)

    def new_name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix} {self.number}"

    def plan(self, work) -> str:
        text = self.new_name("work")
        self.simulator.plans[text] = work
        return text

    # Runspaces.

    @rule(
        user=users,
        name=names,
        connected=st.booleans(),
        faults=some_faults("runspaces.create", "runspaces.list"),
    )
    def create(self, user, name, connected, faults):
        before = self.simulator.created.copy()
        there = set(self.simulator.runspaces)

        def call():
            return self.client(user).runspaces.create(name, run_vc_connection_script=connected)

        made = self.attempt(call, faults)
        created = self.simulator.created - before
        new = {id: runspace for id, runspace in self.simulator.runspaces_of(user).items() if id not in there}
        assert created.total() <= 1
        assert len(new) <= created.total()
        if not isinstance(made, SrsError):
            assert created.total() == 1
            assert list(new) == [made.id]
            assert new[made.id].name == made.name
            assert name in {None, made.name}
        elif isinstance(made, OutcomeUnknownError):
            assert all(runspace.name in made.advice for runspace in new.values())
            if name is None and faults and all(fault.operation == "runspaces.create" for fault in faults):
                assert not new
        elif not isinstance(made, DecodeError):
            assert isinstance(made, NotSentError | ApiError)
            assert not created

    @rule(user=users, pick=picks, faults=some_faults("runspaces.delete", "runspaces.get"))
    def delete(self, user, pick, faults):
        id = self.runspace(user, pick)
        result = self.attempt(lambda: self.client(user).runspaces.delete(id), faults)
        if result is None:
            assert id not in self.simulator.runspaces_of(user)
            if id not in self.simulator.runspaces:
                self.gone.add(id)
        else:
            assert not isinstance(result, NotFoundError)

    @rule(user=users, pick=picks, faults=some_faults("runspaces.get"))
    def get(self, user, pick, faults):
        id = self.runspace(user, pick)
        result = self.attempt(lambda: self.client(user).runspaces.get(id), faults)
        known = self.simulator.runspaces_of(user).get(id)
        if isinstance(result, NotFoundError):
            assert known is None
        elif not isinstance(result, SrsError):
            assert result.id == id
            if not self.is_late(faults):
                assert (result.name, result.state) == (known.name, known.state)

    @rule(user=users, faults=some_faults("runspaces.list"))
    def list(self, user, faults):
        result = self.attempt(lambda: self.client(user).runspaces.list(), faults)
        if not isinstance(result, SrsError) and not self.is_late(faults):
            assert [runspace.id for runspace in result] == list(self.simulator.runspaces_of(user))

    @rule(user=users, enough=st.integers(1, 5), faults=some_faults("runspaces.list"))
    def stream(self, user, enough, faults):
        seen = []

        def call():
            with self.client(user).runspaces.stream() as items:
                for item in items:
                    seen.append(item.id)
                    if len(seen) == enough:
                        return

        result = self.attempt(call, faults)
        if isinstance(result, StreamInterruptedError | DecodeError):
            assert result.items_delivered == len(seen)
        if self.is_late(faults):
            return
        known = list(self.simulator.runspaces_of(user))
        if result is None:
            assert seen == known[:enough]
        else:
            assert seen == known[: len(seen)]

    @rule(user=users, pick=picks, timeout=st.sampled_from([5.0, 660.0]), faults=some_faults("runspaces.get"))
    def wait_ready(self, user, pick, timeout, faults):
        id = self.runspace(user, pick)
        result = self.attempt(lambda: self.client(user).runspaces.wait_ready(id, timeout=timeout), faults)
        known = self.simulator.runspaces_of(user).get(id)
        if not isinstance(result, SrsError):
            assert (result.id, result.state) == (id, "ready")
            assert self.is_late(faults) or known.state == "ready"
        elif isinstance(result, RunspaceNotReadyError):
            assert known.state == "error"
        elif isinstance(result, NotFoundError):
            assert known is None
        elif isinstance(result, WaitTimeoutError) and not faults:
            assert known.state == "creating"

    # Scripts, all the way.

    def check_result(self, user, result, text, output):
        work = self.simulator.plans[text]
        assert self.simulator.ran[text] == 1
        execution = self.simulator.execution(result.execution.id, user)
        if execution is None:
            # A restart between the result and now, when the runspace was deleted.
            return
        if result.outcome is ScriptOutcome.LOST:
            assert execution.zombie or execution.reason.startswith(LOST_REASON)
            return
        assert result.execution.state == execution.state
        errors = work.written("error")
        ended = {
            "error": ScriptOutcome.FAILED,
            "canceled": ScriptOutcome.CANCELED,
            "success": ScriptOutcome.SUCCEEDED_WITH_ERRORS if errors else ScriptOutcome.SUCCEEDED,
        }
        assert result.outcome is ended[work.state]
        if output == "json":
            assert result.output == list(work.output)
        elif output == "text":
            assert result.output == (execution.run.outcome.text if work.state == "success" else "")
        for stream in ("error", "warning", "information"):
            written = work.written(stream)
            read = [
                record.message
                for record in getattr(result, f"{stream}s" if stream != "information" else stream)
            ]
            rest = iter(written)
            assert all(message in rest for message in read)
            assert len(written) <= 50 or result.lost_records
            if not result.lost_records:
                assert read == written

    @rule(
        user=users,
        work=works(0.0, 0.3, 3.0, 45.0),
        output=st.sampled_from(["text", "json", "raw"]),
        timeout=st.sampled_from([None, 20.0]),
        faults=some_faults(
            *SCRIPTS, "runspaces.create", "runspaces.get", "runspaces.delete", "runspaces.list"
        ),
    )
    def run(self, user, work, output, timeout, faults):
        text, name = self.plan(work), self.new_name("run")

        def call():
            return self.client(user).run(text, output=output, timeout=timeout, name=name)

        result = self.attempt(call, faults)
        left = [
            runspace
            for runspace in self.simulator.runspaces_of(user).values()
            if runspace.name and runspace.name.startswith(name)
        ]
        assert len(left) <= 1
        assert all(self.is_told_of(runspace) for runspace in left)
        self.check_ran(text, name)
        if not isinstance(result, SrsError):
            self.check_result(user, result, text, output)
        elif not faults:
            assert isinstance(result, QuotaExceededError | WaitTimeoutError)
        assert not left or faults

    def check_ran(self, text, name):
        assert self.simulator.ran[text] <= 1
        assert self.simulator.created["script_executions.create", name] <= 1

    @rule(
        user=users,
        patience=st.sampled_from([0.0, 100.0]),
        faults=some_faults("runspaces.create", "runspaces.get", "runspaces.list"),
    )
    def open(self, user, patience, faults):
        name = self.new_name("handle")
        opening = self.client(user).runspaces.open(name, wait_for_quota=patience)
        result = self.attempt(opening.__enter__, faults)
        made = [
            runspace
            for runspace in self.simulator.runspaces_of(user).values()
            if runspace.name and runspace.name.startswith(name)
        ]
        if not isinstance(result, SrsError):
            self.handles.append((user, opening, result))
            assert [(runspace.id, runspace.state) for runspace in made] == [(result.id, "ready")]
        else:
            assert len(made) <= 1
            assert all(self.is_told_of(runspace) for runspace in made)
            assert not made or faults

    @precondition(lambda self: self.handles)
    @rule(
        pick=picks,
        work=works(0.0, 0.3, 3.0, 45.0),
        output=st.sampled_from(["text", "json", "raw"]),
        timeout=st.sampled_from([None, 20.0]),
        faults=some_faults(*SCRIPTS),
    )
    def run_in_handle(self, pick, work, output, timeout, faults):
        user, _, handle = self.handles[pick % len(self.handles)]
        text, name = self.plan(work), self.new_name("run")
        result = self.attempt(lambda: handle.run(text, output=output, timeout=timeout, name=name), faults)
        self.check_ran(text, name)
        if not isinstance(result, SrsError):
            self.check_result(user, result, text, output)
        elif isinstance(result, RunspaceBusyError):
            assert faults or self.simulator.runspaces_of(user)[handle.id].pod.last.id != ""

    @precondition(lambda self: self.handles)
    @rule(pick=picks, faults=some_faults("runspaces.delete", "runspaces.get"))
    def close(self, pick, faults):
        _, opening, handle = self.handles.pop(pick % len(self.handles))
        with self.under(faults):
            opening.__exit__(None, None, None)
        if handle.id not in self.simulator.runspaces:
            self.gone.add(handle.id)
        else:
            assert faults
            assert self.is_told_of(handle.runspace)

    # A pool of runspaces.

    def pooled(self, user):
        return [
            runspace
            for runspace in self.simulator.runspaces_of(user).values()
            if (runspace.name or "").startswith("pool")
        ]

    @rule(
        user=users,
        work=works(0.0, 3.0),
        pause=durations,
        faults=some_faults(
            "runspaces.create", "runspaces.get", "runspaces.list", "runspaces.delete", *SCRIPTS
        ),
    )
    def use_pool(self, user, work, pause, faults):
        if user not in self.pools:
            self.pools[user] = self.callers[user].pool(size=2)
        text, name = self.plan(work), self.new_name("run")

        def call():
            with self.pools[user].lease(timeout=0.0) as outer:
                self.simulator.clock.advance(pause)
                with self.pools[user].lease(timeout=0.0) as inner:
                    assert outer.id != inner.id
                    return inner.run(text, name=name)

        result = self.attempt(call, faults)
        self.check_ran(text, name)
        if not isinstance(result, SrsError):
            self.check_result(user, result, text, "text")
        elif isinstance(result, OutcomeUnknownError):
            # A runspace that nothing reaches reads as ready, in the pool as everywhere.
            assert faults or any(runspace.pod.unreachable for runspace in self.pooled(user))
        else:
            assert faults or isinstance(result, QuotaExceededError)

    @rule(user=users, faults=some_faults("runspaces.list", "runspaces.delete"))
    def close_pool(self, user, faults):
        pool = self.pools.pop(user, None)
        if pool is None:
            return
        with self.under(faults):
            pool.__exit__(None, None, None)
        left = self.pooled(user)
        if left:
            assert faults
            assert any("runspaces named pool-" in text for text in self.log.texts)
        self.left |= {runspace.id for runspace in left}

    # Scripts, step by step.

    @rule(
        user=users,
        pick=picks,
        work=works(0.0, 0.3, 45.0, 4000.0),
        named=st.booleans(),
        kind=st.sampled_from(["text", "raw"]),
        faults=some_faults("script_executions.create", "script_executions.list"),
    )
    def start(self, user, pick, work, named, kind, faults):
        id, text = self.runspace(user, pick), self.plan(work)
        name = self.new_name("script") if named else None
        before = self.simulator.created.copy()

        def call():
            create = self.client(user).script_executions.create
            return create(id, text, name=name, output=kind)

        result = self.attempt(call, faults)
        created = self.simulator.created - before
        assert created.total() == self.simulator.ran[text] <= 1
        runspace = self.simulator.runspaces_of(user).get(id)
        if not isinstance(result, SrsError):
            assert created == {("script_executions.create", result.name): 1}
            known = self.simulator.execution(result.id, user)
            assert known is not None
            assert (known.name, known.pod.runspace_id) == (result.name, id)
            self.scripts[result.id] = text
            return
        if isinstance(result, OutcomeUnknownError):
            assert all(name in result.advice for _, name in created)
            if name is None and faults and all(f.operation == "script_executions.create" for f in faults):
                assert not [
                    e
                    for e in self.simulator.executions_of(user).values()
                    if ("script_executions.create", e.name) in created
                ]
        elif not isinstance(result, DecodeError):
            assert isinstance(result, NotSentError | ApiError)
            assert not created
        if isinstance(result, NotFoundError):
            assert runspace is None
        elif self.is_late(faults):
            return
        elif isinstance(result, RunspaceBusyError):
            assert runspace.pod.busy(self.simulator.clock.seconds())
        elif isinstance(result, RunspaceNotReadyError):
            assert runspace.state != "ready"

    @precondition(lambda self: self.scripts)
    @rule(
        user=users,
        pick=picks,
        timeout=st.sampled_from([0.0, 10.0, 5000.0]),
        cancel=st.booleans(),
        faults=some_faults("script_executions.get", "script_executions.cancel"),
    )
    def wait(self, user, pick, timeout, cancel, faults):
        id = self.script(pick)

        def call():
            return self.client(user).script_executions.wait(id, timeout=timeout, cancel_on_exit=cancel)

        result = self.attempt(call, faults)
        known = self.simulator.execution(id, user)
        if isinstance(result, NotFoundError):
            assert known is None
        elif isinstance(result, WaitTimeoutError):
            # Whoever asks once only cannot hear twice that it is not there.
            assert faults or (timeout == 0 if known is None else known.state == "running")
        elif isinstance(result, SrsError):
            assert faults
        elif known is None:
            assert self.is_late(faults)
        elif result.stuck:
            assert known.zombie
        else:
            assert (result.id, result.state) == (id, known.state)
            assert result.ended

    @precondition(lambda self: self.scripts)
    @rule(user=users, pick=picks, faults=some_faults("script_executions.cancel"))
    def cancel(self, user, pick, faults):
        id = self.script(pick)
        result = self.attempt(lambda: self.client(user).script_executions.cancel(id), faults)
        known = self.simulator.execution(id, user)
        if isinstance(result, NotFoundError):
            assert known is None
        elif result is None and known is not None and known.pod.failure is None:
            self.simulator.clock.advance(2.0)
            self.simulator._gateway.agenda.catch_up()
            assert known.state != "running" or known.zombie

    @precondition(lambda self: self.scripts)
    @rule(user=users, pick=picks, faults=some_faults(*SCRIPTS))
    def look(self, user, pick, faults):
        id = self.script(pick)
        scripts = self.client(user).script_executions
        late = self.is_late(faults)
        result = self.attempt(lambda: scripts.get(id), faults)
        known = self.simulator.execution(id, user)
        if isinstance(result, NotFoundError):
            assert known is None
        elif not isinstance(result, SrsError) and not late:
            assert result.stuck if known.zombie else result.id == id
            assert (result.name, result.state, result.reason) == (known.name, known.state, known.reason)
        records = self.attempt(lambda: scripts.records(id, "warning"), faults)
        known = self.simulator.execution(id, user)
        if not isinstance(records, SrsError) and not late:
            written = known.streams.get("warning", [])
            assert [record.message for record in records] == [message for _, message in written]
        output = self.attempt(lambda: scripts.output(id), faults)
        known = self.simulator.execution(id, user)
        if not isinstance(output, SrsError) and not late:
            assert output == [text for text in known.output or [] if text is not None]

    @precondition(lambda self: self.scripts)
    @rule(user=users, pick=picks, faults=some_faults("script_executions.get", "script_executions.streams"))
    def follow(self, user, pick, faults):
        id = self.script(pick)
        work = self.simulator.plans[self.scripts[id]]
        told = []

        def call():
            told.extend(self.client(user).script_executions.follow(id))

        result = self.attempt(call, faults)
        known = self.simulator.execution(id, user)
        if isinstance(result, NotFoundError):
            assert known is None
        for stream in ("error", "warning", "information"):
            items = [item for item in told if item.stream == stream]
            gaps = [item for item in items if isinstance(item, StreamGap)]
            messages = [item.message for item in items if item not in gaps]
            rest = iter(work.written(stream))
            assert all(message in rest for message in messages)
            if result is None and known is not None and known.state == "success" and not known.zombie:
                assert gaps or messages == work.written(stream)

    # Everything else.

    @rule(user=users, faults=some_faults("web_consoles.create", "web_consoles.get", "web_consoles.delete"))
    def use_console(self, user, faults):
        before = set(self.simulator.consoles_of(user))
        consoles = self.client(user).web_consoles
        result = self.attempt(lambda: consoles.create(timeout=30.0), faults)
        new = {id: state for id, state in self.simulator.consoles_of(user).items() if id not in before}
        assert len(new) <= 1
        if isinstance(result, QuotaExceededError | NotSentError):
            assert not new
        elif not isinstance(result, SrsError):
            assert new == {result.id: "available"}
            if self.attempt(lambda: consoles.delete(result.id), faults) is None:
                assert result.id not in self.simulator.consoles_of(user)

    @rule(seconds=durations)
    def time_passes(self, seconds):
        self.simulator.clock.advance(seconds)

    @rule(user=users)
    def log_out(self, user):
        self.client(user).logout()

    @rule(what=st.sampled_from(["sessions", "full", "room", "room", "restart"]))
    def the_service_suffers(self, what):
        match what:
            case "sessions":
                self.simulator.expire_sessions()
                assert self.simulator.session_count == 0
            case "full":
                self.simulator.fill_quota()
                assert self.simulator.quota_left <= 0
            case "room":
                self.simulator.clear_conditions()
            case _:
                self.simulator.restart()
                assert not self.simulator.runspaces

    @rule(user=users, state=st.sampled_from(["ready", "creating", "error"]))
    def a_runspace_appears(self, user, state):
        if len(self.simulator.runspaces) < 6:
            self.simulator.add_runspace(user=user, name="made here", state=state)

    @rule(
        user=users,
        pick=picks,
        what=st.sampled_from(["kill_runspace", "make_unreachable", "make_reachable", "make_reachable"]),
    )
    def a_runspace_suffers(self, user, pick, what):
        id = self.runspace(user, pick)
        if id in self.simulator.runspaces:
            getattr(self.simulator, what)(id)

    # What is true after each step.

    @invariant()
    def lists_tell_the_truth(self):
        for user, caller in self.callers.items():
            listed = [(item.id, item.name, item.state) for item in caller.client.runspaces.list()]
            known = self.simulator.runspaces_of(user).values()
            assert listed == [(item.id, item.name, item.state) for item in known]
            self.runspaces += [id for id, _, _ in listed if id not in self.runspaces]
            scripts = caller.client.script_executions.list(skip_system=False)
            assert {(item.id, item.state) for item in scripts} == {
                (item.id, item.state) for item in self.simulator.executions_of(user).values()
            }
            consoles = [(item.id, item.state) for item in caller.client.web_consoles.list()]
            assert dict(consoles) == self.simulator.consoles_of(user)

            caller.check_nothing_is_held()
            assert len([runspace for runspace in self.pooled(user) if runspace.id not in self.left]) <= 2
        # What was deleted stays deleted.
        assert not self.gone & set(self.simulator.runspaces)

    def teardown(self) -> None:
        self.log.close()
        for pool in self.pools.values():
            pool.__exit__(None, None, None)
        for caller in self.callers.values():
            caller.client.__exit__(None, None, None)
            caller.check_nothing_is_held()


class AsyncWalk(Walk):
    """The same with the async client."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.loop.close()


SETTINGS = settings(
    report_multiple_bugs=False,
    max_examples=WALKS or 15,
    stateful_step_count=40,
    derandomize=not WALKS,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

#: A walk takes its time where coverage is measured.
pytestmark = pytest.mark.timeout(600)

TestWalk = Walk.TestCase
TestWalk.settings = SETTINGS
TestAsyncWalk = AsyncWalk.TestCase
TestAsyncWalk.settings = SETTINGS
