"""The values of parameters, which may have scripts of their own."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableSequence

from srs_vsphere.simulator.answers import with_trace
from srs_vsphere.simulator.argument_values import argument, carried, from_json
from srs_vsphere.simulator.behaviours import Behaviours
from srs_vsphere.simulator.bodies import ParameterBody
from srs_vsphere.simulator.clixml import ClixmlError
from srs_vsphere.simulator.objects.errors import ScriptError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.powershell.runner import run
from srs_vsphere.simulator.script_log import ScriptRecord
from srs_vsphere.simulator.scripting import ScriptCall, ScriptReply
from srs_vsphere.simulator.service_scripts import NOTHING_FOUND, recognised
from srs_vsphere.simulator.transcript import Result

_logger = logging.getLogger("srs_vsphere.simulator")

_TAKES_ARGUMENTS = re.compile(r"\$args\b|\bparam\s*\(", re.IGNORECASE)
_TRANSFORMATION = "An error occurred durgin execution of argument transformation for parameter"


class ParameterError(Exception):
    """The script of a parameter failed: the user's script does not start."""


class ParameterScripts:
    """Makes the values of parameters.

    Args:
        behaviours: the replies that were registered.
        log: gets a record of each script.
        strict: whether a script that is not understood fails; otherwise it returns nothing.
    """

    def __init__(self, behaviours: Behaviours, log: MutableSequence[ScriptRecord], *, strict: bool) -> None:
        self._behaviours = behaviours
        self._log = log
        self._strict = strict

    def value(
        self, parameter: ParameterBody, machine: Machine, runspace_id: str, user: str
    ) -> tuple[str, object]:
        """Return the name and the value of a parameter; a result without output stands for a switch.

        Args:
            parameter: what was sent.
            machine: what its script works on.
            runspace_id: where.
            user: who runs it.

        Raises:
            ParameterError: its script failed.
            BehaviourFailedError: a test's own function raised.
            NotUnderstoodError: its script is not understood.
        """
        given = from_json(parameter.value)
        script = (parameter.script or "").strip()
        if not script:
            return parameter.name, argument(given)
        made = self._made(
            parameter.name, script, argument(given) if given else None, machine, runspace_id, user
        )
        if made.error is not None:
            raise ParameterError(with_trace(f"{_TRANSFORMATION} '{parameter.name}': {made.error.text}"))
        return parameter.name, argument([value for _, value in made.output])

    def _made(
        self, name: str, script: str, value: object, machine: Machine, runspace_id: str, user: str
    ) -> Result:
        try:
            values = carried(value, script)
        except ClixmlError as error:
            what = f'Exception calling "Deserialize" with "1" argument(s): "{error}"'
            return Result(error=ScriptError(what, "MethodInvocationException"))
        if values is not None:
            return Result([(0.0, each) for each in values])
        inner = recognised("argument-script", script)
        call = ScriptCall(
            script=script if inner is None else inner[0].strip("\n"),
            parameters={} if value is None else {"argument": value},
            user=user,
            runspace_id=runspace_id,
            parameter=name,
        )
        found = self._behaviours.find(call)
        self._log.append(ScriptRecord(call, found.behaviour if found is not None else None))
        if found is not None:
            machine.elapsed += found.reply.duration
            made = result_of(found.reply, 0.0)
        else:
            made = self._computed(call, value, machine, inner=inner is not None)
        if made.error is not None:
            self._log[-1].state = "error"
        if inner is None or made.error is not None:
            return made
        output = [(at, value) for at, value in made.output if value is not None]
        return Result(output, error=None if output else ScriptError(NOTHING_FOUND))

    def _computed(self, call: ScriptCall, value: object, machine: Machine, *, inner: bool) -> Result:
        try:
            if inner and _TAKES_ARGUMENTS.search(call.script):
                raise NotUnderstoodError("the arguments of a script for a parameter")  # noqa: TRY301 - treated like those of `run`
            # The service gives a script without a value the switch form of its parameter.
            given = [("argument", True if value is None else value)]
            return run(call.script, [] if inner else given, machine)
        except NotUnderstoodError as error:
            if self._strict:
                error.what = f"{error.what} (in the script of the parameter {call.parameter})"
                raise
            _logger.warning(
                "parameter script not recognised (%s), it returns nothing: %s", error, call.script
            )
            return Result()


def result_of(reply: ScriptReply, at: float) -> Result:
    """Return a registered reply as what came out of a script.

    Args:
        reply: the reply.
        at: when its output came, in seconds after the script's start.
    """
    error: ScriptError | None = None
    if reply.state == "error":
        message = reply.reason or "The script failed."
        kind, colon, rest = message.partition("Exception: ")
        named = bool(colon) and " " not in kind
        kind, text = (f"{kind or 'System.'}Exception", rest) if named else ("RuntimeException", message)
        error = ScriptError(text, kind, id=text, category="OperationStopped", target=text)
    return Result([(at, value) for value in reply.output], error=error)
