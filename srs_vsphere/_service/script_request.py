"""What ``run()`` sends for a script, and how it reads what comes back; no I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, TypedDict
from uuid import uuid4

from attrs import evolve, frozen

from srs_vsphere._codec import structured_output
from srs_vsphere._validation import check_flag, check_name, check_patience
from srs_vsphere.models.runspace import Runspace
from srs_vsphere.models.script_execution import OutputFormat
from srs_vsphere.parameters import Parameters, request_parameters

OutputChoice: TypeAlias = Literal["text", "json", "raw"]

#: The service ends a script after an hour itself.
DEFAULT_TIMEOUT = 3600.0


class RunOptions(TypedDict, total=False):
    """What every way of running a script takes besides the script and the form of its output.

    Args:
        parameters: values by name, which arrive as they are given; or `ScriptParameter` objects, which are
            sent untouched.
        name: what the script is called in the history; default a unique name.
        timeout: seconds until waiting for its end is given up and it is canceled; default 3600, after
            which the service ends it itself. None waits as long as it takes.
        check: whether anything but plain success raises `ScriptFailedError`; default False.
    """

    parameters: Parameters | None
    name: str | None
    timeout: float | None
    check: bool


class ClientRunOptions(RunOptions, total=False):
    """What a client's ``run()`` takes besides.

    Args:
        runspace: a runspace that is ready, or its id; default a new one, deleted when the script has ended.
        run_vc_connection_script: whether the new one connects to vCenter; default False.
        wait_for_quota: seconds to wait for room for the new one if the service has none; default 0.
    """

    runspace: Runspace | str | None
    run_vc_connection_script: bool
    wait_for_quota: float


@frozen
class Job:
    """A script ready to be sent.

    Args:
        body: members of the request, without name and runspace.
        name: its name.
        name_is_unique: whether nothing else has that name.
        decode: makes the result's output of what the service gives; it raises `WireError`.
        timeout: seconds until waiting for its end is given up; None for never.
        check: whether anything but plain success raises.
    """

    body: dict[str, object]
    name: str
    name_is_unique: bool
    decode: Callable[[list[str | None] | None], object]
    timeout: float | None = None
    check: bool = False


def prepare(
    script: str,
    options: RunOptions,
    *,
    takes: frozenset[str] = frozenset(RunOptions.__annotations__),
    output: OutputChoice,
    depth: int = structured_output.DEFAULT_DEPTH,
    output_type: type | None = None,
) -> Job:
    """Make a script ready for ``run()``.

    Args:
        script: the user's script.
        options: the user's options.
        takes: their names.
        output: the form of its output: ``text``, ``json`` or ``raw``.
        depth: for ``json``: how many levels below each object are kept.
        output_type: for ``json``: the class that each object is made into.

    Returns:
        What to send, and how to read the output.

    Raises:
        TypeError: an argument is of the wrong kind.
        ValueError: an argument makes no sense, or a value would not arrive as given.
    """
    unknown = set(options) - takes
    if unknown:
        raise TypeError(f"run() takes no argument {', '.join(sorted(unknown))}")
    timeout, check = options.get("timeout", DEFAULT_TIMEOUT), options.get("check", False)
    check_patience("timeout", timeout)
    check_flag("check", check)
    _check_script(script)
    if output_type is not None and output != "json":
        raise ValueError('output_type goes with output="json" only')
    parameters = options.get("parameters")
    decode: Callable[[list[str | None] | None], object]
    match output:
        case "text":
            sent, kind, decode = request_parameters(parameters), OutputFormat.TEXT, _text
        case "raw":
            sent, kind, decode = (
                request_parameters(parameters),
                OutputFormat.JSON,
                structured_output.documents,
            )
        case "json":
            script, sent = structured_output.wrapped(script, parameters, depth)
            kind, decode = OutputFormat.JSON, _json_decoder(output_type)
        case _:
            raise ValueError(f'output must be "text", "json" or "raw", not {output!r}')
    job = _job(script, sent, kind, options.get("name"), decode)
    return evolve(job, timeout=timeout, check=check)


def prepare_raw(script: str, parameters: Parameters | None, kind: OutputFormat, name: str | None) -> Job:
    """Make a script ready to be started as it is.

    Args:
        script: the script.
        parameters: its parameters.
        kind: the format of its output.
        name: its name; None for a unique one.

    Raises:
        TypeError: an argument is of the wrong kind.
        ValueError: an argument makes no sense, or a value would not arrive as given.
    """
    _check_script(script)
    return _job(script, request_parameters(parameters), kind, name, _text)


def _job(
    script: str,
    parameters: list[dict[str, object]],
    kind: OutputFormat,
    name: str | None,
    decode: Callable[[list[str | None] | None], object],
) -> Job:
    check_name(name)
    body: dict[str, object] = {"script": script, "output_objects_format": str(kind)}
    if parameters:
        body["script_parameters"] = parameters
    return Job(body, name or unique_name(), name is None, decode)


def _check_script(script: object) -> None:
    if not isinstance(script, str):
        raise TypeError(f"script must be text, not {type(script).__name__}")
    if not script.strip():
        raise ValueError("script must not be blank")


def check_runspace(options: ClientRunOptions) -> str | None:
    """Refuse options about the runspace that make no sense.

    Args:
        options: the user's options.

    Returns:
        The id of the runspace to use, None for a new one.

    Raises:
        TypeError: it is neither a runspace nor text.
        ValueError: a new one's options come with one that is given.
    """
    runspace = options.get("runspace")
    if runspace is None:
        return None
    for name in ("run_vc_connection_script", "wait_for_quota"):
        if options.get(name):
            raise ValueError(f"{name} goes with a new runspace only: the one given is as it is")
    if not isinstance(runspace, Runspace | str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise TypeError(f"runspace must be a Runspace or its id, not {type(runspace).__name__}")
    return runspace.id if isinstance(runspace, Runspace) else runspace


def unique_name(prefix: str | None = None) -> str:
    """Return a name that nothing else has, by which a lost creation can be found.

    Args:
        prefix: what it begins with.
    """
    return f"{prefix or 'srs-vsphere'}-{uuid4().hex[:16]}"


def _text(output: list[str | None] | None) -> str:
    return "\n".join(text for text in output or () if text is not None)


def _json_decoder(output_type: type | None) -> Callable[[list[str | None] | None], object]:
    if output_type is None:
        return structured_output.json_values
    structure: Callable[[object], object] = structured_output.structurer(output_type)
    return lambda output: [structure(value) for value in structured_output.json_values(output)]
