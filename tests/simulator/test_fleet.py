"""Many hosts behind one process: independent of each other, and gone without a trace."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import threading
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import httpx
import pytest
from anyio import create_task_group

from srs_vsphere._http.tls_context import unused_context
from srs_vsphere.simulator import Settings, VirtualClock
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.fleet import SimFleet

OPEN_FILES = Path("/proc/self/fd")
#: The soak's short form is so many calls; its long form takes seconds: ``SRS_SOAK=60 pytest -k soak``.
CALLS = 1600
SOAK = float(os.environ.get("SRS_SOAK", "0"))
CLIENTS = 40


def open_files():
    return len(list(OPEN_FILES.iterdir()))


def login(http, host):
    response = http.post(f"{host.url}/api/auth/login", auth=("alice", "secret"))
    return {"X-SRS-API-KEY": response.headers["x-srs-api-key"]}


def test_hosts_share_nothing_but_clock_and_faults():
    with SimFleet(3, settings=Settings(quota=1), clock=VirtualClock()) as fleet, httpx.Client() as http:
        assert [host.name for host in fleet.hosts] == ["srs-0001", "srs-0002", "srs-0003"]
        assert len({host.url for host in fleet.hosts}) == 3
        keys = [login(http, host) for host in fleet.hosts]
        assert len({key["X-SRS-API-KEY"] for key in keys}) == 3
        assert http.get(f"{fleet.hosts[0].url}/api/runspaces", headers=keys[1]).status_code == 401
        created = [
            http.post(f"{host.url}/api/runspaces", json={}, headers=key)
            for host, key in zip(fleet.hosts, keys, strict=True)
        ]
        assert [response.status_code for response in created] == [202] * 3
        fleet.hosts[1].simulator.restart()
        assert [len(host.simulator.runspaces) for host in fleet.hosts] == [1, 0, 1]
        fleet.hosts[0].simulator.clock.advance(1800)
        assert [host.simulator.session_count for host in fleet.hosts] == [1, 0, 1]
        with fleet.faults.armed(Fault(host="srs-0003", status=503)):
            assert [http.get(f"{host.url}/api/about").status_code for host in fleet.hosts] == [200, 200, 503]
        with fleet.faults.armed(Fault(host="srs-0002", refuse=True)):
            with pytest.raises(httpx.ConnectError):
                http.get(f"{fleet.hosts[1].url}/api/about")
            assert http.get(f"{fleet.hosts[0].url}/api/about").status_code == 200
        assert fleet.hosts[0].traffic.seen == 5
        assert fleet.traffic.seen == sum(host.traffic.seen for host in fleet.hosts)
    assert fleet.traffic.open == 0


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_it_runs_on_a_running_loop_with_one_certificate_and_a_control_endpoint():
    async with SimFleet(2, tls=True, control=True) as fleet:
        assert all(host.url.startswith("https://127.0.0.1:") for host in fleet.hosts)
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=fleet.ca_file)) as http:
            for host in fleet.hosts:
                assert (await http.get(f"{host.url}/api/about")).status_code == 200
            await http.post(fleet.control_url, json={"host": "srs-0002", "status": 503})
            assert [(await http.get(f"{host.url}/api/about")).status_code for host in fleet.hosts] == [
                200,
                503,
            ]
        await fleet.wait_idle_async()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be 1 or more, not 0"),
        ({"n": 2, "port": 65535}, "port: there are no 2 ports from 65535 on"),
        ({"n": 1, "port": -1}, "port must be from 0 to 65535, not -1"),
    ],
)
def test_an_impossible_fleet_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SimFleet(**arguments)


RANDOM_FAULTS = [
    Fault(probability=0.02, reset="before"),
    Fault(probability=0.02, reset="after"),
    Fault(probability=0.02, reset="after", lost_answer=True),
    Fault(probability=0.02, status=503),
    Fault(probability=0.01, status=0),
    Fault(probability=0.02, cut_after=20),
    Fault(probability=0.02, trickle=(40, 0.001)),
    Fault(probability=0.02, delay=0.01),
    Fault(probability=0.01, lost_answer=True),
    Fault(probability=0.02, stale_session=True),
    Fault(probability=0.02, operation="runspaces.*", runspace_death=True),
    Fault(probability=0.01, restart=True),
    Fault(probability=0.05, full_quota=True),
]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.timeout(SOAK + 300)
@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="counts open files as Linux lists them")
async def test_soak_of_200_hosts_under_random_faults_leaves_nothing_behind():
    files, tasks = open_files(), asyncio.all_tasks()
    threads = {*threading.enumerate()}
    seen: Counter[object] = Counter()
    async with SimFleet(200, seed=1) as fleet:
        fleet.faults.extend(RANDOM_FAULTS)
        async with create_task_group() as clients:
            for number in range(CLIENTS):
                clients.start_soon(misuse, fleet, number, seen)
        await fleet.wait_idle_async()
        assert fleet.traffic.open == 0
        assert all(rule.hits for rule in fleet.faults.rules)
    assert open_files() <= files
    assert asyncio.all_tasks() <= tasks
    # The thread in which the waiting was done stays for the next one who waits.
    assert len({*threading.enumerate()} - threads) <= 1
    assert set(seen) >= EXPECTED


EXPECTED = {
    200,
    202,
    401,
    503,
    httpx.ConnectError,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.RemoteProtocolError,
}


async def misuse(fleet, number, seen):
    """Call some of the hosts at random; now and then one of them refuses connections."""
    dice = random.Random(number)
    hosts = fleet.hosts[number::CLIENTS]
    keys = {}
    end = time.monotonic() + SOAK
    calls = 0
    patience = 0.1
    async with httpx.AsyncClient(verify=unused_context()) as http:
        while calls < CALLS / CLIENTS or time.monotonic() < end:
            calls += 1
            host = dice.choice(hosts)
            refusal = Fault(host=host.name, refuse=True)
            try:
                with fleet.faults.armed(refusal) if dice.random() < 0.02 else nullcontext():
                    http.timeout = httpx.Timeout(60.0, read=patience)
                    answer = await call(http, host, keys, dice)
            except httpx.TransportError as error:
                seen[type(error)] += 1
                if isinstance(error, httpx.ReadTimeout):
                    # The answer was lost, or the machine is slow.
                    patience *= 2
            else:
                seen[answer.status_code] += 1
                if answer.status_code == 401:
                    del keys[host.name]


async def call(http, host, keys, dice):
    method, path = dice.choice([("GET", "runspaces"), ("GET", "about"), ("POST", "runspaces")])
    if host.name not in keys:
        answer = await http.post(f"{host.url}/api/auth/login", auth=("alice", "secret"))
        keys[host.name] = answer.headers.get("x-srs-api-key", "")
    return await http.request(
        method,
        f"{host.url}/api/{path}",
        json={} if method == "POST" else None,
        headers={"X-SRS-API-KEY": keys[host.name]},
    )
