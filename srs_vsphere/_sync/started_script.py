"""A script that was started, to be waited for, followed, stopped or collected later."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from srs_vsphere._sync.script_calls import ScriptCalls
from srs_vsphere._sync.script_follower import ScriptRecords
from srs_vsphere._sync.script_run import ScriptRun
from srs_vsphere._sync.script_runner import ScriptRunner
from srs_vsphere._sync.session import Session
from srs_vsphere._service.run_defaults import DEFAULT_TIMEOUT
from srs_vsphere._service.script_output import settled
from srs_vsphere._service.script_request import Job
from srs_vsphere._validation import check_timeout
from srs_vsphere.models import ScriptExecution
from srs_vsphere.results import ScriptResult

OutputT_co = TypeVar("OutputT_co", covariant=True)


class StartedScript(Generic[OutputT_co]):
    """A script that was started in a runspace; made by ``start()``.

    Args:
        session: makes the calls.
        runner: started it.
        job: what was sent.
        run: what is known of it.
    """

    def __init__(
        self, session: Session, runner: ScriptRunner, job: Job, run: ScriptRun
    ) -> None:
        self._session = session
        self._calls = ScriptCalls(session)
        self._runner = runner
        self._job = job
        self._run = run

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._job.name!r} {self.id}>"

    @property
    def id(self) -> str:
        """The script execution's id."""
        return self._run.id

    @property
    def execution(self) -> ScriptExecution:
        """The script execution as it was last seen."""
        return self._run.execution

    def wait(self, *, timeout: float | None = DEFAULT_TIMEOUT) -> ScriptExecution:
        """Wait until the script has ended (``GET /api/script-executions/{id}``).

        Args:
            timeout: seconds until waiting is given up, and the script goes on; default 3600, None for never.

        Returns:
            The script as it ended.

        Raises:
            WaitTimeoutError: it did not end in time; the error carries its last state.
            SrsError: asking failed for good.
        """
        check_timeout("timeout", timeout)
        self._run.execution = self._calls.wait(self.id, timeout)
        return self._run.execution

    def result(self) -> ScriptResult[OutputT_co]:
        """Wait until the script has ended, and return what came of it; a second call returns the same.

        Whoever leaves it before the end can come back: the script goes on.

        Returns:
            What came of it, as ``run()`` returns it.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            OutputMismatchError: an object does not fit ``output_type``; the error has the result.
            WaitTimeoutError: it did not end within the time that was given to ``start()``, and was canceled.
            SrsError: a call failed for good.
        """
        result = self._runner.finish(self._run)
        host = self._session.sender.origin.host
        result = settled(result, self._job.reader, check=self._job.check, host=host)
        return cast("ScriptResult[OutputT_co]", result)

    def follow(self, *, timeout: float | None = None) -> ScriptRecords:
        """Follow what the script writes to its streams, each record once and in order of time.

        Args:
            timeout: seconds until following is given up; default None, for as long as it runs.

        Returns:
            An iterator, as that of ``script_executions.follow()``.
        """
        check_timeout("timeout", timeout)
        return ScriptRecords(self._session, self.id, timeout)

    def cancel(self, *, timeout: float | None = None) -> None:
        """Ask for the script to be stopped (``POST /api/script-executions/{id}/cancel``), and do not wait.

        Args:
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            SrsError: the call failed.
        """
        self._calls.cancel(self.id, timeout=timeout)
