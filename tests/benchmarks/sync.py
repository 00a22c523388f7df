"""What a poll costs from sync code: one thread, and eight that share a client."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from srs_vsphere.simulator.certificate import make_certificate
from tests.benchmarks.contenders_sync import (
    CONTENDERS,
    HTTP_CLIENT,
    OURS,
    URLLIB3,
    Call,
    OneServer,
)
from tests.benchmarks.generated import Peers
from tests.benchmarks.measuring import Process, cores, cpu_seconds, in_turns, median
from tests.benchmarks.results import Bound, Result, Table
from tests.benchmarks.server import RUNSPACES, serve

_MOST = {HTTP_CLIENT: 0.8, URLLIB3: 0.35}
_LEAST_EFFICIENCY = 0.8
_THREADS = 8
_POLLS = 200
#: Those whose client threads can share.
_SHARED = (URLLIB3, OURS)


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    del peers
    result = Result("sync")
    certificate = make_certificate()
    with tempfile.TemporaryDirectory(prefix="srs-bench-") as folder:
        ca_file = Path(folder) / "ca.pem"
        ca_file.write_bytes(certificate.pem)
        key_file = Path(folder) / "key.pem"
        key_file.write_bytes(certificate.key + certificate.pem)
        for scheme, key, ca in (("plain", None, None), ("TLS", str(key_file), str(ca_file))):
            costs = _measure(key, ca, quick=quick)
            result.tables.append(_table(scheme, costs))
            result.bounds += _bounds(scheme, costs)
            result.numbers[scheme] = {
                f"{name}, {threads} threads": cost * 1e6 for (name, threads), cost in costs.items()
            }
    return result


def _measure(key_file: str | None, ca_file: str | None, *, quick: bool) -> dict[tuple[str, int], float]:
    client_core, server_core = cores()
    with Process(serve, 1, 20_000, key_file, core=server_core) as server:
        (port,) = cast("list[int]", server.ready)
        with Process(_poll_when_told, OneServer(port, ca_file), core=client_core) as client:
            loads = [(name, 1) for name in CONTENDERS] + [(name, _THREADS) for name in _SHARED]
            turns = {load: lambda load=load: cast("float", client.ask(load)) for load in loads}
            # Many short turns: what a busy machine does meanwhile then hits all of them.
            return {load: median(took) for load, took in in_turns(15 if quick else 45, turns).items()}


def _table(scheme: str, costs: dict[tuple[str, int], float]) -> Table:
    columns = ("", "us", f"to {HTTP_CLIENT}", f"to {URLLIB3}", f"us, {_THREADS} threads")
    table = Table(f"CPU us of one poll of five runspaces from sync code, {scheme}", columns)
    for name in CONTENDERS:
        cost = costs[name, 1]
        shared = costs.get((name, _THREADS))
        table.rows.append(
            (
                name,
                f"{cost * 1e6:.0f}",
                f"{cost / costs[HTTP_CLIENT, 1]:.2f}",
                f"{cost / costs[URLLIB3, 1]:.2f}",
                "" if shared is None else f"{shared * 1e6:.0f}",
            )
        )
    return table


def _bounds(scheme: str, costs: dict[tuple[str, int], float]) -> list[Bound]:
    ours = costs[OURS, 1]
    bounds = [
        Bound(f"{scheme}: {OURS} to {peer}", ours / costs[peer, 1], most) for peer, most in _MOST.items()
    ]
    # As a cost, so that less is better as everywhere: 0.8 of one thread's efficiency is 1.25 of its cost.
    shared = costs[OURS, _THREADS]
    what = f"{scheme}: {OURS} with {_THREADS} threads on one client, to one thread"
    return [*bounds, Bound(what, shared / ours, 1 / _LEAST_EFFICIENCY)]


def _poll_when_told(connection: Connection, server: OneServer) -> None:
    with ExitStack() as stack:
        calls = {name: stack.enter_context(opened(server)) for name, opened in CONTENDERS.items()}
        threads = stack.enter_context(ThreadPoolExecutor(_THREADS))
        for name, call in calls.items():
            if len(call()) != RUNSPACES:
                raise RuntimeError(f"{name} does not find the {RUNSPACES} runspaces")
        connection.send(None)
        while (load := cast("tuple[str, int] | None", connection.recv())) is not None:
            name, count = load
            connection.send(_turn(threads, calls[name], count))


def _turn(threads: ThreadPoolExecutor, call: Call, count: int) -> float:
    def work() -> None:
        for _ in range(_POLLS):
            call()

    before = cpu_seconds()
    if count == 1:
        work()
    else:
        for future in [threads.submit(work) for _ in range(count)]:
            future.result()
    return (cpu_seconds() - before) / _POLLS / count
