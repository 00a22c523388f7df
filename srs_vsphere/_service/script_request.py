"""What ``run()`` sends for a script, and how it reads what comes back; no I/O."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from attrs import field, frozen

from srs_vsphere._service.identity import RunspaceRef
from srs_vsphere._service.run_defaults import DEFAULT_DEPTH, DEFAULT_TIMEOUT, DEFAULT_WIDTH
from srs_vsphere._service.script_output import OutputChoice, OutputReader
from srs_vsphere._service.script_text import script_text
from srs_vsphere._service.stream_schedule import StreamsChoice
from srs_vsphere._service.unique_names import unique_name
from srs_vsphere._service.wrapped_scripts import WrappedScript, as_text, as_values
from srs_vsphere._validation import check_flag, check_name, check_timeout
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.models.script_execution import OutputFormat
from srs_vsphere.models.stream_record import StreamRecord
from srs_vsphere.parameters import Parameters, request_parameters

if TYPE_CHECKING:
    from cattrs import BaseConverter

#: What becomes of an object that does not fit the class that it was to be made into.
MismatchChoice: TypeAlias = Literal["raise", "keep"]
OnRecord: TypeAlias = Callable[[StreamRecord], object]

_WIDTHS = range(2, 2**31)
_DEPTHS = range(1, 65)


class MapOptions(TypedDict, total=False):
    """What a pool's ``map()`` takes besides the script, its inputs and the form of its output.

    Args:
        name: what the script is called in the history; default a unique name.
        timeout: seconds for all of the call; default 3600, after which the service ends a script itself. A
            script that has not ended by then is canceled. None waits as long as it takes.
        check: whether anything but plain success raises `ScriptFailedError`; default False.
        streams: whether what it writes to its streams is read; default True. False: errors in it
            are not noticed, and the outcome goes by the service's state alone. ``"sparse"``: rarely while it
            is silent; see ``run()`` of a client.
        on_record: called with each `StreamRecord` while the script runs; default None.
    """

    name: str | None
    timeout: float | None
    check: bool
    streams: StreamsChoice
    on_record: OnRecord | None


class RunOptions(MapOptions, total=False):
    """What every way of running a script takes besides the script and the form of its output.

    It types the keywords of a function of one's own that hands them on to ``run()``.

    Args:
        parameters: values by name, which arrive as they are given; or `ScriptParameter` objects, which are
            sent untouched.
    """

    parameters: Parameters | None


class NewRunspaceOptions(RunOptions, total=False):
    """What running a script in a new runspace takes besides.

    Args:
        run_vc_connection_script: whether it connects to vCenter; default False.
        wait_for_quota: seconds to wait for room for it if the service has none; default 0.
    """

    run_vc_connection_script: bool
    wait_for_quota: float


class ClientRunOptions(NewRunspaceOptions, total=False):
    """What a client's ``run()`` takes besides.

    Args:
        runspace: a runspace that is ready, its handle or its id; default a new one, deleted when the script
            has ended.
    """

    runspace: RunspaceRef | None


class OutputOptions(TypedDict, total=False):
    """The form of the output, and what goes with each form; see ``run()`` of a client."""

    output: OutputChoice
    width: int | None
    depth: int | None
    output_type: object
    on_mismatch: MismatchChoice
    converter: BaseConverter | None


class JobOptions(RunOptions, OutputOptions, total=False):
    """What `prepare` takes besides the script."""


class MapJobOptions(MapOptions, OutputOptions, total=False):
    """The same without parameters."""


class ScriptBody(dict[str, object]):
    """Members of a request that holds a script, which no repr shows."""

    def __repr__(self) -> str:
        return f"<script of {len(str(self.get('script', '')))} characters>"


class ResultOptions(TypedDict, total=False):
    """What ``script_executions.result()`` takes besides the form of the output; see there."""

    check: bool
    timeout: float | None
    runspace: RunspaceRef | None


@frozen
class Job:
    """A script ready to be sent.

    Args:
        body: members of the request, without name and runspace; left out of ``repr()``, as scripts hold
            secrets.
        name: its name.
        name_is_unique: whether nothing else has that name.
        script: the user's script.
        reader: reads its output.
        run: the name of the run, by which the rest of its values can be asked for; None if there is no such.
        timeout: seconds for all of it; None for as long as it takes.
        check: whether anything but plain success raises.
        streams: how often its streams are read.
        on_record: called with each record while it runs.
    """

    body: ScriptBody = field(repr=False)
    name: str
    name_is_unique: bool
    script: str = field(repr=False)
    reader: OutputReader
    run: str | None = None
    timeout: float | None = None
    check: bool = False
    streams: StreamsChoice = True
    on_record: OnRecord | None = None


def prepare(
    script: str | PathLike[str],
    *,
    parameters: Parameters | None = None,
    output: OutputChoice = "text",
    width: int | None = DEFAULT_WIDTH,
    depth: int | None = None,
    output_type: object = None,
    on_mismatch: MismatchChoice = "raise",
    converter: BaseConverter | None = None,
    name: str | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    check: bool = False,
    streams: StreamsChoice = True,
    on_record: OnRecord | None = None,
) -> Job:
    """Make a script ready for ``run()``.

    Args:
        script: the user's script, or the path of a file that holds it.
        parameters: its parameters.
        output: the form of its output: ``text``, ``json`` or ``raw``.
        width: for ``text``: columns; None for the script as it is.
        depth: for ``json``: how many levels of .NET objects are opened; None for one.
        output_type: for ``json``: the class that each object is made into.
        on_mismatch: what becomes of an object that does not fit: ``raise`` or ``keep``.
        converter: a converter of cattrs that makes the objects.
        name: its name; None for a unique one.
        timeout: seconds for all of it; None for as long as it takes.
        check: whether anything but plain success raises.
        streams: how often its streams are read.
        on_record: called with each record while it runs.

    Returns:
        What to send, and how to read the output.

    Raises:
        InvalidArgumentTypeError: an argument is of the wrong kind.
        InvalidArgumentValueError: an argument makes no sense, or a value would not arrive as given.
        OSError: the file cannot be read.
    """
    check_timeout("timeout", timeout)
    check_flag("check", check)
    _check_streams(streams)
    check_name(name)
    _check_on_record(on_record, streams=streams)
    text = script_text(script)
    reader = output_reader(output, output_type, on_mismatch, converter)
    _check_form(output, width, depth)
    unique = unique_name()
    if output == "json":
        wrapped = as_values(text, parameters, DEFAULT_DEPTH if depth is None else depth, unique)
    elif output == "text" and width is not None:
        wrapped = as_text(text, parameters, width)
    else:
        wrapped = WrappedScript(text, request_parameters(parameters))
    kind = OutputFormat.TEXT if output == "text" else OutputFormat.JSON
    body = ScriptBody({"script": wrapped.script, "output_objects_format": str(kind)})
    if wrapped.parameters:
        body["script_parameters"] = wrapped.parameters
    return Job(
        body,
        name or unique,
        name is None,
        text,
        reader,
        run=wrapped.run,
        timeout=timeout,
        check=check,
        streams=streams,
        on_record=on_record,
    )


def output_reader(
    output: OutputChoice,
    output_type: object = None,
    on_mismatch: MismatchChoice = "raise",
    converter: BaseConverter | None = None,
) -> OutputReader:
    """Return what reads a script's output.

    Args:
        output: as for `prepare`, like all that follows.
        output_type: see there.
        on_mismatch: see there.
        converter: see there.

    Raises:
        InvalidArgumentTypeError: nothing can be made of the type, or an argument is of the wrong kind.
        InvalidArgumentValueError: an argument makes no sense.
    """
    if output not in {"text", "json", "raw"}:
        raise InvalidArgumentValueError(f'output must be "text", "json" or "raw", not {output!r}')
    if output_type is not None and output != "json":
        raise InvalidArgumentValueError('output_type goes with output="json" only')
    if on_mismatch not in {"raise", "keep"}:
        raise InvalidArgumentValueError(f'on_mismatch must be "raise" or "keep", not {on_mismatch!r}')
    if output_type is None:
        for argument, given in (
            ("on_mismatch", on_mismatch != "raise"),
            ("converter", converter is not None),
        ):
            if given:
                raise InvalidArgumentValueError(f"{argument} goes with output_type only")
        return OutputReader(output)
    # Loaded on use: few programs need it.
    from srs_vsphere._codec.into_classes import maker

    return OutputReader(output, maker(output_type, converter), on_mismatch == "keep")


def _check_form(output: OutputChoice, width: object, depth: object) -> None:
    if output == "text":
        if depth is not None:
            raise InvalidArgumentValueError('depth goes with output="json" only')
        if width is not None:
            _check_whole("width", width, _WIDTHS)
        return
    if width is not None and width != DEFAULT_WIDTH:
        raise InvalidArgumentValueError('width goes with output="text" only')
    if depth is not None:
        if output != "json":
            raise InvalidArgumentValueError('depth goes with output="json" only')
        _check_whole("depth", depth, _DEPTHS)


def _check_whole(name: str, value: object, allowed: range) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArgumentTypeError(f"{name} must be a whole number, not {type(value).__name__}")
    if value not in allowed:
        raise InvalidArgumentValueError(f"{name} must be from {allowed[0]} to {allowed[-1]}, not {value}")


def _check_streams(streams: object) -> None:
    # 1 is equal to True, and no choice all the same.
    if not isinstance(streams, bool | str):
        raise InvalidArgumentTypeError(
            f'streams must be True, False or "sparse", not {type(streams).__name__}'
        )
    if streams not in {True, False, "sparse"}:
        raise InvalidArgumentValueError(f'streams must be True, False or "sparse", not {streams!r}')


def _check_on_record(on_record: object, *, streams: StreamsChoice) -> None:
    if on_record is None:
        return
    if not callable(on_record):
        raise InvalidArgumentTypeError(f"on_record must be a function, not {type(on_record).__name__}")
    if not streams:
        raise InvalidArgumentValueError("on_record needs the streams: leave streams=False out")


def check_new_only(**options: object) -> None:
    """Refuse options of a new runspace where one is given.

    Raises:
        InvalidArgumentValueError: one of them is set.
    """
    for name, value in options.items():
        if value:
            raise InvalidArgumentValueError(
                f"{name} goes with a new runspace only: the one given is as it is"
            )
