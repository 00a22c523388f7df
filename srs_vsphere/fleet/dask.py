"""Sweeps and watches by the workers of a Dask cluster (extra ``dask``).

::

    async with Client("tcp://scheduler:8786", asynchronous=True) as client:
        async for report in sweep(targets, client=client):
            print(report.target.name, report.ok)

One worker or many, the loop is the same. Each worker has a share of the hosts, and keeps their clients from
sweep to sweep; when it is lost, others poll its hosts in the same sweep. Credentials travel with the fleet's
plugin, never in a task: by name, or as `BasicAuth` made with ``allow_pickle=True``.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypedDict, TypeVar, Unpack, cast
from uuid import uuid4

from attrs import define, field

from srs_vsphere._signatures import shows_keywords_of
from srs_vsphere._validation import check_count, check_patience, check_seconds
from srs_vsphere.errors import InvalidArgumentTypeError
from srs_vsphere.fleet.breaker import BreakerPolicy
from srs_vsphere.fleet.errors import HostMissingError
from srs_vsphere.fleet.events import SweepLate
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.progress import ProgressCallback, ProgressCount, check_callback
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.schedule import Schedule, Turn, spread
from srs_vsphere.fleet.snapshot import FleetSnapshot
from srs_vsphere.fleet.target import Target, check_targets
from srs_vsphere.fleet.watching import AsyncFleetWatch, Seen, SweepCounts
from srs_vsphere.settings import Origin, Timeouts

try:
    from srs_vsphere.fleet.dask_cluster import Cluster, Done, assign
except ModuleNotFoundError as _missing:
    raise ImportError("srs_vsphere.fleet.dask needs Dask: pip install srs-vsphere[dask]") from _missing

if TYPE_CHECKING:
    from distributed import Client

T_co = TypeVar("T_co", covariant=True)

#: Hosts in a part, at most: a task of Dask costs about as much as ten polls.
_PART = 64
#: Parts that each worker has beyond what it polls now.
_AHEAD = 8
#: Seconds that workers have after a sweep's deadline to say so themselves.
_GRACE = 1.0
#: Seconds between two looks at which workers there are.
_LOOK = 2.0


class DaskSettings(TypedDict, total=False):
    """What `sweep` and `watch` take besides; see `AsyncSrsFleet`, to which these are said for each worker."""

    concurrency: int
    timeout: float
    timeouts: Timeouts | None
    breaker: BreakerPolicy | None
    login_rate: float
    idle: float


@shows_keywords_of(DaskSettings)
def sweep(
    targets: Iterable[Target],
    *,
    client: Client,
    deadline: float | None = None,
    on_progress: ProgressCallback | None = None,
    **settings: Unpack[DaskSettings],
) -> AsyncDaskStream[HostReport]:
    """Poll every host once, by all workers of a cluster (``GET /api/runspaces``).

    Args:
        targets: the hosts; a later sweep of the same hosts finds their clients on the workers.
        client: the cluster's client, asynchronous or not.
        deadline: seconds after which the hosts that have not answered are reported as missing; default None:
            each host has its `timeout`.
        on_progress: told of each report before it is handed out; default None.
        **settings: as for `AsyncSrsFleet`; `concurrency` and `login_rate` count for each worker.

    Returns:
        The reports, one for each host, in the order in which they arrive. What goes wrong on a host is in its
        report.

    Raises:
        TypeError: an argument is of the wrong kind, or a target cannot be pickled; nothing was scheduled.
        ValueError: an argument makes no sense, two targets have one name, or there is none.
        RuntimeError: the cluster has no workers; raised when the first report is asked for.
    """
    check_patience("deadline", deadline)
    check_callback(on_progress)
    fleet = _Fleet.of(targets, client, settings)
    return _DaskSweep(fleet, deadline, ProgressCount(len(fleet.targets), on_progress))


@shows_keywords_of(DaskSettings)
def watch(
    targets: Iterable[Target],
    *,
    client: Client,
    interval: float,
    resume: FleetSnapshot | None = None,
    **settings: Unpack[DaskSettings],
) -> AsyncFleetWatch:
    """Poll every host once in each interval, by all workers of a cluster, and tell what changes.

    Args:
        targets: the hosts.
        client: the cluster's client, asynchronous or not.
        interval: seconds between two polls of a host.
        resume: how things stood when an earlier watch was left; default None: nothing is known.
        **settings: as for `sweep`.

    Returns:
        The events, as of `AsyncSrsFleet.watch`.

    Raises:
        TypeError: an argument is of the wrong kind, or a target cannot be pickled; nothing was scheduled.
        ValueError: an argument makes no sense, two targets have one name, or there is none.
        RuntimeError: the cluster has no workers; raised when the first event is asked for.
    """
    check_seconds("interval", interval)
    if resume is not None and not isinstance(resume, FleetSnapshot):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise InvalidArgumentTypeError(f"resume must be a FleetSnapshot, not {type(resume).__name__}")
    fleet = _Fleet.of(targets, client, settings)
    snapshot = FleetSnapshot() if resume is None else resume.copy()
    return AsyncFleetWatch(_DaskWatch(fleet, interval), snapshot, lambda: None)


@define
class _Fleet:
    """The hosts and the cluster they are polled by."""

    targets: dict[str, Target]
    cluster: Cluster
    concurrency: int

    @classmethod
    def of(cls, targets: Iterable[Target], client: Client, settings: DaskSettings) -> Self:
        hosts = check_targets(targets)
        concurrency = settings.pop("concurrency", 200)
        check_count("concurrency", concurrency)
        given = {name: value for name, value in settings.items() if value is not None}
        options = FleetOptions(**given)  # type: ignore[arg-type]  # it checks them itself
        cluster = Cluster(client, hosts, options, concurrency)
        return cls({target.name: target for target in hosts}, cluster, concurrency)


@define(eq=False)
class _Part:
    """Hosts that are polled together, by one worker."""

    number: int
    names: list[str]
    place: float
    busy: set[str] = field(factory=set[str])


@define(eq=False)
class _Task:
    """A part's turn, as far as it is still under way."""

    part: _Part
    sweep: int
    until: float | None
    left: set[str] = field(factory=set[str])
    asked: int = 0


class AsyncDaskStream(Generic[T_co]):
    """Reports of a fleet that is polled by a Dask cluster: an async iterator, to be gone through once.

    Tasks are submitted as the reports are taken, so a slow consumer fills no memory. Whoever leaves the loop
    early ends the sweep with `aclose()`, or with ``async with`` around the loop.
    """

    def __init__(self, fleet: _Fleet) -> None:
        self._fleet = fleet
        self._cluster = fleet.cluster
        self._name = uuid4().hex[:12]
        self._found: deque[T_co] = deque()
        self._parts: list[_Part] = []
        self._workers: list[str] = []
        self._worker_of: dict[int, str] = {}
        self._looked = -math.inf
        self._begun = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T_co:
        while not self._found:
            if self._closed:
                raise StopAsyncIteration
            if not self._begun:
                self._begun = True
                await self._cluster.open()
                await self._look()
                self._cut()
            await self._advance()
        return self._found.popleft()

    def waiting(self) -> Iterator[T_co]:
        """Take what can be had without waiting, which may be nothing."""
        while self._found:
            yield self._found.popleft()

    async def aclose(self) -> None:
        """End the sweep; what was not taken is lost. A second call does nothing."""
        self._closed = True
        self._found.clear()
        await self._cluster.close()

    async def _advance(self) -> None:
        """Find more, or end."""
        raise NotImplementedError

    def _report(self, task: _Task, report: HostReport) -> None:
        """Take a report."""
        raise NotImplementedError

    async def _look(self) -> None:
        """Look which workers there are, from time to time."""
        now = time.monotonic()
        if now - self._looked > _LOOK:
            self._looked = now
            self._workers = await self._cluster.workers()
            if self._parts:
                self._worker_of = assign(len(self._parts), self._workers, self._worker_of)

    def _cut(self) -> None:
        """Cut the fleet into parts, by the hosts' places."""
        places = spread(self._fleet.targets.values())
        size = min(_PART, math.ceil(len(places) / (2 * len(self._workers))))
        for first in range(0, len(places), size):
            some = places[first : first + size]
            self._parts.append(_Part(len(self._parts), [target.name for _, target in some], some[0][0]))
        self._worker_of = assign(len(self._parts), self._workers, {})

    def _begin(self, task: _Task, names: Sequence[str]) -> None:
        task.left.update(names)
        task.part.busy.update(names)
        self._ask(task)

    def _ask(self, task: _Task) -> None:
        """Have the hosts polled that are left, or ask for the rest of them."""
        part = task.part
        name = f"{self._name}-{task.sweep}-{part.number}"
        within = None if task.until is None else max(0.0, task.until - time.monotonic())
        # Keys are unique, so that a report is taken once, however often Dask computes it.
        key = f"srs-poll-{name}-{task.asked}"
        task.asked += 1
        self._cluster.submit(task, key, self._worker_of.get(part.number), name, sorted(task.left), within)

    def _take(self, done: Done) -> None:
        task = cast("_Task", done.task)
        if done.answer is None:
            self._miss(task, f"the Dask cluster lost its poll: {done.problem}")
            return
        rows, _ = done.answer
        for name, runspaces, error, elapsed, attempts, at in rows:
            if name in task.left:
                target = self._fleet.targets[name]
                self._answered(task, HostReport(target, runspaces, error, elapsed, attempts, at))
        if task.left:
            self._ask(task)

    def _miss(self, task: _Task, why: str) -> None:
        for name in sorted(task.left):
            target = self._fleet.targets[name]
            host = Origin.parse(target.url).host
            error = HostMissingError(why, operation="runspaces.list", host=host)
            self._answered(task, HostReport(target, None, error, 0.0, 0, datetime.now(UTC)))

    def _answered(self, task: _Task, report: HostReport) -> None:
        task.left.discard(report.target.name)
        task.part.busy.discard(report.target.name)
        self._report(task, report)


class _DaskSweep(AsyncDaskStream[HostReport]):
    """One sweep."""

    def __init__(self, fleet: _Fleet, deadline: float | None, progress: ProgressCount) -> None:
        super().__init__(fleet)
        self._deadline = deadline
        self._progress = progress
        self._until: float | None = None
        self._waiting: deque[_Task] | None = None
        self._under_way: set[_Task] = set()

    async def _advance(self) -> None:
        if self._waiting is None:
            self._until = None if self._deadline is None else time.monotonic() + self._deadline
            self._waiting = deque(_Task(part, 0, self._until) for part in self._parts)
        await self._look()
        # As much as the workers may poll at once, and enough beside it to go on with while Dask brings more.
        room = (2 * math.ceil(self._fleet.concurrency / _PART) + _AHEAD) * len(self._workers)
        while self._waiting and len(self._under_way) < room:
            task = self._waiting.popleft()
            self._under_way.add(task)
            self._begin(task, task.part.names)
        seconds = None if self._until is None else self._until + _GRACE - time.monotonic()
        for done in await self._cluster.next(None if seconds is None else max(0.0, seconds)):
            self._take(done)
        if seconds is not None and seconds <= 0:
            for task in self._waiting:
                task.left.update(task.part.names)
            for task in [*self._under_way, *self._waiting]:
                self._miss(task, "the sweep's deadline passed before the Dask cluster had an answer")
            self._waiting.clear()
        if not self._waiting and not self._under_way:
            self._closed = True
            await self._cluster.close()

    def _report(self, task: _Task, report: HostReport) -> None:
        if not task.left:
            self._under_way.discard(task)
        self._progress.count(report.target, ok=report.ok)
        self._found.append(report)


class _DaskWatch(AsyncDaskStream[Seen]):
    """Sweeps for ever."""

    def __init__(self, fleet: _Fleet, interval: float) -> None:
        super().__init__(fleet)
        self._interval = interval
        self._counts = SweepCounts(len(fleet.targets))
        self._schedule: Schedule[_Part] | None = None
        self._turn: Turn[_Part] | None = None

    async def _advance(self) -> None:
        now = time.monotonic()
        if self._schedule is None:
            places = [(part.place, part) for part in self._parts]
            self._schedule = Schedule(places, self._interval, now)
        if self._turn is None:
            self._turn = self._schedule.take(now)
            if self._turn.left_out:
                self._found.append(
                    SweepLate(self._interval, self._turn.behind, self._turn.left_out, datetime.now(UTC))
                )
        if now >= self._turn.at:
            await self._look()
            turn, self._turn = self._turn, None
            self._take_turn(turn)
            return
        for done in await self._cluster.next(self._turn.at - now):
            self._take(done)

    def _take_turn(self, turn: Turn[_Part]) -> None:
        part = turn.item
        self._counts.begin(turn.sweep)
        # Hosts whose last poll still runs are passed over: their next turn is soon enough.
        free = [name for name in part.names if name not in part.busy]
        for _ in range(len(part.names) - len(free)):
            self._count(turn.sweep, None)
        if free:
            self._begin(_Task(part, turn.sweep, None), free)

    def _report(self, task: _Task, report: HostReport) -> None:
        self._found.append(report)
        self._count(task.sweep, report)

    def _count(self, sweep: int, report: HostReport | None) -> None:
        ended = self._counts.count(sweep, report)
        if ended is not None:
            self._found.append(ended)
