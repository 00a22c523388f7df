"""Script executions: scripts that run, or ran, in a runspace."""

from __future__ import annotations

import builtins
from datetime import UTC, datetime

from srs_vsphere._async.object_stream import AsyncObjectStream
from srs_vsphere._async.script_calls import AsyncScriptCalls, read_executions
from srs_vsphere._async.script_follower import AsyncScriptRecords
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._service import operations
from srs_vsphere._service.script_request import prepare_raw
from srs_vsphere._validation import check_patience
from srs_vsphere.errors import WaitTimeoutError
from srs_vsphere.models import OutputFormat, ScriptExecution, StreamRecord, StreamType
from srs_vsphere.parameters import Parameters

_NEWEST = datetime.max.replace(tzinfo=UTC)


class AsyncScriptExecutions:
    """The script executions of the user who is logged in; reached as ``client.script_executions``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._calls = AsyncScriptCalls(session)

    def stream(self, *, skip_system: bool = True) -> AsyncObjectStream[ScriptExecution]:
        """Stream the history of scripts, in no particular order (``GET /api/script-executions``).

        Args:
            skip_system: whether to leave out the scripts by which the service connects runspaces to vCenter
                and disconnects them; default True.

        Returns:
            A context manager; inside it, an iterator of script executions.

        Raises:
            SrsError: as for `AsyncRunspaces.stream`.
        """
        operation = _list_operation(skip_system)
        return AsyncObjectStream(self._session, operation, operation.path, ScriptExecution)

    async def list(self, *, skip_system: bool = True) -> builtins.list[ScriptExecution]:
        """Return the history of scripts, oldest first (``GET /api/script-executions``).

        The service keeps the last 30 of a user, for five days.

        Args:
            skip_system: as for `stream`.

        Raises:
            SrsError: the call failed.
        """
        executions = await self._session.call(_list_operation(skip_system), read_executions)
        # Those just begun have no start time yet: they are the newest.
        return sorted(executions, key=lambda execution: execution.start_time or _NEWEST)

    async def get(self, id: str) -> ScriptExecution:
        """Return one script execution (``GET /api/script-executions/{id}``).

        Args:
            id: the script execution's id.

        Raises:
            NotFoundError: there is no such script execution of this user.
            SrsError: the call failed.
        """
        return await self._calls.get(id)

    async def create(
        self,
        runspace_id: str,
        script: str,
        *,
        parameters: Parameters | None = None,
        name: str | None = None,
        output_objects_format: OutputFormat | str = OutputFormat.TEXT,
    ) -> ScriptExecution:
        """Start a script in a runspace (``POST /api/script-executions``) and do not wait for it.

        Without a name it gets a unique one; if then the answer is lost, the script is looked for by that
        name, and found or not it is not started a second time. `run()` of a client does all that follows.

        Args:
            runspace_id: the runspace to run it in.
            script: the script.
            parameters: values by name, or `ScriptParameter` objects.
            name: what to call it in the history; default a unique name.
            output_objects_format: ``text`` (tables are cut at 80 columns) or ``json``.

        Returns:
            The script execution, running as a rule.

        Raises:
            NotFoundError: there is no such runspace.
            RunspaceBusyError: another script is running in it.
            RunspaceNotReadyError: it is being created, or failed.
            OutcomeUnknownError: it may have been started all the same.
            SrsError: the call failed.
        """
        job = prepare_raw(script, parameters, OutputFormat(output_objects_format), name)
        return await self._calls.start(runspace_id, job.body, job.name, unique=job.name_is_unique)

    async def cancel(self, id: str) -> None:
        """Ask for a script to be stopped (``POST /api/script-executions/{id}/cancel``).

        It does not wait: use `wait`, and see whether the script was canceled or had ended before.

        Args:
            id: the script execution's id.

        Raises:
            NotFoundError: there is no such script execution.
            SrsError: the call failed.
        """
        await self._calls.cancel(id)

    async def wait(
        self, id: str, *, timeout: float | None = 3600.0, cancel_on_exit: bool = False
    ) -> ScriptExecution:
        """Wait until a script has ended (``GET /api/script-executions/{id}``).

        Args:
            id: the script execution's id.
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
        operations.SCRIPT_EXECUTIONS_GET.path_for(id)
        check_patience("timeout", timeout)
        try:
            return await self._calls.wait(id, timeout)
        except BaseException as error:
            if cancel_on_exit:
                await self._calls.cancel_on_the_way_out(id)
                if isinstance(error, WaitTimeoutError):
                    error.advice = "The script was asked to stop: wait again to see whether it did."
            raise

    async def output(self, id: str) -> builtins.list[str]:
        """Return a script's output (``GET /api/script-executions/{id}/output``), there once it has ended.

        Args:
            id: the script execution's id.

        Returns:
            In format text one text; in format json a JSON document for each object. Nothing while it runs.

        Raises:
            NotFoundError: there is no such script execution; or it began only a moment ago.
            SrsError: the call failed.
        """
        return [text for text in await self._calls.output(id) or () if text is not None]

    async def records(self, id: str, stream: StreamType | str) -> builtins.list[StreamRecord]:
        """Return the newest 50 records of a stream (``GET /api/script-executions/{id}/streams/{stream}``).

        Args:
            id: the script execution's id.
            stream: ``information``, ``error``, ``warning``, ``debug`` or ``verbose``.

        Returns:
            The records, oldest first, while the script runs too.

        Raises:
            NotFoundError: there is no such script execution; or it began only a moment ago.
            SrsError: the call failed.
        """
        return await self._calls.records(id, StreamType(stream)) or []

    def follow(self, id: str) -> AsyncScriptRecords:
        """Follow a script's five streams while it runs, each record once and in order of time.

        Args:
            id: the script execution's id.

        Returns:
            An iterator of records, and of a `StreamGap` wherever some were lost, that ends with the script.

        Raises:
            SrsError: while iterating: asking failed for good.
        """
        operations.SCRIPT_EXECUTIONS_GET.path_for(id)
        return AsyncScriptRecords(self._session, id)


def _list_operation(skip_system: bool) -> operations.Operation:
    if skip_system:
        return operations.SCRIPT_EXECUTIONS_LIST_OWN
    return operations.SCRIPT_EXECUTIONS_LIST
