"""Commands: the few cmdlets that scripts for the simulator need."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NoReturn

from attrs import define, frozen

from srs_vsphere.simulator.objects import values
from srs_vsphere.simulator.objects.errors import ScriptError, StatementError
from srs_vsphere.simulator.objects.json_output import convert_to_json
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import elements, is_array, is_mapping, truth
from srs_vsphere.simulator.powershell.expressions import array_of
from srs_vsphere.simulator.powershell.machine import Expression, Machine, ScriptBlock, Sink

#: Verbs of real cmdlets, PowerCLI's included: a command that has one may be known to PowerShell.
_VERBS = frozenset(
    re.findall(
        r"\w+",
        """
        add answer apply approve assert attach backup block build checkpoint clear close compare complete
        compress confirm connect convert convertfrom convertto copy debug deny deploy detach disable
        disconnect dismount download edit enable enter exit expand export find foreach format get grant
        group hide import initialize install invoke join limit lock measure merge mount move new open
        optimize out ping pop protect publish push read receive redo register remediate remove rename repair
        request reset resize resolve restart restore resume revoke save scan search select send set show
        shutdown skip sort split stage start step stop submit suspend switch sync tee test trace unblock
        undo uninstall unlock unprotect unpublish unregister update use wait watch where write
        """,
    )
)
_UNKNOWN = (
    "The term '{}' is not recognized as a name of a cmdlet, function, script file, or executable program.\n"
    "Check the spelling of the name, or if a path was included, verify that the path is correct and try "
    "again."
)
#: Parameters that every cmdlet has, and short names of some.
COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        verbose debug erroraction errorvariable warningaction warningvariable informationaction
        informationvariable outvariable outbuffer pipelinevariable progressaction
        """,
    )
)
_SHORT = {"ea": "erroraction", "wa": "warningaction", "ms": "milliseconds"}
Arguments = Mapping[str, object]


def _ignored(_: object) -> None:
    raise NotUnderstoodError("input for a command that takes none, or that has its value already")


@define(eq=False)
class Stage:
    """A command at work in a pipeline: what it does with each object, and what when no more come."""

    take: Sink = _ignored
    end: Callable[[], None] = lambda: None


@frozen(eq=False)
class Command:
    """A command that is known here: how it begins to work, and its parameters.

    It gets the arguments by the whole names of the parameters, and ``input`` where objects come through a
    pipeline. A ``*`` before a name takes all values that are left. The others are real parameters, too, but
    not honoured; they are named where their names begin like those of others.
    """

    run: Callable[[Machine, Arguments, Sink], Stage]
    positional: Sequence[str] = ()
    named: Sequence[str] = ()
    switches: Sequence[str] = ()
    others: Sequence[str] = ()

    def parameter(self, written: str) -> str:
        """Return the whole name of a parameter, of which the beginning is enough."""
        own = {name.removeprefix("*") for name in (*self.positional, *self.named, *self.switches)}
        wanted = _SHORT.get(written, written)
        names = {name for name in own | COMMON | set(self.others) if name.startswith(wanted)}
        found = wanted if wanted in names else names.pop() if len(names) == 1 else ""
        if found not in own:
            raise NotUnderstoodError(f"the parameter -{written}")
        return found

    def bound(self, given: Sequence[tuple[str | None, Expression | None]]) -> dict[str, Expression]:
        """Return what gives the parameters their values: from names with values, names alone, and values."""
        found: dict[str, Expression] = {}
        loose: list[Expression] = []
        rest = list(given)
        while rest:
            name, value = rest.pop(0)
            if name is None and value is not None:
                loose.append(value)
                continue
            whole = self.parameter(name or "")
            if value is None and whole in self.switches:
                value = _on
            elif value is None and rest and rest[0][0] is None:
                value = rest.pop(0)[1]
            if value is None or whole in found:
                raise NotUnderstoodError(f"the parameter -{name}, given twice or without a value")
            found[whole] = value
        for name in self.positional:
            if loose and name.startswith("*") and name[1:] not in found:
                found[name[1:]] = loose[0] if len(loose) == 1 else partial(array_of, loose)
                loose = []
            elif loose and name not in found:
                found[name] = loose.pop(0)
        if loose:
            raise NotUnderstoodError("more arguments than parameters")
        return found


def _on(_: Machine) -> object:
    return True


def command(name: str) -> Command | None:
    """Return a command, None if PowerShell would not know it; one that it might know is refused."""
    lower = name.lower()
    found = _COMMANDS.get(_ALIASES.get(lower, lower))
    verb, hyphen, noun = lower.partition("-")
    if found is None and (not hyphen or verb in _VERBS or not re.fullmatch(r"[a-z]+(-[a-z]+)*", noun)):
        raise NotUnderstoodError(f"the command {name}")
    return found


def unknown(name: str) -> NoReturn:
    """Raise the error of a command that PowerShell does not know."""
    kind = "CommandNotFoundException"
    raise StatementError(_UNKNOWN.format(name), kind, category="ObjectNotFound", target=name)


def _for_each_given(arguments: Arguments, name: str, action: Sink) -> Stage:
    """Do something with the value that was given, or with all that come."""
    if name not in arguments:
        if "input" not in arguments:
            raise NotUnderstoodError("neither a value nor input")
        return Stage(action)
    action(arguments[name])
    return Stage()


def _action(arguments: Arguments, name: str, *allowed: str) -> str | None:
    """Return what shall be done about records, as a parameter says; None without it."""
    wanted = arguments.get(name)
    if wanted is None or (isinstance(wanted, str) and wanted.lower() in allowed):
        return wanted.lower() if isinstance(wanted, str) else None
    raise NotUnderstoodError(f"this value of -{name}")


def _message(value: object) -> str:
    if not isinstance(value, str | bool | int | float):
        raise NotUnderstoodError("a message that is no text")
    return values.text(value)


def _is_shown(stream: str, machine: Machine, arguments: Arguments) -> bool:
    if stream in {"verbose", "debug"}:
        preferred = machine.preference(f"{stream}preference", "SilentlyContinue") == "continue"
        return truth(arguments.get(stream, preferred))
    if stream == "warning":
        action = _action(arguments, "warningaction", "continue", "silentlycontinue", "ignore")
        return (action or machine.preference("warningpreference")) == "continue"
    return _action(arguments, "informationaction", "continue", "ignore") != "ignore"


def _write(stream: str, name: str, machine: Machine, arguments: Arguments, _: Sink) -> Stage:
    shown = _is_shown(stream, machine, arguments)

    def action(value: object) -> None:
        message = _message(value)
        if shown:
            machine.write(stream, message)

    return _for_each_given(arguments, name, action)


def _write_host(machine: Machine, arguments: Arguments, _: Sink) -> Stage:
    def action(value: object) -> None:
        parts = ["" if part is None else _message(part) for part in elements(value)]
        machine.write("information", " ".join(parts))

    return _for_each_given(arguments, "object", action)


def _write_error(machine: Machine, arguments: Arguments, _: Sink) -> Stage:
    wanted = _action(arguments, "erroraction", "continue", "silentlycontinue", "ignore", "stop")

    def action(value: object) -> None:
        if not _message(value):
            raise NotUnderstoodError("an empty message")
        kind = "Microsoft.PowerShell.Commands.WriteErrorException"
        machine.write_error(ScriptError(_message(value), kind), wanted)

    return _for_each_given(arguments, "message", action)


def _write_output(_: Machine, arguments: Arguments, sink: Sink) -> Stage:
    def action(value: object) -> None:
        for element in elements(value):
            if is_array(element):
                raise NotUnderstoodError("arrays in an array")
            sink(element)

    return _for_each_given(arguments, "inputobject", action)


def _sleep(machine: Machine, arguments: Arguments, _: Sink) -> Stage:
    [(unit, length)] = arguments.items() if len(arguments) == 1 else [("", None)]
    fits = type(length) is int or (type(length) is float and unit == "seconds")
    if not fits or not isinstance(length, int | float) or not 0 <= length < 2**31:
        raise NotUnderstoodError("this length")
    machine.elapsed += length / (1 if unit == "seconds" else 1000)
    return Stage()


def _nothing(_: Machine, __: Arguments, ___: Sink) -> Stage:
    return Stage(lambda _: None)


def _format_table(_: Machine, __: Arguments, sink: Sink) -> Stage:
    def take(value: object) -> None:
        if not is_mapping(value) or not values.is_object(value):
            raise NotUnderstoodError("other objects than [pscustomobject]")
        sink(values.Formatted(value))

    return Stage(take)


def _with_each(chooses: bool, machine: Machine, arguments: Arguments, sink: Sink) -> Stage:
    block = arguments.get("filterscript" if chooses else "process")
    if not isinstance(block, ScriptBlock) or "input" not in arguments:
        raise NotUnderstoodError("anything else than one script block with input")

    def take(value: object) -> None:
        outside, machine.variables["_"] = machine.variables.get("_"), value
        found: list[object] = []
        block.run(machine, found.append if chooses else sink)
        machine.variables["_"] = outside
        if chooses and truth(found):
            sink(value)

    return Stage(take)


def _convert_to_json(_: Machine, arguments: Arguments, sink: Sink) -> Stage:
    depth = arguments.get("depth", 2)
    if type(depth) is not int or not 0 <= depth <= 100:
        raise NotUnderstoodError("this -Depth")
    compress = truth(arguments.get("compress", False))
    found: list[object] = []

    def end() -> None:
        if found:
            sink(convert_to_json(found[0] if len(found) == 1 else found, depth, compress=compress))

    if "inputobject" not in arguments:
        return Stage(found.append, end)
    sink(convert_to_json(arguments["inputobject"], depth, compress=compress))
    return Stage()


_COMMANDS = {
    "write-information": Command(
        partial(_write, "information", "messagedata"), ["messagedata"], ["informationaction", "tags"]
    ),
    "write-warning": Command(partial(_write, "warning", "message"), ["message"], ["warningaction"]),
    "write-verbose": Command(partial(_write, "verbose", "message"), ["message"], switches=["verbose"]),
    "write-debug": Command(partial(_write, "debug", "message"), ["message"], switches=["debug"]),
    "write-host": Command(
        _write_host, ["*object"], ["foregroundcolor", "backgroundcolor"], ["nonewline"], ["separator"]
    ),
    "write-error": Command(
        _write_error, ["message"], ["erroraction"], others=["exception", "errorrecord", "errorid", "category"]
    ),
    "write-output": Command(_write_output, ["*inputobject"], others=["noenumerate"]),
    "write-progress": Command(
        _nothing, ["activity", "status"], ["percentcomplete"], ["completed"], ["parentid", "sourceid"]
    ),
    "start-sleep": Command(_sleep, ["seconds"], ["milliseconds"], others=["duration"]),
    "out-null": Command(_nothing),
    "format-table": Command(_format_table),
    "foreach-object": Command(partial(_with_each, False), ["process"], others=["parallel"]),
    "where-object": Command(partial(_with_each, True), ["filterscript"]),
    "convertto-json": Command(_convert_to_json, ["inputobject"], ["depth"], ["compress"]),
}
_ALIASES = {
    "%": "foreach-object",
    "foreach": "foreach-object",
    "?": "where-object",
    "where": "where-object",
    "echo": "write-output",
    "write": "write-output",
    "sleep": "start-sleep",
    "ft": "format-table",
}
