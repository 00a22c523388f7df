"""What the sync client adds to `httpx.Client`, one list after the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
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


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    del peers
    polls = 100 if quick else 400
    client_core, server_core = cores()
    with Process(serve, 1, 20_000, None, core=server_core) as server, ExitStack() as stack:
        (port,) = cast("list[int]", server.ready)
        contenders: dict[str, Callable[[], float]] = {}
        for name in (_BARE, _OURS):
            client = stack.enter_context(Process(_poll_when_told, name, port, core=client_core))
            contenders[name] = _turn(client, polls)
        costs = {name: median(values) for name, values in in_turns(11, contenders).items()}
    table = Table("CPU us of one poll of five runspaces from sync code", ("", "us", f"to {_BARE}"))
    for name, cost in costs.items():
        table.rows.append((name, f"{cost * 1e6:.0f}", f"{cost / costs[_BARE]:.2f}"))
    bound = Bound(f"{_OURS} to {_BARE}", costs[_OURS] / costs[_BARE], _MOST)
    return Result("sync", [table], [bound], {"cpu_us": {name: cost * 1e6 for name, cost in costs.items()}})


def _turn(client: Process, polls: int) -> Callable[[], float]:
    return lambda: cast("float", client.ask(polls))


def _poll_when_told(connection: Connection, name: str, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    poll: Callable[[], object]
    with (
        httpx.Client(headers={"X-SRS-API-KEY": _KEY}) as bare,
        SrsClient(url, auth=ApiKeyAuth(_KEY)) as ours,
    ):
        poll = (
            ours.runspaces.list
            if name == _OURS
            else lambda: json.loads(bare.get(url + "/api/runspaces").read())
        )
        poll()
        connection.send(None)
        while (polls := connection.recv()) is not None:
            before = cpu_seconds()
            for _ in range(polls):
                poll()
            connection.send((cpu_seconds() - before) / polls)
