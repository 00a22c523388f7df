"""Which resource is meant: every call that takes an id takes the object too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.models.runspace import Runspace

if TYPE_CHECKING:
    # Loaded on use: most programs have to do with runspaces only, or with scripts, too.
    from srs_vsphere.models import ArgumentScriptTemplate, ScriptExecution, WebConsole


class HasRunspace(Protocol):
    """A handle, as ``runspaces.open()`` and a pool's lease give it."""

    @property
    def runspace(self) -> Runspace:
        """The runspace."""
        ...


class HasExecution(Protocol):
    """What stands for a script: a result, or a script that was started."""

    @property
    def execution(self) -> ScriptExecution:
        """The script execution."""
        ...


RunspaceRef: TypeAlias = Runspace | HasRunspace | str
ScriptRef: TypeAlias = "ScriptExecution | HasExecution | str"
ConsoleRef: TypeAlias = "WebConsole | str"
TemplateRef: TypeAlias = "ArgumentScriptTemplate | str"


def runspace_id(given: RunspaceRef, name: str = "id") -> str:
    """Return the id of a runspace.

    Args:
        given: a runspace, its handle or its id.
        name: the argument's name.

    Raises:
        InvalidArgumentTypeError: it is something else.
    """
    return _id("a Runspace", getattr(given, "runspace", given), Runspace, name)


def script_id(given: ScriptRef) -> str:
    """Return the id of a script.

    Args:
        given: a script execution, what came of it, or its id.

    Raises:
        InvalidArgumentTypeError: it is something else.
    """
    from srs_vsphere.models import ScriptExecution

    return _id("a ScriptExecution", getattr(given, "execution", given), ScriptExecution)


def console_id(given: ConsoleRef) -> str:
    """Return the id of a web console.

    Args:
        given: a web console or its id.

    Raises:
        InvalidArgumentTypeError: it is something else.
    """
    from srs_vsphere.models import WebConsole

    return _id("a WebConsole", given, WebConsole)


def template_id(given: TemplateRef) -> str:
    """Return the id of a template.

    Args:
        given: a template or its id.

    Raises:
        InvalidArgumentTypeError: it is something else.
    """
    from srs_vsphere.models import ArgumentScriptTemplate

    return _id("an ArgumentScriptTemplate", given, ArgumentScriptTemplate)


def _id(
    wanted: str,
    given: object,
    kind: type[Runspace] | type[ScriptExecution] | type[WebConsole] | type[ArgumentScriptTemplate],
    name: str = "id",
) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, kind):
        return given.id
    raise InvalidArgumentTypeError(f"{name} must be text or {wanted}, not {type(given).__name__}")
