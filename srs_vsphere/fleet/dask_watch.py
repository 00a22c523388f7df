"""Sweeps for ever by the workers of a Dask cluster."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from srs_vsphere.fleet.dask_stream import AsyncDaskStream, DaskFleet, Part, PartTurn
from srs_vsphere.fleet.events import SweepLate
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.schedule import Schedule, Turn
from srs_vsphere.fleet.watching import Seen, SweepCounts


class DaskWatch(AsyncDaskStream[Seen]):
    """The reports of sweeps for ever, and what is told of each sweep.

    Args:
        fleet: the hosts, and who polls them.
        interval: seconds between two polls of a host.
    """

    def __init__(self, fleet: DaskFleet, interval: float) -> None:
        super().__init__(fleet)
        self._interval = interval
        self._counts = SweepCounts(len(fleet.targets))
        self._schedule: Schedule[Part] | None = None
        self._turn: Turn[Part] | None = None

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

    def _take_turn(self, turn: Turn[Part]) -> None:
        part = turn.item
        self._counts.begin(turn.sweep)
        # Hosts whose last poll still runs are passed over: their next turn is soon enough.
        free = [name for name in part.names if name not in part.busy]
        for _ in range(len(part.names) - len(free)):
            self._count(turn.sweep, None)
        if free:
            self._begin(PartTurn(part, turn.sweep, None), free)

    def _report(self, task: PartTurn, report: HostReport) -> None:
        self._found.append(report)
        self._count(task.sweep, report)

    def _count(self, sweep: int, report: HostReport | None) -> None:
        ended = self._counts.count(sweep, report)
        if ended is not None:
            self._found.append(ended)
