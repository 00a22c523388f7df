"""The calls that runspaces are made of, with the service's traps taken care of."""

from __future__ import annotations

import builtins
import logging
from typing import TYPE_CHECKING

from srs_vsphere._sync.decoding import read_list, read_nothing, read_one
from srs_vsphere._sync.session import Session
from srs_vsphere._codec import models
from srs_vsphere._concurrency.clean_up import clean_up
from srs_vsphere._service import operations
from srs_vsphere._service.failures import failed, may_have_taken_effect
from srs_vsphere._service.unique_names import unique_name
from srs_vsphere._validation import check_flag, check_name
from srs_vsphere.errors import NotFoundError, RunspaceNotReadyError, SrsError
from srs_vsphere.models import Runspace, RunspaceState

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("srs_vsphere")

read_runspaces = read_list(Runspace)
_read_runspace = read_one(Runspace)

#: Deleting blocks on the service for up to four seconds.
SECONDS_TO_DELETE = 20.0
#: A lost creation is looked for within this time, twice, for it may still be on its way.
_SECONDS_TO_FIND = 10.0
_SECONDS_UNTIL_A_LOST_ONE_SHOWS = 1.0


class RunspaceCalls:
    """Calls about runspaces.

    Args:
        session: makes them.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, id: str, within: float | None = None, timeout: float | None = None) -> Runspace:
        """Ask for a runspace."""
        return self._session.call(
            operations.RUNSPACES_GET, _read_runspace, id=id, within=within, timeout=timeout
        )

    def create(
        self,
        name: str | None,
        *,
        run_vc_connection_script: bool,
        unique: bool = False,
        within: float | None = None,
        timeout: float | None = None,
    ) -> Runspace:
        """Create a runspace, once; if the outcome is unknown it is looked for by a unique name.

        Args:
            name: its name; None for a unique one.
            run_vc_connection_script: whether it connects to vCenter.
            unique: whether the name given is known to be unique.
            within: seconds it may take.
            timeout: seconds that the caller gave it.
        """
        check_name(name)
        check_flag("run_vc_connection_script", run_vc_connection_script)
        chosen = unique_name() if name is None else name
        unique = unique or name is None
        body = models.dumps({"name": chosen, "run_vc_connection_script": run_vc_connection_script})
        try:
            return self._session.call(
                operations.RUNSPACES_CREATE, _read_runspace, body=body, within=within, timeout=timeout
            )
        except SrsError as error:
            if not may_have_taken_effect(error):
                raise
            lost = error
        except BaseException:
            # Whoever is cancelled while the response is on its way never learns the id.
            if unique:
                self.delete_lost(chosen)
            else:
                _log.warning(
                    "a runspace named %s may have been created: look for it in runspaces.list()", chosen
                )
            raise
        lost.advice = f"Look for the name {chosen!r} in runspaces.list() before creating another."
        if unique:
            try:
                found = self.find(chosen, within)
            except SrsError:
                raise lost from None
            if found is not None:
                return found
            lost.advice = f"No runspace named {chosen!r} was there a moment later, but it may still appear."
        raise lost

    def find(self, name: str, within: float | None = None) -> Runspace | None:
        """Look for a runspace by its name.

        Args:
            name: its name.
            within: seconds it may take.

        Returns:
            The first of that name, None if there is none.
        """
        return next((runspace for runspace in self.list(within) if runspace.name == name), None)

    def list(self, within: float | None = None) -> builtins.list[Runspace]:
        """Ask for all runspaces."""
        return self._session.call(operations.RUNSPACES_LIST, read_runspaces, within=within)

    def delete(self, id: str, within: float | None = None, timeout: float | None = None) -> None:
        """Delete a runspace, unless it is gone already."""
        try:
            self._session.call(
                operations.RUNSPACES_DELETE, read_nothing, id=id, within=within, timeout=timeout
            )
        except NotFoundError as error:
            # The service has no 404 here, but an error like any other; so it is asked once more, unless an
            # attempt of ours before this one was just what removed it.
            if error.attempts == 1 and not self._is_gone(id, within):
                raise
        self._session.turns.forget(id)

    def delete_lost(self, name: str, seconds: float = _SECONDS_TO_FIND) -> bool:
        """Look for a runspace that may have been created, and delete it, on the way out.

        Args:
            name: its name, which nothing else has.
            seconds: how long it may take; default 10.

        Returns:
            Whether that succeeded.
        """

        def delete() -> bool:
            found = self.find(name, seconds)
            if found is None:
                self._session.sender.clock.sleep(_SECONDS_UNTIL_A_LOST_ONE_SHOWS)
                found = self.find(name, seconds)
            if found is not None:
                self.delete(found.id, SECONDS_TO_DELETE)
            return True

        left = f"a runspace named {name} may be left, and could not be looked for"
        return bool(clean_up(delete, seconds=seconds, left=left))

    def wait_ready(
        self,
        id: str,
        timeout: float | None,
        *,
        given: float | None = None,
        check: Callable[[], None] | None = None,
    ) -> Runspace:
        """Wait until a runspace is ready.

        Args:
            id: its id.
            timeout: seconds until waiting is given up; None for never.
            given: seconds that the caller gave, for errors; default the timeout.
            check: called before each question; it raises where no more are to be asked. Default nothing.
        """
        # Loaded on use: who lists runspaces waits for none.
        from srs_vsphere._sync.poll import Poll
        from srs_vsphere._service.poll_schedule import seen_runspace

        operations.RUNSPACES_GET.path_for(id)
        poll = Poll(
            self._session,
            timeout,
            operation="runspaces.wait_ready",
            what=f"runspace {id} did not become ready",
            ask=lambda within: self.get(id, within),
            see=seen_runspace,
            given=given,
            check=check,
        )
        runspace = poll.until_end()
        if runspace.state != RunspaceState.ERROR:
            return runspace
        error, host = runspace.error_details, self._session.sender.origin.host
        raise failed(RunspaceNotReadyError, f"runspace {id}", error, "runspaces.wait_ready", host)

    def _is_gone(self, id: str, within: float | None) -> bool:
        try:
            self.get(id, within)
        except NotFoundError:
            return True
        return False
