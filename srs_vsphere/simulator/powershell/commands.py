"""Commands: the few cmdlets that scripts for the simulator need."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from attrs import define, field

from srs_vsphere.simulator.powershell.conversions import number
from srs_vsphere.simulator.powershell.errors import NotUnderstoodError
from srs_vsphere.simulator.powershell.json_text import to_json
from srs_vsphere.simulator.powershell.machine import Scope, ScriptBlock, Sink
from srs_vsphere.simulator.powershell.values import elements, text, truth

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


@define(eq=False)
class Bound:
    """A command with its arguments.

    Args:
        scope: where it runs.
        named: the parameters that were named, in lower case; a switch is True.
        values: the others.
    """

    scope: Scope
    named: dict[str, object] = field(factory=dict[str, object])
    values: list[object] = field(factory=list[object])

    def get(self, *names: str, default: object = None) -> object:
        """Return a parameter by one of its names, or the next of the others.

        Args:
            names: its names, in lower case.
            default: what it is when it is not given.
        """
        for name in names:
            if name in self.named:
                return self.named[name]
        return self.values.pop(0) if self.values else default

    def flag(self, name: str) -> bool:
        """Say whether a switch is set.

        Args:
            name: its name, in lower case.
        """
        return truth(self.named.get(name, False))

    def error_action(self) -> str | None:
        """Return what shall be done about errors, None if the command does not say so."""
        action = self.named.get("erroraction", self.named.get("ea"))
        return None if action is None else text(action)


@define(eq=False)
class Stage:
    """A command at work in a pipeline.

    Args:
        take: what it does with each object that comes.
        end: what it does when no more come.
    """

    take: Sink
    end: Callable[[], None] = lambda: None


Command: TypeAlias = Callable[[Bound, Sink], Stage]


def command(name: str) -> tuple[Command, frozenset[str]] | None:
    """Return a command and the names of its switches, None if PowerShell would not know it either.

    Args:
        name: its name.

    Raises:
        NotUnderstoodError: PowerShell would know it.
    """
    lower = name.lower()
    found = _COMMANDS.get(_ALIASES.get(lower, lower))
    if found is not None:
        return found
    verb, hyphen, _ = lower.partition("-")
    if hyphen and verb not in _VERBS:
        return None
    raise NotUnderstoodError(f"command {name}")


def unknown(name: str, scope: Scope) -> None:
    """Write the error of a command that PowerShell does not know.

    Args:
        name: its name.
        scope: where it was called.
    """
    scope.write_error(_UNKNOWN.format(name))


def _for_each_given(bound: Bound, action: Sink, *names: str) -> Stage:
    """Do something with the value that was given, or with all that come."""
    if bound.values or any(name in bound.named for name in names):
        action(bound.get(*names))
        return Stage(lambda _: None)
    return Stage(action)


def _write(stream: str, preference: str | None = None) -> Command:
    def run(bound: Bound, _: Sink) -> Stage:
        switch = bound.named.get(stream)
        wanted = bound.scope.get(preference) if preference is not None else "Continue"
        shown = truth(switch) if switch is not None else text(wanted).lower() in {"continue", "inquire"}

        def action(value: object) -> None:
            if shown:
                bound.scope.machine.write(stream, text(value))

        return _for_each_given(bound, action, "message", "messagedata", "object")

    return run


def _write_error(bound: Bound, _: Sink) -> Stage:
    def action(value: object) -> None:
        bound.scope.write_error(text(value), bound.error_action())

    return _for_each_given(bound, action, "message", "exception")


def _write_output(bound: Bound, sink: Sink) -> Stage:
    def action(value: object) -> None:
        for element in elements(value):
            sink(element)

    return _for_each_given(bound, action, "inputobject")


def _sleep(bound: Bound, _: Sink) -> Stage:
    milliseconds = bound.named.get("milliseconds", bound.named.get("m"))
    if milliseconds is not None:
        seconds = number(milliseconds) / 1000
    else:
        seconds = number(bound.get("seconds", "s", default=0))
    if seconds < 0:
        raise NotUnderstoodError("a negative sleep")
    bound.scope.machine.elapsed += seconds
    return Stage(lambda _: None)


def _nothing(_: Bound, __: Sink) -> Stage:
    return Stage(lambda _: None)


def _pass_on(_: Bound, sink: Sink) -> Stage:
    return Stage(sink)


def _block(value: object) -> ScriptBlock:
    if isinstance(value, ScriptBlock):
        return value
    raise NotUnderstoodError("something else than a script block")


def _with_object(scope: Scope, value: object, action: Callable[[], None]) -> None:
    outside = scope.get("_")
    scope.set("_", value)
    try:
        action()
    finally:
        scope.set("_", outside)


def _for_each(bound: Bound, sink: Sink) -> Stage:
    given = bound.get("process")
    scope = bound.scope
    if not isinstance(given, ScriptBlock):
        raise NotUnderstoodError("ForEach-Object with a member name")
    block = given
    return Stage(lambda value: _with_object(scope, value, lambda: block.run(scope, sink)))


def _where(bound: Bound, sink: Sink) -> Stage:
    block = _block(bound.get("filterscript"))
    scope = bound.scope

    def take(value: object) -> None:
        found: list[object] = []
        _with_object(scope, value, lambda: block.run(scope, found.append))
        if truth(found):
            sink(value)

    return Stage(take)


def _convert_to_json(bound: Bound, sink: Sink) -> Stage:
    depth = int(number(bound.named.get("depth", 2)))
    compress = bound.flag("compress")
    if "inputobject" in bound.named or bound.values:
        sink(to_json(bound.get("inputobject"), depth, compress=compress))
        return Stage(lambda _: None)
    found: list[object] = []

    def end() -> None:
        if found:
            value = found[0] if len(found) == 1 and not bound.flag("asarray") else found
            sink(to_json(value, depth, compress=compress))

    return Stage(found.append, end)


_COMMON = frozenset({"verbose", "debug", "whatif", "confirm"})


def _entry(run: Command, *switches: str) -> tuple[Command, frozenset[str]]:
    return run, _COMMON | frozenset(switches)


_COMMANDS: dict[str, tuple[Command, frozenset[str]]] = {
    "write-information": _entry(_write("information")),
    "write-host": _entry(_write("information"), "nonewline"),
    "write-warning": _entry(_write("warning")),
    "write-verbose": _entry(_write("verbose", "verbosepreference")),
    "write-debug": _entry(_write("debug", "debugpreference")),
    "write-error": _entry(_write_error),
    "write-output": _entry(_write_output, "noenumerate"),
    "write-progress": _entry(_nothing, "completed"),
    "start-sleep": _entry(_sleep),
    "out-null": _entry(_nothing),
    "out-default": _entry(_pass_on),
    "format-table": _entry(_pass_on, "autosize", "wrap", "hidetableheaders"),
    "foreach-object": _entry(_for_each),
    "where-object": _entry(_where),
    "convertto-json": _entry(_convert_to_json, "compress", "asarray", "enumsasstrings"),
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


class Absent:
    """Stands for the value of a parameter that was named without one."""


ABSENT = Absent()


def bind(arguments: Sequence[tuple[str | None, object]], switches: frozenset[str], scope: Scope) -> Bound:
    """Give a command its arguments.

    Args:
        arguments: in order: a name with its value, a name with `ABSENT`, or None with a value.
        switches: the names of its switches.
        scope: where it runs.
    """
    bound = Bound(scope)
    rest = list(arguments)
    while rest:
        name, value = rest.pop(0)
        if name is None:
            bound.values.append(value)
        elif value is not ABSENT:
            bound.named[name] = value
        elif name in switches or not rest or rest[0][0] is not None:
            bound.named[name] = True
        else:
            bound.named[name] = rest.pop(0)[1]
    return bound
