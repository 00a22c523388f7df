"""The fleet's examples run, as a reader would run them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from srs_vsphere.simulator import Fault, ScriptCall, ScriptReply, SimFleet, VirtualClock
from tests.test_examples import EXAMPLES

#: A crash is a SIGKILL here; Windows has no signal to send to one process.
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no signal to send to one process")


def start(name: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", EXAMPLES / name, *arguments],
        env={
            **os.environ,
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SRS_USERNAME": "alice",
            "SRS_PASSWORD": "sesame-7Qx",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(name: str, *arguments: str | Path) -> tuple[int, str, str]:
    with start(name, *arguments) as process:
        try:
            out, err = process.communicate(timeout=250)
        finally:
            process.kill()
    return process.returncode, out, err


@pytest.fixture
def hosts() -> Iterator[SimFleet]:
    with SimFleet(8, users={"alice": "sesame-7Qx"}, clock=VirtualClock(auto=True)) as fleet:
        yield fleet


@pytest.fixture
def file(hosts: SimFleet, tmp_path: Path) -> Path:
    file = tmp_path / "hosts.csv"
    file.write_text("name,url\n" + "".join(f"{host.name},{host.url}\n" for host in hosts.hosts))
    return file


@posix
def test_watch_fleet(hosts: SimFleet, file: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"

    def lines(until: str) -> list[str]:
        assert process.stdout is not None
        found: list[str] = []
        while not found or not re.fullmatch(until, found[-1]):
            found.append(process.stdout.readline().strip())
            assert found[-1], process.communicate(timeout=250)
        return found

    def told(lines: list[str]) -> list[str]:
        return [line for line in lines if not line.startswith(("sweep ", "the interval "))]

    with start("watch_fleet.py", file, state, "0.3") as process:
        try:
            # On a slow machine other sweeps may end before the first.
            assert told(lines("sweep 0: 8 hosts, 0 failed, .*")) == []
            made = hosts.hosts[2].simulator.add_runspace(name="nächtlich")
            assert "srs-0003: nächtlich created" in lines("srs-0003: nächtlich ready")
            # A sweep later, what was told is in the saved state.
            lines("sweep .*")
            lines("sweep .*")
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=250)[1] == ""
        finally:
            process.kill()
    assert process.returncode == 0
    hosts.hosts[2].simulator.kill_runspace(made)
    with start("watch_fleet.py", file, state, "0.3") as process:
        try:
            assert told(lines("sweep 0.*")) == ["srs-0003: nächtlich gone"]
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=250)[1] == ""
        finally:
            process.kill()
    hosts.wait_idle()


def test_run_everywhere(hosts: SimFleet, file: Path, tmp_path: Path) -> None:
    for host in hosts.hosts:
        host.simulator.on_script(re.compile("Get-VM"), ScriptReply(output=[{"Name": host.name}]))
    hosts.faults.add(Fault(host="srs-0008", operation="runspaces.create", status=400))
    journal = tmp_path / "journal"
    code, out, err = run("run_everywhere.py", file, journal, "Get-VM")
    assert sorted(out.splitlines()) == [
        f"srs-000{n} succeeded [{{'Name': 'srs-000{n}'}}]" for n in range(1, 8)
    ]
    assert code == 1
    assert err.startswith("runspaces.create on 127.0.0.1")
    hosts.faults.clear()
    assert run("run_everywhere.py", file, journal, "Get-VM") == (
        0,
        "srs-0008 succeeded [{'Name': 'srs-0008'}]\n",
        "",
    )
    assert run("run_everywhere.py", file, journal, "Get-VM") == (0, "", "")
    code, out, err = run("run_everywhere.py", file.with_name("none.csv"), journal, "Get-VM")
    assert (code, out) == (1, "")
    assert "none.csv" in err
    hosts.wait_idle()


@posix
def test_a_crash_repeats_nothing(hosts: SimFleet, file: Path, tmp_path: Path) -> None:
    calls: dict[str, int] = {}
    lock = threading.Lock()
    begun = threading.Semaphore(0)

    def counter(name: str):
        def count(call: ScriptCall) -> ScriptReply:
            with lock:
                calls[name] = calls.get(name, 0) + 1
            begun.release()
            return ScriptReply(output=[name])

        return count

    for host in hosts.hosts:
        host.simulator.on_script(re.compile("Get-VM"), counter(host.name))
    # Of half of them the program knows no end when it dies.
    for host in hosts.hosts[::2]:
        hosts.faults.add(Fault(host=host.name, operation="script_executions.get", delay=3600))
    journal = tmp_path / "journal"
    with start("run_everywhere.py", file, journal, "Get-VM") as process:
        assert process.stdout is not None
        done = [process.stdout.readline().split()[0] for _ in range(4)]
        for _ in hosts.hosts:
            assert begun.acquire(timeout=60)
        process.kill()
    hosts.faults.clear()
    assert sorted(done) == ["srs-0002", "srs-0004", "srs-0006", "srs-0008"]
    code, out, err = run("run_everywhere.py", file, journal, "Get-VM")
    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == [f"srs-000{n} ran before: success" for n in (1, 3, 5, 7)]
    assert calls == {host.name: 1 for host in hosts.hosts}
    ended = {line["host"] for line in map(json.loads, journal.read_text().splitlines()) if "ended" in line}
    assert ended == set(calls)


def test_sweep_dask(hosts: SimFleet, file: Path) -> None:
    pytest.importorskip("distributed", reason="the example's engine")
    for host in hosts.hosts:
        host.simulator.add_runspace()
    hosts.faults.add(Fault(host="srs-0002", operation="runspaces.list", status=500))
    code, out, _ = run("sweep_dask.py", file)
    lines = sorted(out.splitlines())
    assert code == 1
    assert [line for line in lines if "srs-0002" not in line] == [
        f"srs-000{n} 1 runspaces" for n in (1, 3, 4, 5, 6, 7, 8)
    ]
    assert "HTTP 500" in lines[1]
    assert "sesame-7Qx" not in out
    hosts.wait_idle()


def test_sweep_taskiq_over_tls(tmp_path: Path) -> None:
    pytest.importorskip("taskiq", reason="the example's engine")
    pytest.importorskip("cryptography", reason="the simulator's certificate is made with it")
    with SimFleet(2, users={"alice": "sesame-7Qx"}, tls=True) as hosts:
        lines = [f"{host.name},{host.url},{hosts.ca_file}\n" for host in hosts.hosts]
        file = tmp_path / "hosts.csv"
        file.write_text("name,url,ca_file\n" + "".join(lines))
        code, out, err = run("sweep_taskiq.py", file)
        assert (code, err) == (0, "")
        assert sorted(out.splitlines()) == [f"srs-000{n} 0 runspaces" for n in (1, 2)]


def test_sweep_taskiq(hosts: SimFleet, file: Path) -> None:
    pytest.importorskip("taskiq", reason="the example's engine")
    code, out, err = run("sweep_taskiq.py", file)
    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == [f"srs-000{n} 0 runspaces" for n in range(1, 9)]
    hosts.wait_idle()
