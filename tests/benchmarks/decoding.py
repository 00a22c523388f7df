"""What it costs to make models of a list's bytes, parsing included."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import cast

from srs_vsphere._codec.json_array import JsonArrayDecoder
from srs_vsphere._codec.models import structurer
from srs_vsphere.models import Runspace
from tests.benchmarks.bodies import runspace_list
from tests.benchmarks.generated import OPENAPI_GENERATOR, OPENAPI_PYTHON_CLIENT, Peers
from tests.benchmarks.measuring import cores, cpu_seconds, in_turns, median, pin
from tests.benchmarks.results import Bound, Result, Table

_CHUNK = 65536
_MOST = 3.6
#: The same bound on any machine: it was set where `json.loads` took 1.1 us.
_MOST_RATIO = 3.3
_BARE = "json.loads, no models"
_STREAMED = "srs_vsphere, streamed"
_GATHERED = "srs_vsphere, gathered"


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    pin(cores()[0])
    count = 20_000 if quick else 100_000
    body = runspace_list(count)
    ways = _ways(peers)
    contenders = {name: _measured(way, body, count) for name, way in ways.items()}
    costs = {name: median(values) for name, values in in_turns(5, contenders).items()}

    ours = costs[_STREAMED]
    table = Table(
        f"Decoding a list of {count:,} runspaces, {len(body) / count:.0f} bytes each",
        ("", "us per runspace", "to json.loads", "to ours"),
    )
    for name, cost in costs.items():
        table.rows.append((name, f"{cost:.2f}", f"{cost / costs[_BARE]:.2f}", f"{cost / ours:.2f}"))
    table.notes.extend(f"{name}: {why}" for name, why in peers.missing.items())
    return Result(
        "decoding",
        [table],
        [
            Bound("parsing and structuring, streamed, per runspace", ours, _MOST, " us"),
            Bound("the same, to json.loads", ours / costs[_BARE], _MOST_RATIO),
        ],
        {"runspaces": count, "microseconds_per_runspace": costs},
    )


def structuring_seconds(count: int) -> float:
    """Return the processor seconds that it takes to make models of so many runspaces, parsing not included.

    Args:
        count: how many there are.
    """
    structure = structurer(Runspace)
    values = cast("list[object]", json.loads(runspace_list(count)))

    def turn() -> float:
        before = cpu_seconds()
        for _ in range(1000):
            _ = [structure(value) for value in values]
        return (cpu_seconds() - before) / 1000

    return median(turn() for _ in range(5))


def _ways(peers: Peers) -> dict[str, Callable[[bytes], object]]:
    ways: dict[str, Callable[[bytes], object]] = {
        _BARE: json.loads,
        _STREAMED: _stream,
        _GATHERED: _gather,
    }
    if peers.has(OPENAPI_GENERATOR):
        client = peers.load("srs_openapi_generator").ApiClient()
        ways[OPENAPI_GENERATOR] = lambda body: client.deserialize(
            body.decode(), "List[Runspace]", "application/json"
        )
    if peers.has(OPENAPI_PYTHON_CLIENT):
        model = peers.load("srs_openapi_python_client.models.runspace").Runspace
        ways[OPENAPI_PYTHON_CLIENT] = lambda body: [model.from_dict(value) for value in json.loads(body)]
    return ways


def _gather(body: bytes) -> list[Runspace]:
    structure = structurer(Runspace)
    decoder = JsonArrayDecoder()
    gathered: list[Runspace] = []
    for at in range(0, len(body), _CHUNK):
        gathered.extend([structure(value) for value in decoder.feed(body[at : at + _CHUNK])])
    decoder.close()
    return gathered


def _stream(body: bytes) -> None:
    structure = structurer(Runspace)
    decoder = JsonArrayDecoder()
    for at in range(0, len(body), _CHUNK):
        # Each is let go when the next one is there, as in a loop over a stream.
        deque(map(structure, decoder.feed(body[at : at + _CHUNK])), maxlen=0)
    decoder.close()


def _measured(way: Callable[[bytes], object], body: bytes, count: int) -> Callable[[], float]:
    def measure() -> float:
        before = cpu_seconds()
        result = way(body)
        cost = cpu_seconds() - before
        del result
        return cost / count * 1e6

    return measure
