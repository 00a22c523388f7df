"""Script executions: scripts that run, or ran, in a runspace."""

from __future__ import annotations

import builtins
from datetime import UTC, datetime
from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeVar, Unpack, overload

from srs_vsphere._sync.object_stream import ObjectStream
from srs_vsphere._sync.script_calls import SECONDS_TO_CANCEL, ScriptCalls, read_executions
from srs_vsphere._sync.script_follower import ScriptRecords
from srs_vsphere._sync.script_runner import ScriptRunner
from srs_vsphere._sync.session import Session
from srs_vsphere._service import operations
from srs_vsphere._service.identity import RunspaceRef, ScriptRef, runspace_id, script_id
from srs_vsphere._service.run_defaults import DEFAULT_TIMEOUT
from srs_vsphere._service.script_output import OutputChoice
from srs_vsphere._service.script_request import MismatchChoice, ResultOptions, output_reader, prepare
from srs_vsphere._validation import check_flag, check_timeout
from srs_vsphere.errors import InvalidArgumentValueError, WaitTimeoutError
from srs_vsphere.models import PSDocument, ScriptExecution, StreamRecord, StreamType
from srs_vsphere.parameters import Parameters
from srs_vsphere.results import ScriptResult

if TYPE_CHECKING:
    from cattrs import BaseConverter

T = TypeVar("T")

_ASKED_TO_STOP = "The script was asked to stop: wait again to see whether it did."
_NOT_CANCELED = "Canceling failed, so the script goes on: call script_executions.cancel() to stop it."

_NEWEST = datetime.max.replace(tzinfo=UTC)


class ScriptExecutions:
    """The script executions of the user who is logged in; reached as ``client.script_executions``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._calls = ScriptCalls(session)

    def stream(
        self, *, skip_system: bool = True, timeout: float | None = None
    ) -> ObjectStream[ScriptExecution]:
        """Stream the history of scripts, in no particular order (``GET /api/script-executions``).

        Args:
            skip_system: whether to leave out the scripts by which the service connects runspaces to vCenter
                and disconnects them; default True.
            timeout: seconds until the list must have begun; default the retry policy's deadline.

        Returns:
            A context manager; inside it, an iterator of script executions.

        Raises:
            SrsError: as for `Runspaces.stream`.
        """
        return ObjectStream(self._session, _list_operation(skip_system), ScriptExecution, timeout)

    def list(
        self, *, skip_system: bool = True, timeout: float | None = None
    ) -> builtins.list[ScriptExecution]:
        """Return the history of scripts, oldest first (``GET /api/script-executions``).

        The service keeps the last 30 of a user, for five days.

        Args:
            skip_system: as for `stream`.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            SrsError: the call failed.
        """
        executions = self._session.call(_list_operation(skip_system), read_executions, timeout=timeout)
        # Those just begun have no start time yet: they are the newest.
        return sorted(executions, key=lambda execution: execution.start_time or _NEWEST)

    def get(self, id: ScriptRef, *, timeout: float | None = None) -> ScriptExecution:
        """Return one script execution (``GET /api/script-executions/{id}``).

        Args:
            id: the script execution's id, or the script execution.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            NotFoundError: there is no such script execution of this user.
            SrsError: the call failed.
        """
        return self._calls.get(script_id(id), timeout=timeout)

    def create(
        self,
        runspace: RunspaceRef,
        script: str | PathLike[str],
        *,
        parameters: Parameters | None = None,
        name: str | None = None,
        output: OutputChoice = "text",
        width: int | None = None,
        depth: int | None = None,
        timeout: float | None = None,
    ) -> ScriptExecution:
        """Start a script in a runspace (``POST /api/script-executions``) and do not wait for it.

        Without a name it gets a unique one, by which it is looked for if the outcome of the request is
        unknown; found or not it is not started a second time. `run()` of a client does all that follows, and
        waits for other scripts of the client in this runspace; this call does not.

        Args:
            runspace: the runspace to run it in, its handle or its id.
            script: the script's text, or a ``Path`` of its file; a text is never taken for a path.
            parameters: values by name, or `ScriptParameter` objects.
            name: what to call it in the history; default a unique name.
            output: the form of the output: ``text``, one text; ``raw``, the service's own documents;
                ``json``, the documents that `result` makes Python values of.
            width: for ``text``: columns, as for ``run()``; default None, the script as it is, whose tables
                are cut at 80.
            depth: as for ``run()``.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Returns:
            The script execution, running as a rule.

        Raises:
            NotFoundError: there is no such runspace.
            RunspaceBusyError: another script is running in it.
            RunspaceNotReadyError: it is being created, or failed.
            OutcomeUnknownError: it may have been started all the same; the error tells its name.
            SrsError: the call failed.
        """
        job = prepare(script, parameters=parameters, output=output, width=width, depth=depth, name=name)
        # A traceback of a later failure shows this frame's variables.
        del script, parameters
        target = runspace_id(runspace, "runspace")
        calls = self._calls
        try:
            return calls.start(target, job.body, job.name, unique=job.name_is_unique, timeout=timeout)
        except BaseException as error:
            # Whoever is cancelled while the response is on its way never learns the id.
            if not isinstance(error, Exception) and job.name_is_unique:
                calls.cancel_lost(job.name, target)
            raise

    def cancel(self, id: ScriptRef, *, timeout: float | None = None) -> None:
        """Ask for a script to be stopped (``POST /api/script-executions/{id}/cancel``).

        It does not wait: use `wait`, and see whether the script was canceled or had ended before.

        Args:
            id: the script execution's id, or the script execution.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            NotFoundError: there is no such script execution.
            SrsError: the call failed.
        """
        self._calls.cancel(script_id(id), timeout=timeout)

    def wait(
        self, id: ScriptRef, *, timeout: float | None = 3600.0, cancel_on_exit: bool = False
    ) -> ScriptExecution:
        """Wait until a script has ended (``GET /api/script-executions/{id}``).

        Args:
            id: the script execution's id, or the script execution.
            timeout: seconds until waiting is given up; default 3600, None for never.
            cancel_on_exit: whether the script is canceled if waiting ends before it, be it by the
                timeout, an error or a cancellation; default False.

        Returns:
            The script as it ended; one whose record the service lost is `stuck`.

        Raises:
            WaitTimeoutError: it did not end in time; the error carries its last state.
            NotFoundError: there is no such script execution, or not any more.
            SrsError: asking failed for good.
        """
        target = script_id(id)
        operations.SCRIPT_EXECUTIONS_GET.path_for(target)
        check_timeout("timeout", timeout)
        check_flag("cancel_on_exit", cancel_on_exit)
        try:
            return self._calls.wait(target, timeout)
        except BaseException as error:
            if cancel_on_exit:
                stopping = self._calls.cancel_on_the_way_out(target, None, SECONDS_TO_CANCEL)
                if isinstance(error, WaitTimeoutError):
                    error.advice = _ASKED_TO_STOP if stopping else _NOT_CANCELED
            raise

    @overload
    def result(
        self, id: ScriptRef, *, output: Literal["text"] = "text", **options: Unpack[ResultOptions]
    ) -> ScriptResult[str]: ...
    @overload
    def result(
        self,
        id: ScriptRef,
        *,
        output: Literal["json"],
        output_type: type[T],
        on_mismatch: Literal["raise"] = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[ResultOptions],
    ) -> ScriptResult[builtins.list[T]]: ...
    @overload
    def result(
        self,
        id: ScriptRef,
        *,
        output: Literal["json"],
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[ResultOptions],
    ) -> ScriptResult[builtins.list[object]]: ...
    @overload
    def result(
        self, id: ScriptRef, *, output: Literal["raw"], **options: Unpack[ResultOptions]
    ) -> ScriptResult[builtins.list[PSDocument]]: ...
    def result(
        self,
        id: ScriptRef,
        *,
        output: OutputChoice = "text",
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        check: bool = False,
        timeout: float | None = DEFAULT_TIMEOUT,
        runspace: RunspaceRef | None = None,
    ) -> ScriptResult[object]:
        """Wait until a script has ended, and return what came of it; any program may have started it.

        It gives another process what ``run()`` would have returned, if it names the form of output that the
        script was started with. Of a script that left before its end, what it had not put out yet can be had
        only before another script runs there.

        Args:
            id: the script execution's id, or the script execution.
            output: the form of output that the script was started with; default ``text``.
            output_type: as for ``run()``.
            on_mismatch: as for ``run()``.
            converter: as for ``run()``.
            check: whether anything but plain success raises `ScriptFailedError`; default False.
            timeout: seconds until waiting is given up, and the script goes on; default 3600, None for never.
            runspace: where it runs, to ask there for what a script that left early had not put out; default
                None, which asks for nothing.

        Returns:
            What came of it.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            OutputMismatchError: an object does not fit ``output_type``; the error has the result.
            WaitTimeoutError: it did not end in time; it goes on.
            NotFoundError: there is no such script execution.
            DecodeError: it was started with another form of output.
            SrsError: a call failed for good.
        """
        target = script_id(id)
        operations.SCRIPT_EXECUTIONS_GET.path_for(target)
        check_timeout("timeout", timeout)
        check_flag("check", check)
        reader = output_reader(output, output_type, on_mismatch, converter)
        place = None if runspace is None else runspace_id(runspace, "runspace")
        runner = ScriptRunner(self._session, place or "")
        return runner.collect(
            target, reader, timeout=timeout, check=check, asks_for_rest=place is not None
        )

    def output(self, id: ScriptRef, *, timeout: float | None = None) -> builtins.list[str]:
        """Return a script's output (``GET /api/script-executions/{id}/output``), there once it has ended.

        Args:
            id: the script execution's id, or the script execution.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Returns:
            In format text one text; in format json a JSON document for each object. Nothing while it runs.

        Raises:
            NotFoundError: there is no such script execution; or it began only a moment ago.
            SrsError: the call failed.
        """
        texts = self._calls.output(script_id(id), timeout=timeout)
        return [text for text in texts or () if text is not None]

    def records(
        self, id: ScriptRef, stream: StreamType | str, *, timeout: float | None = None
    ) -> builtins.list[StreamRecord]:
        """Return the newest 50 records of a stream (``GET /api/script-executions/{id}/streams/{stream}``).

        Args:
            id: the script execution's id, or the script execution.
            stream: ``information``, ``error``, ``warning``, ``debug`` or ``verbose``.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Returns:
            The records, oldest first, while the script runs too.

        Raises:
            NotFoundError: there is no such script execution; or it began only a moment ago.
            SrsError: the call failed.
        """
        return self._calls.records(script_id(id), _stream_type(stream), timeout=timeout) or []

    def follow(self, id: ScriptRef, *, timeout: float | None = None) -> ScriptRecords:
        """Follow a script's five streams while it runs, each record once and in order of time.

        Args:
            id: the script execution's id, or the script execution.
            timeout: seconds until following is given up; default None, for as long as it runs.

        Returns:
            An iterator of records, and of a `StreamGap` wherever some were lost, that ends with the script.

        Raises:
            WaitTimeoutError: while iterating: it did not end in time.
            SrsError: while iterating: asking failed for good.
        """
        target = script_id(id)
        operations.SCRIPT_EXECUTIONS_GET.path_for(target)
        check_timeout("timeout", timeout)
        return ScriptRecords(self._session, target, timeout)


def _stream_type(stream: StreamType | str) -> StreamType:
    try:
        return StreamType(stream)
    except ValueError:
        known = ", ".join(StreamType)
        raise InvalidArgumentValueError(f"stream must be one of {known}, not {stream!r}") from None


def _list_operation(skip_system: bool) -> operations.Operation:
    if skip_system:
        return operations.SCRIPT_EXECUTIONS_LIST_OWN
    return operations.SCRIPT_EXECUTIONS_LIST
