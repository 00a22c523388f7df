"""A runspace that is ready: scripts run in it, one after the other."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeVar, Unpack, overload

from srs_vsphere._sync.script_runner import ScriptRunner
from srs_vsphere._sync.session import Session
from srs_vsphere._sync.started_script import StartedScript
from srs_vsphere._service.run_defaults import DEFAULT_WIDTH
from srs_vsphere._service.script_request import JobOptions, MismatchChoice, RunOptions, prepare
from srs_vsphere._signatures import shows_keywords_of
from srs_vsphere.models import PSDocument, Runspace
from srs_vsphere.results import ScriptResult

if TYPE_CHECKING:
    from cattrs import BaseConverter

T = TypeVar("T")


class RunspaceHandle:
    """A runspace that is ready, in which scripts run one at a time.

    Args:
        session: makes the calls.
        runspace: the runspace.
    """

    def __init__(self, session: Session, runspace: Runspace) -> None:
        self.runspace: Runspace = runspace
        self._session = session
        self._runner = ScriptRunner(session, runspace.id)

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
    def run(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["text"] = "text",
        width: int | None = DEFAULT_WIDTH,
        **options: Unpack[RunOptions],
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
        **options: Unpack[RunOptions],
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
        **options: Unpack[RunOptions],
    ) -> ScriptResult[list[object]]: ...
    @overload
    def run(
        self, script: str | PathLike[str], *, output: Literal["raw"], **options: Unpack[RunOptions]
    ) -> ScriptResult[list[PSDocument]]: ...
    @shows_keywords_of(prepare)
    def run(self, script: str | PathLike[str], **options: Unpack[JobOptions]) -> ScriptResult[object]:
        """Run a script in this runspace and wait for its end; calls at once wait for each other.

        Variables, functions and connections stay from one script to the next. Scripts of one client in one
        runspace take turns, whichever call starts them. What comes back is as for ``run()`` of the client.

        Args:
            script: the script's text, or a ``Path`` of its file; a text is never taken for a path.
            **options: as for ``run()`` of the client; the last tenth of ``timeout``, 5 seconds at most, is
                kept for canceling a script that has not ended.

        Returns:
            What came of it; look at ``outcome`` before trusting ``output``.

        Raises:
            ScriptFailedError: with ``check=True``: it did not plainly succeed; the error has the result.
            OutputMismatchError: an object does not fit ``output_type``; the error has the result.
            WaitTimeoutError: it did not end in time, and was canceled; the error has what came of it so far.
            RunspaceBusyError: another client runs a script in this runspace.
            InvalidArgumentTypeError: an argument is of the wrong kind, before anything is sent.
            InvalidArgumentValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        job = prepare(script, **options)
        # A traceback of a later failure shows this frame's variables.
        del script, options
        return self._runner.run(job)

    @overload
    def start(
        self,
        script: str | PathLike[str],
        *,
        output: Literal["text"] = "text",
        width: int | None = DEFAULT_WIDTH,
        **options: Unpack[RunOptions],
    ) -> StartedScript[str]: ...
    @overload
    def start(
        self,
        script: str | PathLike[str],
        *,
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
        output: Literal["json"],
        depth: int | None = None,
        output_type: object = None,
        on_mismatch: MismatchChoice = "raise",
        converter: BaseConverter | None = None,
        **options: Unpack[RunOptions],
    ) -> StartedScript[list[object]]: ...
    @overload
    def start(
        self, script: str | PathLike[str], *, output: Literal["raw"], **options: Unpack[RunOptions]
    ) -> StartedScript[list[PSDocument]]: ...
    @shows_keywords_of(prepare)
    def start(
        self, script: str | PathLike[str], **options: Unpack[JobOptions]
    ) -> StartedScript[object]:
        """Start a script in this runspace, and return as soon as it runs.

        The next script in this runspace waits for its end. Leaving the runspace's block ends it.

        Args:
            script: as for `run`.
            **options: see there; ``timeout`` is in seconds from now until ``result()`` gives it up and
                cancels it, and ``on_record`` is called only while that waits.

        Returns:
            The script, whose ``id`` another process can take to ``script_executions.result()``.

        Raises:
            OutcomeUnknownError: it may have been started all the same; the error tells its name.
            RunspaceBusyError: another client runs a script in this runspace.
            InvalidArgumentTypeError: an argument is of the wrong kind, before anything is sent.
            InvalidArgumentValueError: an argument makes no sense, before anything is sent.
            SrsError: a call failed for good.
        """
        job = prepare(script, **options)
        # A traceback of a later failure shows this frame's variables.
        del script, options
        return StartedScript(self._session, self._runner, job, self._runner.start(job))
