"""Many hosts at once, from one event loop."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Self

import anyio
import anyio.abc

from srs_vsphere._validation import check_count, check_seconds, check_timeout
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.fleet.breaker import BreakerPolicy
from srs_vsphere.fleet.clients import ClientMaker, TransportMaker
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.poller import Poller
from srs_vsphere.fleet.progress import ProgressCallback, ProgressCount, check_callback
from srs_vsphere.fleet.reports import FleetStatistics, HostReport
from srs_vsphere.fleet.scripts import AsyncFleetScripts
from srs_vsphere.fleet.snapshot import FleetSnapshot, keep_hosts
from srs_vsphere.fleet.stream import AsyncFleetStream, Put, Work
from srs_vsphere.fleet.target import Target, check_targets
from srs_vsphere.fleet.watching import AsyncFleetWatch, Seen, Turns
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.settings import Timeouts


class AsyncSrsFleet(AsyncFleetScripts):
    """Many Script Runtime Services at once, for one event loop; used in ``async with``.

    A host that hangs, fails or trickles takes one of `concurrency` places for `timeout` seconds at most, and
    after some failures in a row it is left alone for a while. Leaving the block ends everything that runs,
    logs out and closes all connections.

    Args:
        targets: the hosts; a list, or an async iterator that is read whole on entering the block.
        concurrency: hosts that are polled, or run a script, at once; default 200.
        timeout: seconds that one poll of one host may take, its login included; default 10.
        timeouts: how long an attempt may wait for each of its steps; default `Timeouts(keep_alive=300)`.
        breaker: when a host that fails is left alone; default `BreakerPolicy()`.
        login_rate: logins that may begin in a second, all hosts together; default 100.
        idle: seconds after which the client of a host that is not polled is closed; default 900.
        retry: how the calls of `run` are tried again; default `RetryPolicy()`. A poll has one second attempt,
            as long as no more than one in twenty needs it.
        transport: makes an httpx transport for a target's client; default None, the client's own.

    Raises:
        TypeError: an argument is of the wrong kind; the message names it.
        ValueError: an argument makes no sense, two targets have one name, or there is none.
    """

    def __init__(
        self,
        targets: Iterable[Target] | AsyncIterable[Target],
        *,
        concurrency: int = 200,
        timeout: float = 10.0,
        timeouts: Timeouts | None = None,
        breaker: BreakerPolicy | None = None,
        login_rate: float = 100.0,
        idle: float = 900.0,
        retry: RetryPolicy | None = None,
        transport: TransportMaker | None = None,
    ) -> None:
        check_count("concurrency", concurrency)
        check_callback("transport", transport)
        defaults = FleetOptions()
        self._options = FleetOptions(
            timeout=timeout,
            timeouts=defaults.timeouts if timeouts is None else timeouts,
            breaker=defaults.breaker if breaker is None else breaker,
            login_rate=login_rate,
            idle=idle,
            retry=defaults.retry if retry is None else retry,
        )
        self._concurrency = concurrency
        self._coming: AsyncIterable[Target] | None = None
        self._targets: Sequence[Target] = ()
        if isinstance(targets, AsyncIterable):
            self._coming = targets
        else:
            self._targets = check_targets(targets)
        self._clients = ClientMaker(self._options, transport)
        self._poller = Poller(self._options, self._clients)
        self._group: anyio.abc.TaskGroup | None = None
        #: What has each stream under way hand out nothing more.
        self._drops: set[Callable[[], None]] = set()
        self._watch: AsyncFleetWatch | None = None
        self._snapshot = FleetSnapshot()
        self._used = False

    def __repr__(self) -> str:
        # A traceback shows it before it is made, if an argument is refused.
        return f"<{type(self).__name__} of {len(getattr(self, '_targets', ()))} hosts>"

    @property
    def targets(self) -> Sequence[Target]:
        """The hosts."""
        return self._targets

    async def __aenter__(self) -> Self:
        if self._used:
            raise RuntimeError("this fleet was used before: make a new one")
        self._used = True
        if self._coming is not None:
            self._targets = check_targets([target async for target in self._coming])
            self._coming = None
        self._group = await anyio.create_task_group().__aenter__()
        self._group.start_soon(self._close_idle)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._poller.aclose)
            for drop in list(self._drops):
                drop()
            group.cancel_scope.cancel()
            if isinstance(exc, anyio.get_cancelled_exc_class()):
                await group.__aexit__(exc_type, exc, traceback)
            else:
                # The program's own error is to leave the block as it is, not in a group.
                await group.__aexit__(None, None, None)

    def poll(
        self, *, deadline: float | None = None, on_progress: ProgressCallback | None = None
    ) -> AsyncFleetStream[HostReport]:
        """Poll every host once (``GET /api/runspaces``).

        Args:
            deadline: seconds after which the hosts that have not answered are reported as missing
                (`HostMissingError`); default None: each host has its `timeout`.
            on_progress: told of each report before it is handed out; default None.

        Returns:
            The reports, one for each host, in the order in which the hosts answer. What goes wrong on a host
            is in its report.

        Raises:
            TypeError: `deadline` is no number.
            ValueError: `deadline` is negative or not finite.
            RuntimeError: the fleet is not open; raised when the first report is asked for.
        """
        check_timeout("deadline", deadline)
        check_callback("on_progress", on_progress)

        @contextmanager
        def job() -> Generator[Work[HostReport]]:
            until = None if deadline is None else anyio.current_time() + deadline
            progress = ProgressCount(len(self._targets), on_progress)
            pending = iter(self._targets)

            async def work(put: Put[HostReport]) -> None:
                for target in pending:
                    report = await self._poller.poll(target, until)
                    progress.count(target, ok=report.error is None)
                    await put(report)

            yield work

        return AsyncFleetStream(self._start, self._workers(), job)

    def watch(self, *, interval: float, resume: FleetSnapshot | None = None) -> AsyncFleetWatch:
        """Poll every host once in each interval, for ever, and tell what changes.

        The hosts are spread over the interval by a hash of their names, and polled at the same place in each.
        A host's first answer is what its next ones are compared with. If the interval is too short, turns are
        left out, and `SweepLate` says so; a slow consumer has the same effect.

        Args:
            interval: seconds between two polls of a host.
            resume: how things stood when an earlier watch was left; default None: nothing is known. Hosts
                that are no longer among the targets, or have another address now, are left out.

        Returns:
            The events: `HostUp`, `HostDown`, `RunspaceCreated`, `RunspaceReady`, `RunspaceFailed`,
            `RunspaceChanged`, `RunspaceGone`; `SweepEnded` and `SweepLate`.

        Raises:
            TypeError: an argument is of the wrong kind.
            ValueError: `interval` is not positive and finite.
            RuntimeError: the fleet has a watch already; or, when the first event is asked for, is not open.
        """
        check_seconds("interval", interval)
        if resume is not None and not isinstance(resume, FleetSnapshot):
            raise InvalidArgumentTypeError(f"resume must be a FleetSnapshot, not {type(resume).__name__}")
        if self._watch is not None:
            raise RuntimeError("the fleet has a watch already: end that first")

        snapshot = FleetSnapshot() if resume is None else resume.copy()

        def job() -> AbstractContextManager[Work[Seen]]:
            keep_hosts(snapshot, self._targets)
            return nullcontext(Turns(self._targets, interval, self._poller.poll).work)

        stream = AsyncFleetStream(self._start, self._workers(), job)
        self._snapshot = snapshot
        self._watch = AsyncFleetWatch(stream, snapshot, self._watch_closed)
        return self._watch

    def snapshot(self) -> FleetSnapshot:
        """Return how everything stands by the events of the latest watch that were taken so far."""
        return self._snapshot.copy()

    def statistics(self) -> FleetStatistics:
        """Return what the polls of this fleet have come to so far."""
        return self._poller.statistics()

    def _start(self, run: Callable[[], Awaitable[None]], drop: Callable[[], None]) -> None:
        if self._group is None:
            raise RuntimeError("the fleet is not open: use it in `async with`")
        self._drops.add(drop)

        async def watched() -> None:
            try:
                await run()
            finally:
                self._drops.discard(drop)

        self._group.start_soon(watched)

    def _workers(self) -> int:
        # Before an async iterator of targets was read, there may be any number.
        return min(self._concurrency, len(self._targets) or self._concurrency)

    def _watch_closed(self) -> None:
        self._watch = None

    async def _close_idle(self) -> None:
        while True:
            await anyio.sleep(self._options.idle / 4)
            await self._poller.close_idle()
