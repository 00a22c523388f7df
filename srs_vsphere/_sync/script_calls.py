"""The calls that scripts are made of, as the service has them; what is public stands on these."""

from __future__ import annotations

import logging
from contextlib import suppress

from attrs import evolve

from srs_vsphere._sync.decoding import read_list, read_list_or_none, read_nothing, read_one, read_texts
from srs_vsphere._sync.poll import Poll
from srs_vsphere._sync.session import Session
from srs_vsphere._codec import models
from srs_vsphere._concurrency.clean_up import clean_up
from srs_vsphere._service import operations
from srs_vsphere._service.failures import may_have_taken_effect
from srs_vsphere._service.poll_schedule import seen_execution
from srs_vsphere._service.script_request import ScriptBody
from srs_vsphere.errors import NotFoundError, SrsError
from srs_vsphere.models import ScriptExecution, StreamRecord, StreamType

_log = logging.getLogger("srs_vsphere")

read_executions = read_list(ScriptExecution)
_read_execution = read_one(ScriptExecution)
_read_records = read_list_or_none(StreamRecord)

#: A cancel on the way out may take no longer.
SECONDS_TO_CANCEL = 5.0
#: A lost start is looked for within this time, twice, for it may still be on its way.
_SECONDS_TO_FIND = 10.0
_SECONDS_UNTIL_A_LOST_ONE_SHOWS = 1.0


class ScriptCalls:
    """Calls about scripts.

    Args:
        session: makes them.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def start(
        self,
        runspace_id: str,
        body: ScriptBody,
        name: str,
        *,
        unique: bool,
        within: float | None = None,
        timeout: float | None = None,
    ) -> ScriptExecution:
        """Start a script, once; if the outcome is unknown it is looked for by a unique name.

        Args:
            runspace_id: where.
            body: what else the request holds.
            name: its name.
            unique: whether nothing else has that name.
            within: seconds it may take.
            timeout: seconds that the caller gave it.
        """
        # Anything that is no id is refused here rather than by the service.
        operations.RUNSPACES_GET.path_for(runspace_id)
        message = models.dumps({"runspace_id": runspace_id, "name": name, **body})
        try:
            return self._session.call(
                operations.SCRIPT_EXECUTIONS_CREATE,
                _read_execution,
                body=message,
                within=within,
                timeout=timeout,
            )
        except SrsError as error:
            if not may_have_taken_effect(error):
                raise
            lost = error
        except BaseException:
            if not unique:
                # It cannot be told from others of that name.
                _log.warning(
                    "a script named %s may have started in runspace %s: look for it in"
                    " script_executions.list()",
                    name,
                    runspace_id,
                )
            raise
        lost.advice = f"Look for the name {name!r} in script_executions.list()."
        if unique:
            try:
                found = self._find(name, within)
            except SrsError:
                raise lost from None
            if found is not None:
                return found
            lost.advice = f"No script named {name!r} was there a moment later, but it may still appear."
        raise lost

    def get(
        self, id: str, within: float | None = None, timeout: float | None = None
    ) -> ScriptExecution:
        """Ask for a script."""
        return self._session.call(
            operations.SCRIPT_EXECUTIONS_GET, _read_execution, id=id, within=within, timeout=timeout
        )

    def output(
        self, id: str, within: float | None = None, timeout: float | None = None
    ) -> list[str | None] | None:
        """Ask for a script's output, None or with None in it while there is none."""
        return self._session.call(
            operations.SCRIPT_EXECUTIONS_OUTPUT, read_texts, id=id, within=within, timeout=timeout
        )

    def records(
        self, id: str, stream: StreamType, within: float | None = None, timeout: float | None = None
    ) -> list[StreamRecord] | None:
        """Ask for a stream's newest records, None while there is no stream."""
        records = self._session.call(
            operations.SCRIPT_EXECUTIONS_STREAMS[stream], _read_records, id=id, within=within, timeout=timeout
        )
        return None if records is None else [evolve(record, stream=stream) for record in records]

    def wait(self, id: str, timeout: float | None, within: float | None = None) -> ScriptExecution:
        """Wait until a script has ended, or its record turns out to be stuck.

        Args:
            id: its id.
            timeout: seconds that the caller gave it; None for never.
            within: seconds until waiting is given up, if that is less.
        """
        poll = Poll(
            self._session,
            timeout if within is None else within,
            operation="script_executions.wait",
            what=f"script {id} did not end",
            given=None if within is None else timeout,
            ask=lambda seconds: self.get(id, seconds),
            see=seen_execution,
        )
        return poll.until_end()

    def cancel(self, id: str, within: float | None = None, timeout: float | None = None) -> None:
        """Ask for a script to be stopped."""
        self._session.call(
            operations.SCRIPT_EXECUTIONS_CANCEL, read_nothing, id=id, within=within, timeout=timeout
        )

    def cancel_on_the_way_out(self, id: str, name: str | None, seconds: float) -> bool:
        """Ask for a script to be stopped, on the way out.

        Args:
            id: its id.
            name: its name, None if it is not known.
            seconds: how long it may take.

        Returns:
            Whether the service has taken the cancel.
        """

        def cancel() -> bool:
            # What the service does not know any more does not run for it either.
            with suppress(NotFoundError):
                self.cancel(id, seconds)
            return True

        called = f"script {id}" if name is None else f"script {name} ({id})"
        return bool(
            clean_up(cancel, seconds=seconds, left=f"{called} was not canceled, and may go on")
        )

    def cancel_lost(self, name: str, runspace_id: str) -> str | None:
        """Look for a script that may have started, and cancel it, on the way out.

        Args:
            name: its name, which nothing else has.
            runspace_id: where it was to run.

        Returns:
            Its id; an empty text if there is no such script, None if that is unknown.
        """

        def find() -> str:
            found = self._find(name, _SECONDS_TO_FIND)
            if found is None:
                self._session.sender.clock.sleep(_SECONDS_UNTIL_A_LOST_ONE_SHOWS)
                found = self._find(name, _SECONDS_TO_FIND)
            return "" if found is None else found.id

        left = f"a script named {name} may have started and was not looked for, in runspace {runspace_id}"
        found = clean_up(find, seconds=_SECONDS_TO_FIND, left=left)
        if found:
            self.cancel_on_the_way_out(found, name, SECONDS_TO_CANCEL)
        return found

    def _find(self, name: str, within: float | None = None) -> ScriptExecution | None:
        executions = self._session.call(
            operations.SCRIPT_EXECUTIONS_LIST_OWN, read_executions, within=within
        )
        return next((execution for execution in executions if execution.name == name), None)
