"""Commands: the few cmdlets that scripts for the simulator need, and the pipelines that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from attrs import frozen

from srs_vsphere.simulator.objects.errors import ScriptError, StatementError
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.texts import text
from srs_vsphere.simulator.objects.values import elements, is_array, plain, truth, unwrapped
from srs_vsphere.simulator.powershell.machine import Expression, Machine, ScriptBlock, Sink
from srs_vsphere.simulator.powershell.scanner import words

#: Verbs of real cmdlets, PowerCLI's included: a command that has one may be known to PowerShell.
_VERBS = words("""
    add answer apply approve assert attach backup block build checkpoint clear close compare complete
    compress confirm connect convert convertfrom convertto copy debug deny deploy detach disable
    disconnect dismount download edit enable enter exit expand export find foreach format get grant
    group hide import initialize install invoke join limit lock measure merge mount move new open
    optimize out ping pop protect publish push read receive redo register remediate remove rename repair
    request reset resize resolve restart restore resume revoke save scan search select send set show
    shutdown skip sort split stage start step stop submit suspend switch sync tee test trace unblock
    undo uninstall unlock unprotect unpublish unregister update use wait watch where write
""")
#: Parameters that every cmdlet has.
COMMON = words("""
    verbose debug erroraction errorvariable warningaction warningvariable informationaction
    informationvariable outvariable outbuffer pipelinevariable progressaction
""")
_UNKNOWN = (
    "The term '{}' is not recognized as a name of a cmdlet, function, script file, or executable program.\n"
    "Check the spelling of the name, or if a path was included, verify that the path is correct and try "
    "again."
)
#: The parameters that take blocks.
_BLOCKS = frozenset({"process", "filterscript"})
_COLOR = re.compile(r"(dark)?(blue|green|cyan|red|magenta|yellow|gray)|black|white", re.IGNORECASE)
#: The arguments by the whole names of the parameters, and ``input`` where objects come through a pipeline.
Arguments: TypeAlias = Mapping[str, object]


@frozen(eq=False)
class Command:
    """A command that is known here: what makes the sink for its input, and its parameters."""

    run: Callable[[Machine, Arguments, Sink], Sink]
    positional: Sequence[str] = ()
    named: Sequence[str] = ()
    switches: Sequence[str] = ()
    takes_all: bool = False

    def parameter(self, written: str) -> str:
        """Return the whole name of a parameter, of which the beginning is enough."""
        own = {*self.positional, *self.named, *self.switches}
        beginning = [name for name in own | COMMON if name.startswith(written)]
        # Fewer letters could be the beginning of a parameter that is not here.
        found = beginning[0] if len(beginning) == 1 and len(written) > 3 else written
        found = "erroraction" if written == "ea" else found
        if found not in own:
            raise NotUnderstoodError(f"the parameter -{written}")
        return found


def command(name: str) -> Command | None:
    """Return a command, None if PowerShell would not know it; one that it might know is refused."""
    lower = name.lower()
    found = _COMMANDS.get(_ALIASES.get(lower, lower))
    verb, _, noun = lower.partition("-")
    # Programs have names like these in lower case only.
    if found is None and (verb in _VERBS or name == lower or not re.fullmatch(r"[a-z]+(-[a-z]+)*", noun)):
        raise NotUnderstoodError(f"the command {name}")
    return found


def _no_input(_: object) -> None:
    """Take what comes to a command that is the first of a pipeline: nothing."""


def _for_each_given(arguments: Arguments, name: str, action: Sink) -> Sink:
    """Do something with the value that was given, or with all that come."""
    if (name in arguments) is ("input" in arguments):
        raise NotUnderstoodError("either both a value and input, or neither")
    if name not in arguments:
        return action
    action(arguments[name])
    return _no_input


def _message(value: object) -> str:
    if not isinstance(value, str | bool | int | float):
        raise NotUnderstoodError("a message that is no text")
    return text(value)


def _write(stream: str, name: str, machine: Machine, arguments: Arguments, _: Sink) -> Sink:
    shown = stream not in {"verbose", "debug"} or truth(arguments.get(stream, False))

    def action(value: object) -> None:
        message = _message(value)
        if shown:
            machine.write(stream, message)

    return _for_each_given(arguments, name, action)


def _write_host(machine: Machine, arguments: Arguments, _: Sink) -> Sink:
    colors = [arguments[name] for name in ("foregroundcolor", "backgroundcolor") if name in arguments]
    if not all(isinstance(color, str) and _COLOR.fullmatch(color) for color in colors):
        raise NotUnderstoodError("this color")

    def action(value: object) -> None:
        parts = ["" if part is None else _message(part) for part in elements(value)]
        machine.write("information", " ".join(parts))

    return _for_each_given(arguments, "object", action)


def _write_error(machine: Machine, arguments: Arguments, _: Sink) -> Sink:
    wanted = arguments.get("erroraction", "continue")
    if not isinstance(wanted, str) or wanted.lower() not in {"continue", "silentlycontinue", "stop"}:
        raise NotUnderstoodError("this value of -ErrorAction")

    def action(value: object) -> None:
        if not _message(value):
            raise NotUnderstoodError("an empty message")
        kind = "Microsoft.PowerShell.Commands.WriteErrorException"
        machine.write_error(ScriptError(_message(value), kind), wanted.lower())

    return _for_each_given(arguments, "message", action)


def _write_output(_: Machine, arguments: Arguments, sink: Sink) -> Sink:
    def action(value: object) -> None:
        for element in elements(value):
            if is_array(element):
                raise NotUnderstoodError("arrays in an array")
            sink(element)

    return _for_each_given(arguments, "inputobject", action)


def _sleep(machine: Machine, arguments: Arguments, _: Sink) -> Sink:
    [(unit, length)] = arguments.items() if len(arguments) == 1 else [("", None)]
    fits = type(length) is int or (type(length) is float and unit == "seconds")
    if not fits or not isinstance(length, int | float) or not 0 <= length < 2**31:
        raise NotUnderstoodError("this length")
    machine.elapsed += length / (1 if unit == "seconds" else 1000)
    return _no_input


def _nothing(name: str, _: Machine, arguments: Arguments, __: Sink) -> Sink:
    if not arguments.get(name, True):
        raise NotUnderstoodError(f"an empty -{name}")
    return _for_each_given(arguments, name, _no_input)


def _with_each(name: str, machine: Machine, arguments: Arguments, sink: Sink) -> Sink:
    block = arguments.get(name)
    if not isinstance(block, ScriptBlock) or "input" not in arguments:
        raise NotUnderstoodError("anything else than one script block with input")

    def take(value: object) -> None:
        outside, machine.variables["_"] = machine.variables.get("_"), value
        found: list[object] = []
        try:
            block.run(machine, found.append if name == "filterscript" else sink)
        finally:
            machine.variables["_"] = outside
        if truth(unwrapped(found)):
            sink(value)

    return take


_COMMANDS = {
    "write-information": Command(partial(_write, "information", "messagedata"), ["messagedata"], ["tags"]),
    "write-warning": Command(partial(_write, "warning", "message"), ["message"]),
    "write-verbose": Command(partial(_write, "verbose", "message"), ["message"], switches=["verbose"]),
    "write-debug": Command(partial(_write, "debug", "message"), ["message"], switches=["debug"]),
    "write-host": Command(
        _write_host, ["object"], ["foregroundcolor", "backgroundcolor"], ["nonewline"], takes_all=True
    ),
    "write-error": Command(_write_error, ["message"], ["erroraction"]),
    "write-output": Command(_write_output, ["inputobject"], takes_all=True),
    "write-progress": Command(partial(_nothing, "activity"), ["activity"]),
    "start-sleep": Command(_sleep, ["seconds"], ["milliseconds"]),
    "out-null": Command(partial(_nothing, "inputobject")),
    "foreach-object": Command(partial(_with_each, "process"), ["process"]),
    "where-object": Command(partial(_with_each, "filterscript"), ["filterscript"]),
}
_EACH, _WHERE = "foreach-object", "where-object"
#: On Linux, where runspaces run, `sleep` and `write` are programs.
_ALIASES = {"%": _EACH, "foreach": _EACH, "?": _WHERE, "where": _WHERE, "echo": "write-output"}


@frozen(eq=False)
class Call:
    """A command with its arguments, before it runs; without a command PowerShell would not know it either."""

    name: str
    command: Command | None
    arguments: Mapping[str, Expression]
    piped: bool


def run_pipeline(expression: Expression | None, calls: Sequence[Call], machine: Machine, sink: Sink) -> None:
    """Carry out a pipeline: all that is written in it is worked out before the first command begins."""
    values = elements(expression(machine)) if expression is not None else []
    given = [{name: plain(value(machine)) for name, value in call.arguments.items()} for call in calls]
    commands = [_known(call) for call in calls]
    for call, found, arguments in reversed([*zip(calls, commands, given, strict=True)]):
        machine.step(*arguments.values())
        if any(isinstance(value, ScriptBlock) and name not in _BLOCKS for name, value in arguments.items()):
            raise NotUnderstoodError(f"a script block as a value for {call.name}")
        try:
            stage = found.run(machine, arguments | ({"input": True} if call.piped else {}), sink)
        except NotUnderstoodError as error:
            error.what = error.what if call.name in error.what else f"{error.what} of {call.name}"
            raise
        sink = partial(_taken, stage, machine)
    # A command at the beginning gets nothing through the pipeline: what it does, it does when it starts.
    for value in values:
        sink(value)


def _taken(stage: Sink, machine: Machine, value: object) -> None:
    machine.step(value)
    stage(value)


def _known(call: Call) -> Command:
    if call.command is None:
        message, kind = _UNKNOWN.format(call.name), "CommandNotFoundException"
        raise StatementError(message, kind, category="ObjectNotFound", target=call.name)
    return call.command
