"""Commands on many hosts: sweeps, scripts on each, and a watch that is ended by a signal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from srs_vsphere import SrsError
from srs_vsphere.cli.commands.fleet import poll, run, watch
from srs_vsphere.cli.main import main
from srs_vsphere.cli.options import Options
from srs_vsphere.cli.problems import UsageError, exit_code_of
from srs_vsphere.cli.script_source import Script
from srs_vsphere.fleet import SrsFleet
from srs_vsphere.simulator import Fault, SimFleet, VirtualClock
from tests.cli.running import PROGRAM, STRICT, Shell
from tests.fleet.helping import FullDisk


@pytest.fixture
def fleet():
    with SimFleet(3, users={"alice": "sesame-7Qx"}, clock=VirtualClock(auto=True)) as fleet:
        yield fleet


@pytest.fixture
def srs(fleet, tmp_path):
    hosts = "".join(f'[[target]]\nname = "{host.name}"\nurl = "{host.url}"\n' for host in fleet.hosts)
    (tmp_path / "hosts.toml").write_text(hosts)
    return Shell(fleet.hosts[0].url, tmp_path)


def test_poll(srs, fleet):
    fleet.hosts[1].simulator.add_runspace(user="alice", name="here")
    table = srs.ok("fleet", "poll", "-f", "hosts.toml").splitlines()
    assert table[0].split() == ["HOST", "RUNSPACES", "READY", "ERROR", "TOOK", "PROBLEM"]
    assert [line.split()[:3] for line in table[1:]] == [
        ["srs-0001", "0", "0"],
        ["srs-0002", "1", "1"],
        ["srs-0003", "0", "0"],
    ]
    reports = json.loads(srs.ok("fleet", "poll", "-f", "hosts.toml", "-o", "json"))
    assert [report["host"] for report in reports] == ["srs-0001", "srs-0002", "srs-0003"]
    assert reports[1]["runspaces"][0]["name"] == "here"


def test_a_host_that_fails_is_told_and_the_others_are_polled(srs, fleet):
    fleet.faults.add(Fault(host="srs-0002", operation="runspaces.list", status=500))
    done = srs("fleet", "poll", "-f", "hosts.toml", "-o", "ndjson")
    assert done.returncode == 1
    reports = {report["host"]: report for report in map(json.loads, done.stdout.splitlines())}
    assert [report["ok"] for _, report in sorted(reports.items())] == [True, False, True]
    assert reports["srs-0002"]["error"]["kind"] == "ServerError"


def test_run(srs, fleet):
    table = srs.ok("fleet", "run", "-f", "hosts.toml", "-c", "param($A) $A", "-p", "A=seven").splitlines()
    assert [line.split()[:2] + line.split()[3:] for line in table[1:]] == [
        [host.name, "succeeded", "seven"] for host in fleet.hosts
    ]
    partly = srs("fleet", "run", "-f", "hosts.toml", "-c", "Write-Error 'half'", "-o", "json")
    assert partly.returncode == 3
    results = json.loads(partly.stdout)
    assert [result["result"]["outcome"] for result in results] == ["succeeded_with_errors"] * 3
    assert srs("fleet", "run", "-f", "hosts.toml", "-c", "throw 'no'").returncode == 1
    assert all(not host.simulator.runspaces for host in fleet.hosts)


def test_a_journal_that_cannot_be_used_is_named(srs, fleet):
    words = ("fleet", "run", "-f", "hosts.toml", "-c", "1", "--journal")
    (srs.home / "other").write_text("{}\n")
    for name, message in (
        ("missing/journal", "--journal: missing/journal cannot be used: No such file or directory"),
        ("other", "--journal: other, line 1: this is no srs_vsphere fleet journal"),
    ):
        done = srs(*words, name)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"srs: {message}")
        assert done.stderr.count("\n") == 1
    assert all(host.simulator.scripts == () for host in fleet.hosts)


@pytest.fixture
def hosts(fleet, tmp_path, monkeypatch):
    """A file of hosts for a command that is called within the test."""
    monkeypatch.setenv("SRS_USERNAME", "alice")
    monkeypatch.setenv("SRS_PASSWORD", "sesame-7Qx")
    file = tmp_path / "hosts.csv"
    file.write_text("name,url\n" + "".join(f"{host.name},{host.url}\n" for host in fleet.hosts))
    return file


def test_what_was_run_is_shown_when_the_disk_is_full(hosts, tmp_path, monkeypatch, capsys):
    # Of the last host the end cannot be noted.
    FullDisk(tmp_path / "journal", 6, monkeypatch)
    with pytest.raises(SrsError, match="journal cannot be written: No space left") as caught:
        run(file=hosts, script=Script(command="'seven'"), journal=tmp_path / "journal")
    assert exit_code_of(caught.value) == 1
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]] == ["succeeded"] * 3


@pytest.mark.parametrize("output", ["table", "ndjson"])
def test_what_has_come_is_shown_when_ctrl_c_ends_it(hosts, monkeypatch, capsys, output):
    def poll_one(fleet):
        yield next(whole(fleet))
        raise KeyboardInterrupt

    whole = SrsFleet.poll
    monkeypatch.setattr(SrsFleet, "poll", poll_one)
    with pytest.raises(KeyboardInterrupt):
        poll(file=hosts, options=Options(output=output))
    assert capsys.readouterr().out.count("srs-000") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "-f: hosts.csv cannot be read: "),
        ("name,url\n", "-f: hosts.csv: it holds no target"),
        ("name,url\na,ftp://x\n", "-f: hosts.csv, line 2: "),
        ("name,url,thumbprint\na,https://x,12\n", "-f: hosts.csv, line 2: thumbprint must be"),
    ],
)
def test_a_file_of_hosts_that_is_wrong(srs, content, message):
    if content is not None:
        (srs.home / "hosts.csv").write_text(content)
    done = srs("fleet", "poll", "-f", "hosts.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_watch_tells_what_changes_until_it_is_told_to_end(srs, fleet):
    words = ("fleet", "watch", "-f", "hosts.toml", "--every", "200ms", "-o", "ndjson")
    with watching(srs, *words) as process:
        fleet.hosts[2].simulator.add_runspace(user="alice", name="new")
        created = next(event for event in events_of(process) if event["event"] == "RunspaceCreated")
        assert (created["host"], created["runspace"]["name"]) == ("srs-0003", "new")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=250)
    assert (process.returncode, err) == (143, "srs: terminated\n")


@contextmanager
def watching(srs, *words, options=STRICT):
    """The program, after the first sweep."""
    with subprocess.Popen(
        [sys.executable, *options, *PROGRAM, *words],
        env=srs.environment(),
        cwd=srs.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            # On a slow machine others end before it, in which hosts are passed over.
            assert 0 in (event["number"] for event in events_of(process) if event["event"] == "SweepEnded")
            yield process
        finally:
            process.kill()


def events_of(process):
    return map(json.loads, iter(process.stdout.readline, ""))


@pytest.fixture
def cluster(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    monkeypatch.setenv("SRS_USERNAME", "alice")
    monkeypatch.setenv("SRS_PASSWORD", "sesame-7Qx")
    with distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=":0", protocol="tcp", host="127.0.0.1"
    ) as cluster:
        yield cluster


def test_by_the_workers_of_a_dask_cluster(srs, cluster):
    words = ("fleet", "poll", "-f", "hosts.toml", "-o", "json", "--dask", cluster.scheduler_address)
    done = srs(*words, options=())
    assert done.returncode == 0, done
    assert [report["ok"] for report in json.loads(done.stdout)] == [True, True, True]


def test_a_watch_by_the_workers_of_a_dask_cluster(srs, fleet, cluster):
    words = ("fleet", "watch", "-f", "hosts.toml", "--every", "200ms", "-o", "ndjson")
    with watching(srs, *words, "--dask", cluster.scheduler_address, options=()) as process:
        fleet.hosts[2].simulator.add_runspace(user="alice", name="new")
        created = next(event for event in events_of(process) if event["event"] == "RunspaceCreated")
        assert (created["host"], created["runspace"]["name"]) == ("srs-0003", "new")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=250)
    assert process.returncode == 143
    assert err.splitlines()[-1] == "srs: terminated"
    assert "Traceback" not in err


def test_a_scheduler_that_is_not_there(srs, nowhere):
    address = nowhere.replace("http", "tcp")
    words = ("fleet", "poll", "-f", "hosts.toml", "--dask", address, "--timeout", "1s")
    # How long it is tried is Dask's own setting.
    done = srs(*words, options=(), DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="1s")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"srs: --dask: {address} cannot be reached: ")
    assert done.stderr.count("\n") == 1


def test_the_scheduler_is_waited_for_as_long_as_for_a_host(hosts, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    waited = []

    async def refuse(address, *, timeout, asynchronous):
        waited.append(timeout)
        raise OSError("refused")

    monkeypatch.setattr(distributed, "Client", refuse)
    for options in (Options(quiet=True), Options(quiet=True, timeout=1.0)):
        for command in (poll, watch):
            with pytest.raises(UsageError, match="tcp://a:1 cannot be reached: refused"):
                command(file=hosts, dask="tcp://a:1", options=options)
    assert waited == [10.0, 10.0, 1.0, 1.0]


def test_a_scheduler_that_hangs_ends_it_as_other_timeouts_do(hosts, monkeypatch, capsys):
    async def hang(*_):
        raise TimeoutError("the Dask scheduler has not answered for 60 s")

    monkeypatch.setattr("srs_vsphere.cli.commands.fleet._poll_by_dask", hang)
    monkeypatch.setattr("srs_vsphere.cli.main.end_on_signals", lambda: None)
    assert main(["fleet", "poll", "-f", str(hosts), "--dask", "tcp://a:1"]) == 8
    assert capsys.readouterr().err == "srs: the Dask scheduler has not answered for 60 s\n"
