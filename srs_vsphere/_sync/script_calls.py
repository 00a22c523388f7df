"""The calls that scripts are made of, as the service has them; what is public stands on these."""

from __future__ import annotations

import logging

from attrs import evolve

from srs_vsphere._sync.decoding import (
    read_list,
    read_list_or_none,
    read_nothing,
    read_one,
    read_texts,
)
from srs_vsphere._sync.poll import Poll
from srs_vsphere._sync.session import Session
from srs_vsphere._codec import models
from srs_vsphere._service import operations
from srs_vsphere._service.poll_schedule import WaitPolicy, seen_execution
from srs_vsphere.errors import OutcomeUnknownError, SrsError
from srs_vsphere.models import ScriptExecution, StreamRecord, StreamType

_log = logging.getLogger("srs_vsphere")

read_executions = read_list(ScriptExecution)
_read_execution = read_one(ScriptExecution)
_read_records = read_list_or_none(StreamRecord)

#: A cancel on the way out may take no longer.
_SECONDS_TO_CANCEL = 5.0
#: A request that nobody waited for may still be on its way: its script shows this long after at the latest.
_SECONDS_UNTIL_A_LOST_ONE_SHOWS = 1.0


class ScriptCalls:
    """Calls about scripts.

    Args:
        session: makes them.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def start(
        self, runspace_id: str, body: dict[str, object], name: str, *, unique: bool
    ) -> ScriptExecution:
        """Start a script, once; one whose answer is lost is looked for if its name is unique.

        Args:
            runspace_id: where.
            body: what else the request holds.
            name: its name.
            unique: whether nothing else has that name.
        """
        # Anything that is no id is refused here rather than by the service.
        operations.RUNSPACES_GET.path_for(runspace_id)
        message = models.dumps({"runspace_id": runspace_id, "name": name, **body})
        try:
            return self._session.call(
                operations.SCRIPT_EXECUTIONS_CREATE, _read_execution, body=message
            )
        except OutcomeUnknownError as error:
            lost = error
        lost.advice = f"Look for the name {name!r} in script_executions.list()."
        if unique:
            try:
                found = self._find(name)
            except SrsError:
                raise lost from None
            if found is not None:
                return found
            lost.advice = f"No script named {name!r} was there a moment later, but it may still appear."
        raise lost

    def get(self, id: str, within: float | None = None) -> ScriptExecution:
        """Ask for a script.

        Args:
            id: its id.
            within: seconds it may take.
        """
        operation = operations.SCRIPT_EXECUTIONS_GET
        return self._session.call(
            operation, _read_execution, path=operation.path_for(id), within=within
        )

    def output(self, id: str) -> list[str | None] | None:
        """Ask for a script's output, None or with None in it while there is none.

        Args:
            id: its id.
        """
        operation = operations.SCRIPT_EXECUTIONS_OUTPUT
        return self._session.call(operation, read_texts, path=operation.path_for(id))

    def records(
        self, id: str, stream: StreamType, within: float | None = None
    ) -> list[StreamRecord] | None:
        """Ask for a stream's newest records, None while there is no stream.

        Args:
            id: the script's id.
            stream: which stream.
            within: seconds it may take.
        """
        operation = operations.SCRIPT_EXECUTIONS_STREAMS[stream]
        records = self._session.call(
            operation, _read_records, path=operation.path_for(id), within=within
        )
        return None if records is None else [evolve(record, stream=stream) for record in records]

    def wait(self, id: str, timeout: float | None) -> ScriptExecution:
        """Wait until a script has ended, or its record turns out to be stuck.

        Args:
            id: its id.
            timeout: seconds until waiting is given up; None for never.
        """
        poll = Poll(
            self._session,
            WaitPolicy(timeout=timeout),
            operation="script_executions.wait",
            what=f"script {id} did not end",
            ask=lambda within: self.get(id, within),
            see=seen_execution,
        )
        return poll.until_end()

    def cancel(self, id: str, within: float | None = None) -> None:
        """Ask for a script to be stopped.

        Args:
            id: its id.
            within: seconds it may take.
        """
        operation = operations.SCRIPT_EXECUTIONS_CANCEL
        self._session.call(operation, read_nothing, path=operation.path_for(id), within=within)

    def cancel_on_the_way_out(self, id: str) -> None:
        """Ask for a script to be stopped, reached by no cancellation, bounded in time, never raising.

        Args:
            id: its id.
        """
        with self._session.sender.clock.shielded(_SECONDS_TO_CANCEL):
            try:
                self.cancel(id, _SECONDS_TO_CANCEL)
            except SrsError as error:
                # What the caller is leaving for goes first.
                _log.warning("script %s was not canceled: %s", id, error)

    def cancel_lost(self, name: str) -> str | None:
        """Look for a script that may have started, and cancel it; on the way out as above.

        Args:
            name: its name, which nothing else has.

        Returns:
            Its id, if there is such a script.
        """
        clock = self._session.sender.clock
        found: ScriptExecution | None = None
        with clock.shielded(_SECONDS_TO_CANCEL):
            try:
                found = self._find(name, _SECONDS_TO_CANCEL)
                if found is None:
                    clock.sleep(_SECONDS_UNTIL_A_LOST_ONE_SHOWS)
                    found = self._find(name, _SECONDS_TO_CANCEL)
            except SrsError as error:
                _log.warning("a script named %s may have started and was not looked for: %s", name, error)
        if found is None:
            return None
        self.cancel_on_the_way_out(found.id)
        return found.id

    def _find(self, name: str, within: float | None = None) -> ScriptExecution | None:
        executions = self._session.call(
            operations.SCRIPT_EXECUTIONS_LIST_OWN, read_executions, within=within
        )
        return next((execution for execution in executions if execution.name == name), None)
