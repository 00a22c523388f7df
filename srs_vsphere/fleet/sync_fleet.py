"""The fleet for code without an event loop: a portal to a loop in one thread of its own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Generic, Literal, Self, TypedDict, TypeVar, Unpack, cast, overload

from anyio.from_thread import BlockingPortal, start_blocking_portal

from srs_vsphere._concurrency.completion import Completion
from srs_vsphere._service.script_output import OutputChoice
from srs_vsphere._service.script_request import NewRunspaceOptions
from srs_vsphere._signatures import shows_keywords_of
from srs_vsphere.fleet.breaker import BreakerPolicy
from srs_vsphere.fleet.clients import TransportMaker
from srs_vsphere.fleet.events import FleetEvent
from srs_vsphere.fleet.fleet import AsyncSrsFleet
from srs_vsphere.fleet.progress import ProgressCallback
from srs_vsphere.fleet.reports import FleetStatistics, HostReport
from srs_vsphere.fleet.running import HostResult
from srs_vsphere.fleet.snapshot import FleetSnapshot
from srs_vsphere.fleet.stream import FLEET_CLOSED, AsyncFleetStream, Source
from srs_vsphere.fleet.target import Target
from srs_vsphere.fleet.watching import AsyncFleetWatch
from srs_vsphere.models import PSDocument
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.settings import Timeouts

#: How often a thread that waits looks up, so that a Ctrl-C reaches it.
_SECONDS_BETWEEN_LOOKS = 0.2

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class FleetSettings(TypedDict, total=False):
    """What `SrsFleet` takes besides its targets; see `AsyncSrsFleet`."""

    concurrency: int
    timeout: float
    timeouts: Timeouts | None
    breaker: BreakerPolicy | None
    login_rate: float
    idle: float
    retry: RetryPolicy | None
    transport: TransportMaker | None


class FleetStream(Generic[T_co]):
    """Reports or results of a fleet: an iterator, to be gone through once.

    After a loop that was left early, `close()`, ``with`` around the loop, or leaving the fleet ends what
    runs.

    Args:
        portal: leads to the fleet's event loop.
        source: the fleet's own stream.
    """

    def __init__(self, portal: BlockingPortal, source: Source[T_co]) -> None:
        self._portal = portal
        self._source = source
        self._taken: deque[T_co] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        while True:
            with suppress(IndexError):
                return self._taken.popleft()
            try:
                taking = self._portal.start_task_soon(self._take)
            except RuntimeError:
                raise RuntimeError(FLEET_CLOSED) from None
            try:
                taken = _result_of(taking)
            except BaseException:
                # What was taken by then is handed out next.
                taking.cancel()
                raise
            if not taken:
                raise StopIteration

    def close(self) -> None:
        """End what runs, and wait for its end; a second call does nothing."""
        self._taken.clear()
        # Leaving the fleet has ended it.
        with suppress(RuntimeError):
            _result_of(self._portal.start_task_soon(self._source.aclose))

    async def _take(self) -> bool:
        """Take what there is, and wait for the first; tell whether there was any."""
        # Each way through the portal takes all there is, for the way is longer than a poll.
        try:
            self._taken.append(await anext(self._source))
        except StopAsyncIteration:
            return False
        self._taken.extend(self._more())
        return True

    def _more(self) -> Iterable[T_co]:
        return self._source.waiting()


class FleetWatch(FleetStream[FleetEvent]):
    """The events of a watch: an iterator without end, to be gone through once; see `AsyncFleetWatch`.

    Args:
        portal: leads to the fleet's event loop.
        watch: the fleet's own watch.
        asked: has a snapshot made where nothing changes meanwhile.
    """

    def __init__(
        self,
        portal: BlockingPortal,
        watch: AsyncFleetWatch,
        asked: Callable[[Callable[[], FleetSnapshot]], FleetSnapshot],
    ) -> None:
        super().__init__(portal, watch)
        self._watch = watch
        self._asked = asked

    def snapshot(self) -> FleetSnapshot:
        """Return how everything stands by the events taken so far: nothing more, nothing less."""
        return self._asked(self._handed_out)

    def _handed_out(self) -> FleetSnapshot:
        # An event is still to be handed out if a Ctrl-C came just when it did.
        return self._watch._snapshot_before() if self._taken else self._watch.snapshot()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its other half

    def _more(self) -> Iterable[FleetEvent]:
        # One at a time, so that a snapshot holds what was taken and nothing else.
        return ()


class SrsFleet:
    """Many Script Runtime Services at once, from any thread; used in ``with``.

    The hosts are polled in an event loop in one thread, which ends with the block. Ctrl-C in the loop over
    reports ends all within a second.

    Args:
        targets: the hosts.
        **settings: as for `AsyncSrsFleet`.

    Raises:
        TypeError: an argument is of the wrong kind; the message names it.
        ValueError: an argument makes no sense, two targets have one name, or there is none.
    """

    @shows_keywords_of(FleetSettings)
    def __init__(self, targets: Iterable[Target], **settings: Unpack[FleetSettings]) -> None:
        self._fleet = AsyncSrsFleet(targets, **settings)
        self._stack = ExitStack()
        self._open: BlockingPortal | None = None
        self._watch: FleetWatch | None = None

    def __repr__(self) -> str:
        # A traceback shows it before it is made, if an argument is refused.
        fleet: AsyncSrsFleet | None = getattr(self, "_fleet", None)
        return f"<{type(self).__name__} of {0 if fleet is None else len(fleet.targets)} hosts>"

    def __enter__(self) -> Self:
        # A Ctrl-C while a portal begins would leave anyio waiting for the end of its thread for ever.
        self._open, self._stack = Completion(_closed).result_of(self._opened)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open = None
        self._stack.__exit__(exc_type, exc, traceback)

    def poll(
        self, *, deadline: float | None = None, on_progress: ProgressCallback | None = None
    ) -> FleetStream[HostReport]:
        """Poll every host once (``GET /api/runspaces``); see `AsyncSrsFleet.poll`.

        Args:
            deadline: seconds after which the hosts that have not answered are reported as missing; default
                None: each host has its `timeout`.
            on_progress: told of each report, in the fleet's thread; default None.

        Returns:
            The reports, one for each host, in the order in which the hosts answer.

        Raises:
            TypeError: `deadline` is no number.
            ValueError: `deadline` is negative or not finite.
            RuntimeError: the fleet is not open.
        """
        return FleetStream(self._portal(), self._fleet.poll(deadline=deadline, on_progress=on_progress))

    def watch(self, *, interval: float, resume: FleetSnapshot | None = None) -> FleetWatch:
        """Poll every host once in each interval, for ever, and tell what changes; see `AsyncSrsFleet.watch`.

        Args:
            interval: seconds between two polls of a host.
            resume: how things stood when an earlier watch was left; default None: nothing is known.

        Returns:
            The events.

        Raises:
            TypeError: an argument is of the wrong kind.
            ValueError: `interval` is not positive and finite.
            RuntimeError: the fleet is not open, or has a watch already.
        """
        portal = self._portal()
        watch = self._fleet.watch(interval=interval, resume=resume)
        self._watch = FleetWatch(portal, watch, self._asked)
        return self._watch

    def snapshot(self) -> FleetSnapshot:
        """Return how everything stands by the events of the latest watch that were taken so far."""
        return FleetSnapshot() if self._watch is None else self._watch.snapshot()

    def statistics(self) -> FleetStatistics:
        """Return what the polls of this fleet have come to so far."""
        return self._portal().call(self._fleet.statistics)

    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["text"] = "text",
        journal: str | os.PathLike[str] | None = None,
        on_progress: ProgressCallback | None = None,
        **options: Unpack[NewRunspaceOptions],
    ) -> FleetStream[HostResult[str]]: ...
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
    ) -> FleetStream[HostResult[list[T]]]: ...
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
    ) -> FleetStream[HostResult[list[object]]]: ...
    @overload
    def run(
        self,
        script: str,
        *,
        output: Literal["raw"],
        journal: str | os.PathLike[str] | None = None,
        on_progress: ProgressCallback | None = None,
        **options: Unpack[NewRunspaceOptions],
    ) -> FleetStream[HostResult[list[PSDocument]]]: ...
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
    ) -> FleetStream[HostResult[object]]:
        """Run a script on every host, each in a runspace of its own; see `AsyncSrsFleet.run`.

        Args:
            script: the script.
            output: the form of the output, as for `SrsClient.run`.
            depth: for ``json``: as there.
            output_type: for ``json``: as there.
            journal: a file that notes which hosts are done, and leaves them out the next time; default None.
            on_progress: told of each result, in the fleet's thread; default None.
            **options: see `NewRunspaceOptions` and `RunOptions`.

        Returns:
            The results, in the order in which the scripts end; what goes wrong on a host is in its result.

        Raises:
            TypeError: an argument is of the wrong kind.
            ValueError: an argument makes no sense, or the journal is none, another script's or in use by
                another run.
            OSError: the journal cannot be written.
            RuntimeError: the fleet is not open.
        """
        portal = self._portal()
        run = cast("Callable[..., AsyncFleetStream[HostResult[object]]]", self._fleet.run)
        source = run(
            script,
            output=output,
            depth=depth,
            output_type=output_type,
            journal=journal,
            on_progress=on_progress,
            **options,
        )
        return FleetStream(portal, source)

    def _opened(self) -> tuple[BlockingPortal, ExitStack]:
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal("asyncio"))
            stack.enter_context(portal.wrap_async_context_manager(self._fleet))
            return portal, stack.pop_all()

    def _asked(self, snapshot: Callable[[], FleetSnapshot]) -> FleetSnapshot:
        # After the end nothing changes any more, and there is no other thread to ask.
        return snapshot() if self._open is None else self._open.call(snapshot)

    def _portal(self) -> BlockingPortal:
        if self._open is None:
            raise RuntimeError("the fleet is not open: use it in `with`")
        return self._open


def _result_of(future: Future[T]) -> T:
    # A Ctrl-C that comes just before a wait does not end it, and on Windows none does.
    while not wait((future,), _SECONDS_BETWEEN_LOOKS).done:
        pass
    return future.result()


def _closed(opened: tuple[BlockingPortal, ExitStack]) -> None:
    opened[1].close()
