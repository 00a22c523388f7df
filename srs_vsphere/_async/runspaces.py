"""Runspaces: the PowerShell sessions on the server."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from srs_vsphere._async.object_stream import AsyncObjectStream
from srs_vsphere._async.runspace_calls import AsyncRunspaceCalls, read_runspaces
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._service import operations
from srs_vsphere._service.identity import RunspaceRef, runspace_id
from srs_vsphere._validation import check_flag, check_name, check_timeout
from srs_vsphere.models import Runspace

if TYPE_CHECKING:
    from srs_vsphere._async.runspace_block import AsyncRunspaceBlock


class AsyncRunspaces:
    """The runspaces of the user who is logged in; reached as ``client.runspaces``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._calls = AsyncRunspaceCalls(session)

    def stream(self, *, timeout: float | None = None) -> AsyncObjectStream[Runspace]:
        """Stream the list of runspaces, each decoded when it has arrived (``GET /api/runspaces``).

        Args:
            timeout: seconds until the list must have begun; default the retry policy's deadline.

        Returns:
            A context manager; inside it, an iterator of runspaces in order of creation.

        Raises:
            StreamInterruptedError: while iterating: the list broke off.
            DecodeError: while iterating: the response is not a list of runspaces.
            SrsError: on entering: the call failed.
        """
        return AsyncObjectStream(self._session, operations.RUNSPACES_LIST, Runspace, timeout)

    async def list(self, *, timeout: float | None = None) -> builtins.list[Runspace]:
        """Return all runspaces in order of creation (``GET /api/runspaces``).

        Args:
            timeout: seconds for the whole call; default the retry policy's deadline.

        Returns:
            The whole list; a list that breaks off is asked for again, as the retry policy allows.

        Raises:
            StreamInterruptedError: the list broke off, each time.
            DecodeError: the response is not a list of runspaces.
            SrsError: the call failed.
        """
        return await self._session.call(operations.RUNSPACES_LIST, read_runspaces, timeout=timeout)

    async def get(self, id: RunspaceRef, *, timeout: float | None = None) -> Runspace:
        """Return one runspace as it is now (``GET /api/runspaces/{id}``).

        Args:
            id: the runspace's id, or the runspace or its handle.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            NotFoundError: there is no such runspace of this user.
            SrsError: the call failed.
        """
        return await self._calls.get(runspace_id(id), timeout=timeout)

    async def create(
        self, name: str | None = None, *, run_vc_connection_script: bool = False, timeout: float | None = None
    ) -> Runspace:
        """Create a runspace (``POST /api/runspaces``) and do not wait until it is ready; see `open`.

        Without a name it gets a unique one, by which it is looked for if the outcome of the request is
        unknown; found or not it is not created a second time. A call that is cancelled leaves none: it is
        looked for and deleted.

        Args:
            name: what to call it; default a unique name. Names need not be unique.
            run_vc_connection_script: whether it connects to vCenter as the user who is logged in.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Returns:
            The runspace, still being created.

        Raises:
            QuotaExceededError: the service has no room for another.
            OutcomeUnknownError: it may have been created all the same; the error tells its name.
            SrsError: the call failed.
        """
        return await self._calls.create(
            name, run_vc_connection_script=run_vc_connection_script, timeout=timeout
        )

    async def delete(self, id: RunspaceRef, *, timeout: float | None = None) -> None:
        """Delete a runspace (``DELETE /api/runspaces/{id}``); one that is gone already is fine.

        Args:
            id: the runspace's id, or the runspace or its handle.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            ServerError: the service could not remove it.
            SrsError: the call failed.
        """
        await self._calls.delete(runspace_id(id), timeout=timeout)

    async def wait(self, id: RunspaceRef, *, timeout: float | None = 660.0) -> Runspace:
        """Wait until a runspace is ready; another name of `wait_ready`, as all resources have it.

        Args:
            id: as for `wait_ready`.
            timeout: as for `wait_ready`.

        Raises:
            SrsError: as for `wait_ready`.
        """
        return await self.wait_ready(id, timeout=timeout)

    async def wait_ready(self, id: RunspaceRef, *, timeout: float | None = 660.0) -> Runspace:
        """Wait until a runspace is ready (``GET /api/runspaces/{id}``).

        Ready does not promise a connection to vCenter; `open` checks that too.

        Args:
            id: the runspace's id, or the runspace.
            timeout: seconds until waiting is given up; default 660, a minute more than the service itself
                gives a runspace. None for never.

        Returns:
            The runspace, ready.

        Raises:
            WaitTimeoutError: it did not become ready in time; the error carries its last state.
            RunspaceNotReadyError: it failed, and never will be.
            NotFoundError: its creation failed, or it was deleted.
            SrsError: asking failed for good.
        """
        check_timeout("timeout", timeout)
        return await self._calls.wait_ready(runspace_id(id), timeout)

    def open(
        self,
        name: str | None = None,
        *,
        run_vc_connection_script: bool = False,
        timeout: float | None = 660.0,
        wait_for_quota: float = 0.0,
    ) -> AsyncRunspaceBlock:
        """Open a runspace for the length of an ``async with`` block: created, ready, and deleted at its end.

        However the block is left, by its end, an error, a cancellation of anyio or asyncio or a Ctrl-C, the
        runspace is deleted, within 20 seconds, and the block's own error goes on. Leaving it raises nothing
        of its own: a runspace that could not be deleted is logged with its name. Only a process that is
        killed leaves its runspace, until it has idled.

        Args:
            name: how its name begins; the rest is made unique, so that it is found if a response is lost.
            run_vc_connection_script: whether it connects to vCenter as the user who is logged in; that it
                did is checked.
            timeout: seconds until it must be ready; default 660, None for as long as it takes.
            wait_for_quota: seconds to wait for room if the service has none; default 0.

        Returns:
            A context manager; inside it, a handle that runs scripts in the runspace.

        Raises:
            QuotaExceededError: on entering: there was no room.
            WaitTimeoutError: on entering: it did not become ready in time.
            RunspaceNotReadyError: on entering: its creation failed.
            VCenterConnectionError: on entering: it is not connected to vCenter; the error has the records.
            SrsError: on entering: a call failed for good.
        """
        # Loaded on use: who lists runspaces runs no scripts.
        from srs_vsphere._async.runspace_block import AsyncRunspaceBlock

        check_name(name)
        check_flag("run_vc_connection_script", run_vc_connection_script)
        check_timeout("timeout", timeout)
        check_timeout("wait_for_quota", wait_for_quota)
        return AsyncRunspaceBlock(
            self._session,
            name,
            run_vc_connection_script=run_vc_connection_script,
            timeout=timeout,
            wait_for_quota=wait_for_quota,
        )
