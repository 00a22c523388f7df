"""The package where Windows' lacks are: no `select.poll`, no fork, no POSIX signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from srs_vsphere.simulator import SimFleet, SimServer, Simulator, VirtualClock
from tests.recorded_exchanges import shared_file

ROOT = Path(__file__).parents[1]

POLL_AND_RUN = """
import asyncio
import sys
from srs_vsphere import AsyncSrsClient, BasicAuth, SrsClient, Tls

url, ca_file = sys.argv[1:]
OPTIONS = {"auth": BasicAuth("alice", "sesame-7Qx"), "tls": Tls(ca_file=ca_file or None)}

async def main():
    async with AsyncSrsClient(url, **OPTIONS) as client:
        for _ in range(3):
            assert len(await client.runspaces.list()) == 1
        print((await client.run("'async'")).output)

asyncio.run(main())
with SrsClient(url, **OPTIONS) as client:
    for _ in range(3):
        assert len(client.runspaces.list()) == 1
    print(client.run("'sync'").output)
"""

FLEET = """
import asyncio
import sys
from itertools import islice
from srs_vsphere import AsyncSrsFleet, BasicAuth, SrsFleet, SweepEnded, read_targets

targets = read_targets(sys.argv[1], auth=BasicAuth("alice", "sesame-7Qx"))
with SrsFleet(targets) as fleet:
    print(*sorted(report.target.name for report in fleet.poll(deadline=60) if report.ok))
    with fleet.watch(interval=0.1) as events:
        # A slow machine may hear of more in between.
        print(sum(1 for _ in islice((event for event in events if isinstance(event, SweepEnded)), 2)))
    for result in fleet.run("7", journal=sys.argv[2]):
        print(result.get().output)
    print(len(list(fleet.run("7", journal=sys.argv[2]))))

async def main():
    async with AsyncSrsFleet(targets) as fleet:
        print(len([report async for report in fleet.poll() if report.ok]))

asyncio.run(main())
"""

#: A second response lies in the socket before the next request is made.
UNEXPECTED = """
import asyncio
import threading
from srs_vsphere import ApiKeyAuth, AsyncSrsClient, SrsClient
from tests.raw_server import RawServer, response, runspaces

KEY = ApiKeyAuth("key")
received, sent = threading.Event(), threading.Event()

def play(visit):
    visit.request()
    if visit.number == 1:
        visit.send(runspaces("first"))
        received.wait()
        visit.send(response(b'{"id": "evil"}', b"201 Created"))
        sent.set()
    else:
        visit.send(response(b'{"id": "right"}', b"201 Created"))
    visit.hung_up()

def let_it_come():
    received.set()
    sent.wait()

async def main(url):
    async with AsyncSrsClient(url, auth=KEY) as client:
        print((await client.runspaces.list())[0].id)
        # No event loop runs meanwhile, so nobody has read it.
        let_it_come()
        print((await client.runspaces.create()).id)

with RawServer(play) as server:
    asyncio.run(main(server.url))
    print(server.connections)
received.clear()
sent.clear()
with RawServer(play) as server:
    with SrsClient(server.url, auth=KEY) as client:
        print(client.runspaces.list()[0].id)
        let_it_come()
        print(client.runspaces.create().id)
    print(server.connections)
"""


#: Files have no owner and no mode there, and a lock is one of `msvcrt`, which is a stand-in here, too.
FILES = """
import asyncio
import os
import sys
from pathlib import Path
from types import ModuleType

import anyio
import httpx
import srs_vsphere.auth, srs_vsphere.errors

class Msvcrt(ModuleType):
    LK_NBLCK = 2
    holders = {}

    def locking(self, descriptor, mode, count):
        assert (mode, count) == (self.LK_NBLCK, 1)
        file = os.fstat(descriptor).st_ino
        holder = self.holders.get(file, descriptor)
        if holder != descriptor and is_file(holder, file):
            raise PermissionError(13, "Permission denied")
        self.holders[file] = descriptor

def is_file(descriptor, file):
    try:
        return os.fstat(descriptor).st_ino == file
    except OSError:
        return False

sys.modules["msvcrt"] = Msvcrt("msvcrt")
sys.platform = "win32"
from srs_vsphere._service.session_file import SessionFile
from srs_vsphere import AsyncSrsClient, FileAuth, SrsClient, Tls, trust

url, folder = sys.argv[1], Path(sys.argv[2])
known = folder / "known_hosts"
trust(url, known, confirm=lambda certificate: True)
known.write_bytes(b"\\xef\\xbb\\xbf" + known.read_bytes().replace(b"\\n", b"\\r\\n"))
secret = folder / "secret"
secret.write_bytes(b"sesame-7Qx\\r\\n")
secret.chmod(0o666)
config = folder / "roaming" / "srs" / "config.toml"
config.parent.mkdir(parents=True)
config.write_text(
    f"[profiles.default]\\nurl = '{url}'\\nusername = 'alice'\\n"
    f"password = 'sesame-7Qx'\\nknown_hosts = '{known}'\\n"
)
config.chmod(0o666)
os.environ["APPDATA"] = str(folder / "roaming")

kept = folder / "sessions" / "keys.json"
with SrsClient(url, auth=FileAuth("alice", secret), tls=Tls(known_hosts=known), session_file=kept) as client:
    print(len(client.runspaces.list()))
kept.chmod(0o666)
with SrsClient.from_env(session_file=kept) as client:
    print(len(client.runspaces.list()))
    one, other = SessionFile(str(kept), "a"), SessionFile(str(kept), "b")
    print(one.try_lock(), other.try_lock())
    one.unlock()
    print(other.try_lock())
    other.unlock()

async def main():
    async with AsyncSrsClient.from_env(session_file=kept) as client:
        print(len(await client.runspaces.list()))
        await client.logout()
    print(kept.read_text())

asyncio.run(main())
"""


@pytest.fixture
def clock() -> VirtualClock:
    """No client waits for what a service takes its time for."""
    return VirtualClock(auto=True)


@pytest.fixture(params=["our stand-in", "the shared one"])
def windows(request: pytest.FixtureRequest) -> list[str]:
    """What to put before a program."""
    if request.param == "our stand-in":
        return [sys.executable, "-W", "error", "-m", "tests.without_posix"]
    return [sys.executable, "-W", "error", str(shared_file("tools/as_on_windows.py"))]


def run(*command: str | Path) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_polls_and_runs(windows: list[str], simulator: Simulator, tls: bool, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(POLL_AND_RUN, encoding="utf-8")
    kept = simulator.add_runspace()
    with SimServer(simulator, tls=tls) as server:
        assert run(*windows, program, server.url, server.ca_file or "").split() == ["async", "sync"]
        # A connection is kept between polls.
        assert server.traffic.accepted == 2
    assert list(simulator.runspaces) == [kept]


def test_passwords_sessions_profiles_and_known_hosts_in_files(
    windows: list[str], simulator: Simulator, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(FILES, encoding="utf-8")
    with SimServer(simulator, tls=True) as server:
        told = run(*windows, program, server.url, tmp_path).split()
        assert told == ["0", "0", "True", "False", "True", "0", "{}"]
        assert server.requests.count(("POST", "/api/auth/login")) == 1
    assert simulator.session_count == 0


def test_a_fleet(windows: list[str], tmp_path: Path) -> None:
    program, hosts, journal = (tmp_path / name for name in ("program.py", "hosts.csv", "journal"))
    program.write_text(FLEET, encoding="utf-8")
    with SimFleet(2, users={"alice": "sesame-7Qx"}, clock=VirtualClock(auto=True)) as fleet:
        hosts.write_text("name,url\r\n" + "".join(f"{host.name},{host.url}\r\n" for host in fleet.hosts))
        told = run(*windows, program, hosts, journal).splitlines()
        assert told == ["srs-0001 srs-0002", "2", "7", "7", "0", "2"]
        assert all(not host.simulator.runspaces for host in fleet.hosts)
        assert all(host.simulator.session_count == 0 for host in fleet.hosts)


def test_the_demo(windows: list[str]) -> None:
    assert run(*windows, ROOT / "examples" / "demo.py").count("Überwachung") == 2


def test_bytes_that_no_request_asked_for_end_their_connection(windows: list[str], tmp_path: Path) -> None:
    """`select.poll` finds them elsewhere."""
    program = tmp_path / "program.py"
    program.write_text(UNEXPECTED, encoding="utf-8")
    assert run(*windows, program).split() == ["first", "right", "2"] * 2
