"""What a poll costs: one worker on one core asks services for their five runspaces, again and again."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from srs_vsphere.simulator.certificate import make_certificate
from tests.benchmarks.contenders import AIOHTTP, OURS
from tests.benchmarks.generated import Peers
from tests.benchmarks.measuring import Process, cores
from tests.benchmarks.places import Places
from tests.benchmarks.polling_client import Opened, Turn, poll_when_told
from tests.benchmarks.polling_report import Found, Level, report
from tests.benchmarks.results import Result, say
from tests.benchmarks.server import Cost, serve

#: A turn takes about this long, but every place is polled at least once in it.
_SECONDS = 0.3
_SECONDS_QUICK = 0.1
_ROUNDS = 5
_AT_ONCE = 200
_FIRST_PORT = 20_000


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    certificate = make_certificate()
    with tempfile.TemporaryDirectory(prefix="srs-bench-") as folder:
        ca_file = Path(folder) / "ca.pem"
        ca_file.write_bytes(certificate.pem)
        key_file = Path(folder) / "key.pem"
        key_file.write_bytes(certificate.key + certificate.pem)
        found: dict[Level, dict[str, Found]] = {}
        for level in _levels(quick=quick):
            found[level] = _measure(level, peers, str(key_file), str(ca_file), quick=quick)
            # A sign of life, and what is known if somebody's patience ends here.
            ours, peer = (found[level][name].cost * 1e6 for name in (OURS, AIOHTTP))
            say(f"... {level}, {'TLS' if level.tls else 'plain'}: {ours:.0f} us, {AIOHTTP} {peer:.0f} us")
    return report(found, peers.missing)


def _levels(*, quick: bool) -> list[Level]:
    loads = [(1, 1), (1, 20), (1, 200), (200, _AT_ONCE), (1000, _AT_ONCE)]
    if quick:
        return [Level(*load, tls=False) for load in loads] + [Level(1, 20, tls=True)]
    return [Level(*load, tls=tls) for tls in (False, True) for load in [*loads, (4000, _AT_ONCE)]]


def _measure(level: Level, peers: Peers, key_file: str, ca_file: str, *, quick: bool) -> dict[str, Found]:
    client_core, server_core = cores()
    names = level.contenders(peers, quick=quick)
    seconds = _SECONDS_QUICK if quick else _SECONDS
    with ExitStack() as stack:
        # Each has a server process of its own, all on one core: one alone may not open so many sockets.
        servers: dict[str, Process] = {}
        clients: dict[str, Process] = {}
        found: dict[str, Found] = {}
        repeats: dict[str, int] = {}
        for number, name in enumerate(names):
            port = _FIRST_PORT + number * level.hosts
            server = Process(serve, level.hosts, port, key_file if level.tls else None, core=server_core)
            servers[name] = stack.enter_context(server)
        for name, server in servers.items():
            ports = cast("list[int]", server.ready)
            places = Places(ports, level.at_once, ca_file if level.tls else None, peers)
            client = Process(poll_when_told, name, places, core=client_core)
            clients[name] = stack.enter_context(client)
            opened = cast("Opened", client.ready)
            found[name] = Found(opened.memory / level.hosts)
            repeats[name] = max(1, round(seconds / opened.cost / max(level.hosts, level.at_once)))
        for _ in range(_ROUNDS):
            for name in names:
                before = cast("Cost", servers[name].ask("cost"))
                turn = cast("Turn", clients[name].ask(repeats[name]))
                after = cast("Cost", servers[name].ask("cost"))
                found[name].costs.append(turn.cost)
                found[name].rates.append(turn.rate)
                found[name].latencies += turn.latencies
                found[name].server.append(after.each(before))
    return found
