"""Threads that share a sync client: turns in one runspace, and what happens to them when it is closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier, Event

import pytest

from srs_vsphere import (
    ClosedError,
    Runspace,
    RunspaceHandle,
    RunspacePool,
    ScriptOutcome,
    SrsClient,
    SrsError,
    WaitTimeoutError,
)
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, Simulator, VirtualClock
from tests._async.helping import AUTH


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(auto=True)


def test_scripts_of_threads_take_turns_however_they_are_started(
    server: SimServer, simulator: Simulator
) -> None:
    runspace = simulator.add_runspace()
    start = Barrier(4)

    def work(client: SrsClient, number: int) -> list[ScriptOutcome]:
        handle = RunspaceHandle(client._session, Runspace(runspace))
        start.wait()
        outcomes = [client.run(f"'{number}/{step}'", runspace=runspace).outcome for step in range(2)]
        outcomes += [handle.run(f"'{number}/{step}'").outcome for step in range(2)]
        outcomes.append(client.start(f"'{number}'", runspace=runspace).result().outcome)
        return outcomes

    with SrsClient(server.url, auth=AUTH) as client, ThreadPoolExecutor(4) as threads:
        found = [future.result() for future in [threads.submit(work, client, at) for at in range(4)]]
        assert found == [[ScriptOutcome.SUCCEEDED] * 5] * 4
        assert not client._session.turns._turns


def test_a_turn_of_a_thread_that_does_not_come_in_time(server: SimServer, simulator: Simulator) -> None:
    runspace = simulator.add_runspace()
    simulator.on_script("first", ScriptReply(output=["first"]))
    server.faults.add(Fault(operation="script_executions.output", delay=3600.0))
    with SrsClient(server.url, auth=AUTH) as client, ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.run, "first", runspace=runspace)
        server.wait_for(lambda traffic: any(path.endswith("/output") for _, path in traffic.requests))
        with pytest.raises(WaitTimeoutError, match=r"ran other scripts for 0\.1 s") as caught:
            client.run("'second'", runspace=runspace, timeout=0.1)
        assert caught.value.started is False
        client.close()
        assert isinstance(first.exception(), SrsError)


def test_waiting_leases_of_threads_fail_when_the_pool_closes(server: SimServer, simulator: Simulator) -> None:
    waiting = Event()

    def lease(pool: RunspacePool) -> None:
        waiting.set()
        with pool.lease():
            pytest.fail("leased after closing")

    with SrsClient(server.url, auth=AUTH) as client, ThreadPoolExecutor(3) as threads:
        pool = RunspacePool(client, size=1)
        with pool.lease():
            leases = [threads.submit(lease, pool) for _ in range(3)]
            waiting.wait()
            pool.close()
            wait(leases)
        assert [type(lease.exception()) for lease in leases] == [ClosedError] * 3
        assert simulator.runspaces == {}
    assert server.requests.count(("POST", "/api/runspaces")) == 1


def test_no_session_is_left_by_calls_of_threads_that_are_under_way(
    server: SimServer, simulator: Simulator
) -> None:
    def call(client: SrsClient) -> None:
        while True:
            client.runspaces.list()

    for round_ in range(5):
        with ThreadPoolExecutor(3) as threads:
            with SrsClient(server.url, auth=AUTH) as client:
                seen = server.traffic.seen
                calls = [threads.submit(call, client) for _ in range(3)]
                server.wait_for(lambda traffic, seen=seen, round_=round_: traffic.seen > seen + 3 * round_)
            assert all(isinstance(call.exception(), SrsError) for call in calls)
        assert simulator.session_count == 0
