"""What comes out of a script: a registered reply, what a form that is understood says, or nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from attrs import define, field

from srs_vsphere.simulator.answers import with_trace
from srs_vsphere.simulator.bodies import FORMATS, ParameterBody, ScriptBody
from srs_vsphere.simulator.clixml import ClixmlError, decode
from srs_vsphere.simulator.lenient_json import Value
from srs_vsphere.simulator.outcome import STOPPED, Outcome, Run
from srs_vsphere.simulator.pods import Pod
from srs_vsphere.simulator.powershell.display import show
from srs_vsphere.simulator.powershell.documents import documents
from srs_vsphere.simulator.powershell.errors import NotUnderstoodError
from srs_vsphere.simulator.powershell.json_text import to_json
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.powershell.runner import Result, run
from srs_vsphere.simulator.powershell.values import Int64, PsObject
from srs_vsphere.simulator.powershell_host.protocol import write_run
from srs_vsphere.simulator.scripting import Handlers, ScriptCall, ScriptReply, StreamMessage
from srs_vsphere.simulator.settings import Settings

_log = logging.getLogger("srs_vsphere.simulator")

#: A parameter script that turns CLIXML into the value that it stands for.
_CARRIER = re.compile(r"PSSerializer\]::Deserialize\(\s*\$argument\s*\)", re.IGNORECASE)
#: A script that runs the one in its parameter and has ConvertTo-Json make a text of each object.
_WRAPPER = re.compile(r"\[scriptblock\]::Create\(\s*\$__s\s*\).*-Depth\s+(\d+)", re.IGNORECASE | re.DOTALL)
_WRAPPED = "__s"
_DATE_LIKE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_INT64 = range(-(2**63), 2**63)
_NULL = "Cannot bind argument to parameter 'object' because it is null."
_RUNTIME = "System.Management.Automation.RuntimeException"


@define(eq=False)
class _Job:
    """A script with its parameters, after these were made."""

    call: ScriptCall
    parameters: list[tuple[str, object]]
    format: int
    depth: int | None = None
    machine: Machine = field(factory=lambda: Machine({}))


class Engine:
    """Says what comes out of scripts.

    Args:
        handlers: the replies that were registered.
        settings: how long things take.
    """

    def __init__(self, handlers: Handlers, settings: Settings) -> None:
        self._handlers = handlers
        self._settings = settings

    def start(
        self,
        id: str,
        body: ScriptBody,
        parameters: Sequence[ParameterBody],
        pod: Pod,
        user: str,
        now: float,
    ) -> Run:
        """Start a script that a user runs; the pod's real PowerShell runs it unless a reply is registered.

        Args:
            id: the execution's id.
            body: the request.
            parameters: its parameters.
            pod: where it runs.
            user: who runs it.
            now: the moment, in seconds of the clock.
        """
        if pod.host is None:
            return Run(id, now, body.format, self.run(body, parameters, pod, user))
        job = self._job(body, [(parameter.name, _seen(parameter)) for parameter in parameters], pod, user)
        reply = self._handlers.find(job.call)
        if reply is not None:
            return Run(id, now, body.format, self._replied(reply, job))
        given = [(parameter, _is_date(parameter.value)) for parameter in parameters]
        try:
            line = write_run(body.script, body.format, given)
        except ValueError as error:
            return Run(id, now, body.format, Outcome(state="error", reason=f"simulator: {error}"))
        return pod.host.run(id, line, body.format, self._settings.stream_records)

    def run(self, body: ScriptBody, parameters: Sequence[ParameterBody], pod: Pod, user: str) -> Outcome:
        """Return what comes out of a script that a user runs.

        Args:
            body: the request.
            parameters: its parameters.
            pod: where it runs.
            user: who runs it.
        """
        machine = Machine(pod.variables)
        values: list[tuple[str, object]] = []
        for parameter in parameters:
            made = self._parameter(parameter, machine, pod, user)
            if made.error is not None:
                what = "An error occurred durgin execution of argument transformation for parameter"
                reason = with_trace(f"{what} '{parameter.name}': {made.error}")
                return self._outcome(Result(error=reason), machine, body.format, None)
            values.append((parameter.name, _argument(made)))
        job = self._job(body, values, pod, user)
        job.machine = machine
        reply = self._handlers.find(job.call)
        if reply is not None:
            return self._replied(reply, job)
        try:
            result = run(job.call.script, job.parameters, machine)
        except NotUnderstoodError as error:
            _log.warning("script not recognised (%s), it succeeds without output: %s", error, job.call.script)
            result = Result()
        if result.error is not None:
            result.error = with_trace(result.error)
        return self._outcome(result, machine, body.format, job.depth)

    def run_system(self, name: str, pod: Pod, user: str, duration: float) -> Outcome:
        """Return what comes out of a script that the service itself runs, nothing if no reply is there.

        Args:
            name: what it is called.
            pod: where it runs.
            user: for whom.
            duration: how long it runs.
        """
        call = ScriptCall(
            script=name,
            name=name,
            user=user,
            runspace_id=pod.runspace_id,
            output_objects_format="json",
            system=True,
        )
        job = _Job(call, [], FORMATS.index("json"))
        job.machine.elapsed = duration
        return self._replied(self._handlers.find(call) or ScriptReply(), job)

    def _parameter(self, parameter: ParameterBody, machine: Machine, pod: Pod, user: str) -> Result:
        """Make the value of a parameter; a result without output stands for a switch."""
        given = Result(output=[(0.0, value) for value in _from_json(parameter.value)])
        if not (parameter.script or "").strip():
            return given
        script = parameter.script or ""
        argument = _argument(given)
        if _CARRIER.search(script) and isinstance(argument, str):
            try:
                return Result(output=[(0.0, value) for value in decode(argument) if value is not None])
            except ClixmlError as error:
                what = 'Exception calling "Deserialize" with "1" argument(s)'
                text = f'System.Management.Automation.MethodInvocationException: {what}: "{error}"'
                return Result(error=text)
        call = ScriptCall(
            script=script, parameters={"argument": argument}, user=user, runspace_id=pod.runspace_id
        )
        reply = self._handlers.find(call)
        if reply is not None:
            machine.elapsed += reply.duration
            return Result(output=[(0.0, value) for value in reply.output], error=_reason(reply))
        try:
            return run(script, [("argument", argument)], machine)
        except NotUnderstoodError as error:
            _log.warning("parameter script not recognised (%s), it returns nothing: %s", error, script)
            return Result()

    def _job(self, body: ScriptBody, values: list[tuple[str, object]], pod: Pod, user: str) -> _Job:
        script, depth = body.script, None
        wrapper = _WRAPPER.search(script)
        if wrapper is not None:
            inner = [value for name, value in values if name.lower() == _WRAPPED]
            if len(inner) == 1 and isinstance(inner[0], str):
                script, depth = inner[0], int(wrapper.group(1))
                values = [(name, value) for name, value in values if name.lower() != _WRAPPED]
        call = ScriptCall(
            script=script,
            parameters=dict(values),
            name=body.name,
            user=user,
            runspace_id=pod.runspace_id,
            output_objects_format=FORMATS[body.format] if body.format in range(len(FORMATS)) else body.format,
        )
        return _Job(call, values, body.format, depth)

    def _replied(self, reply: ScriptReply, job: _Job) -> Outcome:
        start = job.machine.elapsed
        job.machine.elapsed = start + reply.duration
        result = Result(output=[(job.machine.elapsed, value) for value in reply.output], error=_reason(reply))
        job.machine.records += [
            StreamMessage(record.stream, record.message, start + record.at) for record in reply.records
        ]
        outcome = self._outcome(result, job.machine, job.format, job.depth)
        return outcome if reply.state != "canceled" else _canceled(outcome)

    def _outcome(self, result: Result, machine: Machine, format: int, depth: int | None) -> Outcome:
        records = list(machine.records)
        output: list[tuple[float, object]] = [] if result.exited else list(result.output)
        if depth is not None:
            output = [(at, to_json(value, depth, compress=True)) for at, value in output]
        written: list[tuple[float, str]] = []
        if format == FORMATS.index("json"):
            for at, value in output:
                if value is None:
                    records.append(StreamMessage("error", _NULL, at))
                else:
                    written += [(at, document) for document in documents(value)]
        return Outcome(
            output=written,
            text=show([value for _, value in output]) if format == 0 else "",
            records=sorted(records, key=lambda record: record.at),
            duration=machine.elapsed + self._settings.script_seconds,
            state="success" if result.error is None else "error",
            reason=result.error,
        )


def _canceled(outcome: Outcome) -> Outcome:
    return Outcome(
        output=outcome.output,
        records=outcome.records,
        duration=outcome.duration,
        state="canceled",
        reason=outcome.reason,
    )


def _reason(reply: ScriptReply) -> str | None:
    if reply.state == "success":
        return None
    if reply.state == "canceled":
        return reply.reason or with_trace(STOPPED)
    reason = reply.reason or "The script failed."
    return with_trace(reason if "Exception: " in reason else f"{_RUNTIME}: {reason}")


def _argument(made: Result) -> object:
    """Return what a parameter gets: without any object it is taken for a switch."""
    values = [value for _, value in made.output]
    if len(values) > 1:
        return values
    return True if not values or values[0] is None else values[0]


def _seen(parameter: ParameterBody) -> object:
    """Return what a registered behaviour sees of a parameter: its own script has not run yet."""
    value = parameter.value
    if _CARRIER.search(parameter.script or "") and isinstance(value, str):
        with suppress(ClixmlError):
            return _argument(Result(output=[(0.0, carried) for carried in decode(value)]))
    return _argument(Result(output=[(0.0, converted) for converted in _from_json(value)]))


def _is_date(value: Value) -> bool:
    return isinstance(value, str) and isinstance(_converted(value), datetime)


def _from_json(value: Value) -> list[object]:
    """Return what a value becomes on its way to the script: of an array only the first element arrives."""
    if isinstance(value, list):
        return [_converted(value[0])] if value else []
    return [] if value is None else [_converted(value)]


def _converted(value: Value) -> object:
    if isinstance(value, dict):
        return PsObject({name: _converted(member) for name, member in value.items()})
    if isinstance(value, list):
        return [_converted(element) for element in value]
    if isinstance(value, str) and _DATE_LIKE.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return Int64(value)
    return value
