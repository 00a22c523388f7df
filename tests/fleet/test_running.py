"""A script on every host: a result for each, nothing left behind, and no host twice after a crash."""

from __future__ import annotations

import errno
import json
import re
import threading
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest

from srs_vsphere import AsyncSrsClient, RetryPolicy, ScriptOutcome
from srs_vsphere.errors import OutcomeUnknownError, QuotaExceededError, WaitTimeoutError
from srs_vsphere.fleet import AsyncSrsFleet, HostResult, Progress, Target
from srs_vsphere.simulator import Fault, ScriptCall, ScriptReply, Settings, SimFleet, VirtualClock
from tests.fleet.helping import AUTH, FullDisk, simulated, targets_of

pytestmark = pytest.mark.anyio

HURRIED = RetryPolicy(attempts=2, backoff=0.01)
#: Of these the first that lets a script run for a while, on a slow machine, too.
TIMEOUTS = (1.5, 6, 24)
SLOW = Settings(creation_seconds=0.01, poll_interval=0.05)


def at_once(hosts: int) -> AbstractAsyncContextManager[SimFleet]:
    """Hosts that keep nobody waiting."""
    return simulated(hosts, settings=Settings(quota=2), clock=VirtualClock(auto=True))


class Calls:
    """Counts how often a script ran on each host."""

    def __init__(self, hosts: SimFleet, reply: ScriptReply, *, others: tuple[str, ...] = ()) -> None:
        self.by_host: dict[str, int] = {}
        self._lock = threading.Lock()
        for host in hosts.hosts:
            if host.name not in others:
                host.simulator.on_script(re.compile("Get-VM"), self._counter(host.name, reply))

    def _counter(self, name: str, reply: ScriptReply):
        def count(call: ScriptCall) -> ScriptReply:
            with self._lock:
                self.by_host[name] = self.by_host.get(name, 0) + 1
            return reply

        return count


def nothing_left(hosts: SimFleet) -> bool:
    return all(not host.simulator.runspaces and not host.simulator.session_count for host in hosts.hosts)


async def test_every_host_has_a_result() -> None:
    told: list[Progress] = []
    async with at_once(6) as hosts:
        calls = Calls(hosts, ScriptReply(output=[{"Name": "db"}]), others=("srs-0002",))
        hosts.hosts[1].simulator.on_script(
            re.compile("Get-VM"), ScriptReply(state="error", reason="no rights")
        )
        hosts.hosts[2].simulator.fail_creation(times=None)
        targets = [*targets_of(hosts), Target("absent", "http://127.0.0.1:9", AUTH)]
        async with AsyncSrsFleet(targets, concurrency=3, retry=HURRIED) as fleet:
            running = fleet.run("Get-VM", output="json", name="inventory", on_progress=told.append)
            results = {result.target.name: result async for result in running}
        assert len(results) == 7
        good = results["srs-0001"]
        assert good.ok
        assert good.get().output == [{"Name": "db"}]
        assert (good.get().execution.name or "").startswith("inventory-")
        assert results["srs-0002"].get().outcome is ScriptOutcome.FAILED
        for name in ("srs-0003", "absent"):
            error = results[name].error
            assert error is not None
            assert error.__traceback__ is None
            with pytest.raises(type(error)):
                results[name].get()
        assert [(progress.done, progress.total) for progress in told] == [(n, 7) for n in range(1, 8)]
        assert told[-1].failed == 2
        assert calls.by_host == {f"srs-000{n}": 1 for n in (1, 4, 5, 6)}
        assert nothing_left(hosts)


async def test_a_full_host_is_waited_for() -> None:
    async with at_once(2) as hosts:
        Calls(hosts, ScriptReply(output=["done"]))
        for host in hosts.hosts:
            host.simulator.fill_quota()
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            refused = [result async for result in fleet.run("Get-VM", wait_for_quota=0)]
            assert all(isinstance(result.error, QuotaExceededError) for result in refused)
            running = fleet.run("Get-VM")
            async with anyio.create_task_group() as group:

                async def make_room() -> None:
                    seen = hosts.traffic.seen
                    await hosts.wait_for_async(lambda traffic: traffic.seen >= seen + 4)
                    for host in hosts.hosts:
                        host.simulator.clear_conditions()

                group.start_soon(make_room)
                results = [result async for result in running]
        assert [result.get().output.strip() for result in results] == ["done"] * 2


async def test_a_journal_leaves_out_what_is_done(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    async with at_once(5) as hosts:
        calls = Calls(hosts, ScriptReply(output=["done"]))
        fault = hosts.faults.add(Fault(host="srs-0005", refuse=True))
        async with AsyncSrsFleet(targets_of(hosts), concurrency=2, retry=HURRIED) as fleet:
            first = [result async for result in fleet.run("Get-VM", journal=file)]
            assert sorted(result.ok for result in first) == [False, True, True, True, True]
            hosts.faults.remove(fault)
            told: list[Progress] = []
            again = [result async for result in fleet.run("Get-VM", journal=file, on_progress=told.append)]
            assert [(result.target.name, result.ok) for result in again] == [("srs-0005", True)]
            assert [(progress.done, progress.total) for progress in told] == [(5, 5)]
            assert [result async for result in fleet.run("Get-VM", journal=file)] == []
            with pytest.raises(ValueError, match="another script"):
                await anext(fleet.run("Get-VM -Name x", journal=file))
            with pytest.raises(OSError, match="none"):
                await anext(fleet.run("Get-VM", journal=tmp_path / "none" / "journal"))
        assert calls.by_host == {host.name: 1 for host in hosts.hosts}
        assert nothing_left(hosts)


async def test_a_journal_that_cannot_be_written_loses_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "journal"
    # The first line, and the beginnings on two hosts.
    FullDisk(file, 3, monkeypatch)
    begun, both = 0, anyio.Event()
    run = AsyncSrsClient.run

    async def together(client: AsyncSrsClient, script: str, **options: Any) -> object:
        nonlocal begun
        begun += 1
        if begun == 2:
            both.set()
        await both.wait()
        return await run(client, script, **options)

    monkeypatch.setattr(AsyncSrsClient, "run", together)
    async with at_once(4) as hosts:
        calls = Calls(hosts, ScriptReply(output=["done"]))
        async with AsyncSrsFleet(targets_of(hosts), concurrency=2) as fleet:
            running = fleet.run("Get-VM", journal=file)
            assert {(await anext(running)).get().output.strip() for _ in range(2)} == {"done"}
            with pytest.raises(OSError, match="journal") as caught:
                await anext(running)
            assert caught.value.errno == errno.ENOSPC
            assert calls.by_host == {"srs-0001": 1, "srs-0002": 1}
            monkeypatch.undo()
            again = {result.target.name: result async for result in fleet.run("Get-VM", journal=file)}
        assert [name for name, result in sorted(again.items()) if result.ok] == ["srs-0003", "srs-0004"]
        assert all(again[name].earlier is not None for name in ("srs-0001", "srs-0002"))
        assert calls.by_host == {host.name: 1 for host in hosts.hosts}
        assert nothing_left(hosts)


async def test_what_had_begun_is_looked_for_after_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    async with at_once(3) as hosts:
        calls = Calls(hosts, ScriptReply(output=["done"]))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            assert len([result async for result in fleet.run("Get-VM", journal=file)]) == 3
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        # As after a crash: nobody noted the end on two hosts, and on one of these the script never began.
        kept = [line for line in lines if not ("ended" in line and line["host"] != "srs-0001")]
        for line in kept:
            if line.get("host") == "srs-0003":
                line["begun"] = "fleet-that-never-came-there"
        file.write_text("".join(json.dumps(line) + "\n" for line in kept) + '{"host": "srs-00')
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            found: dict[str, HostResult[str]] = {
                result.target.name: result async for result in fleet.run("Get-VM", journal=file)
            }
        assert set(found) == {"srs-0002", "srs-0003"}
        assert found["srs-0003"].get().output.strip() == "done"
        earlier = found["srs-0002"]
        assert earlier.earlier is not None
        assert (earlier.ok, earlier.error, earlier.earlier.state) == (False, None, "success")
        with pytest.raises(OutcomeUnknownError, match="an earlier run began the script"):
            earlier.get()
        assert calls.by_host == {"srs-0001": 1, "srs-0002": 1, "srs-0003": 2}


async def test_the_runspaces_that_a_crash_left_are_deleted(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    async with at_once(2) as hosts:
        calls = Calls(hosts, ScriptReply(output=["done"]))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            assert len([result async for result in fleet.run("Get-VM", journal=file)]) == 2
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        begun = [line for line in lines if "ended" not in line]
        others: list[list[str]] = []
        for line in sorted(begun[1:], key=lambda line: str(line["host"])):
            simulator = hosts.hosts[line["host"] == "srs-0002"].simulator
            if line["host"] == "srs-0002":
                # Its script never began.
                line["begun"] = "fleet-that-never-came-there"
            simulator.add_runspace(name=f"{line['begun']}-0123456789abcdef")
            others.append([simulator.add_runspace(name=f"{line['begun']}0")])
        file.write_text("".join(json.dumps(line) + "\n" for line in begun))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            again = [result.error async for result in fleet.run("Get-VM", journal=file, wait_for_quota=0)]
        assert again == [None, None]
        # Only that of the run is deleted, and the script is not repeated where it ran.
        assert [list(host.simulator.runspaces) for host in hosts.hosts] == others
        assert calls.by_host == {"srs-0001": 1, "srs-0002": 2}


async def test_leaving_early_deletes_the_runspaces(tmp_path: Path) -> None:
    async with simulated(4, settings=SLOW) as hosts:
        for host in hosts.hosts[1:]:
            host.simulator.on_script("slow", ScriptReply(duration=3600))
        hosts.hosts[0].simulator.on_script("slow", ScriptReply(output=["done"]))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            async with fleet.run("slow", journal=tmp_path / "journal") as results:
                async for result in results:
                    assert result.target.name == "srs-0001"
                    break
        assert nothing_left(hosts)
        await hosts.wait_idle_async()


async def test_a_script_that_was_not_started_in_time_is_not_done(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    async with simulated(1, settings=SLOW) as hosts:
        simulator = hosts.hosts[0].simulator
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            for timeout in TIMEOUTS:
                simulator.slow_creation(3600, times=1)
                (result,) = [result async for result in fleet.run("'x'", timeout=timeout, journal=file)]
                if isinstance(result.error, WaitTimeoutError):
                    break
            simulator.clear_conditions()
            assert isinstance(result.error, WaitTimeoutError)
            assert result.error.started is False
            (result,) = [result async for result in fleet.run("'x'", journal=file)]
            assert result.result is not None
            assert result.result.output == "x"
        assert nothing_left(hosts)


async def test_a_script_that_takes_too_long_is_done(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    async with simulated(1, settings=SLOW) as hosts:
        hosts.hosts[0].simulator.on_script("slow", ScriptReply(duration=3600))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            for timeout in TIMEOUTS:
                (result,) = [result async for result in fleet.run("slow", timeout=timeout, journal=file)]
                assert result.error is not None
                if "timeout" in file.read_text():
                    break
            assert "timeout" in file.read_text()
            assert [result async for result in fleet.run("slow", timeout=1.5, journal=file)] == []
            (checked,) = [result async for result in fleet.run("throw 'x'", check=True, journal=None)]
            assert checked.error is not None
        assert nothing_left(hosts)
