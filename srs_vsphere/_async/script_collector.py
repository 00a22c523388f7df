"""Collecting what a script leaves: its records while it runs, its output and the rest of it at the end."""

from __future__ import annotations

import logging

from srs_vsphere._async.script_calls import SECONDS_TO_CANCEL, AsyncScriptCalls
from srs_vsphere._async.script_follower import AsyncScriptWatch
from srs_vsphere._async.script_run import AsyncScriptRun
from srs_vsphere._async.script_turns import AsyncScriptTurn, Unfinished
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._codec.models import WireError
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.failures import may_have_taken_effect
from srs_vsphere._service.script_output import CollectedScript, ReadOutput, Texts
from srs_vsphere._service.script_request import ScriptBody
from srs_vsphere._service.unique_names import unique_name
from srs_vsphere._service.wrapped_scripts import rest_of
from srs_vsphere.errors import DecodeError, NotFoundError, SrsError, WaitTimeoutError, without_advice
from srs_vsphere.events import ScriptEnded
from srs_vsphere.models import OutputFormat, ScriptExecution
from srs_vsphere.results import ScriptOutcome, ScriptResult, outcome_of

_log = logging.getLogger("srs_vsphere")

#: After a script has ended its output follows at once; it is asked for again this often, with such waits.
_POLLS_FOR_OUTPUT = 6
_SECONDS_BETWEEN = 0.25
#: Asking for the rest of a script that left early may take so long.
_SECONDS_FOR_REST = 5.0
#: Of the time kept back at the end, a script that was canceled has this part to stop in.
_PART_TO_STOP = 0.6


class AsyncScriptCollector:
    """Waits for one script, and puts its result together.

    Args:
        session: makes the calls.
        run: the script.
        turn: the turn in its runspace.
        deadline: when that must have ended.
        stop_late: whether the script is canceled if it does not end in time.
        stop_left: whether it is canceled if waiting is left before its end.
    """

    def __init__(
        self,
        session: AsyncSession,
        run: AsyncScriptRun,
        turn: AsyncScriptTurn,
        deadline: Deadline,
        *,
        stop_late: bool = False,
        stop_left: bool = False,
    ) -> None:
        self._calls = AsyncScriptCalls(session)
        self._clock = session.sender.clock
        self._host = session.sender.origin.host
        self._observer = session.sender.observer
        self._run = run
        self._turn = turn
        self._deadline = deadline
        self._stop_late = stop_late
        self._stop_left = stop_left
        self._watch = AsyncScriptWatch(
            session,
            run.id,
            deadline.keeping_back().left() if stop_late else deadline.left(),
            given=deadline.seconds,
            streams=run.streams,
            follower=run.follower,
        )

    async def collect(self) -> ScriptResult[object]:
        """Wait for the script's end, and collect what it left.

        Raises:
            WaitTimeoutError: it did not end in time.
            SrsError: a call failed for good.
        """
        began = self._clock.now()
        outcome: str | None = None
        problem: str | None = None
        try:
            result = await self._collect()
            outcome = str(result.outcome)
            return result
        except BaseException as error:
            problem = type(error).__name__
            raise
        finally:
            event = ScriptEnded(
                host=self._host,
                name=self._run.name,
                script_id=self._run.id,
                runspace_id=self._run.runspace_id,
                seconds=self._clock.now() - began,
                outcome=outcome,
                error=problem,
            )
            await self._observer.tell(event)

    async def _collect(self) -> ScriptResult[object]:
        run, watch = self._run, self._watch
        try:
            while watch.execution is None:
                news = await watch.look()
                run.execution = watch.last or run.execution
                await run.heard(news)
        except NotFoundError:
            # The service was restarted, or has pruned its history: what became of the script is unknown.
            self._note_end()
            await run.heard(watch.give_up())
            return self._result(self._read(None), lost=True)
        except WaitTimeoutError as error:
            run.execution = watch.last or run.execution
            if not self._stop_late:
                raise
            return await self._out_of_time(error)
        except BaseException:
            if self._stop_left:
                seconds = self._deadline.left_to_undo(SECONDS_TO_CANCEL)
                await self._calls.cancel_on_the_way_out(run.id, run.name, seconds)
            raise
        run.execution = watch.execution
        self._note_end()
        return await self._ended()

    async def _ended(self) -> ScriptResult[object]:
        """Collect what a script that has ended left."""
        run, watch, deadline = self._run, self._watch, self._deadline
        execution = run.execution
        try:
            # In this order, for the service writes the streams after the output: they are whole once it is.
            lost = outcome_of(execution, ()) is ScriptOutcome.LOST
            output = None if lost else await self._output(execution, deadline)
            await run.heard(await watch.finish(deadline.left()))
        except NotFoundError:
            await run.heard(watch.give_up())
            return self._result(self._read(None), lost=True)
        except SrsError as error:
            if deadline.over:
                raise self._timed_out(
                    f"{run.named} ended with state {execution.state}, but what it left did not come"
                    f" within {deadline.seconds:g} s",
                    "script_executions.output() and .records() have it.",
                    cause=without_advice(error),
                ) from error
            error.advice = (
                f"The {run.named} has ended with state {execution.state}: script_executions.output() and"
                " .records() may have what it left."
            )
            raise
        read = self._read(output)
        if read.ended is False and not lost:
            read = self._read(output, await self._rest())
        return self._result(read, lost_streams=watch.lost_streams)

    async def _rest(self) -> Texts:
        """Ask for the values that a script had not put out when it was left; None if they cannot be had."""
        run, turn = self._run, self._turn
        if run.values_of is None or run.runspace_id is None:
            return None
        name = unique_name()
        body = ScriptBody({"script": rest_of(run.values_of), "output_objects_format": str(OutputFormat.JSON)})
        within = Deadline(self._deadline.left(_SECONDS_FOR_REST), self._clock.now)
        turn.unfinished = Unfinished(name)
        try:
            started = await self._calls.start(run.runspace_id, body, name, unique=True, within=within.left())
            turn.unfinished = Unfinished(name, started.id)
            ended = await self._calls.wait(started.id, within.seconds, within.left())
            turn.unfinished = None
            return await self._output(ended, within)
        except SrsError as error:
            _log.info("the values that %s had not put out when it was left are lost: %s", run.named, error)
            if turn.unfinished == Unfinished(name) and not may_have_taken_effect(error):
                turn.unfinished = None
            return None

    async def _out_of_time(self, error: WaitTimeoutError) -> ScriptResult[object]:
        """Stop a script that did not end in time, and collect what it left."""
        run, deadline = self._run, self._deadline
        script_id = run.id
        seconds = deadline.left_to_undo(SECONDS_TO_CANCEL)
        output: object = None
        if not await self._calls.cancel_on_the_way_out(script_id, run.name, seconds):
            advice = f"Canceling it failed, so it goes on: script_executions.cancel({script_id!r}) stops it."
        else:
            advice = "It was asked to stop, and may take a moment to do so: what it does until then is done."
            try:
                # What it left is asked for in the rest of the time.
                left = _PART_TO_STOP * (deadline.left() or 0.0)
                run.execution = await self._calls.wait(script_id, deadline.seconds, left)
                self._note_end()
                advice = "It was asked to stop, and has stopped: what it had done by then is done."
                result = await self._ended()
            except SrsError:
                # The error below has what is known so far.
                pass
            else:
                if result.outcome not in {ScriptOutcome.CANCELED, ScriptOutcome.LOST}:
                    # It ended by itself before the cancel reached it.
                    return result
                output = result.output
        raise self._timed_out(error.message, advice, cause=error.cause, output=output) from error.__cause__

    def _timed_out(
        self, message: str, advice: str, *, cause: str | None, output: object = None
    ) -> WaitTimeoutError:
        return WaitTimeoutError(
            message,
            last=self._run.execution,
            started=True,
            output=output,
            records=self._run.records,
            operation="run",
            host=self._host,
            cause=cause,
            advice=advice,
        )

    def _result(self, read: ReadOutput, *, lost: bool = False, lost_streams: int = 0) -> ScriptResult[object]:
        run = self._run
        collected = CollectedScript(
            run.execution, run.followed, read, run.script, lost=lost, lost_streams=lost_streams
        )
        run.result = collected.result()
        return run.result

    async def _output(self, execution: ScriptExecution, deadline: Deadline) -> list[str | None]:
        for _ in range(_POLLS_FOR_OUTPUT):
            output = await self._calls.output(execution.id, deadline.left())
            if output is not None and None not in output:
                return output
            await self._clock.sleep(_SECONDS_BETWEEN)
        raise self._unreadable("it has none, although the script has ended")

    def _read(self, output: Texts, rest: Texts = None) -> ReadOutput:
        try:
            return self._run.reader.read(output, rest)
        except WireError as error:
            problem = str(error)
        raise self._unreadable(problem)

    def _unreadable(self, problem: str) -> SrsError:
        return DecodeError(
            f"the output of {self._run.named} cannot be read: {problem}",
            operation="script_executions.output",
            host=self._host,
            advice=f"The script has ended with state {self._run.execution.state}: look at what"
            " script_executions.output() has of it.",
        )

    def _note_end(self) -> None:
        """Note that the script's end was read, if it is what the turn has to wait for."""
        turn = self._turn
        if turn.unfinished is not None and turn.unfinished.id == self._run.id:
            turn.unfinished = None
