"""What is answered about script executions."""

from __future__ import annotations

from collections.abc import Callable

from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.answers import (
    ENDPOINT_EXCEPTION,
    NO_CONTENT,
    OK,
    Json,
    error_reply,
    json_reply,
    with_trace,
)
from srs_vsphere.simulator.bodies import ParameterBody, ScriptBody
from srs_vsphere.simulator.engine import Engine
from srs_vsphere.simulator.exchange import Reply
from srs_vsphere.simulator.executions import Execution, Executions, format_name
from srs_vsphere.simulator.ids import Ids
from srs_vsphere.simulator.runspaces import Runspaces, not_found
from srs_vsphere.simulator.settings import Settings


class ScriptAnswers:
    """The operations on script executions.

    Args:
        agenda: tells the time.
        ids: makes the ids.
        settings: the limits.
        runspaces: where scripts run.
        executions: the executions.
        engine: says what comes out of a script.
    """

    def __init__(
        self,
        agenda: Agenda,
        ids: Ids,
        settings: Settings,
        runspaces: Runspaces,
        executions: Executions,
        engine: Engine,
    ) -> None:
        self._agenda = agenda
        self._ids = ids
        self._settings = settings
        self._runspaces = runspaces
        self._executions = executions
        self._engine = engine

    def create(self, user: str, body: ScriptBody) -> Reply:
        """Answer a request to run a script.

        Args:
            user: who asks.
            body: what is asked.
        """
        runspace = self._runspaces.find(body.runspace_id, user)
        if runspace is None:
            return not_found(body.runspace_id)
        if runspace.state != "ready":
            state = runspace.state.capitalize()
            message = f"Runspace '{runspace.id}' is not ready to run script. Runspace state is: {state}"
            return error_reply(500, 2031, message)
        parameters: list[ParameterBody] = []
        for parameter in body.parameters:
            if parameter is None:
                cause = "System.NullReferenceException: Object reference not set to an instance of an object."
                message = "Runspace failed to process the script execution request"
                return error_reply(500, 1025, message, with_trace(cause))
            parameters.append(parameter)
        pod = runspace.pod
        if pod.failure is not None:
            return _unreachable("Post", pod.failure)
        if pod.last is not None and pod.last.running(self._agenda.now):
            message = f"Another script with id '{pod.last.id}' is running"
            return error_reply(500, 1310, message, with_trace(f"{ENDPOINT_EXCEPTION}: {message}"))
        run = self._engine.start(self._ids.guid(), body, parameters, pod, user, self._agenda.now)
        execution = self._executions.start(run, pod=pod, user=user, name=body.name)
        self._engine.scripts[-1].follow(execution)
        members: dict[str, Json] = {"id": execution.id}
        if body.name:
            members["name"] = body.name
        members["output_objects_format"] = format_name(body.format)
        members["state"] = execution.run.state(self._agenda.now)
        members["start_time"] = self._agenda.stamp(execution.run.started)
        return json_reply(members, 202)

    def list(self, user: str, *, skip_system: bool) -> Reply:
        """Answer with a user's executions.

        Args:
            user: whose.
            skip_system: whether to leave out what the service itself started.
        """
        found = self._executions.of(user, skip_system=skip_system)
        return json_reply([execution.members() for execution in found])

    def get(self, user: str, id: str) -> Reply:
        """Answer with one execution.

        Args:
            user: who asks.
            id: its id.
        """
        return self._with(user, id, lambda execution: json_reply(execution.members()))

    def output(self, user: str, id: str) -> Reply:
        """Answer with an execution's output.

        Args:
            user: who asks.
            id: its id.
        """
        return self._with_data(
            user,
            id,
            lambda execution: NO_CONTENT if execution.output is None else json_reply(execution.output),
        )

    def stream(self, user: str, id: str, stream: str) -> Reply:
        """Answer with one of an execution's streams.

        Args:
            user: who asks.
            id: its id.
            stream: the stream's name.
        """

        def answer(execution: Execution) -> Reply:
            execution.read[stream] = execution.changed
            records = execution.streams.get(stream, [])
            stamp = self._agenda.stamp
            return json_reply([{"message": message, "time": stamp(moment)} for moment, message in records])

        return self._with_data(user, id, answer)

    def cancel(self, user: str, id: str) -> Reply:
        """Answer a request to stop an execution.

        Args:
            user: who asks.
            id: its id.
        """
        execution = self._executions.find(id, user)
        if execution is None:
            # The service looks up the code by the wrong key and finds the default.
            return error_reply(404, 500, f"Script with id '{id}' not found")
        if execution.state == "running":
            if execution.pod.failure is not None:
                return _unreachable("Delete", execution.pod.failure)
            execution.run.stop(self._agenda.now, self._settings.cancel_interval)
        return OK

    def _with(self, user: str, id: str, answer: Callable[[Execution], Reply]) -> Reply:
        execution = self._executions.find(id, user)
        return _unknown(id) if execution is None else answer(execution)

    def _with_data(self, user: str, id: str, answer: Callable[[Execution], Reply]) -> Reply:
        execution = self._executions.find(id, user)
        if execution is None or not (execution.polled or execution.zombie):
            return _unknown(id)
        return NO_CONTENT if execution.zombie else answer(execution)


def _unknown(id: str) -> Reply:
    return error_reply(404, 1040, f"Script with id '{id}' not found")


def _unreachable(method: str, failure: str) -> Reply:
    # The service makes the HTTP status from the code: 1000 and no status of the runspace's own is zero.
    message = f"Error calling {method}: {failure}"
    return error_reply(0, 1000, message, with_trace(f"{ENDPOINT_EXCEPTION}: {message}"))
