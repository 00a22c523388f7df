"""What the sync client adds to `httpx.Client`, one list after the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import cast

import httpx

from srs_vsphere import ApiKeyAuth, SrsClient
from tests.benchmarks.generated import Peers
from tests.benchmarks.measuring import Process, cores, cpu_seconds, in_turns, median
from tests.benchmarks.results import Bound, Result, Table
from tests.benchmarks.server import serve

_MOST = 1.1
_BARE = "httpx.Client.get + json"
_OURS = "SrsClient.runspaces.list"
_KEY = "benchmark"
_POLLS = 100


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    del peers
    client_core, server_core = cores()
    with Process(serve, 1, 20_000, None, core=server_core) as server:
        (port,) = cast("list[int]", server.ready)
        with Process(_poll_when_told, port, core=client_core) as client:
            contenders = {name: _turn(client, name) for name in (_BARE, _OURS)}
            # Many short turns: the two differ by less than a busy machine's whims.
            costs = {name: median(took) for name, took in in_turns(21 if quick else 61, contenders).items()}
    table = Table("CPU us of one poll of five runspaces from sync code", ("", "us", f"to {_BARE}"))
    for name, cost in costs.items():
        table.rows.append((name, f"{cost * 1e6:.0f}", f"{cost / costs[_BARE]:.2f}"))
    bound = Bound(f"{_OURS} to {_BARE}", costs[_OURS] / costs[_BARE], _MOST)
    return Result("sync", [table], [bound], {"cpu_us": {name: cost * 1e6 for name, cost in costs.items()}})


def _turn(client: Process, name: str) -> Callable[[], float]:
    return lambda: cast("float", client.ask(name))


def _poll_when_told(connection: Connection, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    with (
        httpx.Client(headers={"X-SRS-API-KEY": _KEY}) as bare,
        SrsClient(url, auth=ApiKeyAuth(_KEY)) as ours,
    ):
        polls: dict[str, Callable[[], object]] = {
            _BARE: lambda: json.loads(bare.get(url + "/api/runspaces").content),
            _OURS: ours.runspaces.list,
        }
        connection.send(None)
        while (name := connection.recv()) is not None:
            poll = polls[name]
            before = cpu_seconds()
            for _ in range(_POLLS):
                poll()
            connection.send((cpu_seconds() - before) / _POLLS)
