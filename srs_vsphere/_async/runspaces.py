"""Runspaces: the PowerShell sessions on the server."""

from __future__ import annotations

import builtins

from srs_vsphere import _operations, _wire
from srs_vsphere._async.reading import read_list, read_nothing, read_one
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._async.streaming import AsyncObjectStream
from srs_vsphere.models import Runspace

_read_runspace = read_one(Runspace)
_read_runspaces = read_list(Runspace)


class AsyncRunspaces:
    """The runspaces of the user who is logged in; reached as ``client.runspaces``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def stream(self) -> AsyncObjectStream[Runspace]:
        """Stream the list of runspaces, each decoded when it has arrived (``GET /api/runspaces``).

        Returns:
            A context manager; inside it, an iterator of runspaces in order of creation.

        Raises:
            StreamInterruptedError: while iterating: the list broke off.
            DecodeError: while iterating: the answer is not a list of runspaces.
            SrsError: on entering: the call failed.
        """
        operation = _operations.RUNSPACES_LIST
        return AsyncObjectStream(self._session, operation, operation.path, Runspace)

    async def list(self) -> builtins.list[Runspace]:
        """Return all runspaces in order of creation (``GET /api/runspaces``).

        Returns:
            The whole list; a list that breaks off is asked for again, as the retry policy allows.

        Raises:
            StreamInterruptedError: the list broke off, each time.
            DecodeError: the answer is not a list of runspaces.
            SrsError: the call failed.
        """
        return await self._session.call(_operations.RUNSPACES_LIST, _read_runspaces)

    async def get(self, id: str) -> Runspace:
        """Return one runspace (``GET /api/runspaces/{id}``).

        Args:
            id: the runspace's id.

        Raises:
            NotFoundError: there is no such runspace of this user.
            SrsError: the call failed.
        """
        operation = _operations.RUNSPACES_GET
        return await self._session.call(operation, _read_runspace, path=operation.path_for(id))

    async def create(self, name: str | None = None, *, run_vc_connection_script: bool = False) -> Runspace:
        """Create a runspace (``POST /api/runspaces``); it is sent once, and again only if it never left.

        Args:
            name: what to call it; default no name. Names need not be unique.
            run_vc_connection_script: whether it connects to vCenter as the user who is logged in.

        Returns:
            The runspace, still being created.

        Raises:
            QuotaExceededError: the service has no room for another.
            OutcomeUnknownError: it may have been created all the same.
            SrsError: the call failed.
        """
        body: dict[str, object] = {}
        if name is not None:
            if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
                raise TypeError(f"name must be text, not {type(name).__name__}")
            body["name"] = name
        if run_vc_connection_script:
            body["run_vc_connection_script"] = True
        return await self._session.call(_operations.RUNSPACES_CREATE, _read_runspace, body=_wire.dumps(body))

    async def delete(self, id: str) -> None:
        """Delete a runspace (``DELETE /api/runspaces/{id}``).

        Args:
            id: the runspace's id.

        Raises:
            NotFoundError: there is no such runspace of this user.
            SrsError: the call failed.
        """
        operation = _operations.RUNSPACES_DELETE
        await self._session.call(operation, read_nothing, path=operation.path_for(id))
