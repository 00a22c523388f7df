"""A watch: polls in turns for ever, and what changed between them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeAlias

import anyio
from attrs import define

from srs_vsphere.fleet.changes import changes
from srs_vsphere.fleet.errors import HostSkippedError
from srs_vsphere.fleet.events import FleetEvent, SweepEnded, SweepEvent, SweepLate
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.schedule import Schedule, Turn
from srs_vsphere.fleet.snapshot import FleetSnapshot
from srs_vsphere.fleet.stream import AsyncFleetStream, Put
from srs_vsphere.fleet.target import Target

Seen: TypeAlias = HostReport | SweepEvent


@define
class _Sweep:
    """A sweep that is under way."""

    begun: float
    left: int
    failed: int = 0
    skipped: int = 0


class Turns:
    """What the workers of a watch share: the schedule, and the count of each sweep.

    Args:
        targets: the hosts.
        interval: seconds between two polls of a host.
        poll: polls a host.
    """

    def __init__(
        self, targets: Sequence[Target], interval: float, poll: Callable[[Target], Awaitable[HostReport]]
    ) -> None:
        self._hosts = len(targets)
        self._interval = interval
        self._poll = poll
        self._schedule = Schedule(targets, interval, time.monotonic())
        self._sweeps: dict[int, _Sweep] = {}
        self._polling: set[str] = set()

    async def work(self, put: Put[Seen]) -> None:
        """Take turns for ever.

        Args:
            put: hands out what was seen.
        """
        while True:
            turn = self._schedule.take(time.monotonic())
            if turn.left_out:
                await put(SweepLate(self._interval, turn.behind, turn.left_out, datetime.now(UTC)))
            wait = turn.at - time.monotonic()
            if wait > 0:
                await anyio.sleep(wait)
            await self._take(turn, put)

    async def _take(self, turn: Turn, put: Put[Seen]) -> None:
        sweep = self._sweeps.get(turn.sweep)
        if sweep is None:
            sweep = self._sweeps[turn.sweep] = _Sweep(time.monotonic(), self._hosts)
        name = turn.target.name
        if name in self._polling:
            # Its last poll still runs: the next turn is soon enough.
            sweep.skipped += 1
        else:
            self._polling.add(name)
            try:
                report = await self._poll(turn.target)
                await put(report)
            finally:
                self._polling.discard(name)
            if isinstance(report.error, HostSkippedError):
                sweep.skipped += 1
            elif report.error is not None:
                sweep.failed += 1
        sweep.left -= 1
        if not sweep.left:
            del self._sweeps[turn.sweep]
            elapsed = time.monotonic() - sweep.begun
            ended = SweepEnded(
                turn.sweep, self._hosts, sweep.failed, sweep.skipped, elapsed, datetime.now(UTC)
            )
            await put(ended)


class AsyncFleetWatch:
    """The events of a watch: an async iterator without end, to be gone through once.

    Whoever leaves the loop ends the watch with `aclose()`, with ``async with`` around the loop, or by leaving
    the fleet.

    Args:
        seen: the reports, and what is told of the sweeps.
        snapshot: how the hosts stood at the beginning; it is kept up to date.
        closed: called when the watch has ended.
    """

    def __init__(
        self, seen: AsyncFleetStream[Seen], snapshot: FleetSnapshot, closed: Callable[[], object]
    ) -> None:
        self._seen = seen
        self._snapshot = snapshot
        self._closed = closed
        self._events: Iterator[FleetEvent] = iter(())

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

    async def __anext__(self) -> FleetEvent:
        while True:
            for event in self._events:
                return event
            self._events = self._meaning(await anext(self._seen))

    def snapshot(self) -> FleetSnapshot:
        """Return how everything stands by the events taken so far: nothing more, nothing less."""
        return self._snapshot.copy()

    def waiting(self) -> Iterator[FleetEvent]:
        """Take what can be had without waiting, which may be nothing."""
        yield from self._events
        for seen in self._seen.waiting():
            self._events = self._meaning(seen)
            yield from self._events

    async def aclose(self) -> None:
        """End the watch and wait for its end; a second call does nothing."""
        await self._seen.aclose()
        self._closed()

    def _meaning(self, seen: Seen) -> Iterator[FleetEvent]:
        return changes(self._snapshot, seen) if isinstance(seen, HostReport) else iter((seen,))
