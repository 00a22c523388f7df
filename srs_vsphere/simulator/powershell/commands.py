"""Commands: the few cmdlets that scripts for the simulator need."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from attrs import define, frozen

from srs_vsphere.simulator.objects.json_output import convert_to_json
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    Formatted,
    elements,
    is_array,
    is_mapping,
    is_object,
    plain,
    text,
    truth,
    type_name,
)
from srs_vsphere.simulator.powershell.errors import ScriptError, StatementError
from srs_vsphere.simulator.powershell.machine import Expression, Scope, ScriptBlock, Sink

#: Verbs of real cmdlets: an unknown command that has one is not one that PowerShell would not know.
_VERBS = frozenset(
    re.findall(
        r"\w+",
        """
        add approve assert backup block build checkpoint clear close compare complete compress confirm
        connect convert convertfrom convertto copy debug deny deploy disable disconnect dismount edit
        enable enter exit expand export find foreach format get grant group hide import initialize
        install invoke join limit lock measure merge mount move new open optimize out ping pop protect
        publish push read receive redo register remove rename repair request reset resize resolve
        restart restore resume revoke save search select send set show skip sort split start step stop
        submit suspend switch sync tee test trace unblock undo uninstall unlock unprotect unpublish
        unregister update use wait watch where write
        """,
    )
)
_UNKNOWN = (
    "The term '{}' is not recognized as a name of a cmdlet, function, script file, or executable program.\n"
    "Check the spelling of the name, or if a path was included, verify that the path is correct and try "
    "again."
)
#: Parameters that every cmdlet has, and the short names of parameters.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        verbose debug erroraction errorvariable warningaction warningvariable informationaction
        informationvariable outvariable outbuffer pipelinevariable progressaction
        """,
    )
)
_SHORT = {
    "ea": "erroraction",
    "wa": "warningaction",
    "infa": "informationaction",
    "vb": "verbose",
    "db": "debug",
    "ms": "milliseconds",
}


@define(eq=False)
class Bound:
    """A command with its arguments.

    Args:
        scope: where it runs.
        values: its parameters by their whole names in lower case; a switch is True.
        piped: whether objects come to it through a pipeline.
    """

    scope: Scope
    values: Mapping[str, object]
    piped: bool

    def action(self, name: str, *allowed: str) -> str | None:
        """Return what shall be done about records, as a parameter says; None without it."""
        if name not in self.values:
            return None
        wanted = self.values[name]
        if not isinstance(wanted, str) or wanted.lower() not in allowed:
            raise NotUnderstoodError(f"this value of -{name}")
        return wanted.lower()


def _ignored(_: object) -> None:
    raise NotUnderstoodError("input for a command that takes none, or that has been given its value already")


@define(eq=False)
class Stage:
    """A command at work in a pipeline.

    Args:
        take: what it does with each object that comes.
        end: what it does when no more come.
    """

    take: Sink = _ignored
    end: Callable[[], None] = lambda: None


@frozen(eq=False)
class Command:
    """A command that is known here.

    Args:
        run: begins to work.
        positional: the parameters that need no name, in order; the last with a ``*`` takes all that are left.
        named: the other parameters with a value that are honoured.
        switches: the parameters without a value that are honoured.
        others: real parameters that are not honoured, as far as their names begin like others.
    """

    run: Callable[[Bound, Sink], Stage]
    positional: Sequence[str] = ()
    named: Sequence[str] = ()
    switches: Sequence[str] = ()
    others: Sequence[str] = ()

    def parameter(self, written: str) -> str:
        """Return the whole name of a parameter, of which the beginning is enough."""
        own = {name.removeprefix("*") for name in (*self.positional, *self.named, *self.switches)}
        wanted = _SHORT.get(written, written)
        names = {name for name in own | _COMMON | set(self.others) if name.startswith(wanted)}
        found = wanted if wanted in names else names.pop() if len(names) == 1 else ""
        if found not in own:
            raise NotUnderstoodError(f"the parameter -{written}")
        return found


@frozen(eq=False)
class Call:
    """A command with its arguments, before it runs.

    Args:
        name: its name, as it was written.
        command: the command; None if PowerShell would not know it either.
        arguments: what gives its parameters their values, by their whole names.
        piped: whether objects come to it through a pipeline.
    """

    name: str
    command: Command | None
    arguments: Mapping[str, Expression]
    piped: bool

    def start(self, scope: Scope, sink: Sink) -> Stage:
        """Let it begin to work."""
        if self.command is None:
            unknown(self.name)
        values = {name: plain(value(scope)) for name, value in self.arguments.items()}
        try:
            return self.command.run(Bound(scope, values, self.piped), sink)
        except NotUnderstoodError as error:
            error.what = error.what if self.name in error.what else f"{error.what} of {self.name}"
            raise


def command(name: str) -> Command | None:
    """Return a command, None if PowerShell would not know it either.

    Raises:
        NotUnderstoodError: PowerShell might know it.
    """
    lower = name.lower()
    found = _COMMANDS.get(_ALIASES.get(lower, lower))
    if found is not None:
        return found
    verb, hyphen, noun = lower.partition("-")
    if hyphen and verb not in _VERBS and re.fullmatch(r"[a-z]+(-?[a-z]+)*", noun):
        return None
    raise NotUnderstoodError(f"the command {name}")


def unknown(name: str) -> NoReturn:
    """Raise the error of a command that PowerShell does not know."""
    kind = "CommandNotFoundException"
    raise StatementError(_UNKNOWN.format(name), kind, category="ObjectNotFound", target=name)


def bound_arguments(
    found: Command | None, given: Sequence[tuple[str | None, Expression | None]]
) -> dict[str, Expression]:
    """Give the parameters of a command their arguments.

    Args:
        found: the command; None if PowerShell would not know it either.
        given: in order: a name with its value, a name without one, or None with a value.
    """
    bound: dict[str, Expression] = {}
    if found is None:
        return bound
    loose: list[Expression] = []
    rest = list(given)
    while rest:
        name, value = rest.pop(0)
        if name is None:
            if value is not None:
                loose.append(value)
            continue
        whole = found.parameter(name)
        if value is None and whole in found.switches:
            value = _on
        elif value is None and rest and rest[0][0] is None:
            value = rest.pop(0)[1]
        if value is None or whole in bound:
            raise NotUnderstoodError(f"the parameter -{name}, given twice or without a value")
        bound[whole] = value
    for name in found.positional:
        plain_name = name.removeprefix("*")
        if loose and plain_name not in bound:
            bound[plain_name] = _list_of(loose) if name != plain_name and len(loose) > 1 else loose.pop(0)
            loose = [] if name != plain_name else loose
    if loose:
        raise NotUnderstoodError("more arguments than parameters")
    return bound


def _on(_: Scope) -> object:
    return True


def _list_of(parts: Sequence[Expression]) -> Expression:
    kept = list(parts)
    return lambda scope: [plain(part(scope)) for part in kept]


def _for_each_given(bound: Bound, action: Sink, name: str) -> Stage:
    """Do something with the value that was given, or with all that come."""
    if name not in bound.values:
        if not bound.piped:
            raise NotUnderstoodError("neither a value nor input")
        return Stage(action)
    action(bound.values[name])
    return Stage()


def _message(value: object) -> str:
    if value is None or is_array(value) or is_mapping(value) or isinstance(value, ScriptBlock):
        raise NotUnderstoodError("a message that is no text")
    return text(value)


def _shown(bound: Bound, stream: str) -> bool:
    if stream in {"verbose", "debug"}:
        if stream in bound.values:
            return truth(bound.values[stream])
        return bound.scope.preference(f"{stream}preference", "SilentlyContinue") == "continue"
    if stream == "warning":
        action = bound.action("warningaction", "continue", "silentlycontinue", "ignore")
        return (action or bound.scope.preference("warningpreference")) == "continue"
    return bound.action("informationaction", "continue", "ignore") != "ignore"


def _write(stream: str, name: str = "message") -> Callable[[Bound, Sink], Stage]:
    def run(bound: Bound, _: Sink) -> Stage:
        shown = _shown(bound, stream)

        def action(value: object) -> None:
            message = _message(value)
            if shown:
                bound.scope.machine.write(stream, message)

        return _for_each_given(bound, action, name)

    return run


def _write_host(bound: Bound, _: Sink) -> Stage:
    def action(value: object) -> None:
        parts = ["" if part is None else _message(part) for part in elements(value)]
        bound.scope.machine.write("information", " ".join(parts))

    return _for_each_given(bound, action, "object")


def _write_error(bound: Bound, _: Sink) -> Stage:
    kind = "Microsoft.PowerShell.Commands.WriteErrorException"
    wanted = bound.action("erroraction", "continue", "silentlycontinue", "ignore", "stop")

    def action(value: object) -> None:
        message = _message(value)
        if not message:
            raise NotUnderstoodError("an empty message")
        bound.scope.write_error(ScriptError(message, kind), wanted)

    return _for_each_given(bound, action, "message")


def _write_output(bound: Bound, sink: Sink) -> Stage:
    def action(value: object) -> None:
        for element in elements(value):
            if is_array(element):
                raise NotUnderstoodError("arrays in an array")
            sink(element)

    return _for_each_given(bound, action, "inputobject")


def _sleep(bound: Bound, _: Sink) -> Stage:
    unit = [name for name in ("seconds", "milliseconds") if name in bound.values]
    length = bound.values[unit[0]] if len(unit) == 1 else None
    whole = isinstance(length, int) or unit == ["seconds"]
    if (
        not isinstance(length, int | float)
        or isinstance(length, bool)
        or not whole
        or not 0 <= length < 2**31
    ):
        raise NotUnderstoodError("this length")
    bound.scope.machine.elapsed += length / (1 if unit == ["seconds"] else 1000)
    return Stage()


def _nothing(_: Bound, __: Sink) -> Stage:
    return Stage(lambda _: None)


def _format_table(bound: Bound, sink: Sink) -> Stage:
    def take(value: object) -> None:
        if not is_mapping(value) or not is_object(value):
            raise NotUnderstoodError("other objects than [pscustomobject]")
        sink(Formatted(value))

    return Stage(take)


def _block(bound: Bound, name: str) -> ScriptBlock:
    value = bound.values.get(name)
    if isinstance(value, ScriptBlock) and bound.piped:
        return value
    raise NotUnderstoodError("anything else than one script block with input")


def _with_object(scope: Scope, value: object, action: Callable[[], None]) -> None:
    outside = scope.get("_")
    scope.set("_", value)
    try:
        action()
    finally:
        scope.set("_", outside)


def _for_each(bound: Bound, sink: Sink) -> Stage:
    block, scope = _block(bound, "process"), bound.scope
    return Stage(lambda value: _with_object(scope, value, lambda: block.run(scope, sink)))


def _where(bound: Bound, sink: Sink) -> Stage:
    block, scope = _block(bound, "filterscript"), bound.scope

    def take(value: object) -> None:
        found: list[object] = []
        _with_object(scope, value, lambda: block.run(scope, found.append))
        if truth(found):
            sink(value)

    return Stage(take)


def _convert_to_json(bound: Bound, sink: Sink) -> Stage:
    depth = bound.values.get("depth", 2)
    if not isinstance(depth, int) or not 0 <= depth <= 100:
        raise NotUnderstoodError(f"-Depth {type_name(depth)}")
    compress = truth(bound.values.get("compress", False))
    if "inputobject" in bound.values:
        sink(convert_to_json(bound.values["inputobject"], depth, compress=compress))
        return Stage()
    found: list[object] = []

    def end() -> None:
        if found:
            sink(convert_to_json(found[0] if len(found) == 1 else found, depth, compress=compress))

    return Stage(found.append, end)


_COMMANDS: dict[str, Command] = {
    "write-information": Command(
        _write("information", "messagedata"), ["messagedata"], ["informationaction", "tags"]
    ),
    "write-host": Command(
        _write_host, ["*object"], ["foregroundcolor", "backgroundcolor"], ["nonewline"], ["separator"]
    ),
    "write-warning": Command(_write("warning"), ["message"], ["warningaction"]),
    "write-verbose": Command(_write("verbose"), ["message"], switches=["verbose"]),
    "write-debug": Command(_write("debug"), ["message"], switches=["debug"]),
    "write-error": Command(
        _write_error,
        ["message"],
        ["erroraction"],
        others=["exception", "errorrecord", "category", "errorid", "targetobject", "recommendedaction"],
    ),
    "write-output": Command(_write_output, ["*inputobject"], others=["noenumerate"]),
    "write-progress": Command(
        _nothing, ["activity", "status"], ["percentcomplete"], ["completed"], ["id", "parentid", "sourceid"]
    ),
    "start-sleep": Command(_sleep, ["seconds"], ["milliseconds"], others=["duration"]),
    "out-null": Command(_nothing),
    "format-table": Command(_format_table, others=["property", "autosize", "wrap"]),
    "foreach-object": Command(
        _for_each, ["process"], others=["begin", "end", "parallel", "remainingscripts", "inputobject"]
    ),
    "where-object": Command(_where, ["filterscript"], others=["property", "inputobject", "value"]),
    "convertto-json": Command(
        _convert_to_json,
        ["inputobject"],
        ["depth"],
        ["compress"],
        ["asarray", "enumsasstrings", "escapehandling"],
    ),
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
