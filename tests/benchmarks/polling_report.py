"""What polling took, at each load and for each contender; and how that is shown."""

from __future__ import annotations

from importlib.util import find_spec

from attrs import Factory, define

from tests.benchmarks.contenders import (
    AIOHTTP,
    CONTENDERS,
    FLOOR,
    FLOOR_UVLOOP,
    HTTPX,
    HTTPX_PER_HOST,
    ON_UVLOOP,
    OURS,
    OURS_HTTPX,
    OURS_OTEL,
    OURS_UVLOOP,
    STREAMS,
    TRANSPORT_HTTPX,
)
from tests.benchmarks.decoding import structuring_seconds
from tests.benchmarks.generated import OPENAPI_GENERATOR, OPENAPI_PYTHON_CLIENT, Peers
from tests.benchmarks.measuring import median, percentile
from tests.benchmarks.results import Bound, Result, Table
from tests.benchmarks.server import RUNSPACES

_MANY = 200
_MOST_TO_AIOHTTP = 0.5
_MOST_TO_FLOOR = 1.25
#: Of the floor, and what it costs to make models comes on top.
_MOST_TO_FLOOR_UVLOOP = 1.5
_MOST_TO_GENERATED = 1 / 3
_MOST_GROWTH = 1.3
_MOST_MEMORY = 40.0


@define(frozen=True)
class Level:
    """A load.

    Args:
        hosts: how many are polled.
        at_once: requests at once, all together.
        tls: whether over TLS.
    """

    hosts: int
    at_once: int
    tls: bool

    def __str__(self) -> str:
        if self.hosts == 1:
            return f"1 host, {self.at_once} at once"
        return f"{self.hosts:,} hosts"

    def contenders(self, peers: Peers, *, quick: bool) -> list[str]:
        """Return who takes part: with many requests at once some would take minutes."""
        names = {FLOOR, AIOHTTP, OURS}
        if find_spec("uvloop") is not None:
            names |= ON_UVLOOP
        if self.hosts > 1:
            names |= {HTTPX_PER_HOST}
        if self.at_once < _MANY or (self.hosts <= _MANY and not quick):
            names |= {OURS_HTTPX, OURS_OTEL, TRANSPORT_HTTPX}
        if self.at_once < _MANY or (self.hosts <= _MANY and not quick and not self.tls):
            names |= {HTTPX, OPENAPI_GENERATOR, OPENAPI_PYTHON_CLIENT}
        if self.at_once < _MANY or not quick:
            names |= {STREAMS}
        return [name for name in CONTENDERS if name in names and peers.has(name)]


@define
class Found:
    """What a contender took at one level.

    Args:
        costs: processor seconds of a poll, turn by turn.
        rates: polls per second, turn by turn.
        latencies: seconds that each poll took.
        memory: bytes for each host.
        server: the server's processor seconds for each response, turn by turn.
    """

    memory: float
    costs: list[float] = Factory(list)
    rates: list[float] = Factory(list)
    latencies: list[float] = Factory(list)
    server: list[float] = Factory(list)

    @property
    def cost(self) -> float:
        """The median cost of a poll."""
        return median(self.costs)


def report(found: dict[Level, dict[str, Found]], missing: dict[str, str]) -> Result:
    """Make tables and verdicts of it.

    Args:
        found: by load and contender.
        missing: why contenders are missing.
    """
    result = Result("polling")
    for tls in (False, True):
        levels = [level for level in found if level.tls is tls]
        if levels:
            chosen = {level: found[level] for level in levels}
            result.tables += _tables(chosen, "TLS" if tls else "plain")
            result.bounds += _bounds(chosen, "TLS" if tls else "plain")
    result.tables[0].notes += [f"{name}: {why}" for name, why in missing.items()]
    result.tables[0].notes.append(f"in brackets: to {AIOHTTP}; many hosts are polled {_MANY} at once")
    result.numbers["loads"] = [
        _numbers(level, name, one) for level in found for name, one in found[level].items()
    ]
    return result


def _tables(found: dict[Level, dict[str, Found]], scheme: str) -> list[Table]:
    columns = ("", *[str(level) for level in found])
    cost = Table(f"CPU us of one poll of five runspaces, {scheme}", columns)
    latency = Table(f"Latency of a poll, median / 99th percentile, ms, {scheme}", columns)
    many = [level for level in found if level.hosts > 1]
    memory = Table(
        f"Memory of a host with a live connection, kB, {scheme}", ("", *[str(level) for level in many])
    )
    for name in CONTENDERS:
        entries = [found[level].get(name) for level in found]
        if not any(entries):
            continue
        peers = [found[level][AIOHTTP].cost for level in found]
        cost.rows.append((name, *[_cost(one, peer) for one, peer in zip(entries, peers, strict=True)]))
        latency.rows.append((name, *[_latency(one) for one in entries]))
        hosts = [found[level].get(name) for level in many]
        if any(hosts):
            memory.rows.append((name, *["" if one is None else f"{one.memory / 1e3:.1f}" for one in hosts]))
    server = Table(f"The server, {scheme}", columns)
    each = [median(found[level][FLOOR].server) for level in found]
    server.rows.append(("CPU us of a response", *[f"{seconds * 1e6:.1f}" for seconds in each]))
    server.rows.append(("so at most, polls/s", *[f"{1 / seconds:,.0f}" for seconds in each]))
    fastest = [max(median(one.rates) for one in found[level].values()) for level in found]
    server.rows.append(("the fastest client, polls/s", *[f"{rate:,.0f}" for rate in fastest]))
    tables = [cost, latency, server]
    if many:
        tables.insert(2, memory)
    return tables


def _cost(one: Found | None, peer: float) -> str:
    return "" if one is None else f"{one.cost * 1e6:.0f} ({one.cost / peer:.2f})"


def _latency(one: Found | None) -> str:
    if one is None:
        return ""
    return f"{percentile(one.latencies, 50) * 1e3:.2f} / {percentile(one.latencies, 99) * 1e3:.2f}"


def _bounds(found: dict[Level, dict[str, Found]], scheme: str) -> list[Bound]:
    decoding = structuring_seconds(RUNSPACES)
    bounds: list[Bound] = []
    for level, contenders in found.items():
        where = f"{scheme}, {level}"
        ours = contenders[OURS].cost
        ratio = ours / contenders[AIOHTTP].cost
        bounds.append(Bound(f"{where}: ours to {AIOHTTP}", ratio, _MOST_TO_AIOHTTP))
        bounds.append(Bound(f"{where}: ours to {FLOOR}", ours / contenders[FLOOR].cost, _MOST_TO_FLOOR))
        if OURS_UVLOOP in contenders:
            ratio = (contenders[OURS_UVLOOP].cost - decoding) / contenders[FLOOR_UVLOOP].cost
            what = f"{where}: {OURS_UVLOOP}, less {decoding * 1e6:.0f} us of decoding, to {FLOOR_UVLOOP}"
            bounds.append(Bound(what, ratio, _MOST_TO_FLOOR_UVLOOP))
        generated = [
            contenders[name].cost for name in (OPENAPI_GENERATOR, OPENAPI_PYTHON_CLIENT) if name in contenders
        ]
        if generated:
            bounds.append(
                Bound(
                    f"{where}: ours to the best generated client", ours / min(generated), _MOST_TO_GENERATED
                )
            )
    many = {level.hosts: contenders for level, contenders in found.items() if level.hosts > 1}
    if len(many) > 1:
        few, most = min(many), max(many)
        growth = {name: many[most][name].cost / many[few][name].cost for name in (OURS, FLOOR)}
        what = f"{scheme}: ours at {most:,} hosts to {few:,}"
        bounds.append(Bound(what, growth[OURS], _MOST_GROWTH))
        # The two were measured at different minutes; what slows the machine slows the floor as well.
        bounds.append(Bound(f"{what}, beside {FLOOR}", growth[OURS] / growth[FLOOR], _MOST_GROWTH))
        if scheme == "plain":
            memory = many[most][OURS].memory / 1e3
            bounds.append(Bound(f"{scheme}: memory per host at {most:,}", memory, _MOST_MEMORY, " kB"))
    return bounds


def _numbers(level: Level, name: str, one: Found) -> dict[str, object]:
    return {
        "contender": name,
        "hosts": level.hosts,
        "at_once": level.at_once,
        "tls": level.tls,
        "cpu_us": one.cost * 1e6,
        "cpu_us_by_turn": [cost * 1e6 for cost in one.costs],
        "polls_per_second": median(one.rates),
        "p50_ms": percentile(one.latencies, 50) * 1e3,
        "p99_ms": percentile(one.latencies, 99) * 1e3,
        "memory_kb_per_host": one.memory / 1e3,
        "server_us": median(one.server) * 1e6,
    }
