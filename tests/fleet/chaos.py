"""A watch over hosts that misbehave at random, held against the simulators' own history.

``python -m tests.fleet.chaos --seconds 60 --seed 7`` for a long one; the suite has short ones.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from datetime import datetime
from functools import partial

import anyio
from attrs import Factory, define, field

from srs_vsphere.fleet import (
    AsyncFleetWatch,
    AsyncSrsFleet,
    BreakerPolicy,
    FleetEvent,
    HostDown,
    HostReport,
    HostSkippedError,
    HostUp,
    RunspaceCreated,
    RunspaceFailed,
    RunspaceGone,
    RunspaceReady,
    Target,
)
from srs_vsphere.simulator import Fault, SimHost
from tests.fleet.helping import simulated, targets_of

INTERVAL = 0.25


@define
class Life:
    """A runspace's life by the simulator: each end is before one time and after another."""

    state: str
    created: tuple[float, float]
    gone: tuple[float, float] | None = None


@define
class Poll:
    """A poll that succeeded, and what it found."""

    begun: float
    ended: float
    at: datetime
    found: dict[str, str]


@define
class Log:
    """What really happened on a host, what its polls found, and what was told of it."""

    lives: dict[str, Life] = Factory(dict)
    polls: list[Poll] = Factory(list)
    failed: int = 0
    skipped: int = 0
    events: list[FleetEvent] = field(factory=list)


def faults(chance: random.Random, hosts: list[str]) -> list[Fault]:
    """Return faults for some hosts; the others have none, and must not notice."""
    kinds = (
        {"status": 503},
        {"status": 500},
        {"reset": "before"},
        {"reset": "after"},
        {"delay": 0.4},
        {"delay": 5.0},
        {"cut_after": 60},
        {"stale_session": True},
        {"bad_utf8": True},
        {"trickle": (40, 0.02)},
    )
    return [
        Fault(host=host, probability=chance.uniform(0.05, 0.4), **chance.choice(kinds))
        for host in hosts
        for _ in range(2)
    ]


async def disturb(host: SimHost, log: Log, chance: random.Random, stop: anyio.Event) -> None:
    """Create and remove runspaces, and restart the gateway, until told to stop."""
    simulator = host.simulator
    while True:
        with anyio.move_on_after(chance.uniform(0.0, 2 * INTERVAL)):
            await stop.wait()
        if stop.is_set():
            return
        alive = [id_ for id_, life in log.lives.items() if life.gone is None]
        before, action = time.monotonic(), chance.random()
        if action < 0.02:
            simulator.restart()
            for id_ in alive:
                log.lives[id_].gone = (before, time.monotonic())
        elif action < 0.5 and alive:
            id_ = chance.choice(alive)
            simulator.kill_runspace(id_)
            log.lives[id_].gone = (before, time.monotonic())
        elif len(alive) < 6:
            state = chance.choice(["ready", "ready", "creating", "error"])
            id_ = simulator.add_runspace(state=state)
            log.lives[id_] = Life(state, (before, time.monotonic()))


async def run(
    seconds: float, seed: int, hosts: int = 20, *, failed: int = 0, events: int = 0
) -> dict[str, Log]:
    """Watch hosts while they misbehave, and check every event.

    Args:
        seconds: how long they do.
        seed: of chance.
        hosts: how many there are.
        failed: how many polls must have failed, if that takes longer.
        events: how many events must have been told, likewise.
    """
    chance = random.Random(seed)
    begun = time.monotonic()
    logs: dict[str, Log] = defaultdict(Log)

    def seen_enough(_: object) -> bool:
        return (
            time.monotonic() > begun + seconds
            and sum(log.failed for log in logs.values()) >= failed
            and sum(len(log.events) for log in logs.values()) >= events
        )

    async with simulated(hosts, seed=seed) as served:
        names = [host.name for host in served.hosts]
        served.faults.extend(faults(chance, names[::2]))
        options = {"timeout": 3.0, "breaker": BreakerPolicy(failures=4, probe_after=0.5, probe_cap=1)}
        async with AsyncSrsFleet(targets_of(served), **options) as fleet:
            fleet._poller.poll = partial(_poll, fleet._poller.poll, logs)
            stop = anyio.Event()
            async with fleet.watch(interval=INTERVAL) as watch, anyio.create_task_group() as group:
                for host in served.hosts:
                    own = random.Random(chance.random())
                    group.start_soon(disturb, host, logs[host.name], own, stop)
                await _take(watch, logs, until=seen_enough)
                stop.set()
                served.faults.clear()
                quiet = time.monotonic()
                await _take(watch, logs, until=lambda event: _is_all_told(event, watch, logs, quiet))
                told = watch.snapshot()
        for host in served.hosts:
            check(logs[host.name])
            assert {*(told.hosts[host.name].runspaces or {})} == {*host.simulator.runspaces}, host.name
    return logs


def _is_all_told(event: FleetEvent, watch: AsyncFleetWatch, logs: dict[str, Log], quiet: float) -> bool:
    """Whether of each host all was told of a poll that began after everything had become quiet."""
    if hasattr(event, "target"):
        # More of the same poll may follow.
        return False
    told = watch.snapshot()
    for name, log in logs.items():
        last = next((poll.at for poll in log.polls if poll.begun > quiet), None)
        seen = told.hosts[name].seen if name in told.hosts else None
        if last is None or seen is None or seen < last:
            return False
    return True


async def _take(watch: AsyncFleetWatch, logs: dict[str, Log], until) -> None:
    async for event in watch:
        if hasattr(event, "target"):
            logs[event.target.name].events.append(event)
        if until(event):
            return


async def _poll(poll, logs: dict[str, Log], target: Target, *rest: object) -> HostReport:
    log, begun = logs[target.name], time.monotonic()
    report: HostReport = await poll(target, *rest)
    if report.runspaces is not None:
        found = {runspace.id: str(runspace.state) for runspace in report.runspaces}
        log.polls.append(Poll(begun, time.monotonic(), report.at, found))
    elif isinstance(report.error, HostSkippedError):
        log.skipped += 1
    else:
        log.failed += 1
    return report


def check(log: Log) -> None:
    """Hold what was told of a host against what happened there, and against what its polls can have seen."""
    told: dict[str, list[type]] = defaultdict(list)
    down = False
    for event in log.events:
        match event:
            case HostUp():
                assert down
                down = False
            case HostDown():
                assert not down
                down = True
            case _:
                told[event.runspace.id].append(type(event))
    assert not down
    assert log.polls
    assert set(told) <= set(log.lives)
    baseline = set(log.polls[0].found)
    for id_, life in log.lives.items():
        kinds = told[id_]
        assert len(kinds) == len(set(kinds)), f"told twice: {kinds}"
        expected = [] if id_ in baseline else [RunspaceCreated]
        if id_ not in baseline and life.state == "ready":
            expected.append(RunspaceReady)
        if id_ not in baseline and life.state == "error":
            expected.append(RunspaceFailed)
        seen = [poll for poll in log.polls if id_ in poll.found]
        # It was there from the beginning of the poll to its end.
        must = [
            poll
            for poll in log.polls
            if life.created[1] <= poll.begun and (life.gone is None or life.gone[0] >= poll.ended)
        ]
        assert all(id_ in poll.found for poll in must)
        if not seen:
            assert not kinds
            continue
        if any(poll.begun > seen[-1].begun for poll in log.polls if id_ not in poll.found):
            expected.append(RunspaceGone)
        assert kinds == expected, f"{life}: told {kinds}, not {expected}"


def main() -> None:
    """Run a long one, and say what it saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--backend", choices=("asyncio", "trio"), default="asyncio")
    options = parser.parse_args()
    logs = anyio.run(run, options.seconds, options.seed, options.hosts, backend=options.backend).values()
    polls = sum(len(log.polls) for log in logs)
    lives = sum(len(log.lives) for log in logs)
    events = sum(len(log.events) for log in logs)
    bad = sum(log.failed for log in logs)
    skipped = sum(log.skipped for log in logs)
    sys.stdout.write(f"{polls} polls succeeded, {bad} failed, {skipped} were left out\n")
    sys.stdout.write(f"{lives} runspaces, {events} events, all of them true and none missing\n")


if __name__ == "__main__":
    main()
