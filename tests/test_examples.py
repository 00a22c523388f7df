"""The examples run, as a reader would run them."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from srs_vsphere.simulator import (
    Fault,
    ScriptCall,
    ScriptReply,
    SimServer,
    Simulator,
    StreamMessage,
    VirtualClock,
)

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def clock() -> VirtualClock:
    """No client waits for what a service takes its time for."""
    return VirtualClock(auto=True)


def run(
    name: str, *arguments: str, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )


def run_at(
    server: SimServer, name: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run an example that takes the service and the credentials from the environment."""
    given = {"SRS_URL": server.url, "SRS_USERNAME": "alice", "SRS_PASSWORD": "sesame-7Qx", **environment}
    # No profile of whoever runs the tests.
    return run(name, *arguments, XDG_CONFIG_HOME=str(EXAMPLES), **given)


def test_demo() -> None:
    done = run("demo.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Überwachung") == 2
    for line in ("connection refused", "Retry-After 1 s", "logged in again", "broke off after"):
        assert line in done.stdout


def test_list_runspaces(server: SimServer, simulator: Simulator) -> None:
    known = simulator.add_runspace(name="nächtlich")
    done = run_at(server, "list_runspaces.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{known} ready nächtlich\n", "")
    refused = run_at(server, "list_runspaces.py", SRS_PASSWORD="wrong")
    assert refused.returncode == 1
    assert refused.stderr.startswith("auth.login on 127.0.0.1")
    assert simulator.session_count == 0


def test_list_runspaces_over_tls(simulator: Simulator) -> None:
    pytest.importorskip("cryptography", reason="the simulator's certificate is made with it")
    simulator.add_runspace()
    with SimServer(simulator, tls=True) as server:
        assert server.ca_file is not None
        trusted = run_at(server, "list_runspaces.py", SRS_CA_FILE=server.ca_file)
        assert (trusted.returncode, trusted.stdout.count("ready")) == (0, 1)
        untrusted = run_at(server, "list_runspaces.py")
    assert untrusted.returncode == 1
    assert "certificate" in untrusted.stderr.lower()
    assert not any("login" in path for _, path in server.requests[3:])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list_runspaces.py", ()),
        ("sync_script.py", ()),
        ("run_script.py", ("'x'",)),
        ("follow_script.py", ("'x'",)),
        ("structured_output.py", ("4",)),
        ("pool.py", ("web",)),
    ],
)
def test_an_appliances_own_certificate_is_trusted_by_its_thumbprint(
    simulator: Simulator, name: str, arguments: tuple[str, ...]
) -> None:
    pytest.importorskip("cryptography", reason="the simulator's certificate is made with it")
    simulator.on_script(re.compile("Get-VM"), ScriptReply(output=[]))
    with SimServer(simulator, tls=True) as server:
        assert server.ca_file is not None
        der = ssl.PEM_cert_to_DER_cert(Path(server.ca_file).read_text(encoding="ascii"))
        thumbprint = hashlib.sha256(der).hexdigest()
        done = run_at(server, name, *arguments, SRS_THUMBPRINT=thumbprint)
    assert done.returncode == 0, done.stderr


def test_every_example_takes_tls_settings() -> None:
    for example in EXAMPLES.glob("*.py"):
        text = example.read_text(encoding="utf-8")
        # The demo has a simulator of its own; files of hosts have a certificate for each.
        assert example.name == "demo.py" or "from_env()" in text or "ca_file" in text, example.name


def test_what_is_missing_in_the_environment_is_told_in_a_sentence(server: SimServer) -> None:
    for name in ("list_runspaces.py", "sync_script.py"):
        done = run_at(server, name, SRS_URL="")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("SRS_URL is not set. ")


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("run_everywhere.py", ("hosts.csv", "no/journal", "1"), "no/journal"),
        ("watch_fleet.py", ("hosts.csv", "state.json", "soon"), "'soon'"),
        ("watch_fleet.py", ("hosts.csv", "hosts.csv"), "snapshot"),
        ("structured_output.py", ("many",), "usage: structured_output.py CPUS"),
    ],
)
def test_a_wrong_argument_is_told_in_a_sentence(
    tmp_path: Path, name: str, arguments: tuple[str, ...], told: str
) -> None:
    (tmp_path / "hosts.csv").write_text("name,url\na,http://127.0.0.1:1\n", encoding="utf-8")
    done = run(name, *arguments, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert told in done.stderr


def test_sync_script(server: SimServer, simulator: Simulator) -> None:
    kept = simulator.add_runspace()
    simulator.add_runspace(
        name="broken", state="error", error_details={"code": 500, "error_message": "no pod"}
    )
    done = run_at(server, "sync_script.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "deleting broken: no pod\n", "")
    assert list(simulator.runspaces) == [kept]


def test_run_script(server: SimServer, simulator: Simulator) -> None:
    done = run_at(server, "run_script.py", "'héllo'; Write-Warning 'careful'")
    assert (done.returncode, done.stdout) == (0, "héllo\n")
    assert done.stderr == "warning: careful\nsucceeded after 0.0 s\n"
    failed = run_at(server, "run_script.py", "throw 'no such VM'")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert re.fullmatch(r"failed after 0\.0 s: .*RuntimeException: no such VM\n", failed.stderr)
    refused = run_at(server, "run_script.py", "1", SRS_PASSWORD="wrong")
    assert refused.returncode == 1
    assert refused.stderr.startswith("auth.login on 127.0.0.1")
    assert simulator.runspaces == {}
    assert simulator.session_count == 0


def test_follow_script(server: SimServer, simulator: Simulator) -> None:
    records = [
        StreamMessage("information", "step 1", at=0),
        StreamMessage("warning", "step 2", at=0.4),
        *(StreamMessage("verbose", f"detail {number}", at=0.8) for number in range(80)),
    ]
    simulator.on_script("steps", ScriptReply(records=records, duration=1))
    done = run_at(server, "follow_script.py", "steps")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [re.sub(r"^\d\d:\d\d:\d\d", "TIME", line) for line in done.stdout.splitlines()]
    assert lines == [
        "TIME information: step 1",
        "TIME warning: step 2",
        "verbose: ... some were written too fast to be seen ...",
        *(f"TIME verbose: detail {number}" for number in range(30, 80)),
        "ended with state success",
    ]
    assert simulator.runspaces == {}


def test_structured_output(server: SimServer, simulator: Simulator) -> None:
    found = ScriptReply(output=[{"name": "db-1", "cpus": 8, "disks": [40, 0.5]}])
    refused = ScriptReply(state="error", reason="no rights")
    machines = simulator.on_script(re.compile("Get-VM"), replies=[found, refused])
    done = run_at(server, "structured_output.py", "4")
    assert (done.returncode, done.stdout, done.stderr) == (0, "db-1: 8 processors, 40.5 GB\n", "")
    assert machines.calls[0].parameters == {"AtLeast": 4}
    failed = run_at(server, "structured_output.py", "4")
    assert failed.returncode == 1
    assert failed.stderr.startswith("the script failed: ")
    assert "no rights" in failed.stderr
    assert simulator.runspaces == {}


def test_pool(server: SimServer, simulator: Simulator) -> None:
    def reply(call: ScriptCall) -> ScriptReply:
        name = call.parameters["Name"]
        if name == "gone":
            return ScriptReply(state="error", reason="no such VM")
        return ScriptReply(output=[{"Name": name, "PowerState": "PoweredOn"}])

    simulator.on_script(re.compile("Get-VM"), reply)
    done = run_at(server, "pool.py", "web", "gone", "db")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [
        "db: succeeded [{'Name': 'db', 'PowerState': 'PoweredOn'}]",
        "gone: failed []",
        "web: succeeded [{'Name': 'web', 'PowerState': 'PoweredOn'}]",
    ]
    assert dict(simulator.runspaces) == {}


@pytest.mark.anyio
async def test_service(server: SimServer, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("starlette", reason="the example's web framework")
    monkeypatch.syspath_prepend(EXAMPLES)
    import service

    for name, value in (("URL", server.url), ("USERNAME", "alice"), ("PASSWORD", "sesame-7Qx")):
        monkeypatch.setenv(f"SRS_{name}", value)
    simulator.add_runspace()
    simulator.add_runspace(state="creating")
    simulator.add_runspace()
    async with service.lifespan(service.app) as state:

        async def app(scope: dict[str, object], receive: object, send: object) -> None:
            await service.app({**scope, "state": dict(state)}, receive, send)

        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as browser:
            response = await browser.get("/runspaces")
            assert (response.status_code, response.json()) == (200, {"ready": 2, "creating": 1})
            with server.faults.armed(Fault(operation="runspaces.list", status=500)):
                response = await browser.get("/runspaces")
            assert response.status_code == 502
            assert response.json()["error"].startswith("runspaces.list on 127.0.0.1")
    assert simulator.session_count == 0
