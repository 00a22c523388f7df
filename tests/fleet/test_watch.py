"""A watch tells what changed, each change once, and goes on from where another was left."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs
import pytest

from srs_vsphere.fleet import (
    AsyncFleetWatch,
    AsyncSrsFleet,
    BreakerPolicy,
    FleetEvent,
    FleetSnapshot,
    HostDown,
    HostUp,
    RunspaceCreated,
    RunspaceFailed,
    RunspaceGone,
    RunspaceReady,
    SweepEnded,
    SweepLate,
)
from srs_vsphere.simulator import Fault, Settings
from tests.fleet.helping import simulated, targets_of

pytestmark = pytest.mark.anyio

INTERVAL = 0.15


async def until(watch: AsyncFleetWatch, done: Callable[[FleetEvent], bool]) -> list[FleetEvent]:
    """Return the events of hosts up to the one that was waited for."""
    events: list[FleetEvent] = []
    async for event in watch:
        if not isinstance(event, SweepEnded | SweepLate):
            events.append(event)
        if done(event):
            return events
    raise AssertionError("a watch never ends")


async def first_sweep(watch: AsyncFleetWatch) -> list[FleetEvent]:
    """Return the events of hosts up to the end of the first sweep, in which every host is polled.

    On a slow machine others may end before it, in which hosts are passed over whose first poll still runs.
    """
    return await until(watch, lambda event: isinstance(event, SweepEnded) and event.number == 0)


def kinds(events: list[FleetEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_runspaces_life() -> None:
    async with simulated(3, settings=Settings(creation_seconds=0.5)) as hosts:
        simulator = hosts.hosts[0].simulator
        simulator.add_runspace(name="there before")
        async with AsyncSrsFleet(targets_of(hosts)) as fleet, fleet.watch(interval=INTERVAL) as watch:
            assert await first_sweep(watch) == []
            assert {name: host.up for name, host in watch.snapshot().hosts.items()} == {
                host.name: True for host in hosts.hosts
            }
            made = simulator.add_runspace(name="new", state="creating")
            (created,) = await until(watch, lambda event: isinstance(event, RunspaceCreated))
            assert isinstance(created, RunspaceCreated)
            assert (created.target.name, created.runspace.id) == ("srs-0001", made)
            simulator.kill_runspace(made)
            both = simulator.add_runspace(name="ready at once")
            failed = simulator.add_runspace(name="broken", state="error")
            events = await until(watch, lambda event: isinstance(event, RunspaceFailed))
            assert [(type(event), event.runspace.id) for event in events if hasattr(event, "runspace")] == [
                (RunspaceGone, made),
                (RunspaceCreated, both),
                (RunspaceReady, both),
                (RunspaceCreated, failed),
                (RunspaceFailed, failed),
            ]
            assert fleet.snapshot() == watch.snapshot()
            assert len(fleet.snapshot().hosts["srs-0001"].runspaces or ()) == 3
            assert await until(watch, lambda event: isinstance(event, SweepEnded)) == []


async def test_a_hosts_downs_and_ups() -> None:
    async with simulated(2) as hosts:
        refusal = hosts.faults.add(Fault(host="srs-0002", refuse=True))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet, fleet.watch(interval=INTERVAL) as watch:
            (down,) = await until(watch, lambda event: isinstance(event, HostDown))
            assert isinstance(down, HostDown)
            assert down.target.name == "srs-0002"
            assert down.error.host == f"127.0.0.1:{hosts.hosts[1].port}"
            hosts.faults.remove(refusal)
            assert kinds(await until(watch, lambda event: isinstance(event, HostUp))) == ["HostUp"]
            hosts.faults.add(Fault(host="srs-0001", operation="runspaces.list", status=500))
            assert kinds(await until(watch, lambda event: isinstance(event, HostDown))) == ["HostDown"]
            hosts.faults.clear()
            # What was made while the host was down is told when it is up again.
            hosts.hosts[0].simulator.add_runspace()
            events = await until(watch, lambda event: isinstance(event, RunspaceReady))
            assert kinds(events) == ["HostUp", "RunspaceCreated", "RunspaceReady"]


async def test_a_watch_goes_on_from_a_snapshot() -> None:
    async with simulated(2) as hosts:
        gone = hosts.hosts[0].simulator.add_runspace()
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            async with fleet.watch(interval=INTERVAL) as watch:
                await first_sweep(watch)
                with pytest.raises(RuntimeError, match="has a watch already"):
                    fleet.watch(interval=1)
                saved = FleetSnapshot.from_json(watch.snapshot().to_json())
            hosts.hosts[0].simulator.kill_runspace(gone)
            made = hosts.hosts[1].simulator.add_runspace(state="creating")
            async with fleet.watch(interval=INTERVAL, resume=saved) as watch:
                events = await first_sweep(watch)
                assert sorted(kinds(events)) == ["RunspaceCreated", "RunspaceGone"]
                assert {event.runspace.id for event in events if hasattr(event, "runspace")} == {gone, made}
                # A snapshot holds what was told, and nothing that still waits to be.
                assert saved == FleetSnapshot.from_json(saved.to_json())
                assert watch.snapshot() != saved


async def test_a_snapshot_is_taken_up_for_the_hosts_that_are_still_the_same() -> None:
    async with simulated(3) as hosts:
        for host in hosts.hosts:
            host.simulator.add_runspace()
        first, second, third = targets_of(hosts)
        async with AsyncSrsFleet([first, second, third]) as fleet, fleet.watch(interval=INTERVAL) as watch:
            await first_sweep(watch)
            saved = FleetSnapshot.from_json(watch.snapshot().to_json())
        # The second is gone, the third is another machine, and the first only written in another way.
        moved = [attrs.evolve(first, url=first.url + "/"), attrs.evolve(third, url=second.url)]
        hosts.hosts[0].simulator.add_runspace()
        async with AsyncSrsFleet(moved) as fleet, fleet.watch(interval=INTERVAL, resume=saved) as watch:
            assert kinds(await first_sweep(watch)) == ["RunspaceCreated", "RunspaceReady"]
            known = watch.snapshot().hosts
        assert {name: (host.url, len(host.runspaces or ())) for name, host in known.items()} == {
            first.name: (first.url, 2),
            third.name: (second.url, 1),
        }
        assert set(saved.hosts) == {first.name, second.name, third.name}


async def test_sweeps_follow_each_other_without_overlap_and_a_hanging_host_is_passed_over() -> None:
    async with simulated(10) as hosts:
        hosts.faults.add(Fault(host="srs-0003", operation="runspaces.list", delay=3600))

        def seen() -> list[int]:
            return [host.traffic.seen for host in hosts.hosts if host.name != "srs-0003"]

        options = {"timeout": 3600.0, "breaker": BreakerPolicy(failures=1000)}
        async with AsyncSrsFleet(targets_of(hosts), **options) as fleet:
            began = anyio.current_time()
            async with fleet.watch(interval=INTERVAL) as watch:

                def enough(event: FleetEvent) -> bool:
                    return isinstance(event, SweepEnded) and event.skipped > 0 and min(seen()) >= 1 + 3

                assert await until(watch, enough) == []
            turns = (anyio.current_time() - began) / INTERVAL
            lists = [request for request in hosts.hosts[2].traffic.requests if request[1] == "/api/runspaces"]
            assert len(lists) == 1
            # A login each, and no more lists than intervals have begun.
            assert max(seen()) <= 1 + turns + 1


async def test_an_interval_that_is_too_short_is_reported() -> None:
    async with simulated(6) as hosts:
        hosts.faults.add(Fault(operation="runspaces.list", delay=0.05))
        async with AsyncSrsFleet(targets_of(hosts), concurrency=1) as fleet:
            async with fleet.watch(interval=0.05) as watch:
                async for event in watch:
                    if isinstance(event, SweepLate):
                        break
                assert event.interval == 0.05
                assert event.behind > 0.05
                assert event.left_out >= 1


async def test_a_slow_consumer_slows_the_watch_and_fills_no_memory() -> None:
    async with simulated(5) as hosts:
        async with AsyncSrsFleet(targets_of(hosts), concurrency=5) as fleet:
            async with fleet.watch(interval=0.02) as watch:
                await anext(watch)
                before = fleet.statistics().polls
                # As many as fit between workers and consumer, then nothing more, however long it takes.
                with anyio.move_on_after(0.5):
                    while fleet.statistics().polls < before + 30:
                        await anyio.sleep(0.01)
                assert fleet.statistics().polls <= before + 5 + 5 + 5
                late = await until(watch, lambda event: isinstance(event, SweepLate))
                assert late == []


async def test_a_watch_ends_with_its_fleet() -> None:
    async with simulated(3) as hosts:
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            watch = fleet.watch(interval=INTERVAL)
            await anext(watch)
        # "Nothing happened" would be wrong: nobody looks any more.
        with pytest.raises(RuntimeError, match="the fleet is closed"):
            await anext(watch)
        await watch.aclose()
        assert [event async for event in watch] == []
        await hosts.wait_idle_async()
