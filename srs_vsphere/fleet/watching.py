"""A watch: polls in turns for ever, and what changed between them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Self, TypeAlias

import anyio
from attrs import define

from srs_vsphere.fleet.changes import changes
from srs_vsphere.fleet.errors import HostSkippedError
from srs_vsphere.fleet.events import FleetEvent, SweepEnded, SweepEvent, SweepLate
from srs_vsphere.fleet.reports import HostReport
from srs_vsphere.fleet.schedule import Schedule, Turn, spread
from srs_vsphere.fleet.snapshot import FleetSnapshot, HostSnapshot
from srs_vsphere.fleet.stream import Put, Source
from srs_vsphere.fleet.target import Target

Seen: TypeAlias = HostReport | SweepEvent


@define
class _Sweep:
    """A sweep that is under way."""

    begun: float
    left: int
    failed: int = 0
    skipped: int = 0


class SweepCounts:
    """Counts what has come of each sweep, of which several may be under way.

    Args:
        hosts: how many hosts a sweep has.
    """

    def __init__(self, hosts: int) -> None:
        self._hosts = hosts
        self._sweeps: dict[int, _Sweep] = {}

    def count(self, number: int, report: HostReport | None) -> SweepEnded | None:
        """Count a host.

        Args:
            number: of the sweep.
            report: what its poll found; None if it was passed over, since its last poll still runs.

        Returns:
            What is to be told when it was the last of the sweep's hosts.
        """
        self.begin(number)
        sweep = self._sweeps[number]
        sweep.left -= 1
        if report is None or isinstance(report.error, HostSkippedError):
            sweep.skipped += 1
        elif report.error is not None:
            sweep.failed += 1
        if sweep.left:
            return None
        del self._sweeps[number]
        elapsed = time.monotonic() - sweep.begun
        return SweepEnded(number, self._hosts, sweep.failed, sweep.skipped, elapsed, datetime.now(UTC))

    def begin(self, number: int) -> None:
        """Note that a sweep has begun, if it has not."""
        if number not in self._sweeps:
            self._sweeps[number] = _Sweep(time.monotonic(), self._hosts)


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
        self._interval = interval
        self._poll = poll
        self._schedule = Schedule(spread(targets), interval, time.monotonic())
        self._counts = SweepCounts(len(targets))
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

    async def _take(self, turn: Turn[Target], put: Put[Seen]) -> None:
        self._counts.begin(turn.sweep)
        name = turn.item.name
        report: HostReport | None = None
        # While its last poll still runs, its next turn is soon enough.
        if name not in self._polling:
            self._polling.add(name)
            try:
                report = await self._poll(turn.item)
                await put(report)
            finally:
                self._polling.discard(name)
        ended = self._counts.count(turn.sweep, report)
        if ended is not None:
            await put(ended)


class AsyncFleetWatch:
    """The events of a watch: an async iterator without end, to be gone through once.

    After a loop that was left, `aclose()`, ``async with`` around the loop, or leaving the fleet ends the
    watch.

    Args:
        seen: the reports, and what is told of the sweeps.
        snapshot: how the hosts stood at the beginning; it is kept up to date.
        closed: called when the watch has ended.
    """

    def __init__(self, seen: Source[Seen], snapshot: FleetSnapshot, closed: Callable[[], object]) -> None:
        self._seen = seen
        self._snapshot = snapshot
        self._closed = closed
        self._events: Iterator[FleetEvent] = iter(())
        #: The report that the events are of, how its host stood before, and how many were handed out.
        self._report: HostReport | None = None
        self._before: HostSnapshot | None = None
        self._handed_out = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FleetEvent:
        while True:
            for event in self._events:
                self._handed_out += 1
                return event
            self._events = self._meaning(await anext(self._seen))

    def snapshot(self) -> FleetSnapshot:
        """Return how everything stands by the events taken so far: nothing more, nothing less."""
        return self._snapshot.copy()

    def _snapshot_before(self) -> FleetSnapshot:
        """Return how everything stood before the latest event."""
        snapshot = self._snapshot.copy()
        if self._report is not None:
            name = self._report.target.name
            if self._before is None:
                del snapshot.hosts[name]
            else:
                snapshot.hosts[name] = self._before.copy()
            for _ in islice(changes(snapshot, self._report), self._handed_out - 1):
                pass
        return snapshot

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
        if not isinstance(seen, HostReport):
            self._report = None
            return iter((seen,))
        host = self._snapshot.hosts.get(seen.target.name)
        self._report, self._before, self._handed_out = seen, None if host is None else host.copy(), 0
        return changes(self._snapshot, seen)
