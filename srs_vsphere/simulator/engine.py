"""What comes out of a script: a registered reply, what a form that is understood says, or a refusal."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

from attrs import define

from srs_vsphere.simulator.answers import with_trace
from srs_vsphere.simulator.argument_values import is_date, seen
from srs_vsphere.simulator.behaviours import BehaviourFailedError, Behaviours, FoundReply
from srs_vsphere.simulator.bodies import FORMATS, ParameterBody, ScriptBody
from srs_vsphere.simulator.objects.display import WIDTH, show
from srs_vsphere.simulator.objects.documents import documents
from srs_vsphere.simulator.objects.errors import ScriptError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.outcome import STOPPED, Outcome, Run
from srs_vsphere.simulator.parameter_scripts import ParameterError, ParameterScripts, result_of
from srs_vsphere.simulator.pods import Pod
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.powershell.runner import run
from srs_vsphere.simulator.powershell_host.protocol import write_run
from srs_vsphere.simulator.script_log import ScriptRecord
from srs_vsphere.simulator.scripting import ScriptCall, ScriptReply, StreamMessage
from srs_vsphere.simulator.service_scripts import (
    WRAPPED,
    StructuredRun,
    Wrapper,
    recognised,
    structured_run,
    unwrapped,
)
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.transcript import ErrorRecord, Result

_log = logging.getLogger("srs_vsphere.simulator")

_NULL = "Cannot bind argument to parameter 'object' because it is null."
_SHOWN = 8
_REMEMBERED = 10_000
JSON = FORMATS.index("json")
TEXT = FORMATS.index("text")


@define(eq=False)
class _Job:
    """A script with its parameters, after these were made."""

    call: ScriptCall
    parameters: list[tuple[str, object]]
    format: int
    machine: Machine
    wrapper: Wrapper | None = None
    exact: bool = True


class Engine:
    """Says what comes out of scripts.

    Args:
        behaviours: the replies that were registered.
        settings: how long things take.
        strict: whether a script that is not understood fails; otherwise it succeeds without output.
    """

    def __init__(self, behaviours: Behaviours, settings: Settings, *, strict: bool) -> None:
        self._behaviours = behaviours
        self._settings = settings
        self._strict = strict
        #: The scripts that were started, oldest first.
        self.scripts: deque[ScriptRecord] = deque(maxlen=_REMEMBERED)
        #: Why scripts were refused, oldest first.
        self.refusals: deque[str] = deque(maxlen=_REMEMBERED)
        self._parameters = ParameterScripts(behaviours, self.scripts, strict=strict)
        #: What behaviours for the service's own scripts raised.
        self.failures: list[BaseException] = []

    def start(
        self, id: str, body: ScriptBody, parameters: Sequence[ParameterBody], pod: Pod, user: str, now: float
    ) -> Run:
        """Start a script that a user runs; the pod's real PowerShell runs it unless a reply is registered.

        Args:
            id: the execution's id.
            body: the request.
            parameters: its parameters.
            pod: where it runs.
            user: who runs it.
            now: the moment, in seconds of the clock.

        Raises:
            BehaviourFailedError: a test's own function raised.
        """
        if pod.host is None:
            return Run(id, now, body.format, self.run(body, parameters, pod, user))
        values = [(parameter.name, seen(parameter)) for parameter in parameters]
        job = self._job(body, values, Machine(), pod, user)
        record = ScriptRecord(job.call)
        found = self._behaviours.find(job.call)
        self.scripts.append(record)
        if found is not None:
            record.behaviour = found.behaviour
            return Run(id, now, body.format, self._replied(found.reply, job))
        given = [(parameter, is_date(parameter.value)) for parameter in parameters]
        try:
            line = write_run(body.script, body.format, given)
        except ValueError as error:
            return Run(id, now, body.format, Outcome(state="error", reason=f"simulator: {error}"))
        return pod.host.run(id, line, body.format, self._settings.stream_records)

    def run(self, body: ScriptBody, parameters: Sequence[ParameterBody], pod: Pod, user: str) -> Outcome:
        """Return what comes out of a script that a user runs; the last of `scripts` is it.

        Args:
            body: the request.
            parameters: its parameters.
            pod: where it runs.
            user: who runs it.

        Raises:
            BehaviourFailedError: a test's own function raised.
        """
        rest = recognised("structured-rest", body.script)
        if rest is not None:
            self.scripts.append(ScriptRecord(ScriptCall(script=body.script, name=body.name, user=user)))
            return self._rest(rest[0], pod, body.format)
        # A script that is not understood leaves nothing behind: it works on a copy.
        machine = Machine(variables=dict(pod.variables))
        record = ScriptRecord(ScriptCall(script=body.script, name=body.name, user=user))
        try:
            values = [self._parameters.value(each, machine, pod.runspace_id, user) for each in parameters]
            job = self._job(body, values, machine, pod, user)
            record.call = job.call
            found = self._behaviours.find(job.call)
            record.behaviour = found.behaviour if found is not None else None
            outcome = self._replied(found.reply, job) if found is not None else self._understood(job)
            pod.variables = machine.variables
        except ParameterError as error:
            outcome = self._failed(str(error), machine)
        except NotUnderstoodError as error:
            outcome = self._refused(error, record.call, body, pod, user)
        self.scripts.append(record)
        return outcome

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
        machine = Machine(elapsed=duration)
        found: FoundReply | None = None
        try:
            found = self._behaviours.find(call)
            reply = found.reply if found is not None else ScriptReply()
            outcome = self._replied(reply, _Job(call, [], JSON, machine))
        except BehaviourFailedError as error:
            # Nobody asked for this script who could be told, and the runspace must not wait for it for ever.
            self.failures.append(error.error)
            outcome = Outcome(duration=duration, state="error", reason=f"simulator: {error}")
        self.scripts.append(ScriptRecord(call, found.behaviour if found is not None else None))
        return outcome

    def _job(
        self, body: ScriptBody, values: list[tuple[str, object]], machine: Machine, pod: Pod, user: str
    ) -> _Job:
        script, parameters, wrapper = unwrapped(body.script, values)
        call = ScriptCall(
            script=script,
            parameters=dict(parameters),
            name=body.name,
            user=user,
            runspace_id=pod.runspace_id,
            output_objects_format=FORMATS[body.format] if body.format in range(len(FORMATS)) else body.format,
        )
        return _Job(call, parameters, body.format, machine, wrapper)

    def _understood(self, job: _Job) -> Outcome:
        result = run(job.call.script, job.parameters, job.machine, wrapped=job.wrapper is not None)
        return self._outcome(result, job)

    def _replied(self, reply: ScriptReply, job: _Job) -> Outcome:
        start = job.machine.elapsed
        job.machine.elapsed = start + reply.duration
        job.exact = False
        for record in reply.records:
            at = start + record.at
            job.machine.records.append(StreamMessage(record.stream, record.message, at))
            if record.stream == "error" and record.message.strip():
                kind = "Microsoft.PowerShell.Commands.WriteErrorException"
                job.machine.errors.append(ErrorRecord(ScriptError(record.message, kind), 1, at))
        result = result_of(reply, job.machine.elapsed)
        if result.error is not None:
            job.machine.note(result.error)
        outcome = self._outcome(result, job)
        if reply.state == "canceled":
            outcome.state = "canceled"
            outcome.reason = reply.reason or with_trace(STOPPED)
        return outcome

    def _outcome(self, result: Result, job: _Job) -> Outcome:
        machine = job.machine
        output: list[tuple[float, object]] = [] if result.exited else list(result.output)
        structured: StructuredRun | None = None
        if job.wrapper is not None and result.error is not None and result.unbound:
            machine.write("error", result.error.message)
            machine.errors.append(ErrorRecord(result.error, 0, machine.elapsed))
        if job.wrapper is not None and job.wrapper.depth is not None:
            ended = result.error is None and not result.exited
            structured = structured_run(job.wrapper, result.output, machine, ended=ended)
            if result.unread:
                structured = StructuredRun("")
            output = list(structured.texts())
        records = list(machine.records)
        written: list[tuple[float, str]] = []
        if job.format == JSON:
            for at, value in output:
                if value is None:
                    records.append(StreamMessage("error", _NULL, at))
                else:
                    written += [(at, document) for document in documents(value)]
        width = job.wrapper.width if job.wrapper is not None and job.wrapper.width is not None else WIDTH
        shown = job.format == TEXT and result.error is None
        return Outcome(
            output=written,
            text=show([value for _, value in output], width, exact=job.exact) if shown else "",
            records=sorted(records, key=lambda record: record.at),
            duration=machine.elapsed + self._settings.script_seconds,
            state="success" if result.error is None else "error",
            reason=None if result.error is None else with_trace(_reason(result, job.wrapper)),
            structured=structured,
        )

    def _rest(self, name: str, pod: Pod, format: int) -> Outcome:
        duration = self._settings.script_seconds
        run = pod.structured
        kept = run.outcome.structured if run is not None else None
        text = kept.rest(name, run.ends - run.started) if kept is not None and run is not None else None
        if text is None:
            return Outcome(duration=duration)
        output = [(0.0, document) for document in documents(text)] if format == JSON else []
        return Outcome(output=output, text=text if format == TEXT else "", duration=duration)

    def _failed(self, reason: str, machine: Machine) -> Outcome:
        duration = machine.elapsed + self._settings.script_seconds
        records = sorted(machine.records, key=lambda record: record.at)
        return Outcome(records=records, duration=duration, state="error", reason=reason)

    def _refused(
        self, error: NotUnderstoodError, call: ScriptCall, body: ScriptBody, pod: Pod, user: str
    ) -> Outcome:
        """Return what becomes of a script that is not understood; it has no effects."""
        if not self._strict:
            _log.warning("script not recognised (%s), it succeeds without output: %s", error, call.script)
            values = [*call.parameters.items(), (WRAPPED, call.script)]
            return self._outcome(Result(), self._job(body, values, Machine(), pod, user))
        registered = [behaviour.shown for behaviour in self._behaviours]
        more = [f"and {len(registered) - _SHOWN} more"] if len(registered) > _SHOWN else []
        where = f"line {error.line}: " if error.line is not None else ""
        reason = (
            f"simulator: {where}{error.what} is not understood, and no registered behaviour is for this "
            f"script (registered: {', '.join([*registered[:_SHOWN], *more]) or 'none'}). Register one with "
            "simulator.on_script(<text, pattern or function>, ScriptReply(output=[...])), or let such "
            "scripts succeed without output with unknown_scripts='succeed'."
        )
        self.refusals.append(reason)
        duration = self._settings.script_seconds
        return Outcome(duration=duration, state="error", reason=reason, structured=StructuredRun(""))


def _reason(result: Result, wrapper: Wrapper | None) -> str:
    if result.error is None:
        return ""
    if result.unread and wrapper is not None:
        # A script that is a parameter of another one is read as a block of its own.
        return f"System.Management.Automation.ParseException: At {result.unread}"
    return result.error.text
