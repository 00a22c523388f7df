"""Running scripts from a client: in a runspace for the one script, or in one that is there."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeVar, Unpack, overload

from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.identity import runspace_id
from srs_vsphere._service.run_defaults import DEFAULT_TIMEOUT, DEFAULT_WIDTH
from srs_vsphere._validation import check_flag, check_number

if TYPE_CHECKING:
    # What runs scripts is loaded on use: a program that lists runspaces needs none of it.
    from cattrs import BaseConverter

    from srs_vsphere._sync.session import Session
    from srs_vsphere._sync.started_script import StartedScript
    from srs_vsphere._service.identity import RunspaceRef
    from srs_vsphere._service.script_output import OutputChoice
    from srs_vsphere._service.script_request import ClientRunOptions, MismatchChoice, OnRecord, RunOptions
    from srs_vsphere._service.stream_schedule import StreamsChoice
    from srs_vsphere.models import PSDocument
    from srs_vsphere.parameters import Parameters
    from srs_vsphere.results import ScriptResult

T = TypeVar("T")


class ClientScripts:
    """What a client does with scripts; `SrsClient` is one."""

    _session: Session

    @overload
    def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["text"] = "text",
        width: int | None = DEFAULT_WIDTH,
        **options: Unpack[ClientRunOptions],
    ) -> ScriptResult[str]: ...
    @overload
    def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: type[T],
        on_mismatch: Literal["raise"] = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[ClientRunOptions],
    ) -> ScriptResult[list[T]]: ...
    @overload
    def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[ClientRunOptions],
    ) -> ScriptResult[list[object]]: ...
    @overload
    def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["raw"],
        **options: Unpack[ClientRunOptions],
    ) -> ScriptResult[list[PSDocument]]: ...
    def run(
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
        runspace: RunspaceRef | None = None,
        run_vc_connection_script: bool = False,
        wait_for_quota: float = 0.0,
    ) -> ScriptResult[object]:
        """Run a script and return what came of it: opens a runspace, runs, collects, deletes.

        Objects come as dicts of their members with ``output="json"``::

            result = client.run("Get-VM | Select-Object Name, PowerState, VMHost", output="json")
            # [{"Name": "web-01", "PowerState": "PoweredOn", "VMHost": "esx-7.example.com"}, ...]

        ``VMHost`` is an object itself, and comes as its text: ``depth=2`` opens it too. That costs time and
        size, since such objects refer to many others; naming their members in ``Select-Object`` does not.

        Args:
            script: the script's text, or a ``Path`` of its file; a text is never taken for a path.
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
            name: what the script is called in the history, and how the new runspace's name begins; default
                a unique name.
            timeout: seconds for all of the call, the runspace's creation included; default 3600, None for as
                long as it takes. The last tenth of it, 5 seconds at most, is kept for canceling a script
                that has not ended and deleting its runspace.
            check: whether anything but plain success raises `ScriptFailedError`; default False.
            streams: whether what it writes to its streams is read; default True: every 2.4 seconds, five
                requests each time, since the service shows the newest 50 records of each stream only.
                ``"sparse"``: rarely while it is silent: after 8 seconds, then at distances that double, up
                to a minute; and every 3.6 seconds once it writes, until it is silent again. More than 50
                records in one stream between two looks are lost, which ``lost_records`` counts. False:
                never; errors in it are not noticed, and the outcome goes by the service's state alone.
            on_record: called with each `StreamRecord` while the script runs (and awaited, if it is async);
                what it raises is logged. Default None.
            runspace: a runspace that is ready, its handle or its id; default a new one, deleted when the
                script has ended. Scripts of this client in one runspace take turns.
            run_vc_connection_script: whether the new one connects to vCenter as the user who is logged in,
                which is checked; default False.
            wait_for_quota: seconds to wait for room for the new one if the service has none; default 0.

        Returns:
            What came of it; look at ``outcome`` before trusting ``output``.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            OutputMismatchError: an object does not fit ``output_type``; the error has the result.
            WaitTimeoutError: it did not end in time, and was canceled; the error has what came of it so far.
            QuotaExceededError: the service has no room for a runspace.
            VCenterConnectionError: the new runspace is not connected to vCenter.
            InvalidArgumentTypeError: an argument is of the wrong kind, before anything is sent.
            InvalidArgumentValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        from srs_vsphere._sync.runspace_block import RunspaceBlock
        from srs_vsphere._sync.script_runner import ScriptRunner
        from srs_vsphere._service.poll_schedule import CREATION_TIMEOUT
        from srs_vsphere._service.script_request import check_new_only, prepare

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
        check_flag("run_vc_connection_script", run_vc_connection_script)
        check_number("wait_for_quota", wait_for_quota, unit="seconds")
        if runspace is not None:
            check_new_only(run_vc_connection_script=run_vc_connection_script, wait_for_quota=wait_for_quota)
            return ScriptRunner(self._session, runspace_id(runspace, "runspace")).run(job)
        deadline = Deadline(timeout, self._session.sender.clock.now)
        block = RunspaceBlock(
            self._session,
            name,
            run_vc_connection_script=run_vc_connection_script,
            timeout=CREATION_TIMEOUT,
            wait_for_quota=wait_for_quota,
            deadline=deadline,
        )
        with block as handle:
            return handle._runner.run(job, deadline.keeping_back())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of a runspace of our own

    @overload
    def start(
        self,
        script: str | PathLike[str],
        *,
        runspace: RunspaceRef,
        output: Literal["text"] = "text",
        width: int | None = DEFAULT_WIDTH,
        **options: Unpack[RunOptions],
    ) -> StartedScript[str]: ...
    @overload
    def start(
        self,
        script: str | PathLike[str],
        *,
        runspace: RunspaceRef,
        output: Literal["json"],
        depth: int | None = None,
        output_type: type[T],
        on_mismatch: Literal["raise"] = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[RunOptions],
    ) -> StartedScript[list[T]]: ...
    @overload
    def start(
        self,
        script: str | PathLike[str],
        *,
        runspace: RunspaceRef,
        output: Literal["json"],
        depth: int | None = None,
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[RunOptions],
    ) -> StartedScript[list[object]]: ...
    @overload
    def start(
        self,
        script: str | PathLike[str],
        *,
        runspace: RunspaceRef,
        output: Literal["raw"],
        **options: Unpack[RunOptions],
    ) -> StartedScript[list[PSDocument]]: ...
    def start(
        self,
        script: str | PathLike[str],
        *,
        runspace: RunspaceRef,
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
    ) -> StartedScript[object]:
        """Start a script in a runspace, and return as soon as it runs.

        Args:
            script: as for `run`, like all that follows.
            runspace: a runspace that is ready, its handle or its id.
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
            on_record: called only while ``result()`` waits.

        Returns:
            The script, whose ``id`` another process can take to ``script_executions.result()``.

        Raises:
            OutcomeUnknownError: it may have been started all the same; the error tells its name.
            SrsError: as for `RunspaceHandle.start`.
        """
        from srs_vsphere._sync.script_runner import ScriptRunner
        from srs_vsphere._sync.started_script import StartedScript
        from srs_vsphere._service.script_request import prepare

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
        runner = ScriptRunner(self._session, runspace_id(runspace, "runspace"))
        return StartedScript(self._session, runner, job, runner.start(job))
