"""Web consoles: PowerCLI consoles in a browser."""

from __future__ import annotations

import builtins
import logging

from srs_vsphere._async.decoding import read_list, read_nothing, read_one
from srs_vsphere._async.object_stream import AsyncObjectStream
from srs_vsphere._async.poll import AsyncPoll
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._concurrency.clean_up import async_clean_up
from srs_vsphere._service import operations
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.failures import failed, may_have_taken_effect
from srs_vsphere._service.identity import ConsoleRef, console_id
from srs_vsphere._service.poll_schedule import seen_console
from srs_vsphere._validation import check_flag, check_timeout
from srs_vsphere.errors import NotFoundError, ServerError, SrsError
from srs_vsphere.models import WebConsole, WebConsoleState

_log = logging.getLogger("srs_vsphere")

#: A console is deleted on the way out within this time.
_SECONDS_TO_DELETE = 10.0

_read_console = read_one(WebConsole)
_read_consoles = read_list(WebConsole)


class AsyncWebConsoles:
    """The web consoles of the user who is logged in; reached as ``client.web_consoles``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def stream(self, *, timeout: float | None = None) -> AsyncObjectStream[WebConsole]:
        """Stream the list of web consoles (``GET /api/webconsoles``).

        Args:
            timeout: seconds until the list must have begun; default the retry policy's deadline.

        Returns:
            A context manager; inside it, an iterator of web consoles in order of creation.

        Raises:
            SrsError: as for `AsyncRunspaces.stream`.
        """
        return AsyncObjectStream(self._session, operations.WEB_CONSOLES_LIST, WebConsole, timeout)

    async def list(self, *, timeout: float | None = None) -> builtins.list[WebConsole]:
        """Return all web consoles in order of creation (``GET /api/webconsoles``).

        Args:
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            SrsError: the call failed.
        """
        return await self._session.call(operations.WEB_CONSOLES_LIST, _read_consoles, timeout=timeout)

    async def get(self, id: ConsoleRef, *, timeout: float | None = None) -> WebConsole:
        """Return one web console as it is now (``GET /api/webconsoles/{id}``).

        Args:
            id: the web console's id, or the web console.
            timeout: seconds for the whole call; default the retry policy's deadline.

        Raises:
            NotFoundError: there is no such web console of this user.
            SrsError: the call failed.
        """
        return await self._get(console_id(id), timeout=timeout)

    async def create(
        self, *, wait: bool = True, timeout: float | None = 660.0, wait_on_server: bool = False
    ) -> WebConsole:
        """Create a web console (``POST /api/webconsoles``); it counts against the quota of runspaces.

        Args:
            wait: whether to ask again until it is available; default True.
            timeout: seconds for all of it; default 660, None for as long as it takes.
            wait_on_server: whether the service is to wait instead, in one long request. Proxies end that
                after a minute as a rule, and the console is created all the same. Default False.

        Returns:
            The web console, available if it was waited for.

        Raises:
            QuotaExceededError: the service has no room for another.
            WaitTimeoutError: it did not become available in time; the error carries its last state.
            ServerError: it failed.
            OutcomeUnknownError: it may have been created all the same.
            SrsError: a call failed.
        """
        check_timeout("timeout", timeout)
        check_flag("wait", wait)
        check_flag("wait_on_server", wait_on_server)
        operation = operations.WEB_CONSOLES_CREATE
        if wait_on_server:
            operation = operations.WEB_CONSOLES_CREATE_AND_WAIT
        deadline = Deadline(timeout, self._session.sender.clock.now)
        try:
            console = await self._session.call(operation, _read_console, within=deadline.left())
        except SrsError as error:
            if may_have_taken_effect(error):
                # Consoles have no names by which a lost one could be told from others.
                error.advice = "Look for a new one in web_consoles.list() before creating another."
            raise
        except BaseException:
            _log.warning(
                "a web console may have been created on %s: look for a new one in web_consoles.list()",
                self._session.sender.origin.host,
            )
            raise
        if not wait:
            return console
        try:
            return await self._available(console.id, deadline.left(), timeout)
        except BaseException as error:
            # Whoever is canceled never learns its id, by which an error's reader can delete it.
            if not isinstance(error, Exception):
                await self._delete_on_the_way_out(console.id)
            raise

    async def wait(self, id: ConsoleRef, *, timeout: float | None = 660.0) -> WebConsole:
        """Wait until a web console is available (``GET /api/webconsoles/{id}``).

        Args:
            id: the web console's id, or the web console.
            timeout: seconds until waiting is given up; default 660, None for never.

        Returns:
            The web console, available.

        Raises:
            WaitTimeoutError: it did not become available in time; the error carries its last state.
            ServerError: it failed, and never will be.
            NotFoundError: there is no such web console of this user, or not any more.
            SrsError: asking failed for good.
        """
        target = console_id(id)
        operations.WEB_CONSOLES_GET.path_for(target)
        check_timeout("timeout", timeout)
        return await self._available(target, timeout)

    async def delete(self, id: ConsoleRef, *, timeout: float | None = None) -> None:
        """Delete a web console (``DELETE /api/webconsoles/{id}``); one that is gone already is fine.

        The service would delete whatever of its cluster is called so: only a console of this user is.

        Args:
            id: the web console's id, or the web console.
            timeout: seconds for each of the two requests; default the retry policy's deadline.

        Raises:
            SrsError: the call failed.
        """
        target = console_id(id)
        try:
            await self._get(target, timeout=timeout)
        except NotFoundError:
            return
        await self._session.call(operations.WEB_CONSOLES_DELETE, read_nothing, id=target, timeout=timeout)

    def url(self, id: ConsoleRef) -> str:
        """Return the address of a web console's page.

        Args:
            id: the web console's id, or the web console.
        """
        path = operations.WEB_CONSOLES_GET.path_for(console_id(id))
        return f"{self._session.sender.origin.url}/{path.rpartition('/')[2]}"

    async def _get(self, id: str, within: float | None = None, timeout: float | None = None) -> WebConsole:
        return await self._session.call(
            operations.WEB_CONSOLES_GET, _read_console, id=id, within=within, timeout=timeout
        )

    async def _delete_on_the_way_out(self, id: str) -> None:
        async def delete() -> None:
            operation = operations.WEB_CONSOLES_DELETE
            await self._session.call(operation, read_nothing, id=id, within=_SECONDS_TO_DELETE)

        left = f"web console {id} was not deleted, and stays until it has idled"
        await async_clean_up(delete, seconds=_SECONDS_TO_DELETE, left=left)

    async def _available(self, id: str, timeout: float | None, given: float | None = None) -> WebConsole:
        poll = AsyncPoll(
            self._session,
            timeout,
            operation="web_consoles.wait",
            what=f"web console {id} did not become available",
            ask=lambda within: self._get(id, within),
            see=seen_console,
            given=given,
        )
        console = await poll.until_end()
        if console.state != WebConsoleState.ERROR:
            return console
        host = self._session.sender.origin.host
        raise failed(ServerError, f"web console {id}", console.error_details, "web_consoles.wait", host)
