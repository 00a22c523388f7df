"""Running a script in a runspace from start to result, one after the other."""

from __future__ import annotations

from attrs import define, field

from srs_vsphere._sync.script_calls import SECONDS_TO_CANCEL, ScriptCalls
from srs_vsphere._sync.script_follower import ScriptWatch
from srs_vsphere._sync.script_turns import ScriptTurn, Unfinished
from srs_vsphere._sync.session import Session
from srs_vsphere._codec.models import WireError
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.failures import may_have_taken_effect
from srs_vsphere._service.script_request import Job
from srs_vsphere.errors import DecodeError, NotFoundError, SrsError, WaitTimeoutError
from srs_vsphere.models import ScriptExecution, StreamGap, StreamRecord, StreamType
from srs_vsphere.results import ScriptOutcome, ScriptResult, outcome_of, split_streams

#: After a script has ended its output follows at once; it is asked for again this often, with such waits.
_LOOKS_FOR_OUTPUT = 6
_SECONDS_BETWEEN = 0.25
#: The service's code for a runspace that it cannot reach.
_UNREACHABLE = 1000
#: A script left behind by a canceled run is given so long to stop.
_SECONDS_TO_STOP = 60.0


@define
class _Run:
    """A script that was started.

    Args:
        job: what was sent.
        deadline: when all of it must have ended.
        execution: the script as it was last seen.
        followed: what it has written to its streams so far.
    """

    job: Job
    deadline: Deadline
    execution: ScriptExecution
    followed: list[StreamRecord | StreamGap] = field(factory=list[StreamRecord | StreamGap])

    @property
    def named(self) -> str:
        """The script in an error's text."""
        return f"script {self.job.name} ({self.execution.id})"

    @property
    def records(self) -> list[StreamRecord]:
        """The records without the gaps."""
        return [record for record in self.followed if isinstance(record, StreamRecord)]


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
            WaitTimeoutError: it did not end in time, and was canceled.
            SrsError: a call failed for good.
        """
        deadline = Deadline(job.timeout, self._clock.now) if deadline is None else deadline
        turn = self._take_turn(deadline)
        try:
            self._await_unfinished(turn, deadline)
            run = _Run(job, deadline, self._start(turn, job, deadline))
            turn.unfinished = Unfinished(job.name, run.execution.id)
            result = self._result(turn, run)
            turn.failed = turn.failed or result.outcome is ScriptOutcome.LOST
        except SrsError as error:
            if error.code == _UNREACHABLE:
                turn.failed = True
            raise
        finally:
            self._session.turns.give_back(turn)
        if job.check:
            result.raise_for_outcome()
        return result

    def _take_turn(self, deadline: Deadline) -> ScriptTurn:
        try:
            return self._session.turns.take(self._runspace_id, deadline.left())
        except TimeoutError:
            raise self._not_started(
                deadline, f"the runspace ran other scripts for {deadline.seconds:g} s"
            ) from None

    def _await_unfinished(self, turn: ScriptTurn, deadline: Deadline) -> None:
        """Wait for a script that a run before left behind, and asked to stop."""
        left = turn.unfinished
        if left is None:
            return
        script_id = left.id
        if script_id is None:
            script_id = self._calls.cancel_lost(left.name, self._runspace_id)
        else:
            # Asked again, for it may not have heard: the service passes over what comes while it still makes
            # the values of a script's parameters.
            seconds = deadline.left_to_undo(SECONDS_TO_CANCEL)
            self._calls.cancel_on_the_way_out(script_id, left.name, seconds)
        if script_id is not None:
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
            raise self._not_started(deadline, f"the time of {deadline.seconds:g} s was over")
        unique = job.name_is_unique
        try:
            execution = self._calls.start(
                self._runspace_id,
                job.body,
                job.name,
                unique=unique,
                within=deadline.keeping_back().left(),
            )
        except BaseException as error:
            lost = not isinstance(error, SrsError) or may_have_taken_effect(error)
            # Under a name of the caller's own it cannot be told from others.
            if lost and unique:
                turn.unfinished = Unfinished(job.name)
                found = self._calls.cancel_lost(job.name, self._runspace_id)
                turn.unfinished = None if found is None else Unfinished(job.name, found)
            raise
        if execution.stuck:
            turn.failed = True
            raise DecodeError(
                f"script {job.name} was accepted without an id",
                operation="script_executions.create",
                host=self._host,
                advice="Nobody can say what became of it: look at what it was to do before running it again.",
            )
        return execution

    def _result(self, turn: ScriptTurn, run: _Run) -> ScriptResult[object]:
        deadline = run.deadline
        watch = ScriptWatch(
            self._session,
            run.execution.id,
            deadline.keeping_back().left(),
            given=deadline.seconds,
            streams=run.job.streams,
        )
        try:
            while watch.execution is None:
                run.followed += watch.look()
                run.execution = watch.last or run.execution
        except NotFoundError:
            # The service was restarted, or has pruned its history: nobody can say what became of the script.
            turn.unfinished = None
            run.followed += watch.give_up()
            return self._collected(run, ScriptOutcome.LOST, None, 0)
        except WaitTimeoutError as error:
            run.execution = watch.last or run.execution
            return self._out_of_time(turn, run, watch, error)
        except BaseException:
            seconds = deadline.left_to_undo(SECONDS_TO_CANCEL)
            self._calls.cancel_on_the_way_out(run.execution.id, run.job.name, seconds)
            raise
        run.execution = watch.execution
        turn.unfinished = None
        return self._ended(run, watch)

    def _ended(self, run: _Run, watch: ScriptWatch) -> ScriptResult[object]:
        """Collect what a script that has ended left."""
        execution = run.execution
        try:
            # In this order, for the service writes the streams after the output: they are whole once it is.
            output = self._output(run)
            run.followed += watch.finish(run.deadline.left())
        except NotFoundError:
            run.followed += watch.give_up()
            return self._collected(run, ScriptOutcome.LOST, None, 0)
        except SrsError as error:
            if run.deadline.over:
                raise self._timed_out(
                    run,
                    f"{run.named} ended with state {execution.state}, but what it left did not come"
                    f" within {run.deadline.seconds:g} s",
                    "script_executions.output() and .records() have it.",
                    cause=str(error),
                ) from error
            error.advice = (
                f"The {run.named} has ended with state {execution.state}: script_executions.output() and"
                ".records() may have what it left."
            )
            raise
        return self._collected(run, None, output, watch.lost_streams)

    def _out_of_time(
        self, turn: ScriptTurn, run: _Run, watch: ScriptWatch, error: WaitTimeoutError
    ) -> ScriptResult[object]:
        """Stop a script that did not end in time, and collect what it left."""
        deadline = run.deadline
        script_id = run.execution.id
        seconds = deadline.left_to_undo(SECONDS_TO_CANCEL)
        output: object = None
        if not self._calls.cancel_on_the_way_out(script_id, run.job.name, seconds):
            advice = f"Canceling it failed, so it goes on: script_executions.cancel({script_id!r}) stops it."
        else:
            advice = "It was asked to stop, and may take a moment to do so: what it does until then is done."
            try:
                run.execution = self._calls.wait(script_id, deadline.seconds, deadline.left())
                turn.unfinished = None
                result = self._ended(run, watch)
            except SrsError:
                # What is known so far is told all the same.
                pass
            else:
                if result.outcome not in {ScriptOutcome.CANCELED, ScriptOutcome.LOST}:
                    # It ended by itself before the cancel reached it.
                    return result
                output = result.output
                advice = "It was asked to stop, and has stopped: what it had done by then is done."
        raise self._timed_out(
            run, error.message, advice, cause=error.cause, output=output
        ) from error.__cause__

    def _timed_out(
        self, run: _Run, message: str, advice: str, *, cause: str | None, output: object = None
    ) -> WaitTimeoutError:
        return WaitTimeoutError(
            message,
            last=run.execution,
            started=True,
            output=output,
            records=run.records,
            operation="run",
            host=self._host,
            cause=cause,
            advice=advice,
        )

    def _not_started(self, deadline: Deadline, message: str) -> WaitTimeoutError:
        return WaitTimeoutError(
            message,
            started=False,
            operation="run",
            host=self._host,
            advice="The script was not started: give it more time, or use another runspace.",
        )

    def _collected(
        self, run: _Run, outcome: ScriptOutcome | None, output: list[str | None] | None, lost_streams: int
    ) -> ScriptResult[object]:
        streams = split_streams(run.records)
        gaps = sum(gap.at_least for gap in run.followed if isinstance(gap, StreamGap))
        return ScriptResult(
            outcome=outcome or outcome_of(run.execution, streams[StreamType.ERROR]),
            output=self._decoded(run, output),
            errors=streams[StreamType.ERROR],
            warnings=streams[StreamType.WARNING],
            information=streams[StreamType.INFORMATION],
            verbose=streams[StreamType.VERBOSE],
            debug=streams[StreamType.DEBUG],
            # Of a stream that is not there any more nobody knows how many there were.
            lost_records=gaps + lost_streams,
            execution=run.execution,
        )

    def _output(self, run: _Run) -> list[str | None] | None:
        if outcome_of(run.execution, ()) is ScriptOutcome.LOST:
            return None
        for _ in range(_LOOKS_FOR_OUTPUT):
            output = self._calls.output(run.execution.id, run.deadline.left())
            if output is not None and None not in output:
                return output
            self._clock.sleep(_SECONDS_BETWEEN)
        raise self._unreadable(run, "it has none, although the script has ended")

    def _decoded(self, run: _Run, output: list[str | None] | None) -> object:
        try:
            return run.job.decode(output)
        except WireError as error:
            problem = str(error)
        raise self._unreadable(run, problem)

    def _unreadable(self, run: _Run, problem: str) -> SrsError:
        return DecodeError(
            f"the output of {run.named} cannot be read: {problem}",
            operation="script_executions.output",
            host=self._host,
            advice=f"The script has ended with state {run.execution.state}: look at what"
            " script_executions.output() has of it.",
        )
