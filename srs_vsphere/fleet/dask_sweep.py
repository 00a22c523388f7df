"""One sweep by the workers of a Dask cluster."""

from __future__ import annotations

import math
import time
from collections import deque

from srs_vsphere.fleet.dask_stream import MOST_IN_A_PART, AsyncDaskStream, DaskFleet, PartTurn
from srs_vsphere.fleet.progress import ProgressCount
from srs_vsphere.fleet.reports import HostReport

#: Parts that each worker has beyond what it polls now.
_AHEAD = 8
#: Seconds that workers have after a sweep's deadline to say so themselves.
_GRACE = 1.0


class DaskSweep(AsyncDaskStream[HostReport]):
    """The reports of one sweep.

    Args:
        fleet: the hosts, and who polls them.
        deadline: seconds after which the hosts that have not answered are missing; None for never.
        progress: counts the reports.
    """

    def __init__(self, fleet: DaskFleet, deadline: float | None, progress: ProgressCount) -> None:
        super().__init__(fleet)
        self._deadline = deadline
        self._progress = progress
        self._until: float | None = None
        self._waiting: deque[PartTurn] | None = None
        self._under_way: set[PartTurn] = set()

    async def _advance(self) -> None:
        if self._waiting is None:
            self._until = None if self._deadline is None else time.monotonic() + self._deadline
            self._waiting = deque(PartTurn(part, 0, self._until) for part in self._parts)
        await self._look()
        # As much as the workers may poll at once, and enough beside it to go on with while Dask brings more.
        room = (2 * math.ceil(self._fleet.concurrency / MOST_IN_A_PART) + _AHEAD) * len(self._workers)
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

    def _report(self, task: PartTurn, report: HostReport) -> None:
        if not task.left:
            self._under_way.discard(task)
        self._progress.count(report.target, ok=report.ok)
        self._found.append(report)
