"""The fleet without an event loop: the same, from any thread, and nothing is left when it ends."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import UTC, datetime

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from srs_vsphere import NotSentError, Runspace, RunspaceState
from srs_vsphere.fleet import (
    FleetSnapshot,
    FleetStream,
    FleetWatch,
    HostDown,
    HostReport,
    HostUp,
    RunspaceCreated,
    RunspaceReady,
    SrsFleet,
    SweepEnded,
    SweepLate,
    Target,
    sync_fleet,
)
from srs_vsphere.fleet.snapshot import HostSnapshot
from srs_vsphere.fleet.watching import AsyncFleetWatch
from srs_vsphere.simulator import Fault, ScriptReply, SimFleet, VirtualClock
from tests.fleet.helping import AUTH, USERS, targets_of


def test_a_sweep() -> None:
    threads = {*threading.enumerate()}
    with SimFleet(20, users=USERS) as hosts:
        for host in hosts.hosts:
            host.simulator.add_runspace(name=host.name)
        with SrsFleet(targets_of(hosts), concurrency=6) as fleet:
            assert repr(fleet) == "<SrsFleet of 20 hosts>"
            for _ in range(2):
                reports = list(fleet.poll(deadline=30))
                assert {report.target.name for report in reports} == {host.name for host in hosts.hosts}
                for report in reports:
                    assert [runspace.name for runspace in report.runspaces or ()] == [report.target.name]
            assert fleet.statistics().polls == 40
            assert fleet.snapshot() == FleetSnapshot()
        hosts.wait_idle()
        assert all(host.simulator.session_count == 0 for host in hosts.hosts)
    assert {*threading.enumerate()} <= threads


def test_a_watch() -> None:
    with (
        SimFleet(3, users=USERS) as hosts,
        SrsFleet(targets_of(hosts)) as fleet,
        fleet.watch(interval=0.1) as events,
    ):
        for event in events:
            # On a slow machine others end before it, in which hosts are passed over.
            if isinstance(event, SweepEnded) and event.number == 0:
                break
        made = hosts.hosts[1].simulator.add_runspace()
        told = []
        for event in events:
            if not isinstance(event, SweepEnded | SweepLate):
                told.append(event)
                known = events.snapshot().hosts["srs-0002"].runspaces or {}
                # A snapshot holds what was taken, and nothing more.
                state = "ready" if isinstance(event, RunspaceReady) else "creating"
                assert known[made].state == state
            if isinstance(event, RunspaceReady):
                break
        assert [type(event) for event in told] == [RunspaceCreated, RunspaceReady]


def test_a_run() -> None:
    with SimFleet(3, users=USERS, clock=VirtualClock(auto=True)) as hosts:
        for host in hosts.hosts:
            host.simulator.on_script("Get-VM", ScriptReply(output=["db"]))
        with SrsFleet(targets_of(hosts)) as fleet:
            results = list(fleet.run("Get-VM", output="json"))
            with pytest.raises(TypeError, match="runspace"):
                fleet.run("Get-VM", runspace="id")
        assert [result.get().output for result in results] == [["db"]] * 3
        assert all(not host.simulator.runspaces for host in hosts.hosts)


def test_several_threads_may_sweep_at_once() -> None:
    found: list[list[HostReport]] = []
    with SimFleet(10, users=USERS) as hosts, SrsFleet(targets_of(hosts)) as fleet:

        def sweep() -> None:
            found.append(list(fleet.poll()))

        threads = [threading.Thread(target=sweep, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert [len({report.target.name for report in reports}) for reports in found] == [10] * 4
    assert all(report.ok for reports in found for report in reports)


def test_leaving_early_ends_everything() -> None:
    with SimFleet(10, users=USERS) as hosts:
        hosts.faults.add(Fault(host="srs-0005", operation="runspaces.list", delay=60))
        with SrsFleet(targets_of(hosts)) as fleet:
            with fleet.poll() as reports:
                for _ in reports:
                    break
            assert list(reports) == []
            next(fleet.poll())
        hosts.wait_idle()
        for call in (fleet.poll, fleet.statistics, lambda: fleet.watch(interval=1)):
            with pytest.raises(RuntimeError, match="not open"):
                call()
        with pytest.raises(ZeroDivisionError), SrsFleet(targets_of(hosts)) as fleet:
            next(fleet.poll())
            raise ZeroDivisionError
        hosts.wait_idle()


def test_what_a_fleet_gave_says_so_when_the_fleet_is_closed() -> None:
    with SimFleet(3, users=USERS) as hosts:
        with SrsFleet(targets_of(hosts)) as fleet:
            reports = fleet.poll()
            events = fleet.watch(interval=0.05)
            next(reports)
            # On a slow machine others end before it, in which hosts are passed over.
            next(event for event in events if isinstance(event, SweepEnded) and event.number == 0)
        for stream in (reports, events, reports):
            with pytest.raises(RuntimeError, match="the fleet is closed"):
                for _ in stream:
                    pass
            stream.close()
        # It can be saved after a Ctrl-C has ended the block.
        assert set(events.snapshot().hosts) == {host.name for host in hosts.hosts}
        assert fleet.snapshot() == events.snapshot()


class _Numbers:
    """Two numbers, for a stream; the first comes when it is let."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let = anyio.Event()
        self.numbers = [1, 2]

    def __aiter__(self) -> _Numbers:
        return self

    async def __anext__(self) -> int:
        self.asked.set()
        await self.let.wait()
        if not self.numbers:
            raise StopAsyncIteration
        return self.numbers.pop(0)

    def waiting(self) -> Iterator[int]:
        return iter(())

    async def aclose(self) -> None:
        self.asked.set()
        await self.let.wait()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Interrupt the main thread when it waits for something."""

        def interrupt() -> None:
            self.asked.wait()
            # As a signal that comes just before the wait, which does not end it.
            _thread.interrupt_main()

        thread = threading.Thread(target=interrupt, daemon=True)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            yield
        thread.join()


def test_nothing_is_lost_when_ctrl_c_ends_the_waiting() -> None:
    numbers = _Numbers()
    with start_blocking_portal() as portal:
        stream = FleetStream(portal, numbers)
        with numbers.interrupted():
            next(stream)
        portal.call(numbers.let.set)
        assert list(stream) == [1, 2]


def test_a_ctrl_c_ends_the_waiting_for_a_streams_end() -> None:
    numbers = _Numbers()
    with start_blocking_portal() as portal:
        stream = FleetStream(portal, numbers)
        with numbers.interrupted():
            stream.close()
        portal.call(numbers.let.set)


class _Reports(_Numbers):
    """Reports of a host, for a watch."""

    def __init__(self) -> None:
        super().__init__()
        runspaces = [Runspace("a", "a", RunspaceState.READY)]
        host = Target("db", "https://db.example", AUTH)
        now = datetime.now(UTC)
        self.let.set()
        self.numbers = [
            HostReport(host, runspaces, None, 0.1, 1, now),
            HostReport(host, None, NotSentError("no"), 0.1, 1, now),
        ]


def test_a_snapshot_after_a_ctrl_c_lacks_what_was_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(taking: tuple[Future[bool]], timeout: float) -> None:
        wait(taking)
        monkeypatch.undo()
        raise KeyboardInterrupt

    resumed = FleetSnapshot({"db": HostSnapshot({}, up=False)})
    with start_blocking_portal() as portal:
        events = FleetWatch(portal, AsyncFleetWatch(_Reports(), resumed, int), portal.call)
        told = []
        for _ in range(4):
            before = events.snapshot()
            monkeypatch.setattr(sync_fleet, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                next(events)
            assert events.snapshot() == before
            told.append(type(next(events)))
            assert events.snapshot() != before
    assert told == [HostUp, RunspaceCreated, RunspaceReady, HostDown]


def test_a_ctrl_c_while_it_begins_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted, ended = threading.Event(), threading.Event()

    @contextmanager
    def beginning(backend: str) -> Iterator[BlockingPortal]:
        with start_blocking_portal(backend) as portal:
            _thread.interrupt_main()
            interrupted.wait(60)
            yield portal
        ended.set()

    monkeypatch.setattr(sync_fleet, "start_blocking_portal", beginning)
    with pytest.raises(KeyboardInterrupt), SrsFleet([Target("a", "http://a", AUTH)]):
        pytest.fail("it was entered")
    interrupted.set()
    assert ended.wait(60)


def test_an_error_of_a_fleet_is_raised_where_it_is_made() -> None:
    with pytest.raises(ValueError, match="two are named"):
        SrsFleet([Target("a", "http://a", AUTH)] * 2)


_LOOP = """
import sys, threading
from srs_vsphere import BasicAuth
from srs_vsphere.fleet import SrsFleet, Target
targets = [Target(url, url, BasicAuth("alice", "sesame-7Qx")) for url in sys.argv[1:]]
try:
    with SrsFleet(targets, timeout=600) as fleet:
        for report in fleet.poll():
            print("one", flush=True)
except KeyboardInterrupt:
    print(threading.active_count(), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal to send to one process")
def test_ctrl_c_ends_the_loop_with_nothing_left() -> None:
    with SimFleet(30, users=USERS) as hosts:
        for host in hosts.hosts[1:]:
            hosts.faults.add(Fault(host=host.name, operation="runspaces.list", delay=600))
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _LOOP, *[host.url for host in hosts.hosts]],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "one\n"
                hosts.wait_for(lambda traffic: traffic.open == 30)
                process.send_signal(signal.SIGINT)
                # Only the hosts that hang are patient for ten minutes.
                assert process.communicate(timeout=250) == ("1\n", "")
            finally:
                process.kill()
        assert process.returncode == 0
        hosts.wait_idle()
