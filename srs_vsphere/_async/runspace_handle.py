"""A runspace that is ready: scripts run in it, one after the other."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeVar, Unpack, overload

from srs_vsphere._async.script_runner import AsyncScriptRunner
from srs_vsphere._async.session import AsyncSession
from srs_vsphere._async.started_script import AsyncStartedScript
from srs_vsphere._service.run_defaults import DEFAULT_TIMEOUT, DEFAULT_WIDTH
from srs_vsphere._service.script_output import OutputChoice
from srs_vsphere._service.script_request import MismatchChoice, OnRecord, RunOptions, prepare
from srs_vsphere._service.stream_schedule import StreamsChoice
from srs_vsphere.models import PSDocument, Runspace
from srs_vsphere.parameters import Parameters
from srs_vsphere.results import ScriptResult

if TYPE_CHECKING:
    from cattrs import BaseConverter

T = TypeVar("T")


class AsyncRunspaceHandle:
    """A runspace that is ready, in which scripts run one at a time.

    Args:
        session: makes the calls.
        runspace: the runspace.
    """

    def __init__(self, session: AsyncSession, runspace: Runspace) -> None:
        self.runspace: Runspace = runspace
        self._session = session
        self._runner = AsyncScriptRunner(session, runspace.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.runspace.name!r}>"

    @property
    def id(self) -> str:
        """The runspace's id."""
        return self.runspace.id

    @property
    def name(self) -> str | None:
        """The runspace's name."""
        return self.runspace.name

    @overload
    async def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["text"] = "text",
        width: int | None = DEFAULT_WIDTH,
        **options: Unpack[RunOptions],
    ) -> ScriptResult[str]: ...
    @overload
    async def run(  # pyright: ignore[reportOverlappingOverload] - the more exact one
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: type[T],
        on_mismatch: Literal["raise"] = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[T]]: ...
    @overload
    async def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[object]]: ...
    @overload
    async def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["raw"],
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[PSDocument]]: ...
    async def run(
        self,
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
    ) -> ScriptResult[object]:
        """Run a script in this runspace and wait for its end; calls at once wait for each other.

        Variables, functions and connections stay from one script to the next. Scripts of one client in one
        runspace take turns, whichever call starts them. What comes back is as for ``run()`` of the client.

        Args:
            script: the script, or the path of a file that holds it.
            parameters: values by name, which arrive as they are given; or `ScriptParameter` objects, which
                are sent untouched. Default none.
            output: the form of the output: ``text``, one text; ``json``, Python values; ``raw``, documents of
                the service's own, one level deep.
            width: for ``text``: columns; default 4096, for tables grow to what their columns hold. None sends
                the script bare, and tables are cut at 80 columns.
            depth: for ``json``: how many levels of .NET objects show their members, from 1 to 64; default 1.
                Data (mappings, lists, what ``Select-Object`` makes) is always whole.
            output_type: for ``json``: the class that each object is made into: an attrs class, a dataclass, a
                TypedDict, a pydantic model, or list, dict and ``X | None`` of these.
            on_mismatch: what becomes of an object that does not fit: ``raise`` an error that has it all, or
                ``keep`` its data; default ``raise``.
            converter: a converter of cattrs that makes the objects instead; default None.
            name: what the script is called in the history; default a unique name.
            timeout: seconds for all of the call; default 3600, None for as long as it takes. The last tenth
                of it, 5 seconds at most, is kept for canceling a script that has not ended.
            check: whether anything but plain success raises `ScriptFailedError`; default False.
            streams: whether what it writes to its streams is read; default True: every 2.4 seconds, five
                requests each time, since the service shows the newest 50 records of each stream only.
                ``"sparse"``: rarely while it is silent: after 8 seconds, then at distances that double, up
                to a minute; and every 3.6 seconds once it writes, until it is silent again. More than 50
                records in one stream between two looks are lost, which ``lost_records`` counts. False:
                never; nobody looks for errors, and the outcome goes by the service's state alone.
            on_record: called with each `StreamRecord` while the script runs (and awaited, if it is async);
                what it raises is logged. Default None.

        Returns:
            What came of it; look at ``outcome`` before trusting ``output``.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            OutputMismatchError: an object does not fit ``output_type``; the error has the result.
            WaitTimeoutError: it did not end in time, and was canceled; the error has what came of it so far.
            RunspaceBusyError: somebody else runs a script in this runspace.
            InvalidArgumentTypeError: an argument is of the wrong kind, before anything is sent.
            InvalidArgumentValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        job = prepare(
            script,
            parameters=parameters,
            output=output,
            width=width,
            depth=depth,
            output_type=output_type,
            on_mismatch=on_mismatch,
            converter=converter,
            name=name,
            timeout=timeout,
            check=check,
            streams=streams,
            on_record=on_record,
        )
        # A traceback of a later failure shows this frame's variables.
        del script, parameters
        return await self._runner.run(job)

    @overload
    async def start(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["text"] = "text",
        width: int | None = DEFAULT_WIDTH,
        **options: Unpack[RunOptions],
    ) -> AsyncStartedScript[str]: ...
    @overload
    async def start(  # pyright: ignore[reportOverlappingOverload] - the more exact one
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: type[T],
        on_mismatch: Literal["raise"] = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[RunOptions],
    ) -> AsyncStartedScript[list[T]]: ...
    @overload
    async def start(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[RunOptions],
    ) -> AsyncStartedScript[list[object]]: ...
    @overload
    async def start(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["raw"],
        **options: Unpack[RunOptions],
    ) -> AsyncStartedScript[list[PSDocument]]: ...
    async def start(
        self,
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
    ) -> AsyncStartedScript[object]:
        """Start a script in this runspace, and return as soon as it runs.

        The next script in this runspace waits for its end. Leaving the runspace's block ends it.

        Args:
            script: as for `run`, like all that follows.
            parameters: see there.
            output: see there.
            width: see there.
            depth: see there.
            output_type: see there.
            on_mismatch: see there.
            converter: see there.
            name: see there.
            timeout: seconds from now until ``result()`` gives it up and cancels it; default 3600.
            check: see there.
            streams: see there.
            on_record: called while somebody waits for ``result()``.

        Returns:
            The script, whose ``id`` another process can take to ``script_executions.result()``.

        Raises:
            OutcomeUnknownError: it may have been started all the same; the error tells its name.
            RunspaceBusyError: somebody else runs a script in this runspace.
            InvalidArgumentTypeError: an argument is of the wrong kind, before anything is sent.
            InvalidArgumentValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        job = prepare(
            script,
            parameters=parameters,
            output=output,
            width=width,
            depth=depth,
            output_type=output_type,
            on_mismatch=on_mismatch,
            converter=converter,
            name=name,
            timeout=timeout,
            check=check,
            streams=streams,
            on_record=on_record,
        )
        # A traceback of a later failure shows this frame's variables.
        del script, parameters
        return AsyncStartedScript(self._session, self._runner, job, await self._runner.start(job))
