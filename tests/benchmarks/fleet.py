"""What a fleet costs: sweeps of few and of many hosts, among bad ones, watched for long, and by Dask."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import cast

from tests.benchmarks.bodies import runspace_list
from tests.benchmarks.contenders import OURS
from tests.benchmarks.fleet_client import (
    Swept,
    Watched,
    respond_late,
    sweep_by_dask,
    sweep_when_told,
    trickle,
    watch_once,
)
from tests.benchmarks.generated import Peers
from tests.benchmarks.measuring import Process, cores, in_turns, median
from tests.benchmarks.places import KEY, Places
from tests.benchmarks.polling_client import Turn, poll_when_told
from tests.benchmarks.results import Bound, Result, Table
from tests.benchmarks.server import RUNSPACES, serve

_FEW, _MANY = 200, 4000
_AT_ONCE = 200
_FIRST_PORT = 20_000

_MOST_TO_FEW = 1.3
_MOST_TO_BARE = 1.4
_MOST_P99 = 1.2
_MOST_MEMORY = 25.0
_MOST_GROWTH = 1.0
_LEAST_BY_DASK = 1.6

#: Seconds that the hosts take which the workers of a cluster wait for, and how many they wait for at once.
_LATE = 0.1
_LATE_AT_ONCE = 50


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    result = Result("fleet")
    _sweeps(result, peers, quick=quick)
    _bad_hosts(result, quick=quick)
    _watch(result, quick=quick)
    _dask(result, quick=quick)
    return result


def _sweeps(result: Result, peers: Peers, *, quick: bool) -> None:
    client_core, server_core = cores()
    table = Table("CPU us for each host of a sweep, five runspaces each", ("", "us", "ratio", "hosts/s"))
    with ExitStack() as stack:
        few = _ports(stack, _FEW, _FIRST_PORT, server_core)
        many = _ports(stack, _MANY, _FIRST_PORT + _FEW, server_core)
        bare_ports = _ports(stack, _MANY, _FIRST_PORT + _FEW + _MANY, server_core)
        options = {"concurrency": _AT_ONCE}
        fleets = {
            f"sweep of {_FEW}": (Process(sweep_when_told, few, options, core=client_core), _MANY // _FEW),
            f"sweep of {_MANY:,}": (Process(sweep_when_told, many, options, core=client_core), 1),
        }
        places = Places(bare_ports, _AT_ONCE, None, peers)
        bare = stack.enter_context(Process(poll_when_told, OURS, places, core=client_core))
        turns: dict[str, Callable[[], float]] = {"bare poll": lambda: cast("Turn", bare.ask(1)).cost}
        rates: dict[str, list[float]] = {}
        for name, (process, count) in fleets.items():
            stack.enter_context(process)
            turns[name] = _turn(process, count, rates.setdefault(name, []))
        costs = {name: median(took) for name, took in in_turns(5 if quick else 15, turns).items()}
    for name, cost in costs.items():
        rate = f"{median(rates[name]):,.0f}" if name in rates else ""
        table.rows.append((name, f"{cost * 1e6:.0f}", f"{cost / costs['bare poll']:.2f}", rate))
    at_few, at_many = costs[f"sweep of {_FEW}"], costs[f"sweep of {_MANY:,}"]
    result.tables.append(table)
    result.bounds += [
        Bound(f"sweep of {_MANY:,} hosts to one of {_FEW}", at_many / at_few, _MOST_TO_FEW),
        Bound(f"sweep of {_MANY:,} hosts to a bare poll", at_many / costs["bare poll"], _MOST_TO_BARE),
    ]
    result.numbers["cpu_us"] = {name: cost * 1e6 for name, cost in costs.items()}


def _bad_hosts(result: Result, *, quick: bool) -> None:
    client_core, server_core = cores()
    with ExitStack() as stack:
        ports = _ports(stack, _MANY // 4, _FIRST_PORT, server_core)
        after = max(ports) + 1
        slow = stack.enter_context(Process(trickle, after, _response(), core=server_core))
        (trickling,) = cast("list[int]", slow.ready)
        hanging = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        refusing = [stack.enter_context(socket.socket()) for _ in range(50)]
        for closed in refusing:
            closed.bind(("127.0.0.1", 0))
        bad = [trickling, hanging.getsockname()[1], *(closed.getsockname()[1] for closed in refusing)]
        options = {"concurrency": _AT_ONCE, "timeout": 2.0}
        healthy = stack.enter_context(Process(sweep_when_told, ports, options, core=client_core))
        among = [*ports]
        for number, port in enumerate(bad):
            among.insert(number * len(ports) // len(bad), port)
        mixed = stack.enter_context(Process(sweep_when_told, among, options, core=client_core))
        turns: dict[str, Callable[[], float]] = {}
        good: dict[str, int] = {}
        for name, process in ("healthy", healthy), ("among bad hosts", mixed):
            turns[name] = _p99_turn(process, name, good)
        # With the one that warms up, four sweeps: in a fifth, circuit breakers leave the bad hosts alone.
        p99 = {name: median(found) for name, found in in_turns(2 if quick else 3, turns).items()}
    table = Table("ms that 99 % of the good hosts' polls take at most", ("", "ms", "good hosts"))
    for name, seconds in p99.items():
        table.rows.append((name, f"{seconds * 1e3:.1f}", str(good[name])))
    result.tables.append(table)
    ratio = p99["among bad hosts"] / p99["healthy"]
    result.bounds.append(
        Bound("p99 beside one that hangs, one that trickles, 50 that refuse", ratio, _MOST_P99)
    )
    result.numbers["p99_ms"] = {name: seconds * 1e3 for name, seconds in p99.items()}


def _p99_turn(process: Process, name: str, good: dict[str, int]) -> Callable[[], float]:
    def turn() -> float:
        swept = cast("Swept", process.ask(1))
        good[name] = swept.ok
        return swept.p99

    return turn


def _watch(result: Result, *, quick: bool) -> None:
    client_core, server_core = cores()
    sweeps = 12 if quick else 50
    with ExitStack() as stack:
        ports = _ports(stack, _MANY, _FIRST_PORT, server_core)
        process = stack.enter_context(Process(watch_once, ports, 2.0, sweeps, core=client_core))
        found = cast("Watched", process.ready)
    table = Table(
        f"kB for each of {_MANY:,} hosts that are watched",
        ("", "after 2 sweeps", f"after {sweeps}", "CPU us"),
    )
    second, last = found.second / _MANY / 1e3, found.last / _MANY / 1e3
    table.rows.append(("watch", f"{second:.1f}", f"{last:.1f}", f"{found.cost * 1e6:.0f}"))
    if found.late:
        table.notes.append(f"the interval was too short {found.late} times")
    result.tables.append(table)
    result.bounds += [
        Bound("memory of a watched host", last, _MOST_MEMORY, " kB"),
        Bound(f"growth from the 2nd sweep to the {sweeps}th", last - second, _MOST_GROWTH, " kB a host"),
    ]
    result.numbers["watch_kb"] = {"second": second, "last": last}


def _dask(result: Result, *, quick: bool) -> None:
    client_core, server_core = cores()
    hosts = 500 if quick else 2000
    # It is a response to a login, too.
    head = b"HTTP/1.1 200 OK\r\n"
    response = _response().replace(head, head + f"X-SRS-API-KEY: {KEY}\r\n".encode())
    with ExitStack() as stack:
        late = (respond_late, hosts, _FIRST_PORT, _LATE, response)
        server = stack.enter_context(Process(*late, core=server_core))
        ports = cast("list[int]", server.ready)
        options = {"concurrency": _LATE_AT_ONCE}
        one = stack.enter_context(Process(sweep_when_told, ports, options, core=client_core))
        dask = stack.enter_context(Process(sweep_by_dask, ports, options, 2, core=client_core, parent=True))
        workers: list[float] = []
        drivers: list[float] = []

        def by_dask() -> float:
            swept, cost = cast("tuple[Swept, float]", dask.ask(1))
            workers.append(cost)
            drivers.append(swept.cost)
            return swept.rate

        turns: dict[str, Callable[[], float]] = {
            "one process": lambda: cast("Swept", one.ask(1)).rate,
            "Dask, 2 workers": by_dask,
        }
        rates = {name: median(found) for name, found in in_turns(3 if quick else 7, turns).items()}
    ratio = rates["Dask, 2 workers"] / rates["one process"]
    table = Table(
        f"Hosts per second that answer after {_LATE * 1e3:.0f} ms, {_LATE_AT_ONCE} at once in each process",
        ("", "hosts/s", "ratio"),
    )
    for name, rate in rates.items():
        table.rows.append((name, f"{rate:,.0f}", f"{rate / rates['one process']:.2f}"))
    table.notes.append(
        f"CPU for each host: {median(workers) * 1e6:.0f} us in the workers,"
        f" {median(drivers) * 1e6:.0f} us in client and scheduler"
    )
    result.tables.append(table)
    # The other way round, since a bound is the most that is allowed.
    result.bounds.append(Bound("one process to Dask with 2 workers, hosts/s", 1 / ratio, 1 / _LEAST_BY_DASK))
    result.numbers["dask"] = {
        "ratio": ratio,
        "worker_us": median(workers) * 1e6,
        "driver_us": median(drivers) * 1e6,
    }


def _ports(stack: ExitStack, hosts: int, first_port: int, core: int) -> list[int]:
    server: Process = stack.enter_context(Process(serve, hosts, first_port, None, core=core))
    return cast("list[int]", server.ready)


def _turn(process: Process, count: int, rates: list[float]) -> Callable[[], float]:
    def measure() -> float:
        swept = cast("Swept", process.ask(count))
        rates.append(swept.rate)
        return swept.cost

    return measure


def _response() -> bytes:
    body = runspace_list(RUNSPACES)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n"
    return head.encode() + body
