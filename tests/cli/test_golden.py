"""Tables as they are printed, at 80 and at 200 columns; SRS_UPDATE_GOLDEN=1 writes the files anew."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from srs_vsphere.simulator import Fault, SimFleet, SimServer, Simulator, VirtualClock
from tests.cli.running import Shell

GOLDEN = Path(__file__).parent / "golden"
#: What is not the same in each run.
CHANGING = (
    (re.compile(r"srs-vsphere-[0-9a-f]{16}"), "srs-vsphere-0123456789abcdef"),
    (re.compile(r"fleet-[0-9a-f-]+"), "fleet-0123"),
    (re.compile(r"127\.0\.0\.1:\d{5}"), "127.0.0.1:12345"),
    (re.compile(r"\b\d+\.\ds\b"), "0.1s"),
)
#: One hour before UTC all year round.
ZONE = "XXX-1"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not take its zone from TZ")


@pytest.fixture
def srs(tmp_path):
    clock = VirtualClock(datetime(2026, 1, 31, 22, 30, tzinfo=UTC), auto=True)
    simulator = Simulator(users={"alice": "sesame-7Qx"}, clock=clock, seed=7)
    simulator.add_runspace(name="nightly report of all clusters in the second data center")
    simulator.add_runspace(name="名前のあるランスペース")
    simulator.add_runspace()
    no_pod = {"code": 500, "error_message": "Failed to create pod: the node is out of memory"}
    simulator.add_runspace(name="broken", state="error", error_details=no_pod)
    with SimServer(simulator) as server:
        yield Shell(server.url, tmp_path)


def check(name, text):
    for pattern, fixed in CHANGING:
        text = pattern.sub(fixed, text)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("SRS_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [80, 200])
def test_tables(srs, columns):
    where = {"COLUMNS": str(columns), "TZ": ZONE}
    check(f"runspace-ls-{columns}", srs.ok("runspace", "ls", **where))
    check(f"runspace-get-{columns}", srs.ok("runspace", "get", "broken", **where))
    check(f"template-ls-{columns}", srs.ok("template", "ls", **where))
    srs("run", "-c", "7", "--runspace", "名前のあるランスペース")
    srs("run", "-c", "throw 'no'", "--runspace", "名前のあるランスペース")
    check(f"script-ls-{columns}", srs.ok("script", "ls", **where))
    srs("console", "create")
    check(f"console-ls-{columns}", srs.ok("console", "ls", **where))


@pytest.mark.parametrize("columns", [80, 200])
def test_tables_of_a_fleet(tmp_path, columns):
    where = {"COLUMNS": str(columns), "TZ": ZONE}
    with SimFleet(3, users={"alice": "sesame-7Qx"}, clock=VirtualClock(auto=True)) as fleet:
        rows = "".join(f"{host.name},{host.url}\n" for host in fleet.hosts)
        (tmp_path / "hosts.csv").write_text(f"name,url\n{rows}")
        srs = Shell(fleet.hosts[0].url, tmp_path)
        fleet.hosts[0].simulator.add_runspace(user="alice")
        for operation in ("runspaces.list", "runspaces.create"):
            fleet.faults.add(Fault(host="srs-0003", operation=operation, status=500))
        polled = srs("fleet", "poll", "-f", "hosts.csv", **where)
        check(f"fleet-poll-{columns}", polled.stdout)
        run = srs("fleet", "run", "-f", "hosts.csv", "-c", "'some output'", "--timeout", "100s", **where)
        check(f"fleet-run-{columns}", run.stdout)
