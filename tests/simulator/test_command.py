"""The program: what it prints, how it ends, and what it says to bad input."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from srs_vsphere import BasicAuth, SrsClient
from srs_vsphere.simulator import command
from srs_vsphere.simulator.command import main
from tests.recorded_exchanges import shared_file
from tests.simulator.raw_client import ABOUT, RawClient


@contextmanager
def program(*arguments, lines=1, before=(), run=("-m", "srs_vsphere.simulator")):
    """Run the simulator as a program until the block ends; gives the process and its first lines."""
    process = subprocess.Popen(
        [sys.executable, *before, *run, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield process, [process.stdout.readline().rstrip("\n") for _ in range(lines)]
    finally:
        process.kill()
        process.communicate(timeout=60)


def end(process, how=signal.SIGTERM):
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_a_line_per_host_and_stops_cleanly(how):
    with program("--hosts", "3", "--user", "carol:pass:word", lines=3) as (process, lines):
        urls = [line.split()[0] for line in lines]
        assert [line.split()[1] for line in lines] == ["srs-0001", "srs-0002", "srs-0003"]
        assert len(set(urls)) == 3
        with httpx.Client() as http:
            for url in urls:
                assert http.post(f"{url}/api/auth/login", auth=("carol", "pass:word")).status_code == 200
            assert http.post(f"{urls[0]}/api/auth/login", auth=("alice", "secret")).status_code == 401
            assert end(process, how) == (0, "", "")


def test_json_names_everything_and_the_options_reach_the_simulator():
    faults = '[{"operation": "about", "nth": 2, "status": 503}]'
    arguments = ("--json", "--tls", "--control", "--quota", "1", "--runspaces", "1", "--fault", faults)
    with program(*arguments) as (process, lines):
        host = json.loads(lines[0])
        assert set(host) == {"url", "name", "thumbprint", "ca_file", "control"}
        with httpx.Client(verify=ssl.create_default_context(cafile=host["ca_file"])) as http:
            assert [http.get(f"{host['url']}/api/about").status_code for _ in range(2)] == [200, 503]
            login = http.post(f"{host['url']}/api/auth/login", auth=("alice", "secret"))
            key = {"X-SRS-API-KEY": login.headers["x-srs-api-key"]}
            (runspace,) = http.get(f"{host['url']}/api/runspaces", headers=key).json()
            assert runspace["name"] == "runspace-1"
            full = http.post(f"{host['url']}/api/runspaces", json={}, headers=key)
            assert full.json()["code"] == 2020
            assert http.get(host["control"]).json()[0]["hits"] == 1
        assert end(process) == (0, "", "")
        assert not Path(host["ca_file"]).exists()


def test_where_faults_are_changed_is_told_beside_the_lines():
    with program("--control") as (process, lines):
        assert lines[0].startswith("http://127.0.0.1:")
        status, out, err = end(process)
        assert (status, out) == (0, "")
        assert err.startswith("faults are changed at http://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hosts", "0"], "--hosts must be 1 or more, not 0"),
        (["--hosts", "-3"], "--hosts must be 1 or more, not -3"),
        (["--hosts", "many"], "argument --hosts: invalid int value: 'many'; --help says more"),
        (["--port", "65536"], "port must be from 0 to 65535, not 65536"),
        (["--port", "-1"], "port must be from 0 to 65535, not -1"),
        (["--port", "65535", "--hosts", "2"], "port: there are no 2 ports from 65535 on"),
        (["--control-port", "70000"], "port must be from 0 to 65535, not 70000"),
        (["--quota", "-1"], "quota"),
        (["--runspaces", "-1"], "--runspaces must be 0 or more, not -1"),
        (["--speed", "0"], "speed must be a positive number, not 0.0"),
        (["--user", "alice"], "--user must be NAME:PASSWORD"),
        (["--user", ":x"], "--user must be NAME:PASSWORD"),
        (["--user", "a:1", "--user", "a:2"], "--user: a user is there twice"),
        (["--fault", "{"], "--fault: a fault must be JSON"),
        (["--fault", '{"status": 99}'], "--fault: status must be 0 or from 200 to 599, not 99"),
        (["--fault", '{"refuse": true, "nth": 1}'], "nth is impossible with refuse on a real server"),
        (["--fault", "@/does/not/exist"], "/does/not/exist"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, message, capsys):
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("srs-simulator: ")
    assert err.count("\n") == 1


def test_a_password_is_not_repeated(capsys):
    assert main(["--user", ":hunter2"]) == 2
    assert "hunter2" not in capsys.readouterr().err


def test_a_taken_port_is_one_line_and_status_2_and_nothing_is_half_started(capsys):
    with free_port_before_a_taken_one() as port:
        assert main(["--port", str(port), "--hosts", "2"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"srs-simulator: cannot listen on 127.0.0.1:{port + 1}: ")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


@contextmanager
def free_port_before_a_taken_one():
    """Below the ports that the kernel hands out, where nobody takes one by chance."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, socket.socket() as taken:
            try:
                probe.bind(("127.0.0.1", port))
                taken.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            probe.close()
            taken.listen()
            yield port
            return
    raise AssertionError("no port is free")


def test_faults_may_stand_in_a_file(tmp_path):
    file = tmp_path / "faults.json"
    file.write_text('[{"operation": "about", "status": 503}, {"reset": "after"}]')
    options = command._parser().parse_args(
        ["--fault", f"@{file}", "--fault", '{"refuse": true}', "--seed", "7"]
    )
    fleet = command._fleet(options)
    assert [fault.status for fault in fleet.faults.faults] == [503, None, None]


@pytest.mark.parametrize("error", [NotImplementedError(), OSError()])
def test_no_message_is_empty(error, monkeypatch, capsys):
    def fail(*_):
        raise error

    monkeypatch.setattr(command, "_fleet", fail)
    assert main([]) == 2
    assert capsys.readouterr().err == f"srs-simulator: {type(error).__name__}\n"


def test_it_serves_where_the_system_is_windows():
    wrapper = shared_file("tools/as_on_windows.py")
    with program(before=[str(wrapper)]) as (process, lines):
        assert httpx.get(lines[0].split()[0] + "/api/about").status_code == 200
        assert end(process) == (0, "", "")


BLOCKED = """
import re, sys
from srs_vsphere.simulator import Simulator, command
command._GRACE = 1
Simulator.handle = lambda *_, **__: print("blocked", flush=True) or re.match("(a+)+$", "a" * 99 + "!")
sys.exit(command.main([]))
"""


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="this system has no alarm signal")
def test_the_signal_ends_a_program_that_does_not_get_round_to_it():
    with program(run=["-c", BLOCKED]) as (process, lines):
        with RawClient(int(lines[0].split()[0].rpartition(":")[2])) as client:
            client.send(ABOUT)
            assert process.stdout.readline() == "blocked\n"
            assert end(process) == (-signal.SIGALRM, "", "")


FEW_FILES = """
import resource, sys
from srs_vsphere.simulator.command import main
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
sys.exit(main([]))
"""


def test_without_file_descriptors_clients_wait_and_nothing_is_said_twice():
    pytest.importorskip("resource", reason="this system has no limits of that kind")
    with program(run=["-c", FEW_FILES]) as (process, lines), ExitStack() as clients:
        port = int(lines[0].split()[0].rpartition(":")[2])
        waiting = [clients.enter_context(RawClient(port)) for _ in range(60)]
        warning = process.stderr.readline()
        assert warning.startswith("srs-0001 accepts no connections for now: ")
        for client in waiting:
            # Each that is answered and leaves makes room for another.
            with client:
                assert client.ask(ABOUT)[0] == 200
        assert end(process) == (0, "", "")


REFUSED = "simulator: line 1: the command Get-VM is not understood"


@pytest.mark.parametrize(("arguments", "reason"), [((), ""), (("--unknown-scripts", "fail"), REFUSED)])
def test_scripts_that_are_not_understood_succeed_unless_it_is_told_otherwise(arguments, reason):
    with program("--speed", "50", *arguments) as (_, lines):
        with SrsClient(lines[0].split()[0], auth=BasicAuth("alice", "secret")) as client:
            result = client.run("Get-VM")

    assert ((result.reason or "")[: len(REFUSED)], result.output) == (reason, "")


def test_the_seed_makes_ids_repeatable():
    with program("--seed", "7", "--runspaces", "1") as (_, first):
        one = runspaces(first[0])
    with program("--seed", "7", "--runspaces", "1") as (_, second):
        assert runspaces(second[0]) == one
    with program("--seed", "8", "--runspaces", "1") as (_, third):
        assert runspaces(third[0]) != one


def runspaces(line):
    url = line.split()[0]
    login = httpx.post(f"{url}/api/auth/login", auth=("alice", "secret"))
    listed = httpx.get(f"{url}/api/runspaces", headers={"X-SRS-API-KEY": login.headers["x-srs-api-key"]})
    return [runspace["id"] for runspace in listed.json()]
