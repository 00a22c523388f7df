"""What ``run()`` sends for a script, and how it reads what comes back; no I/O."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Literal, TypeAlias, TypedDict
from uuid import uuid4

from attrs import evolve, field, frozen

from srs_vsphere._codec import structured_output
from srs_vsphere._service.identity import RunspaceRef
from srs_vsphere._service.script_text import script_text
from srs_vsphere._validation import check_flag, check_name, check_patience
from srs_vsphere.errors import InvalidArgumentValueError
from srs_vsphere.models.script_execution import OutputFormat
from srs_vsphere.parameters import Parameters, request_parameters

OutputChoice: TypeAlias = Literal["text", "json", "raw"]

#: The service ends a script after an hour itself.
DEFAULT_TIMEOUT = 3600.0


class MapOptions(TypedDict, total=False):
    """What a pool's ``map()`` takes besides the script, its inputs and the form of its output.

    Args:
        name: what the script is called in the history; default a unique name.
        timeout: seconds for all of the call; default 3600, after which the service ends a script itself. A
            script that has not ended by then is canceled. None waits as long as it takes.
        check: whether anything but plain success raises `ScriptFailedError`; default False.
        streams: whether what it writes to its streams is read; default True. Without it nobody looks for
            errors, and the outcome goes by the service's state alone.
    """

    name: str | None
    timeout: float | None
    check: bool
    streams: bool


class RunOptions(MapOptions, total=False):
    """What every way of running a script takes besides the script and the form of its output.

    It types the keywords of a function of one's own that hands them on to ``run()``.

    Args:
        parameters: values by name, which arrive as they are given; or `ScriptParameter` objects, which are
            sent untouched.
    """

    parameters: Parameters | None


class ClientRunOptions(RunOptions, total=False):
    """What a client's ``run()`` takes besides.

    Args:
        runspace: a runspace that is ready, its handle or its id; default a new one, deleted when the script
            has ended.
        run_vc_connection_script: whether the new one connects to vCenter; default False.
        wait_for_quota: seconds to wait for room for the new one if the service has none; default 0.
    """

    runspace: RunspaceRef | None
    run_vc_connection_script: bool
    wait_for_quota: float


class ScriptBody(dict[str, object]):
    """Members of a request that holds a script, which no repr shows."""

    def __repr__(self) -> str:
        return f"<script of {len(str(self.get('script', '')))} characters>"


@frozen
class Job:
    """A script ready to be sent.

    Args:
        body: members of the request, without name and runspace; left out of ``repr()``, as scripts hold
            secrets.
        name: its name.
        name_is_unique: whether nothing else has that name.
        decode: makes the result's output of what the service gives; it raises `WireError`.
        timeout: seconds for all of it; None for as long as it takes.
        check: whether anything but plain success raises.
        streams: whether its streams are read.
    """

    body: ScriptBody = field(repr=False)
    name: str
    name_is_unique: bool
    decode: Callable[[list[str | None] | None], object]
    timeout: float | None = None
    check: bool = False
    streams: bool = True


def prepare(
    script: str | PathLike[str],
    *,
    parameters: Parameters | None = None,
    name: str | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    check: bool = False,
    streams: bool = True,
    output: OutputChoice = "text",
    depth: int = structured_output.DEFAULT_DEPTH,
    output_type: type | None = None,
) -> Job:
    """Make a script ready for ``run()``.

    Args:
        script: the user's script, or the path of a file that holds it.
        parameters: its parameters.
        name: its name; None for a unique one.
        timeout: seconds for all of it; None for as long as it takes.
        check: whether anything but plain success raises.
        streams: whether its streams are read.
        output: the form of its output: ``text``, ``json`` or ``raw``.
        depth: for ``json``: how many levels below each object are kept.
        output_type: for ``json``: the class that each object is made into.

    Returns:
        What to send, and how to read the output.

    Raises:
        InvalidArgumentTypeError: an argument is of the wrong kind.
        InvalidArgumentValueError: an argument makes no sense, or a value would not arrive as given.
        OSError: the file cannot be read.
    """
    check_patience("timeout", timeout)
    check_flag("check", check)
    check_flag("streams", streams)
    text = script_text(script)
    if output_type is not None and output != "json":
        raise InvalidArgumentValueError('output_type goes with output="json" only')
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
            text, sent = structured_output.wrapped(text, parameters, depth)
            kind, decode = OutputFormat.JSON, _json_decoder(output_type)
        case _:
            raise InvalidArgumentValueError(f'output must be "text", "json" or "raw", not {output!r}')
    job = _job(text, sent, kind, name, decode)
    return evolve(job, timeout=timeout, check=check, streams=streams)


def prepare_raw(
    script: str | PathLike[str], parameters: Parameters | None, output: OutputChoice, name: str | None
) -> Job:
    """Make a script ready to be started, and not to be waited for.

    Args:
        script: the script, or the path of a file that holds it.
        parameters: its parameters.
        output: the form of its output.
        name: its name; None for a unique one.

    Raises:
        InvalidArgumentTypeError: an argument is of the wrong kind.
        InvalidArgumentValueError: an argument makes no sense, or a value would not arrive as given.
        OSError: the file cannot be read.
    """
    return prepare(script, parameters=parameters, output=output, name=name)


def _job(
    script: str,
    parameters: list[dict[str, object]],
    kind: OutputFormat,
    name: str | None,
    decode: Callable[[list[str | None] | None], object],
) -> Job:
    check_name(name)
    body = ScriptBody({"script": script, "output_objects_format": str(kind)})
    if parameters:
        body["script_parameters"] = parameters
    return Job(body, name or unique_name(), name is None, decode)


def check_new_only(**options: object) -> None:
    """Refuse options of a new runspace where one is given.

    Args:
        **options: the options by name.

    Raises:
        InvalidArgumentValueError: one of them is set.
    """
    for name, value in options.items():
        if value:
            raise InvalidArgumentValueError(
                f"{name} goes with a new runspace only: the one given is as it is"
            )


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
