"""What a Dask cluster hands out: parts of a fleet, each polled by one worker, and their reports."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypedDict, TypeVar, cast
from uuid import uuid4

from attrs import define, field

from srs_vsphere._validation import check_count
from srs_vsphere.fleet.breaker import BreakerPolicy
from srs_vsphere.fleet.dask_cluster import Cluster, Done, assign
from srs_vsphere.fleet.errors import HostMissingError
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.schedule import spread
from srs_vsphere.fleet.target import Target, check_targets
from srs_vsphere.settings import Origin, Timeouts

if TYPE_CHECKING:
    from distributed import Client

T_co = TypeVar("T_co", covariant=True)

#: Hosts in a part, at most: a task of Dask costs about as much as ten polls.
MOST_IN_A_PART = 64
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


@define
class DaskFleet:
    """The hosts, and the cluster that they are polled by.

    Args:
        targets: the hosts by name.
        cluster: the cluster.
        concurrency: hosts that each worker polls at once.
    """

    targets: dict[str, Target]
    cluster: Cluster
    concurrency: int

    @classmethod
    def of(cls, targets: Iterable[Target], client: Client, settings: DaskSettings) -> Self:
        """Check hosts and settings, and that they can be sent; nothing is scheduled.

        Args:
            targets: the hosts.
            client: the cluster's client.
            settings: how the hosts are treated.

        Raises:
            TypeError: an argument is of the wrong kind, or a target cannot be pickled.
            ValueError: an argument makes no sense, two targets have one name, or there is none.
        """
        hosts = check_targets(targets)
        concurrency = settings.pop("concurrency", 200)
        check_count("concurrency", concurrency)
        # `FleetOptions` checks their types itself.
        given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        options = FleetOptions(**given)
        cluster = Cluster(client, hosts, options, concurrency)
        return cls({target.name: target for target in hosts}, cluster, concurrency)


@define(eq=False)
class Part:
    """Hosts that are polled together, by one worker.

    Args:
        number: of the part.
        names: of its hosts.
        place: of its first host in an interval, from 0 to 1.
        busy: the hosts whose last poll still runs.
    """

    number: int
    names: list[str]
    place: float
    busy: set[str] = field(factory=set[str])


@define(eq=False)
class PartTurn:
    """A part's turn, as far as it is still under way.

    Args:
        part: the part.
        sweep: number of the sweep that it belongs to.
        until: when to give up, by the monotonic clock; None for never.
        left: the hosts that have not answered.
        asked: how many tasks it has taken so far.
    """

    part: Part
    sweep: int
    until: float | None
    left: set[str] = field(factory=set[str])
    asked: int = 0


class AsyncDaskStream(Generic[T_co]):
    """Reports of a fleet that is polled by a Dask cluster: an async iterator, to be gone through once.

    Tasks are submitted as the reports are taken, so a slow consumer fills no memory. After a loop that
    was left early, `aclose()` or ``async with`` around the loop ends the sweep.

    Args:
        fleet: the hosts, and who polls them.
    """

    def __init__(self, fleet: DaskFleet) -> None:
        self._fleet = fleet
        self._cluster = fleet.cluster
        self._name = uuid4().hex[:12]
        self._found: deque[T_co] = deque()
        self._parts: list[Part] = []
        self._workers: list[str] = []
        self._worker_of: dict[int, str] = {}
        self._looked = -math.inf
        self._begun = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
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

    def _report(self, task: PartTurn, report: HostReport) -> None:
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
        size = min(MOST_IN_A_PART, math.ceil(len(places) / (2 * len(self._workers))))
        for first in range(0, len(places), size):
            some = places[first : first + size]
            self._parts.append(Part(len(self._parts), [target.name for _, target in some], some[0][0]))
        self._worker_of = assign(len(self._parts), self._workers, {})

    def _begin(self, task: PartTurn, names: Sequence[str]) -> None:
        task.left.update(names)
        task.part.busy.update(names)
        self._ask(task)

    def _ask(self, task: PartTurn) -> None:
        """Have the hosts polled that are left, or ask for the rest of them."""
        part = task.part
        name = f"{self._name}-{task.sweep}-{part.number}"
        within = None if task.until is None else max(0.0, task.until - time.monotonic())
        # Keys are unique, so that a report is taken once, however often Dask computes it.
        key = f"srs-poll-{name}-{task.asked}"
        task.asked += 1
        self._cluster.submit(task, key, self._worker_of.get(part.number), name, sorted(task.left), within)

    def _take(self, done: Done) -> None:
        task = cast("PartTurn", done.task)
        if done.reports is None:
            self._miss(task, f"the Dask cluster lost its poll: {done.problem}")
            return
        rows, _ = done.reports
        for name, runspaces, error, elapsed, attempts, at in rows:
            if name in task.left:
                target = self._fleet.targets[name]
                self._answered(task, HostReport(target, runspaces, error, elapsed, attempts, at))
        if task.left:
            self._ask(task)

    def _miss(self, task: PartTurn, why: str) -> None:
        for name in sorted(task.left):
            target = self._fleet.targets[name]
            host = Origin.parse(target.url).host
            error = HostMissingError(why, operation="runspaces.list", host=host)
            self._answered(task, HostReport(target, None, error, 0.0, 0, datetime.now(UTC)))

    def _answered(self, task: PartTurn, report: HostReport) -> None:
        task.left.discard(report.target.name)
        task.part.busy.discard(report.target.name)
        self._report(task, report)
