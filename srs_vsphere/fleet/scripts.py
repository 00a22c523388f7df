"""Running a script on every host of a fleet."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Literal, TypeVar, Unpack, overload

from srs_vsphere._service.run_defaults import DEFAULT_TIMEOUT
from srs_vsphere._service.script_output import OutputChoice
from srs_vsphere._service.script_request import NewRunspaceOptions, prepare
from srs_vsphere._signatures import shows_keywords_of
from srs_vsphere._validation import check_timeout
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.fleet.clients import ClientMaker
from srs_vsphere.fleet.journal import Journal
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.progress import ProgressCallback, ProgressCount, check_callback
from srs_vsphere.fleet.running import HostResult, Runner, job_of
from srs_vsphere.fleet.stream import AsyncFleetStream, Put, Work
from srs_vsphere.fleet.target import Target
from srs_vsphere.models import PSDocument

T = TypeVar("T")


class AsyncFleetScripts:
    """What a fleet does with scripts; `AsyncSrsFleet` is one."""

    _options: FleetOptions
    _clients: ClientMaker
    _targets: Sequence[Target]

    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["text"] = "text",
        journal: str | os.PathLike[str] | None = None,
        on_progress: ProgressCallback | None = None,
        **options: Unpack[NewRunspaceOptions],
    ) -> AsyncFleetStream[HostResult[str]]: ...
    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["json"],
        depth: int | None = None,
        output_type: type[T],
        journal: str | os.PathLike[str] | None = None,
        on_progress: ProgressCallback | None = None,
        **options: Unpack[NewRunspaceOptions],
    ) -> AsyncFleetStream[HostResult[list[T]]]: ...
    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["json"],
        depth: int | None = None,
        journal: str | os.PathLike[str] | None = None,
        on_progress: ProgressCallback | None = None,
        **options: Unpack[NewRunspaceOptions],
    ) -> AsyncFleetStream[HostResult[list[object]]]: ...
    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["raw"],
        journal: str | os.PathLike[str] | None = None,
        on_progress: ProgressCallback | None = None,
        **options: Unpack[NewRunspaceOptions],
    ) -> AsyncFleetStream[HostResult[list[PSDocument]]]: ...
    @shows_keywords_of(NewRunspaceOptions)
    def run(
        self,
        script: str,
        *,
        output: OutputChoice = "text",
        depth: int | None = None,
        output_type: type | None = None,
        journal: str | os.PathLike[str] | None = None,
        on_progress: ProgressCallback | None = None,
        **options: Unpack[NewRunspaceOptions],
    ) -> AsyncFleetStream[HostResult[object]]:
        """Run a script on every host, each in a runspace of its own, which is deleted whatever happens.

        Args:
            script: the script.
            output: the form of the output, as for `AsyncSrsClient.run`.
            depth: for ``json``: as there.
            output_type: for ``json``: as there.
            journal: a file that notes which hosts are done; default None. With the file of a run that was
                broken off, hosts that are done are left out, those whose results were not taken included.
                Where the script had begun, the service is asked first whether it ran; such a host's result is
                in `HostResult.earlier`. A runspace that was left there is deleted.
            on_progress: told of each result before it is handed out; default None.
            **options: see `NewRunspaceOptions` and `RunOptions`. ``wait_for_quota`` is 60
                here by default.

        Returns:
            The results, in the order in which the scripts end; what goes wrong on a host is in its result.

        Raises:
            TypeError: an argument is of the wrong kind.
            ValueError: an argument makes no sense; or, when the first result is asked for, the journal is
                none, another script's or in use by another run.
            OSError: the journal cannot be written, and the error has its name. It is raised when the first
                result is asked for; or, such as for a disk that is full meanwhile, after the results of all
                scripts that had been started. No script is started that the journal does not know of.
            RuntimeError: the fleet is not open; raised when the first result is asked for.
        """
        unknown = set(options) - set(NewRunspaceOptions.__annotations__)
        if unknown:
            raise InvalidArgumentTypeError(f"run() takes no argument {', '.join(sorted(unknown))}")
        prepare(
            script,
            parameters=options.get("parameters"),
            output=output,
            depth=depth,
            output_type=output_type,
            name=options.get("name"),
            timeout=options.get("timeout", DEFAULT_TIMEOUT),
            check=options.get("check", False),
            streams=options.get("streams", True),
            on_record=options.get("on_record"),
        )
        check_timeout("wait_for_quota", options.setdefault("wait_for_quota", 60.0))
        run_options: dict[str, object] = {**options, "output": output}
        if output == "json":
            run_options |= {"depth": depth, "output_type": output_type}
        check_callback("on_progress", on_progress)

        @contextmanager
        def job() -> Generator[Work[HostResult[object]]]:
            name = job_of(script, options.get("parameters"))
            with nullcontext() if journal is None else Journal(journal, name) as book:
                runner = Runner(self._options, self._clients, script, run_options, book)
                done = {} if book is None else book.ended
                left = [target for target in self._targets if target.name not in done]
                progress = ProgressCount(len(self._targets), on_progress, len(self._targets) - len(left))
                pending = iter(left)

                async def work(put: Put[HostResult[object]]) -> None:
                    for target in pending:
                        if book is not None and book.problem is not None:
                            return
                        result = await runner.run(target)
                        if result is not None:
                            progress.count(target, ok=result.error is None)
                            await put(result)

                yield work
                if book is not None and book.problem is not None:
                    raise book.problem

        return AsyncFleetStream(self._start, self._workers(), job)

    def _workers(self) -> int:
        """Return how many hosts are worked on at once."""
        raise NotImplementedError

    def _start(self, run: Callable[[], Awaitable[None]], drop: Callable[[], None]) -> None:
        """Run the workers of a stream until they end or the fleet does."""
        raise NotImplementedError
