"""A real PowerShell behind the simulator, or a stand-in that replays one: the same tests for both."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from threading import Event

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere import AsyncSrsClient, BasicAuth, RetryPolicy, SrsClient
from srs_vsphere.simulator import (
    ScriptReply,
    SimApp,
    SimFleet,
    SimServer,
    SimTransport,
    Simulator,
    SyncSimTransport,
    SystemClock,
    VirtualClock,
)
from srs_vsphere.simulator.bodies import ParameterBody
from srs_vsphere.simulator.powershell_host import hosts, process
from srs_vsphere.simulator.powershell_host.program import HOST_SCRIPT
from srs_vsphere.simulator.powershell_host.protocol import End, Ready, Record, read_event, write_run
from tests.recorded_exchanges import shared_file
from tests.simulator.hosting import PATIENCE, HostCaller, real_powershell, save, stand_in
from tests.simulator.test_command import end, program

AUTH = BasicAuth("alice", "secret")
SLEEP = "'a'; Start-Sleep 20; 'b'"
DIE = "[Environment]::Exit(4)"
MANY = "1..60 | % { Write-Warning $_ }"
OTHERS = [
    (
        MANY,
        [],
        [{"event": "record", "stream": "warning", "message": str(n)} for n in range(1, 61)],
        "success",
        "",
    ),
]


def transcript():
    """Return the exchanges of a real host process: what was sent and what came."""
    return json.loads(shared_file("api/pwsh-host-transcript.json").read_text("utf-8"))


@pytest.fixture(params=["stand-in", "pwsh"])
def powershell(request, tmp_path):
    """The program behind the simulator."""
    if request.param == "pwsh":
        if real_powershell() is None:
            pytest.skip("pwsh is not installed")
        return "pwsh"
    recorded = shared_file("api/pwsh-host-transcript.json")
    return stand_in(recorded, save(tmp_path / "others.json", *OTHERS))


@pytest.fixture
def caller(powershell):
    caller = HostCaller(powershell)
    with caller.simulator:
        yield caller


@pytest.fixture
def runspace(caller):
    return caller.ready_runspace()


def first_line(text):
    return None if text is None else text.split("\n")[0]


def has_ended(host):
    host.join(PATIENCE)
    return not host._process._waiter.is_alive()


def test_what_a_real_process_said_is_what_the_service_says(caller, runspace):
    for exchange in transcript():
        if not exchange["send"] or "exit" in exchange["receive"][-1]:
            continue
        command, *more = exchange["send"]
        parameters = [
            {key: value for key, value in parameter.items() if key != "date"}
            for parameter in command["parameters"]
        ]
        execution = caller.run(
            runspace,
            command["script"],
            output_objects_format=command["format"],
            script_parameters=parameters,
        )
        if more:
            assert caller.call("POST", f"/api/script-executions/{execution}/cancel")[0] == 200
        found = caller.finish(execution)
        *records, told = exchange["receive"]
        assert found["state"] == told["state"], exchange
        reason = first_line(told["reason"])
        if "parameter" in told:
            assert first_line(found["reason"]) == (
                f"An error occurred durgin execution of argument transformation for parameter 'p': {reason}"
            )
        else:
            assert first_line(found.get("reason")) == reason
        expected = told["objects"] if command["format"] == "json" else [told["text"]]
        assert caller.output(execution) == expected
        for stream in ("error", "warning", "information", "verbose", "debug"):
            messages = [record["message"] for record in records if record["stream"] == stream]
            assert caller.messages(execution, stream) == messages


def test_of_each_stream_the_newest_fifty_records_are_kept(caller, runspace):
    execution = caller.run(runspace, MANY)
    assert caller.finish(execution)["state"] == "success"
    assert caller.messages(execution, "warning") == [str(number) for number in range(11, 61)]


def test_while_it_runs_the_service_says_what_it_always_says(caller, runspace):
    execution = caller.run(runspace, SLEEP)
    assert caller.get(f"/api/script-executions/{execution}/output")[0] == 404
    caller.simulator.clock.advance(0.6)
    assert caller.get(f"/api/script-executions/{execution}")[1]["state"] == "running"
    assert caller.output(execution) == [None]
    status, refused = caller.call(
        "POST", "/api/script-executions", {"runspace_id": runspace, "script": "1..3"}
    )
    assert (status, refused["code"]) == (500, 1310)
    assert refused["error_message"] == f"Another script with id '{execution}' is running"
    assert caller.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"
    caller.call("POST", f"/api/script-executions/{execution}/cancel")
    found = caller.finish(execution)
    assert found["state"] == "canceled"
    assert "The pipeline has been stopped" in found["reason"]
    assert caller.output(execution) == [""]


def test_the_times_are_the_clocks(caller, runspace):
    execution = caller.run(runspace, "1..3")
    caller.wait_for_news()
    found = caller.finish(execution)
    # The test has moved the clock since, but not while the process worked.
    assert found["start_time"] == found["end_time"]


def test_one_that_has_died_is_an_unreachable_runspace(caller, runspace):
    execution = caller.run(runspace, DIE)
    found = caller.finish(execution)
    while found["state"] == "running":
        found = caller.finish(execution)
    assert found["state"] == "error"
    assert found["reason"].startswith("Runspace where script runs doesn't respond.")
    assert caller.output(execution) == [None]
    status, refused = caller.call("POST", "/api/script-executions", {"runspace_id": runspace, "script": "1"})
    assert (status, refused["code"], refused["error_message"]) == (
        0,
        1000,
        "Error calling Post: Connection refused",
    )
    assert caller.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"
    assert caller.call("DELETE", f"/api/runspaces/{runspace}")[0] == 200


def delete(caller, runspace):
    assert caller.call("DELETE", f"/api/runspaces/{runspace}")[0] == 200


def kill(caller, runspace):
    caller.simulator.kill_runspace(runspace)


def restart(caller, runspace):
    caller.simulator.restart()


def close(caller, runspace):
    caller.simulator.close()


def outlast_the_idle_limit(caller, runspace):
    caller.simulator.clock.advance(10_000)
    assert caller.get("/api/about")[0] == 200


def log_out(caller, runspace):
    assert caller.call("POST", "/api/auth/logout")[0] == 200
    caller.simulator.clock.advance(61)
    assert caller.get("/api/about")[0] == 200


ENDS = [delete, kill, restart, close, outlast_the_idle_limit, log_out]


@pytest.mark.parametrize("end", ENDS, ids=[end.__name__ for end in ENDS])
def test_a_process_ends_with_its_runspace(caller, runspace, end):
    host = caller.host(runspace)
    end(caller, runspace)
    assert has_ended(host)


def test_a_script_that_runs_for_too_long_ends_with_its_runspace(caller, runspace):
    host = caller.host(runspace)
    execution = caller.run(runspace, SLEEP)
    for _ in range(4):
        # Not so long at once that the session ends too.
        caller.simulator.clock.advance(930)
        status = caller.get(f"/api/runspaces/{runspace}")[0]
    assert status == 404
    assert has_ended(host)
    assert caller.finish(execution)["reason"].startswith("Runspace where script runs doesn't respond.")


def test_a_runspace_that_nobody_asks_for_ends_in_time_all_the_same(powershell):
    caller = HostCaller(powershell)
    with caller.simulator:
        host = caller.host(caller.create_runspace())
        caller.simulator.clock.advance(10_000)
        # Nothing but the simulator's own thread looks at the clock from here on.
        assert has_ended(host)


def test_what_fails_while_nobody_asks_is_logged_and_the_next_look_comes(monkeypatch, caplog):
    monkeypatch.setattr(hosts, "_INTERVAL", 0.001)
    end, looks = Event(), []

    def look():
        looks.append(1)
        if len(looks) == 2:
            end.set()
        raise ZeroDivisionError("a bug")

    hosts._watch(lambda: look, end)
    assert [record.getMessage() for record in caplog.records] == [
        "what is due in the simulator fails: ZeroDivisionError: a bug"
    ] * 2
    # Where nobody has the simulator any more there is nothing to look at.
    hosts._watch(lambda: None, Event())


def test_a_process_ends_with_the_simulator_that_nobody_has_any_more(powershell):
    simulator = Simulator(powershell=powershell)
    simulator.add_runspace()
    (host,) = simulator._gateway.hosts._hosts
    del simulator
    gc.collect()
    assert has_ended(host)


def test_a_process_ends_with_the_server(powershell):
    simulator = Simulator(powershell=powershell)
    with SimServer(simulator):
        simulator.add_runspace()
        (host,) = simulator._gateway.hosts._hosts
    assert has_ended(host)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks there")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_that_ends_leaves_the_processes(caller, runspace):
    child = os.fork()
    if child == 0:
        try:
            caller.simulator.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert caller.finish(caller.run(runspace, "1..3"))["state"] == "success"


def test_a_runspace_that_is_connected_disconnects_before_its_process_ends(caller):
    runspace = caller.ready_runspace(run_vc_connection_script=True)
    caller.simulator.clock.advance(2)
    assert caller.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"
    host = caller.host(runspace)
    caller.call("DELETE", f"/api/runspaces/{runspace}")
    caller.simulator.clock.advance(2)
    names = [script["name"] for script in caller.get("/api/script-executions")[1]]
    assert sorted(names) == ["disconnectallservers", "powerclivclogin"]
    assert has_ended(host)


@pytest.fixture
def disconnecting():
    """A caller, the host of a runspace that is deleted, and the script that disconnects it."""
    caller = HostCaller(stand_in())
    with caller.simulator:
        runspace = caller.ready_runspace(run_vc_connection_script=True)
        caller.simulator.clock.advance(2)
        assert caller.get(f"/api/runspaces/{runspace}")[1]["state"] == "ready"
        host = caller.host(runspace)
        delete(caller, runspace)
        yield caller, host


def test_a_process_whose_runspace_is_disconnecting_ends_with_a_restart(disconnecting):
    caller, host = disconnecting
    caller.simulator.restart()
    assert has_ended(host)


def test_a_registered_behaviour_comes_first(caller, runspace):
    seen = []

    def reply(call):
        seen.append(call)
        return ScriptReply(output=["mine"])

    caller.simulator.on_script("Get-VM", reply)
    carried = (
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><S>x</S></Objs>'
    )
    carrier = "param($argument) ,[System.Management.Automation.PSSerializer]::Deserialize($argument)"
    execution = caller.run(
        runspace,
        "Get-VM",
        script_parameters=[
            {"name": "plain", "value": 5},
            {"name": "switch"},
            {"name": "carried", "value": carried, "script": carrier},
            {"name": "bad", "value": "<", "script": carrier},
            {"name": "made", "value": "3", "script": "param($argument) [int]$argument"},
        ],
    )
    assert caller.finish(execution)["state"] == "success"
    assert caller.output(execution) == ["mine"]
    assert seen[0].parameters == {"plain": 5, "switch": True, "carried": "x", "bad": "<", "made": "3"}


def test_a_value_too_deep_for_the_process_is_an_error_that_says_so(caller, runspace):
    value = json.loads("[" * 60 + "]" * 60)
    execution = caller.run(runspace, "1..3", script_parameters=[{"name": "p", "value": value}])
    found = caller.finish(execution)
    assert found["state"] == "error"
    assert found["reason"].startswith("simulator: the value of the parameter 'p' has more than 56 levels")


# Processes that do not do what they should; these need no PowerShell.


def test_a_process_that_does_not_begin_is_a_runspace_in_error_with_its_last_words():
    caller = HostCaller([sys.executable, "-c", "import sys; sys.exit('it lacks a library')"])
    runspace = caller.ready_runspace()
    found = caller.get(f"/api/runspaces/{runspace}")[1]
    assert found["state"] == "error"
    assert found["error_details"]["code"] == 500
    assert found["error_details"]["error_message"] == (
        f"K8s Pod with ID '{runspace}' failed: the process ended with status 1: it lacks a library"
    )
    delete(caller, runspace)


def test_a_program_that_cannot_be_started_is_a_runspace_in_error(tmp_path):
    bad = tmp_path / ("bad.exe" if os.name == "nt" else "bad")
    bad.write_bytes(b"\x00")
    bad.chmod(0o755)
    caller = HostCaller(str(bad))
    runspace = caller.create_runspace()
    caller.simulator.clock.advance(1)
    found = caller.get(f"/api/runspaces/{runspace}")[1]
    assert found["state"] == "error"
    assert str(bad) in found["error_details"]["error_message"]
    with pytest.raises(OSError, match="bad"):
        caller.simulator.add_runspace()


def test_a_process_that_never_gets_ready_is_given_up():
    caller = HostCaller([sys.executable, "-c", "import time; time.sleep(1000)"])
    with caller.simulator:
        runspace = caller.create_runspace()
        host = caller.host(runspace)
        caller.simulator.clock.advance(300)
        assert caller.get(f"/api/runspaces/{runspace}")[1]["state"] == "creating"
        caller.simulator.clock.advance(301)
        found = caller.get(f"/api/runspaces/{runspace}")[1]
        assert found["error_details"]["error_message"].endswith("failed: it was not ready after 600 s")
        assert has_ended(host)


def test_a_ctrl_c_while_a_process_begins_ends_it(monkeypatch):
    begun, threads = [], []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            begun.append(self)

    class Interrupted(threading.Thread):
        def start(self):
            super().start()
            threads.append(self)
            if len(threads) == 2:
                raise KeyboardInterrupt

    ended = Event()
    monkeypatch.setattr(subprocess, "Popen", Popen)
    monkeypatch.setattr(process, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.HostProcess([sys.executable, "-c", "input()"], print, lambda words: ended.set())
    assert begun[0].returncode is not None
    assert ended.wait(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_program_that_is_not_there_is_refused_with_the_way_to_get_it():
    with pytest.raises(
        FileNotFoundError, match=r"powershell: the PATH has no program 'no-such-pwsh'; https://"
    ):
        Simulator(powershell="no-such-pwsh")
    with pytest.raises(FileNotFoundError, match=r"powershell: there is no file '/no/such/pwsh'; https://"):
        Simulator(powershell="/no/such/pwsh")
    for nothing in ("", []):
        with pytest.raises(ValueError, match="powershell must name a program, such as 'pwsh'"):
            Simulator(powershell=nothing)


def test_a_virtual_clock_is_refused_beside_it():
    with pytest.raises(ValueError, match="powershell: a real program takes real time"):
        Simulator(powershell=sys.executable, clock=VirtualClock())


# Doors


def clock():
    return SystemClock(20)


def test_it_works_through_a_server(powershell):
    with SimServer(Simulator(powershell=powershell, clock=clock())) as server:
        with SrsClient(server.url, auth=AUTH) as client:
            assert client.run("1..3", width=None).output == "1\n2\n3"


def test_it_works_in_process(powershell):
    with Simulator(powershell=powershell, clock=clock()) as simulator:
        with SrsClient("http://srs.test", auth=AUTH, transport=SyncSimTransport(simulator)) as client:
            assert client.run("1..3", width=None).output == "1\n2\n3"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "door",
    [SimTransport, lambda simulator: httpx.ASGITransport(SimApp(simulator))],
    ids=["transport", "asgi"],
)
async def test_it_works_on_either_event_loop(powershell, door):
    with Simulator(powershell=powershell, clock=clock()) as simulator:
        async with AsyncSrsClient("http://srs.test", auth=AUTH, transport=door(simulator)) as client:
            assert (await client.run("1..3", width=None)).output == "1\n2\n3"


def test_it_works_behind_a_fleet(powershell):
    with SimFleet(2, powershell=powershell, clock=clock()) as fleet:
        for host in fleet.hosts:
            with SrsClient(host.url, auth=AUTH) as client:
                assert client.run("1..3", width=None).output == "1\n2\n3"
        processes = [process for host in fleet.hosts for process in host.simulator._gateway.hosts._hosts]
    assert [has_ended(process) for process in processes] == [True, True]


@pytest.mark.skipif(real_powershell() is None, reason="pwsh is not installed")
def test_results_come_as_values_too():
    with Simulator(powershell="pwsh", clock=clock()) as simulator:
        with SrsClient("http://srs.test", auth=AUTH, transport=SyncSimTransport(simulator)) as client:
            result = client.run(
                "param($p) @{ a = @(1, @{ b = $p }) }", parameters={"p": [1, 2]}, output="json"
            )
    assert result.output == [{"a": [1, {"b": [1, 2]}]}]


# The program


@pytest.fixture
def program_command(tmp_path):
    """A program of one name that replays a transcript."""
    if os.name == "nt":
        pytest.skip("a program of one file that is Python is a shell script here")
    path = tmp_path / "stand-in"
    command = " ".join(stand_in(tmp_path / "told.json"))
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("how", "system"),
    [
        (signal.SIGTERM, "this"),
        (getattr(signal, "SIGKILL", signal.SIGTERM), "this"),
        (signal.SIGTERM, "windows"),
    ],
)
def test_the_program_says_what_it_does_and_leaves_no_process(program_command, tmp_path, how, system):
    before = [str(shared_file("tools/as_on_windows.py"))] if system == "windows" else []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        connect = {"connect": listening.getsockname()[1]}
        save(
            tmp_path / "told.json",
            ("stay", [{"op": "stop"}], [], "canceled", ""),
            ("call", [], [connect], "success", "hi"),
        )
        arguments = ("--powershell", str(program_command), "--speed", "20")
        with program(*arguments, before=before) as (process, lines):
            what = f"scripts are run for real by {program_command}, with your rights"
            assert process.stderr.readline() == f"{what}; it listens on 127.0.0.1 only\n"
            with SrsClient(lines[0].split()[0], auth=AUTH, retry=RetryPolicy.off()) as client:
                runspace = client.runspaces.create()
                client.runspaces.wait_ready(runspace.id)
                assert client.run("call", runspace=runspace.id, width=None).output == "hi"
                connection, _ = listening.accept()
                connection.settimeout(PATIENCE)
                client.script_executions.create(runspace.id, "stay")
                with connection:
                    status, out, _ = end(process, how)
                    assert (status, out) == (0 if how == signal.SIGTERM else -how, "")
                    # The process has held the other end of it.
                    assert connection.recv(1) == b""


def test_a_program_that_is_missing_is_one_line(capsys):
    from srs_vsphere.simulator.command import main

    assert main(["--powershell", "no-such-pwsh"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("srs-simulator: powershell: the PATH has no program 'no-such-pwsh'; ")
    assert err.count("\n") == 1


# What is said


def test_the_script_is_the_one_that_was_tried_with_a_real_engine():
    assert HOST_SCRIPT.read_bytes() == shared_file("api/pwsh-host.ps1").read_bytes()


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b'{"event":"ready","version":"7.6.9"}\r\n', Ready("7.6.9")),
        (b'{"event":"record","stream":"debug","message":"\xc3\xa9"}', Record("debug", "é")),
        (b'a program writes{"event":"end","state":"success","text":"t"}', End("success", None, "t")),
        (b'{"event":"end","state":"error","reason":"r","objects":["1",2]}', End("error", "r", "", ("1",))),
        (b'{"event":"end","state":"error","reason":"r","parameter":"p"}', End("error", "r", parameter="p")),
        (b'{"event":"fault","message":"m"}', End("error", "m")),
        (b'{"event":"fault"}', End("error", "The script failed.")),
        (b'{"event":"record","stream":"progress","message":"m"}', None),
        (b'{"event":"end","state":"lost"}', None),
        (b'{"event":', None),
        (b'{"a":' * 5000, None),
        (b"[1]", None),
        (b"\xff\n", None),
        (b"", None),
    ],
)
def test_events_are_read_and_the_rest_is_left(line, event):
    assert read_event(line) == event


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(st.characters(exclude_categories=())), JSON, st.integers(-1, 5), st.booleans())
def test_a_command_is_one_line_that_every_reader_takes(script, value, format, is_date):
    line = write_run(script, format, [(ParameterBody("p", value, script), is_date)])
    assert line.count(b"\n") == 1

    def refuse(constant):
        raise AssertionError(constant)

    command = json.loads(line, parse_constant=refuse)
    command["script"].encode()
    assert command["format"] == {0: "text", 1: "json"}.get(format, "none")
    (parameter,) = command["parameters"]
    assert ("value" in parameter) == (value is not None)
    assert ("script" in parameter) == bool(script.strip())
    assert ("date" in parameter) == is_date
