"""Running a script in a runspace from start to result, one after the other."""

from __future__ import annotations

from srs_vsphere._async.script_calls import AsyncScriptCalls
from srs_vsphere._async.script_follower import AsyncScriptWatch
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._codec.models import WireError
from srs_vsphere._concurrency.limiter import AsyncLimiter
from srs_vsphere._service.script_request import Job
from srs_vsphere.errors import DecodeError, NotFoundError, SrsError, WaitTimeoutError
from srs_vsphere.models import ScriptExecution, StreamGap, StreamRecord, StreamType
from srs_vsphere.results import ScriptOutcome, ScriptResult, outcome_of, split_streams

#: After a script has ended its output follows at once; it is asked for again this often, with such waits.
_LOOKS_FOR_OUTPUT = 6
_SECONDS_BETWEEN = 0.25
#: A script left behind by a canceled run is given so long to stop.
_SECONDS_TO_STOP = 60.0


class AsyncScriptRunner:
    """Runs scripts in one runspace, each after the end of the one before it was read.

    The service takes a script as soon as the one before it has ended, but then loses sight of that one, and
    reports it as lost although it succeeded.

    Args:
        session: makes the calls.
        runspace_id: the runspace.
    """

    def __init__(self, session: AsyncSession, runspace_id: str) -> None:
        self._session = session
        self._calls = AsyncScriptCalls(session)
        self._clock = session.sender.clock
        self._host = session.sender.origin.host
        self._runspace_id = runspace_id
        self._turn = AsyncLimiter(1)
        #: The script whose end was not read yet.
        self._unfinished: str | None = None

    async def run(self, job: Job) -> ScriptResult[object]:
        """Run a script.

        Args:
            job: the script.

        Returns:
            What came of it.

        Raises:
            WaitTimeoutError: it did not end in time, and was canceled.
            SrsError: a call failed for good.
        """
        deadline = None if job.timeout is None else self._clock.now() + job.timeout
        await self._take_turn(job.timeout)
        try:
            await self._await_unfinished(self._left(deadline))
            started = await self._start(job)
            self._unfinished = started.id
            try:
                return await self._result(started, job, self._left(deadline))
            except BaseException as error:
                await self._calls.cancel_on_the_way_out(started.id)
                if isinstance(error, WaitTimeoutError):
                    error.advice = "The script was asked to stop: what it had done by then is done."
                raise
        finally:
            self._turn.release()

    async def _take_turn(self, timeout: float | None) -> None:
        try:
            await self._turn.acquire(1e9 if timeout is None else timeout)
        except TimeoutError:
            raise WaitTimeoutError(
                f"the runspace ran other scripts for {timeout:g} s",
                host=self._host,
                advice="The script was not started: give it more time, or use another runspace.",
            ) from None

    async def _await_unfinished(self, timeout: float | None) -> None:
        """Wait for a script that a run before left behind, and asked to stop."""
        if self._unfinished is None:
            return
        # Asked again, for it may not have heard: the service passes over what comes while it still makes the
        # values of a script's parameters.
        await self._calls.cancel_on_the_way_out(self._unfinished)
        try:
            await self._calls.wait(
                self._unfinished, _SECONDS_TO_STOP if timeout is None else min(_SECONDS_TO_STOP, timeout)
            )
        except WaitTimeoutError as error:
            error.advice = "The script before it in this runspace does not stop: use another runspace."
            raise
        except NotFoundError:
            # It is not even in the history any more.
            pass
        self._unfinished = None

    async def _start(self, job: Job) -> ScriptExecution:
        try:
            execution = await self._calls.start(
                self._runspace_id, job.body, job.name, unique=job.name_is_unique
            )
        except BaseException as error:
            # Whoever is canceled while the answer is on its way leaves a script that may have started. Under
            # a name of the caller's own it cannot be told from others.
            if not isinstance(error, Exception) and job.name_is_unique:
                self._unfinished = await self._calls.cancel_lost(job.name)
            raise
        if execution.stuck:
            raise DecodeError(
                "the script was accepted without an id",
                operation="script_executions.create",
                host=self._host,
                advice="Nobody can say what became of it: look at what it was to do before running it again.",
            )
        return execution

    async def _result(
        self, started: ScriptExecution, job: Job, timeout: float | None
    ) -> ScriptResult[object]:
        watch = AsyncScriptWatch(self._session, started.id, timeout)
        followed: list[StreamRecord | StreamGap] = []
        output: list[str | None] | None = None
        lost = False
        try:
            while watch.execution is None:
                followed += await watch.look()
            self._unfinished = None
            # In this order, for the service writes the streams after the output: they are whole once it is.
            output = await self._output(watch.execution)
            followed += await watch.finish()
        except NotFoundError:
            # The service was restarted, or has pruned its history: nobody can say what became of the script.
            self._unfinished = None
            lost = True
            followed += watch.give_up()
        execution = watch.last or started
        streams = split_streams([record for record in followed if isinstance(record, StreamRecord)])
        return ScriptResult(
            outcome=ScriptOutcome.LOST if lost else outcome_of(execution, streams[StreamType.ERROR]),
            output=self._decoded(job, execution, output),
            errors=streams[StreamType.ERROR],
            warnings=streams[StreamType.WARNING],
            information=streams[StreamType.INFORMATION],
            verbose=streams[StreamType.VERBOSE],
            debug=streams[StreamType.DEBUG],
            lost_records=sum(gap.at_least for gap in followed if isinstance(gap, StreamGap)),
            execution=execution,
        )

    async def _output(self, execution: ScriptExecution) -> list[str | None] | None:
        if outcome_of(execution, ()) is ScriptOutcome.LOST:
            return None
        for _ in range(_LOOKS_FOR_OUTPUT):
            output = await self._calls.output(execution.id)
            if output is not None and None not in output:
                return output
            await self._clock.sleep(_SECONDS_BETWEEN)
        raise self._unreadable(execution, "it has none, although the script has ended")

    def _decoded(self, job: Job, execution: ScriptExecution, output: list[str | None] | None) -> object:
        try:
            return job.decode(output)
        except WireError as error:
            problem = str(error)
        raise self._unreadable(execution, problem)

    def _unreadable(self, execution: ScriptExecution, problem: str) -> SrsError:
        return DecodeError(
            f"the output of script {execution.id} cannot be read: {problem}",
            operation="script_executions.output",
            host=self._host,
            advice=f"The script has ended with state {execution.state}: look at what"
            " script_executions.output() has of it.",
        )

    def _left(self, deadline: float | None) -> float | None:
        return None if deadline is None else max(0.0, deadline - self._clock.now())
