"""The calls that runspaces are made of, with the service's traps taken care of."""

from __future__ import annotations

from srs_vsphere._async.decoding import read_list, read_nothing, read_one
from srs_vsphere._async.poll import AsyncPoll
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._codec import models
from srs_vsphere._service import operations
from srs_vsphere._service.poll_schedule import WaitPolicy, seen_runspace
from srs_vsphere._service.script_request import unique_name
from srs_vsphere._validation import check_flag, check_name
from srs_vsphere.errors import NotFoundError, OutcomeUnknownError, RunspaceNotReadyError, SrsError
from srs_vsphere.models import Runspace, RunspaceState

read_runspaces = read_list(Runspace)
_read_runspace = read_one(Runspace)


class AsyncRunspaceCalls:
    """Calls about runspaces.

    Args:
        session: makes them.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, id: str, within: float | None = None) -> Runspace:
        """Ask for a runspace.

        Args:
            id: its id.
            within: seconds it may take.
        """
        operation = operations.RUNSPACES_GET
        return await self._session.call(operation, _read_runspace, path=operation.path_for(id), within=within)

    async def create(
        self, name: str | None, *, run_vc_connection_script: bool, unique: bool = False
    ) -> Runspace:
        """Create a runspace, once; one whose answer is lost is looked for if its name is unique.

        Args:
            name: its name; None for a unique one.
            run_vc_connection_script: whether it connects to vCenter.
            unique: whether the name given is known to be unique.
        """
        check_name(name)
        check_flag("run_vc_connection_script", run_vc_connection_script)
        chosen = unique_name() if name is None else name
        body = models.dumps({"name": chosen, "run_vc_connection_script": run_vc_connection_script})
        try:
            return await self._session.call(operations.RUNSPACES_CREATE, _read_runspace, body=body)
        except OutcomeUnknownError as error:
            lost = error
        lost.advice = f"Look for the name {chosen!r} in runspaces.list() before creating another."
        if name is None or unique:
            try:
                found = await self.find(chosen)
            except SrsError:
                raise lost from None
            if found is not None:
                return found
            lost.advice = f"No runspace named {chosen!r} was there a moment later, but it may still appear."
        raise lost

    async def find(self, name: str, within: float | None = None) -> Runspace | None:
        """Look for a runspace by its name.

        Args:
            name: its name.
            within: seconds it may take.

        Returns:
            The first of that name, None if there is none.
        """
        runspaces = await self._session.call(operations.RUNSPACES_LIST, read_runspaces, within=within)
        return next((runspace for runspace in runspaces if runspace.name == name), None)

    async def delete(self, id: str, within: float | None = None) -> None:
        """Delete a runspace, unless it is gone already.

        Args:
            id: its id.
            within: seconds it may take.
        """
        operation = operations.RUNSPACES_DELETE
        try:
            await self._session.call(operation, read_nothing, path=operation.path_for(id), within=within)
        except NotFoundError as error:
            # The service has no 404 here, but an error like any other; so it is asked once more, unless an
            # attempt of ours before this one was just what removed it.
            if error.attempts == 1 and not await self._is_gone(id):
                raise

    async def wait_ready(self, id: str, timeout: float | None) -> Runspace:
        """Wait until a runspace is ready.

        Args:
            id: its id.
            timeout: seconds until waiting is given up; None for never.
        """
        operations.RUNSPACES_GET.path_for(id)
        poll = AsyncPoll(
            self._session,
            WaitPolicy(timeout=timeout),
            operation="runspaces.wait_ready",
            what=f"runspace {id} did not become ready",
            ask=lambda within: self.get(id, within),
            see=seen_runspace,
        )
        runspace = await poll.until_end()
        if runspace.state != RunspaceState.ERROR:
            return runspace
        details = runspace.error_details
        raise RunspaceNotReadyError(
            f"runspace {id} failed: {(details and details.error_message) or 'no reason was given'}",
            operation="runspaces.wait_ready",
            host=self._session.sender.origin.host,
            code=details.code if details else None,
            details=details.details if details else None,
            advice="It will not recover: delete it, and create another if the reason is mended.",
        )

    async def _is_gone(self, id: str) -> bool:
        try:
            await self.get(id)
        except NotFoundError:
            return True
        return False
