"""The package where Windows' lacks are: no `select.poll`, no fork, no POSIX signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from srs_vsphere.simulator import SimServer, Simulator
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


def test_the_demo(windows: list[str]) -> None:
    assert run(*windows, ROOT / "examples" / "demo.py").count("Überwachung") == 2


def test_bytes_that_no_request_asked_for_end_their_connection(windows: list[str], tmp_path: Path) -> None:
    """`select.poll` finds them elsewhere."""
    program = tmp_path / "program.py"
    program.write_text(UNEXPECTED, encoding="utf-8")
    assert run(*windows, program).split() == ["first", "right", "2"] * 2
