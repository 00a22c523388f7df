"""Running a script in a runspace from start to result, one after the other."""

from __future__ import annotations

from srs_vsphere._sync.following import ScriptWatch
from srs_vsphere._sync.script_calls import ScriptCalls
from srs_vsphere._sync.session import Session
from srs_vsphere._concurrency import Slots
from srs_vsphere._jobs import Job
from srs_vsphere._wire import WireError
from srs_vsphere.errors import DecodeError, NotFoundError, SrsError, WaitTimeoutError
from srs_vsphere.models import StreamGap, StreamRecord, StreamType
from srs_vsphere.results import ScriptOutcome, ScriptResult, outcome_of, split_streams

#: After a script has ended its output follows at once; it is asked for again this often, with such waits.
_LOOKS_FOR_OUTPUT = 6
_SECONDS_BETWEEN = 0.25
#: A script left behind by a canceled run is given so long to stop.
_SECONDS_TO_STOP = 60.0


class ScriptRunner:
    """Runs scripts in one runspace, each after the end of the one before it was read.

    The service takes a script as soon as the one before it has ended, but then loses sight of that one, and
    reports it as lost although it succeeded.

    Args:
        session: makes the calls.
        runspace_id: the runspace.
    """

    def __init__(self, session: Session, runspace_id: str) -> None:
        self._session = session
        self._calls = ScriptCalls(session)
        self._runspace_id = runspace_id
        self._turn = Slots(1)
        self._unfinished: str | None = None

    def run(self, job: Job) -> ScriptResult[object]:
        """Run a script.

        Args:
            job: the script.

        Returns:
            What came of it.

        Raises:
            WaitTimeoutError: it did not end in time, and was canceled.
            SrsError: a call failed for good.
        """
        pace = self._session.sender.pace
        began = pace.now()
        timeout = job.timeout
        try:
            self._turn.acquire(1e9 if timeout is None else timeout)
        except TimeoutError:
            problem = f"the runspace ran other scripts for {timeout:g} s"
            raise WaitTimeoutError(problem, host=self._session.sender.origin.host) from None
        try:
            self._await_unfinished()
            self._unfinished = self._start(job)
            left = None if timeout is None else max(0.0, timeout - (pace.now() - began))
            try:
                result = self._result(self._unfinished, job, left)
            except BaseException:
                self._calls.cancel_on_the_way_out(self._unfinished)
                raise
            self._unfinished = None
            return result
        finally:
            self._turn.release()

    def _start(self, job: Job) -> str:
        try:
            execution = self._calls.start(
                self._runspace_id, job.body, job.name, unique=job.name_is_unique
            )
        except BaseException as error:
            # Whoever is canceled while the answer is on its way leaves a script that may have started.
            if not isinstance(error, SrsError):
                self._unfinished = self._calls.cancel_lost(job.name)
            raise
        if execution.stuck:
            raise DecodeError(
                "the script was accepted without an id",
                operation="script_executions.create",
                host=self._session.sender.origin.host,
                advice="Nobody can say what became of it: look at what it was to do before running it again.",
            )
        return execution.id

    def _result(self, id: str, job: Job, timeout: float | None) -> ScriptResult[object]:
        watch = ScriptWatch(self._session, id, timeout)
        followed: list[StreamRecord | StreamGap] = []
        while watch.execution is None:
            followed += watch.look()
        execution = watch.execution
        records = [record for record in followed if isinstance(record, StreamRecord)]
        streams = split_streams(records)
        outcome = outcome_of(execution, streams[StreamType.ERROR])
        output = None if outcome is ScriptOutcome.LOST else self._output(id)
        return ScriptResult(
            outcome=outcome,
            output=self._decoded(job, output),
            errors=streams[StreamType.ERROR],
            warnings=streams[StreamType.WARNING],
            information=streams[StreamType.INFORMATION],
            verbose=streams[StreamType.VERBOSE],
            debug=streams[StreamType.DEBUG],
            lost_records=sum(gap.at_least for gap in followed if isinstance(gap, StreamGap)),
            execution=execution,
        )

    def _output(self, id: str) -> list[str | None] | None:
        for _ in range(_LOOKS_FOR_OUTPUT):
            output = self._calls.output(id)
            if output is not None and None not in output:
                return output
            self._session.sender.pace.sleep(_SECONDS_BETWEEN)
        return None

    def _decoded(self, job: Job, output: list[str | None] | None) -> object:
        try:
            return job.decode(output)
        except WireError as error:
            problem = f"the script's output cannot be read: {error}"
        raise DecodeError(
            problem, operation="script_executions.output", host=self._session.sender.origin.host
        )

    def _await_unfinished(self) -> None:
        """Wait for a script that a run before left behind, and canceled."""
        if self._unfinished is None:
            return
        watch = ScriptWatch(self._session, self._unfinished, _SECONDS_TO_STOP)
        try:
            while watch.execution is None:
                watch.look()
        except NotFoundError:
            # It is not even in the history any more.
            pass
        self._unfinished = None
