"""A runspace for the length of a block: created, ready, connected if asked, and deleted whatever happens."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from os import PathLike
from types import TracebackType
from typing import Literal, TypeVar, Unpack, overload

from srs_vsphere._sync.runspace_calls import SECONDS_TO_DELETE, RunspaceCalls
from srs_vsphere._sync.script_follower import ScriptWatch
from srs_vsphere._sync.script_runner import ScriptRunner
from srs_vsphere._sync.session import Session
from srs_vsphere._codec.structured_output import DEFAULT_DEPTH
from srs_vsphere._concurrency.clean_up import clean_up
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.failures import may_have_taken_effect
from srs_vsphere._service.poll_schedule import AskAgain, Seen, Wait, WaitPolicy
from srs_vsphere._service.script_request import (
    DEFAULT_TIMEOUT,
    OutputChoice,
    RunOptions,
    prepare,
    unique_name,
)
from srs_vsphere.errors import (
    NotFoundError,
    QuotaExceededError,
    RunspaceNotReadyError,
    SrsError,
    VCenterConnectionError,
    WaitTimeoutError,
)
from srs_vsphere.models import PSDocument, Runspace, StreamGap, StreamRecord, StreamType
from srs_vsphere.parameters import Parameters
from srs_vsphere.results import ScriptOutcome, ScriptResult, outcome_of, split_streams

T = TypeVar("T")

_log = logging.getLogger("srs_vsphere")


class RunspaceHandle:
    """A runspace that is ready, in which scripts run one at a time.

    Args:
        session: makes the calls.
        runspace: the runspace.
    """

    def __init__(self, session: Session, runspace: Runspace) -> None:
        self.runspace: Runspace = runspace
        self._runner = ScriptRunner(session, runspace.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.runspace.name!r}>"

    @property
    def id(self) -> str:
        """The runspace's id."""
        return self.runspace.id

    @overload
    def run(
        self, script: str | PathLike[str], *, output: Literal["text"] = "text", **options: Unpack[RunOptions]
    ) -> ScriptResult[str]: ...
    @overload
    def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int = DEFAULT_DEPTH,
        output_type: type[T],
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[T]]: ...
    @overload
    def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int = DEFAULT_DEPTH,
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[object]]: ...
    @overload
    def run(
        self, script: str | PathLike[str], *, output: Literal["raw"], **options: Unpack[RunOptions]
    ) -> ScriptResult[list[PSDocument]]: ...
    def run(
        self,
        script: str | PathLike[str],
        *,
        parameters: Parameters | None = None,
        output: OutputChoice = "text",
        depth: int = DEFAULT_DEPTH,
        output_type: type | None = None,
        name: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        check: bool = False,
        streams: bool = True,
    ) -> ScriptResult[object]:
        """Run a script in this runspace and wait for its end; calls at once wait for each other.

        Variables, functions and connections stay from one script to the next. Scripts of one client in one
        runspace take turns, whichever call starts them.

        Args:
            script: the script, or the path of a file that holds it.
            parameters: values by name, which arrive as they are given; or `ScriptParameter` objects, which
                are sent untouched. Default none.
            output: the form of the output: ``text``, one text in which tables are cut at 80 columns;
                ``json``, Python values of any depth; ``raw``, the service's own documents, one level deep.
            depth: for ``json``: how many levels below each object are kept; default 8.
            output_type: for ``json``: a class that each object is made into.
            name: what the script is called in the history; default a unique name.
            timeout: seconds for all of the call; default 3600, None for as long as it takes. The last tenth
                of it, 5 seconds at most, is kept for canceling a script that has not ended.
            check: whether anything but plain success raises `ScriptFailedError`; default False.
            streams: whether what it writes to its streams is read; default True. Without it nobody looks
                for errors, and the outcome goes by the service's state alone.

        Returns:
            What came of it; look at ``outcome`` before trusting ``output``.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            WaitTimeoutError: it did not end in time, and was canceled; the error has what came of it so far.
            RunspaceBusyError: somebody else runs a script in this runspace.
            InvalidArgumentTypeError: an argument is of the wrong kind, before anything is sent.
            InvalidArgumentValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        job = prepare(
            script,
            parameters=parameters,
            output=output,
            depth=depth,
            output_type=output_type,
            name=name,
            timeout=timeout,
            check=check,
            streams=streams,
        )
        # A traceback of a later failure shows this frame's variables.
        del script, parameters
        return self._runner.run(job)


class RunspaceBlock:
    """A runspace as an ``with`` block, whose target is its handle; made by ``runspaces.open()``."""

    def __init__(
        self,
        session: Session,
        name: str | None,
        *,
        run_vc_connection_script: bool,
        timeout: float | None,
        wait_for_quota: float,
        deadline: Deadline | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        self._session = session
        self._calls = RunspaceCalls(session)
        self._prefix = name
        self.name: str = unique_name(name)
        self._connected = run_vc_connection_script
        self._timeout = timeout
        self._wait_for_quota = wait_for_quota
        #: Bounds the whole block, for a call that is made of one.
        self._deadline = Deadline(None, session.sender.clock.now) if deadline is None else deadline
        self._check = check
        self._id: str | None = None
        self._process = os.getpid()
        #: After the block: whether its runspace is gone, or never was there.
        self.deleted: bool = True

    def __enter__(self) -> RunspaceHandle:
        if self._id is not None:
            raise RuntimeError("this runspace is open already: open another for a second block")
        self._process = os.getpid()
        began = Deadline(self._timeout, self._session.sender.clock.now)
        try:
            self._id = (self._create(began)).id
            runspace = self._ready(began)
            if self._connected:
                self._check_connection(runspace, began)
        except BaseException as error:
            self._delete()
            if isinstance(error, WaitTimeoutError | RunspaceNotReadyError):
                error.advice = "The runspace was not kept: open another once the reason is mended."
            if isinstance(error, WaitTimeoutError):
                error.started = False
            elif isinstance(error, SrsError) and self._deadline.keeping_back().over:
                raise self._too_late(error) from error
            raise
        return RunspaceHandle(self._session, runspace)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A process that was forked within the block leaves it too, but the runspace is not its own.
        if self._process == os.getpid():
            self._delete()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _delete(self) -> None:
        """Delete the runspace on the way out.

        An error would take the place of what the block came to, which is worth more: it is logged instead.
        """
        opened, name = self._id, self.name
        gone = logged = False
        seconds = self._deadline.left_to_undo(SECONDS_TO_DELETE)

        def delete() -> bool:
            if opened is not None:
                self._calls.delete(opened, seconds)
            return True

        left = f"runspace {name} ({opened}) was not deleted, and stays until it has idled"
        try:
            if opened is not None:
                gone = bool(clean_up(delete, seconds=seconds, left=left))
            logged = True
        finally:
            # The next block has a runspace of its own, not to be mistaken for one that could not be deleted.
            self._id = None
            self.name = unique_name(self._prefix)
            self.deleted = gone or opened is None
            if not logged:
                _log.warning("deleting runspace %s (%s) was interrupted: is it gone?", name, opened)

    def _create(self, began: Deadline) -> Runspace:
        clock = self._session.sender.clock
        waiting = Deadline(self._wait_for_quota, clock.now)
        patience = Wait(WaitPolicy(timeout=self._wait_for_quota), clock.random)
        while True:
            try:
                return self._calls.create(
                    self.name,
                    run_vc_connection_script=self._connected,
                    unique=True,
                    within=self._left(began),
                )
            except QuotaExceededError:
                step = patience.saw(self._wait_for_quota - (waiting.left() or 0.0), Seen.PENDING)
                if not isinstance(step, AskAgain) or self._deadline.over:
                    raise
            except SrsError as error:
                if may_have_taken_effect(error):
                    self._calls.delete_lost(self.name)
                raise
            clock.sleep(step.delay)

    def _ready(self, began: Deadline) -> Runspace:
        opened = self._id or ""
        # The error tells of the time that the caller gave, be it for the creation or for the whole call.
        own, whole = began.left(), self._deadline.left()
        bound = self._deadline if whole is not None and (own is None or whole < own) else began
        given = bound.seconds
        try:
            return self._calls.wait_ready(opened, self._left(began), given=given, check=self._check)
        except NotFoundError as error:
            error.message = (
                f"the service lost runspace {self.name} while it was being created: {error.message}"
            )
            error.advice = "The service was restarted, or could not make it: open another."
            raise

    def _too_late(self, error: SrsError) -> WaitTimeoutError:
        return WaitTimeoutError(
            f"no runspace was ready within {self._deadline.seconds:g} s",
            started=False,
            operation="runspaces.open",
            host=self._session.sender.origin.host,
            cause=str(error),
            advice="The script was not started: give it more time.",
        )

    def _left(self, began: Deadline) -> float | None:
        return began.left(self._deadline.keeping_back().left())

    def _check_connection(self, runspace: Runspace, began: Deadline) -> None:
        """Look at what became of the connection: to the service, a runspace without one is ready too."""
        host = self._session.sender.origin.host
        script_id = runspace.vc_connection_script_id
        if script_id is None:
            raise VCenterConnectionError(
                f"runspace {runspace.id} never tried to connect to vCenter",
                operation="runspaces.open",
                host=host,
            )
        watch = ScriptWatch(self._session, script_id, self._left(began), given=began.seconds)
        followed: list[StreamRecord | StreamGap] = []
        while watch.execution is None:
            followed += watch.look()
        followed += watch.finish(self._left(began))
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
