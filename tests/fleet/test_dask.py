"""A fleet on a Dask cluster: the same reports, each once, whatever becomes of the workers."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere import BasicAuth, EnvAuth
from srs_vsphere.fleet import (
    BreakerPolicy,
    FleetSnapshot,
    HostMissingError,
    HostReport,
    Progress,
    RunspaceCreated,
    RunspaceGone,
    RunspaceReady,
    SweepEnded,
    SweepLate,
    Target,
)
from srs_vsphere.simulator import Fault, SimFleet
from tests.fleet.helping import AUTH, USERS, simulated, targets_of

distributed = pytest.importorskip("distributed", reason="the engine that is tested")

from distributed import Client, Future, LocalCluster

from srs_vsphere.fleet import dask_cluster
from srs_vsphere.fleet.dask import sweep, watch
from srs_vsphere.fleet.dask_cluster import assign

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])

BY_VALUE = BasicAuth("alice", "sesame-7Qx", allow_pickle=True)


def targets_by_value(hosts: SimFleet) -> list[Target]:
    return [Target(host.name, host.url, BY_VALUE) for host in hosts.hosts]


@asynccontextmanager
async def cluster(workers: int, *, processes: bool = False) -> AsyncIterator[Client]:
    """Run a cluster, in this process unless it is to lose workers."""
    async with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=processes,
            dashboard_address=":0",
            asynchronous=True,
            silence_logs=logging.ERROR,
        ) as running,
        Client(running, asynchronous=True) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    # Dask logs to handlers of its own, whose streams are gone when a test has ended.
    logger = logging.getLogger("distributed")
    before, logger.propagate = logger.propagate, True
    yield
    logger.propagate = before


async def reports_of(targets: list[Target], client: Client, **options: object) -> dict[str, HostReport]:
    found = [report async for report in sweep(targets, client=client, **options)]
    by_name = {report.target.name: report for report in found}
    assert len(found) == len(by_name) == len(targets)
    return by_name


async def others_begin() -> None:
    """Let tasks that were started go on to where they wait for this one."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


@given(
    st.integers(1, 60),
    st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), min_size=1, max_size=4),
)
def test_parts_are_spread_evenly_and_stay_where_they_may(parts: int, history: list[set[str]]) -> None:
    before: dict[int, str] = {}
    for workers in history:
        after = assign(parts, sorted(workers), before)
        assert set(after) == set(range(parts))
        loads = [sum(worker == held for held in after.values()) for worker in workers]
        assert max(loads) - min(loads) <= 1
        if set(before.values()) <= workers:
            most = -(-parts // len(workers))
            moved = sum(before[part] != after[part] for part in before)
            over = [max(0, list(before.values()).count(worker) - most) for worker in set(before.values())]
            # Nothing moves but what makes room for new workers.
            assert moved <= max(sum(over), (len(workers) - len(set(before.values()))) * most)
        assert assign(parts, sorted(workers), after) == after
        before = after


@pytest.mark.anyio
@on_asyncio
async def test_one_worker_or_many_give_the_same_reports() -> None:
    told: list[Progress] = []
    async with simulated(30) as hosts:
        for host in hosts.hosts:
            host.simulator.add_runspace(name=host.name)
        hosts.faults.add(Fault(host="srs-0007", operation="runspaces.list", status=500))
        for workers in (1, 3):
            before = hosts.traffic.seen
            async with cluster(workers) as client:
                for _ in range(2):
                    told.clear()
                    options = {"timeout": 60, "on_progress": told.append}
                    reports = await reports_of(targets_by_value(hosts), client, **options)
                    for name, report in reports.items():
                        if name == "srs-0007":
                            assert report.error is not None
                            assert (report.error.status, report.attempts) == (500, 1)
                            continue
                        assert [runspace.name for runspace in report.runspaces or ()] == [name]
                    assert (told[-1].done, told[-1].failed, told[-1].total) == (30, 1, 30)
                # One login each, for the workers keep their clients between sweeps.
                assert hosts.traffic.seen - before == 30 * 3
            await hosts.wait_idle_async()
            assert all(host.simulator.session_count == 0 for host in hosts.hosts)


@pytest.mark.anyio
@on_asyncio
async def test_hosts_that_hang_hold_up_no_other_and_are_missing_at_the_deadline() -> None:
    async with simulated(12) as hosts, cluster(1) as client:
        late = {"srs-0003", "srs-0008"}
        for name in late:
            hosts.faults.add(Fault(host=name, operation="runspaces.list", delay=3600))
        targets = targets_by_value(hosts)
        async with sweep(targets, client=client, timeout=3600) as reports:
            others = [await anext(reports) for _ in range(10)]
        assert {report.target.name for report in others}.isdisjoint(late)
        assert all(report.ok for report in others)
        found = await reports_of(targets, client, timeout=3600, deadline=0.5)
        assert {type(found[name].error) for name in late} == {HostMissingError}


@pytest.mark.anyio
@on_asyncio
async def test_leaving_early_cancels_what_was_scheduled() -> None:
    async with simulated(12) as hosts, cluster(1) as client:
        async with sweep(targets_by_value(hosts), client=client) as reports:
            await anext(reports)
            assert len(list(reports.waiting())) < 12
        assert [report async for report in reports] == []
        assert len(await reports_of(targets_by_value(hosts), client)) == 12
        # Another fleet takes the place of the first, whose clients are closed.
        assert len(await reports_of(targets_by_value(hosts)[:2], client)) == 2
        await hosts.wait_for_async(lambda traffic: traffic.open <= 2)


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("hangs", [True, False])
async def test_leaving_early_waits_for_no_scheduler_that_hangs_or_is_gone(
    hangs: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def cancel(futures: object) -> None:
        if hangs:
            await anyio.sleep_forever()
        raise distributed.CommClosedError("the scheduler is gone")

    monkeypatch.setattr(dask_cluster, "_SECONDS_TO_CANCEL", 0.01)
    async with simulated(12) as hosts, cluster(1) as client:
        hosts.faults.add(Fault(host="srs-0003", operation="runspaces.list", delay=3600))
        with monkeypatch.context() as patched:
            patched.setattr(client, "cancel", cancel)
            async with sweep(targets_by_value(hosts), client=client, timeout=3600) as reports:
                await anext(reports)
        assert "were not cancelled" in caplog.text


@pytest.mark.anyio
@on_asyncio
async def test_a_fleet_that_comes_into_use_meanwhile_keeps_its_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with simulated(4) as hosts, cluster(1) as client:
        hosts.faults.add(Fault(host="srs-0004", operation="runspaces.list", delay=3600))
        *others, hanging = targets_by_value(hosts)
        one, two, three = [[target, hanging] for target in others]
        # Both are in use at once, so neither takes the other's place.
        async with (
            sweep(one, client=client, timeout=3600) as first,
            sweep(two, client=client, timeout=3600) as second,
        ):
            await anext(first)
            await anext(second)
        remove = client.unregister_worker_plugin
        removed: list[str] = []
        async with sweep(two, client=client, timeout=3600) as again:

            async def begin_again(name: str) -> None:
                removed.append(name)
                if len(removed) == 1:
                    group.start_soon(anext, again)
                    await others_begin()
                await remove(name)

            with monkeypatch.context() as patched:
                patched.setattr(client, "unregister_worker_plugin", begin_again)
                async with anyio.create_task_group() as group:
                    await reports_of(three[:1], client)
            # That of the third may be removed too, once its own sweep has ended.
            assert first._cluster._plugin.name in removed
            assert again._cluster._plugin.name not in removed


@pytest.mark.anyio
@on_asyncio
async def test_two_first_sweeps_at_once_share_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    async with simulated(4) as hosts, cluster(1) as client:
        targets = targets_by_value(hosts)
        register = client.register_plugin
        registered: list[str] = []
        reports: list[HostReport] = []

        async def slowly(plugin: distributed.WorkerPlugin) -> None:
            registered.append(plugin.name)
            await others_begin()
            await register(plugin)

        async def sweep_once() -> None:
            reports.extend((await reports_of(targets, client, timeout=60)).values())

        monkeypatch.setattr(client, "register_plugin", slowly)
        async with anyio.create_task_group() as group:
            group.start_soon(sweep_once)
            group.start_soon(sweep_once)
        assert len(registered) == 1
        assert [report.error for report in reports] == [None] * 8


@pytest.mark.anyio
@on_asyncio
async def test_a_loop_ends_when_another_task_closes_its_sweep() -> None:
    async with simulated(3) as hosts, cluster(1) as client:
        hosts.faults.add(Fault(host="srs-0003", operation="runspaces.list", delay=3600))
        begun = anyio.Event()

        async def loop() -> None:
            async for _ in reports:
                begun.set()

        async with sweep(targets_by_value(hosts), client=client, timeout=3600) as reports:
            async with anyio.create_task_group() as group:
                group.start_soon(loop)
                await begun.wait()
                await reports.aclose()


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("call", ["register_plugin", "nthreads"])
async def test_a_scheduler_that_hangs_is_an_error(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await anyio.sleep_forever()

    async with simulated(2) as hosts, cluster(1) as client:
        if call == "nthreads":
            # The plugin is there: nothing else is asked of the scheduler before.
            await reports_of(targets_by_value(hosts), client)
        monkeypatch.setattr(dask_cluster, "_SECONDS_TO_ANSWER", 0.01)
        with monkeypatch.context() as patched:
            patched.setattr(client, call, hang)
            async with sweep(targets_by_value(hosts), client=client) as reports:
                with pytest.raises(TimeoutError, match=r"has not answered for 0\.01 s"):
                    await anext(reports)


@pytest.mark.anyio
@on_asyncio
async def test_a_watch_tells_the_same_as_in_one_process() -> None:
    async with simulated(9) as hosts, cluster(2) as client:
        gone = hosts.hosts[4].simulator.add_runspace()
        hosts.faults.add(Fault(host="srs-0009", operation="runspaces.list", delay=3600))
        targets = targets_by_value(hosts)
        events: list[object] = []
        made = ""
        async with watch(targets, client=client, interval=0.3, timeout=3600) as told:
            async for event in told:
                if isinstance(event, SweepEnded):
                    # The host that hangs keeps the first sweep open, and is passed over in the others.
                    assert event.number > 0
                    assert event.skipped > 0
                elif not isinstance(event, SweepLate):
                    events.append(event)
                if not made and {"srs-0002", "srs-0005"} <= told.snapshot().hosts.keys():
                    made = hosts.hosts[1].simulator.add_runspace()
                    hosts.hosts[4].simulator.kill_runspace(gone)
                if len(events) == 3:
                    break
            saved = FleetSnapshot.from_json(told.snapshot().to_json())
        assert {type(event) for event in events} == {RunspaceCreated, RunspaceReady, RunspaceGone}
        assert {event.runspace.id for event in events if hasattr(event, "runspace")} == {made, gone}
        hosts.hosts[1].simulator.kill_runspace(made)
        async with watch(targets, client=client, interval=0.3, timeout=3600, resume=saved) as told:
            # On a slow machine, sweeps that passed every host over may end before the first change.
            event = await anext(
                event async for event in told if not isinstance(event, SweepEnded | SweepLate)
            )
            assert isinstance(event, RunspaceGone)
            assert event.runspace.id == made
        fewer = watch(targets[:3], client=client, interval=0.3, resume=saved).snapshot().hosts
        assert "srs-0002" in fewer
        assert "srs-0005" not in fewer


def _end(dask_worker: distributed.Worker) -> int:
    return os.getpid()


@pytest.mark.anyio
@on_asyncio
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that ends a process at once")
async def test_a_worker_that_is_killed_in_mid_sweep_loses_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRS_USERNAME", "alice")
    monkeypatch.setenv("SRS_PASSWORD", "sesame-7Qx")
    async with simulated(80) as hosts, cluster(2, processes=True) as client:
        hosts.faults.add(Fault(operation="runspaces.list", delay=0.3))
        targets = [Target(host.name, host.url, EnvAuth()) for host in hosts.hosts]
        assert all(report.ok for report in (await reports_of(targets, client, timeout=60)).values())
        pids = list((await client.run(_end)).values())
        found: list[HostReport] = []
        async for report in sweep(targets, client=client, timeout=60, concurrency=10):
            found.append(report)
            if len(found) == 5:
                os.kill(pids[0], signal.SIGKILL)
        assert sorted(report.target.name for report in found) == [host.name for host in hosts.hosts]
        assert all(report.ok for report in found)


@pytest.mark.anyio
async def test_a_client_of_its_own_thread_will_do(anyio_backend: str) -> None:
    async with simulated(6) as hosts:

        def open_() -> Client:
            return Client(
                n_workers=1,
                threads_per_worker=2,
                processes=False,
                dashboard_address=":0",
                silence_logs=logging.ERROR,
            )

        client = await anyio.to_thread.run_sync(open_)
        try:
            assert all(report.ok for report in (await reports_of(targets_by_value(hosts), client)).values())
            async with sweep(targets_by_value(hosts), client=client) as reports:
                await anext(reports)
        finally:
            await anyio.to_thread.run_sync(client.shutdown)
        await hosts.wait_idle_async()


def test_no_thread_of_dask_waits_for_an_event_loop_that_has_stopped() -> None:
    with (
        SimFleet(2, users=USERS) as hosts,
        Client(n_workers=1, processes=False, dashboard_address=":0", silence_logs=logging.ERROR) as client,
        asyncio.Runner() as runner,
    ):
        hosts.faults.add(Fault(host="srs-0002", operation="runspaces.list", delay=60))
        reports = sweep(targets_by_value(hosts), client=client)

        async def first() -> str:
            return (await anext(reports)).target.name

        assert runner.run(first()) == "srs-0001"
        client.cancel(list(reports._cluster._tasks))
        # The thread that told of it, while no loop ran, has time for others.
        assert Future._cb_executor is not None
        assert Future._cb_executor.submit(lambda: "free").result(60) == "free"
        runner.run(reports.aclose())


@pytest.mark.anyio
@on_asyncio
async def test_what_cannot_be_sent_is_refused_before_anything_is_scheduled() -> None:
    async with simulated(2) as hosts, cluster(1) as client:
        targets = targets_of(hosts)
        with pytest.raises(
            TypeError, match=r"target 'srs-0001' cannot be sent to other processes: .*allow_pickle"
        ):
            sweep(targets, client=client)
        lock = Target("locked", "http://a", auth=_Locked())
        with pytest.raises(
            TypeError, match="target 'locked' cannot be sent to other processes: cannot pickle"
        ):
            watch([lock], client=client, interval=5)
        with pytest.raises(TypeError, match=r"client must be a distributed\.Client, not str"):
            sweep(targets_by_value(hosts), client="tcp://127.0.0.1:8786")
        for options, name in (
            ({"interval": 0}, "interval"),
            ({"interval": 1, "resume": "x"}, "resume"),
            ({"interval": 1, "concurrency": 0}, "concurrency"),
            ({"interval": 1, "nonsense": 0}, "nonsense"),
        ):
            with pytest.raises((TypeError, ValueError), match=name):
                watch(targets_by_value(hosts), client=client, **options)
        with pytest.raises(ValueError, match="deadline"):
            sweep(targets_by_value(hosts), client=client, deadline=-1)
        with pytest.raises(ValueError, match="two are named"):
            sweep([targets_by_value(hosts)[0]] * 2, client=client)
    assert hosts.traffic.seen == 0


class _Locked:
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def credentials(self) -> BasicAuth:
        return AUTH


@pytest.mark.anyio
@on_asyncio
async def test_a_cluster_without_workers_is_an_error() -> None:
    async with simulated(2) as hosts, cluster(0) as client:
        with pytest.raises(RuntimeError, match="has no workers"):
            await reports_of(targets_by_value(hosts), client)


@pytest.mark.anyio
@on_asyncio
async def test_no_secret_is_in_a_task_or_in_what_dask_shows() -> None:
    sentinel = BasicAuth("alice", "sentinel-password", allow_pickle=True)
    async with simulated(8, users={"alice": "sentinel-password"}) as hosts, cluster(1) as client:
        hosts.faults.add(Fault(operation="runspaces.list", delay=0.2))
        targets = [Target(host.name, host.url, sentinel) for host in hosts.hosts]
        scheduler = client.cluster.scheduler
        seen: list[str] = []
        async for _ in sweep(targets, client=client, breaker=BreakerPolicy()):
            for name, task in scheduler.tasks.items():
                seen += [repr(name), repr(task), repr(task.run_spec)]
                seen.append(repr(pickle.dumps(task.run_spec)))
            seen += [repr(client), repr(scheduler.workers), repr(await client.scheduler.identity())]
            seen += [repr(event) for events in (await client.get_events()).values() for event in events]
        assert any("srs-poll" in text for text in seen)
        assert not any("sentinel" in text for text in seen)


def test_the_extra_is_named_where_it_is_missing() -> None:

    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "try:\n    import srs_vsphere.fleet.dask\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "srs_vsphere.fleet.dask needs Dask: pip install srs-vsphere[dask]\n"
