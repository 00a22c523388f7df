"""A watch tells what changed, each change once, and goes on from where another was left."""

from __future__ import annotations

from collections.abc import Callable

import anyio
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


async def sweeps(watch: AsyncFleetWatch, count: int) -> list[FleetEvent]:
    """Return the events of hosts of some whole sweeps."""
    ended: list[int] = []

    def done(event: FleetEvent) -> bool:
        if isinstance(event, SweepEnded):
            ended.append(event.number)
        return len(ended) == count

    return await until(watch, done)


def kinds(events: list[FleetEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_runspaces_life() -> None:
    async with simulated(3, settings=Settings(creation_seconds=0.5)) as hosts:
        simulator = hosts.hosts[0].simulator
        simulator.add_runspace(name="there before")
        async with AsyncSrsFleet(targets_of(hosts)) as fleet, fleet.watch(interval=INTERVAL) as watch:
            assert await sweeps(watch, 2) == []
            assert {name: host.up for name, host in watch.snapshot().hosts.items()} == {
                host.name: True for host in hosts.hosts
            }
            made = simulator.add_runspace(name="new", state="creating")
            created = (await sweeps(watch, 2))[0]
            assert isinstance(created, RunspaceCreated)
            assert (created.target.name, created.runspace.id) == ("srs-0001", made)
            simulator.kill_runspace(made)
            both = simulator.add_runspace(name="ready at once")
            failed = simulator.add_runspace(name="broken", state="error")
            events = await sweeps(watch, 2)
            assert [(type(event), event.runspace.id) for event in events if hasattr(event, "runspace")] == [
                (RunspaceGone, made),
                (RunspaceCreated, both),
                (RunspaceReady, both),
                (RunspaceCreated, failed),
                (RunspaceFailed, failed),
            ]
            assert fleet.snapshot() == watch.snapshot()
            assert len(fleet.snapshot().hosts["srs-0001"].runspaces or ()) == 3


async def test_a_hosts_downs_and_ups() -> None:
    async with simulated(2) as hosts:
        refusal = hosts.faults.add(Fault(host="srs-0002", refuse=True))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet, fleet.watch(interval=INTERVAL) as watch:
            (down,) = await sweeps(watch, 2)
            assert isinstance(down, HostDown)
            assert down.target.name == "srs-0002"
            assert down.error.host == f"127.0.0.1:{hosts.hosts[1].port}"
            hosts.faults.remove(refusal)
            assert kinds(await until(watch, lambda event: isinstance(event, HostUp))) == ["HostUp"]
            hosts.faults.add(Fault(host="srs-0001", operation="runspaces.list", status=500))
            assert kinds(await sweeps(watch, 2)) == ["HostDown"]
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
                await sweeps(watch, 1)
                with pytest.raises(RuntimeError, match="has a watch already"):
                    fleet.watch(interval=1)
                saved = FleetSnapshot.from_json(watch.snapshot().to_json())
            hosts.hosts[0].simulator.kill_runspace(gone)
            made = hosts.hosts[1].simulator.add_runspace(state="creating")
            async with fleet.watch(interval=INTERVAL, resume=saved) as watch:
                events = await sweeps(watch, 1)
                assert sorted(kinds(events)) == ["RunspaceCreated", "RunspaceGone"]
                assert {event.runspace.id for event in events if hasattr(event, "runspace")} == {gone, made}
                # A snapshot holds what was told, and nothing that still waits to be.
                assert saved == FleetSnapshot.from_json(saved.to_json())
                assert watch.snapshot() != saved


async def test_sweeps_follow_each_other_without_overlap_and_a_hanging_host_is_passed_over() -> None:
    async with simulated(10) as hosts:
        hosts.faults.add(Fault(host="srs-0003", operation="runspaces.list", delay=60))
        options = {"timeout": 60.0, "breaker": BreakerPolicy(failures=1000)}
        async with AsyncSrsFleet(targets_of(hosts), **options) as fleet:  # type: ignore[arg-type]  # as they are
            began = anyio.current_time()
            async with fleet.watch(interval=INTERVAL) as watch:
                await until(watch, lambda event: isinstance(event, SweepEnded) and event.number == 3)
            turns = (anyio.current_time() - began) / INTERVAL
            lists = [request for request in hosts.hosts[2].traffic.requests if request[1] == "/api/runspaces"]
            assert len(lists) == 1
            others = [host.traffic.seen for host in hosts.hosts if host.name != "srs-0003"]
        # A login each, and a list in each of the sweeps that ended, but no more than intervals have begun.
        assert min(others) >= 1 + 3
        assert max(others) <= 1 + turns + 1


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
        assert [event async for event in watch] == []
        await watch.aclose()
        await hosts.wait_idle_async()
