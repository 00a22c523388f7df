"""A runspace for the length of a block: created, ready, connected if asked, and deleted whatever happens."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Literal, TypeVar, Unpack, overload

from srs_vsphere._async.runspace_calls import AsyncRunspaceCalls
from srs_vsphere._async.script_follower import AsyncScriptWatch
from srs_vsphere._async.script_runner import AsyncScriptRunner
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._codec.structured_output import DEFAULT_DEPTH
from srs_vsphere._service.poll_schedule import AskAgain, Seen, Wait, WaitPolicy
from srs_vsphere._service.script_request import Job, OutputChoice, RunOptions, prepare, unique_name
from srs_vsphere.errors import (
    VCenterConnectionError,
    DecodeError,
    OutcomeUnknownError,
    QuotaExceededError,
    RunspaceNotReadyError,
    ServerError,
    SrsError,
    WaitTimeoutError,
)
from srs_vsphere.models import PSDocument, Runspace, StreamGap, StreamRecord, StreamType
from srs_vsphere.results import ScriptOutcome, ScriptResult, outcome_of, split_streams

T = TypeVar("T")

_log = logging.getLogger("srs_vsphere")

#: Deleting blocks on the service for up to four seconds.
_SECONDS_TO_DELETE = 20.0
#: A lost creation is looked for twice, for it may still be on its way.
_SECONDS_TO_FIND = 10.0
_SECONDS_UNTIL_A_LOST_ONE_SHOWS = 1.0


class AsyncRunspaceHandle:
    """A runspace that is ready, in which scripts run one at a time.

    Args:
        session: makes the calls.
        runspace: the runspace.
    """

    def __init__(self, session: AsyncSession, runspace: Runspace) -> None:
        self.runspace: Runspace = runspace
        self._runner = AsyncScriptRunner(session, runspace.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.runspace.name!r}>"

    @property
    def id(self) -> str:
        """The runspace's id."""
        return self.runspace.id

    @overload
    async def run(
        self, script: str, *, output: Literal["text"] = "text", **options: Unpack[RunOptions]
    ) -> ScriptResult[str]: ...
    @overload
    async def run(
        self,
        script: str,
        *,
        output: Literal["json"],
        depth: int = DEFAULT_DEPTH,
        output_type: type[T],
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[T]]: ...
    @overload
    async def run(
        self,
        script: str,
        *,
        output: Literal["json"],
        depth: int = DEFAULT_DEPTH,
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[object]]: ...
    @overload
    async def run(
        self, script: str, *, output: Literal["raw"], **options: Unpack[RunOptions]
    ) -> ScriptResult[list[PSDocument]]: ...
    async def run(
        self,
        script: str,
        *,
        output: OutputChoice = "text",
        depth: int = DEFAULT_DEPTH,
        output_type: type | None = None,
        **options: Unpack[RunOptions],
    ) -> ScriptResult[object]:
        """Run a script in this runspace and wait for its end; calls at once wait for each other.

        Variables, functions and connections stay from one script to the next.

        Args:
            script: the script.
            output: the form of the output: ``text``, one text in which tables are cut at 80 columns;
                ``json``, Python values of any depth; ``raw``, the service's own documents, one level deep.
            depth: for ``json``: how many levels below each object are kept; default 8.
            output_type: for ``json``: a class that each object is made into.
            **options: see `RunOptions`.

        Returns:
            What came of it; look at ``outcome`` before trusting ``output``.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            WaitTimeoutError: it did not end in time, and was canceled.
            RunspaceBusyError: somebody else runs a script in this runspace.
            TypeError: an argument is of the wrong kind, before anything is sent.
            ValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        job = prepare(script, options, output=output, depth=depth, output_type=output_type)
        return await self.run_job(job)

    async def run_job(self, job: Job) -> ScriptResult[object]:
        """Run a script that is ready to be sent; `run` is what a program calls.

        Args:
            job: the script.
        """
        result = await self._runner.run(job)
        if job.check:
            result.raise_for_outcome()
        return result


class AsyncRunspaceBlock:
    """A runspace as an ``async with`` block, whose target is its handle; made by ``runspaces.open()``."""

    def __init__(
        self,
        session: AsyncSession,
        name: str | None,
        *,
        run_vc_connection_script: bool,
        timeout: float | None,
        wait_for_quota: float,
    ) -> None:
        self._session = session
        self._calls = AsyncRunspaceCalls(session)
        self._prefix = name
        self.name: str = unique_name(name)
        self._connected = run_vc_connection_script
        self._timeout = timeout
        self._wait_for_quota = wait_for_quota
        self._id: str | None = None

    async def __aenter__(self) -> AsyncRunspaceHandle:
        if self._id is not None:
            raise RuntimeError("this runspace is open already: open another for a second block")
        try:
            self._id = (await self._create()).id
            runspace = await self._calls.wait_ready(self._id, self._timeout)
            if self._connected:
                await self._check_connection(runspace)
        except BaseException as error:
            await self.delete()
            if isinstance(error, WaitTimeoutError | RunspaceNotReadyError):
                error.advice = "The runspace was not kept: open another once the reason is mended."
            raise
        return AsyncRunspaceHandle(self._session, runspace)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.delete()

    async def delete(self) -> bool:
        """Delete the runspace, reached by no cancellation, bounded in time, never raising.

        An error would take the place of what the block came to, which is worth more: it is logged instead.

        Returns:
            Whether it is gone, or never was there.
        """
        opened, self._id = self._id, None
        # The next block has a runspace of its own, not to be mistaken for one that could not be deleted.
        self.name = unique_name(self._prefix)
        if opened is None:
            return True
        problem: object = "the service did not answer in time"
        with self._session.sender.clock.shielded(_SECONDS_TO_DELETE):
            try:
                await self._calls.delete(opened, _SECONDS_TO_DELETE)
                return True
            except (SrsError, RuntimeError) as error:
                # A RuntimeError says that the client was closed within the block.
                problem = error
        _log.warning("runspace %s was not deleted, and stays until it has idled: %s", opened, problem)
        return False

    async def _create(self) -> Runspace:
        clock = self._session.sender.clock
        began = clock.now()
        patience = Wait(WaitPolicy(timeout=self._wait_for_quota), clock.random)
        while True:
            try:
                return await self._calls.create(
                    self.name, run_vc_connection_script=self._connected, unique=True
                )
            except QuotaExceededError:
                step = patience.saw(clock.now() - began, Seen.PENDING)
                if not isinstance(step, AskAgain):
                    raise
            except BaseException as error:
                if _may_have_made_one(error):
                    self._id = await self._find()
                raise
            await clock.sleep(step.delay)

    async def _find(self) -> str | None:
        """Look for the runspace, since nobody has seen the end of its creation; on the way out as above."""
        clock = self._session.sender.clock
        problem: object = "the service did not answer in time"
        with clock.shielded(_SECONDS_TO_FIND):
            try:
                found = await self._calls.find(self.name, _SECONDS_TO_FIND)
                if found is None:
                    await clock.sleep(_SECONDS_UNTIL_A_LOST_ONE_SHOWS)
                    found = await self._calls.find(self.name, _SECONDS_TO_FIND)
                return found.id if found is not None else None
            except (SrsError, RuntimeError) as error:
                problem = error
        _log.warning("a runspace named %s may be left, and could not be looked for: %s", self.name, problem)
        return None

    async def _check_connection(self, runspace: Runspace) -> None:
        """Look at what became of the connection: to the service, a runspace without one is ready too."""
        host = self._session.sender.origin.host
        script_id = runspace.vc_connection_script_id
        if script_id is None:
            raise VCenterConnectionError(
                f"runspace {runspace.id} never tried to connect to vCenter",
                operation="runspaces.open",
                host=host,
            )
        watch = AsyncScriptWatch(self._session, script_id, self._timeout)
        followed: list[StreamRecord | StreamGap] = []
        while watch.execution is None:
            followed += await watch.look()
        followed += await watch.finish()
        records = split_streams([record for record in followed if isinstance(record, StreamRecord)])
        errors = records[StreamType.ERROR]
        if outcome_of(watch.execution, errors) is ScriptOutcome.SUCCEEDED:
            return
        reason = (watch.execution.reason or "").strip() or "no reason was given"
        raise VCenterConnectionError(
            f"runspace {runspace.id} is not connected to vCenter:"
            f" {errors[0].message if errors else reason.splitlines()[0]}",
            records=errors,
            operation="runspaces.open",
            host=host,
        )


def _may_have_made_one(error: BaseException) -> bool:
    """Tell whether a creation that ended so may have been carried out."""
    return not isinstance(error, Exception) or isinstance(
        error, OutcomeUnknownError | DecodeError | ServerError
    )
