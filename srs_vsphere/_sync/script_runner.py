"""Running a script in a runspace from start to result, one after the other."""

from __future__ import annotations

import logging

from srs_vsphere._sync.script_calls import SECONDS_TO_CANCEL, ScriptCalls
from srs_vsphere._sync.script_collector import ScriptCollector
from srs_vsphere._sync.script_run import ScriptRun
from srs_vsphere._sync.script_turns import ScriptTurn, Unfinished
from srs_vsphere._sync.session import Session
from srs_vsphere._concurrency.hook import Hook
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.failures import UNREACHABLE, may_have_taken_effect, was_not_started
from srs_vsphere._service.script_output import OutputReader, settled
from srs_vsphere._service.script_request import Job
from srs_vsphere._service.unique_names import is_unique_name
from srs_vsphere.errors import DecodeError, NotFoundError, SrsError, WaitTimeoutError
from srs_vsphere.events import ScriptStarted
from srs_vsphere.models import ScriptExecution
from srs_vsphere.results import ScriptOutcome, ScriptResult

_log = logging.getLogger("srs_vsphere")

#: What a script left that ended long ago is collected within so long.
_SECONDS_TO_COLLECT = 60.0
#: A script left behind by a canceled run is given so long to stop.
_SECONDS_TO_STOP = 60.0


class ScriptRunner:
    """Runs scripts in one runspace, each after the end of the one before it was read.

    Args:
        session: makes the calls, and says whose turn it is.
        runspace_id: the runspace.
    """

    def __init__(self, session: Session, runspace_id: str) -> None:
        self._session = session
        self._calls = ScriptCalls(session)
        self._clock = session.sender.clock
        self._host = session.sender.origin.host
        self._observer = session.sender.observer
        self._runspace_id = runspace_id

    def run(self, job: Job, deadline: Deadline | None = None) -> ScriptResult[object]:
        """Run a script.

        Args:
            job: the script.
            deadline: when all of it must have ended; default the job's timeout from now.

        Returns:
            What came of it.

        Raises:
            ScriptFailedError: it did not plainly succeed, and the job asks for that.
            OutputMismatchError: its output does not fit the class that its objects were to be made into.
            WaitTimeoutError: it did not end in time, and was canceled.
            SrsError: a call failed for good.
        """
        deadline = Deadline(job.timeout, self._clock.now) if deadline is None else deadline
        with self._observer.span("srs.run", {"server.address": self._host}) as span:
            result = self._run(job, deadline)
            if span is not None:
                span.set({"srs.outcome": str(result.outcome)})
        return settled(result, job.reader, check=job.check, host=self._host)

    def _run(self, job: Job, deadline: Deadline) -> ScriptResult[object]:
        turn = self._take_turn(deadline)
        try:
            run = self._begin(turn, job, deadline)
            result = ScriptCollector(
                self._session, run, turn, deadline, stop_late=True, stop_left=True
            ).collect()
            turn.failed = turn.failed or result.outcome is ScriptOutcome.LOST
        except SrsError as error:
            if error.code == UNREACHABLE:
                turn.failed = True
            raise
        finally:
            self._session.turns.give_back(turn)
        return result

    def start(self, job: Job) -> ScriptRun:
        """Start a script and leave it running; the next in this runspace waits for its end and collects it.

        Raises:
            SrsError: it was not started, or that is unknown.
        """
        deadline = Deadline(job.timeout, self._clock.now)
        turn = self._take_turn(deadline)
        try:
            run = turn.started = self._begin(turn, job, deadline)
        except SrsError as error:
            if error.code == UNREACHABLE:
                turn.failed = True
            raise
        finally:
            self._session.turns.give_back(turn)
        return run

    def finish(self, run: ScriptRun) -> ScriptResult[object]:
        """Wait for the end of a script that was started, unless another call has, and return what came of it.

        Raises:
            WaitTimeoutError: it did not end in time, and was canceled.
            SrsError: a call failed for good.
        """
        deadline = run.deadline
        if run.result is None and deadline.over and (self._calls.get(run.id)).ended:
            # It ended in time, and is collected late.
            deadline = Deadline(_SECONDS_TO_COLLECT, self._clock.now)
        turn = self._take_turn(deadline)
        try:
            if run.result is not None:
                return run.result
            result = ScriptCollector(self._session, run, turn, deadline, stop_late=True).collect()
            turn.failed = turn.failed or result.outcome is ScriptOutcome.LOST
            return result
        finally:
            self._session.turns.give_back(turn)

    def collect(
        self, id: str, reader: OutputReader, *, timeout: float | None, check: bool, asks_for_rest: bool
    ) -> ScriptResult[object]:
        """Wait for the end of a script that any program started, and return what came of it.

        Args:
            id: the script's id.
            reader: reads its output.
            timeout: seconds until waiting is given up; None for never.
            check: whether anything but plain success raises.
            asks_for_rest: whether the runspace is asked for what a script that left early had not put out.

        Raises:
            SrsError: as for `run`.
        """
        deadline = Deadline(timeout, self._clock.now)
        execution = self._calls.get(id, deadline.left())
        run = ScriptRun(execution, reader, deadline, name=execution.name)
        turn = ScriptTurn(self._runspace_id)
        if asks_for_rest:
            run.runspace_id = self._runspace_id
            # Scripts without a name of the caller's own bear that of their run.
            turn = self._take_turn(deadline)
            # Where another script runs there is nothing to ask for any more.
            if is_unique_name(execution.name) and turn.unfinished is None:
                run.values_of = execution.name
        try:
            result = ScriptCollector(self._session, run, turn, deadline).collect()
        finally:
            if asks_for_rest:
                self._session.turns.give_back(turn)
        return settled(result, reader, check=check, host=self._host)

    def _take_turn(self, deadline: Deadline) -> ScriptTurn:
        try:
            return self._session.turns.take(self._runspace_id, deadline.left())
        except TimeoutError:
            raise self._not_started(f"the runspace ran other scripts for {deadline.seconds:g} s") from None

    def _begin(self, turn: ScriptTurn, job: Job, deadline: Deadline) -> ScriptRun:
        hook = None if job.on_record is None else Hook("on_record", job.on_record)
        self._await_started(turn, deadline)
        self._await_unfinished(turn, deadline)
        execution = self._start(turn, job, deadline)
        turn.unfinished = Unfinished(job.name, execution.id)
        event = ScriptStarted(
            host=self._host, name=job.name, script_id=execution.id, runspace_id=self._runspace_id
        )
        self._observer.tell(event)
        if self._observer.log_scripts:
            _log.debug("%s: script %s: %s", self._host, job.name, job.script)
        return ScriptRun(
            execution,
            job.reader,
            deadline,
            name=job.name,
            script=job.script,
            runspace_id=self._runspace_id,
            values_of=job.run,
            streams=job.streams,
            on_record=hook,
        )

    def _await_started(self, turn: ScriptTurn, deadline: Deadline) -> None:
        """Wait for a script that was started and left running, and collect what it leaves."""
        run = turn.started
        if run is None:
            return
        try:
            if run.result is None:
                ScriptCollector(self._session, run, turn, deadline).collect()
        except WaitTimeoutError:
            raise self._not_started(
                f"{run.named}, which was started before it, did not end in {deadline.seconds:g} s"
            ) from None
        except SrsError as error:
            # Whoever asks for its result learns it too.
            _log.info("what %s left was not collected: %s", run.named, error)
        turn.started = None

    def _await_unfinished(self, turn: ScriptTurn, deadline: Deadline) -> None:
        """Wait for a script that a run before left behind, and asked to stop."""
        left = turn.unfinished
        if left is None:
            return
        script_id = left.id
        if script_id is None:
            script_id = self._calls.cancel_lost(left.name, self._runspace_id)
            if script_id is None:
                raise self._not_started("it is unknown whether the script before it still runs")
        else:
            # Asked again, for the first may have had no effect: the service passes over what comes while it
            # still makes the values of a script's parameters.
            seconds = deadline.left_to_undo(SECONDS_TO_CANCEL)
            self._calls.cancel_on_the_way_out(script_id, left.name, seconds)
        if script_id:
            try:
                self._calls.wait(script_id, deadline.seconds, deadline.left(_SECONDS_TO_STOP))
            except WaitTimeoutError as error:
                error.started = False
                error.advice = (
                    "The script before it in this runspace does not stop, and yours was not started: use"
                    " another runspace."
                )
                raise
            except NotFoundError:
                # It is not even in the history any more.
                pass
        turn.unfinished = None

    def _start(self, turn: ScriptTurn, job: Job, deadline: Deadline) -> ScriptExecution:
        if deadline.over:
            raise self._not_started(f"the time of {deadline.seconds:g} s was over")
        unique = job.name_is_unique
        try:
            execution = self._calls.start(
                self._runspace_id, job.body, job.name, unique=unique, within=deadline.keeping_back().left()
            )
        except BaseException as error:
            lost = not isinstance(error, SrsError) or may_have_taken_effect(error)
            if isinstance(error, SrsError) and (lost or was_not_started(error)):
                # A runspace that cannot be reached may show as a response that cannot be read.
                turn.failed = True
            # Under a name of the caller's own it cannot be told from others.
            if lost and unique:
                turn.unfinished = Unfinished(job.name)
                found = self._calls.cancel_lost(job.name, self._runspace_id)
                turn.unfinished = None if found == "" else Unfinished(job.name, found)
            raise
        if execution.stuck:
            turn.failed = True
            raise DecodeError(
                f"script {job.name} was accepted without an id",
                operation="script_executions.create",
                host=self._host,
                advice="What became of it is unknown: look at what it was to do before running it again.",
            )
        return execution

    def _not_started(self, message: str) -> WaitTimeoutError:
        return WaitTimeoutError(
            message,
            started=False,
            operation="run",
            host=self._host,
            advice="The script was not started: give it more time, or use another runspace.",
        )
