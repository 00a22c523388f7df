"""Ctrl-C and SIGTERM in programs of their own, at random moments: nothing stays, or the log names it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self

import pytest

from srs_vsphere import SrsClient
from srs_vsphere.simulator import Reply, Request, ScriptReply, SimServer, Simulator, VirtualClock
from tests._async.helping import AUTH

#: The whole census takes half an hour: 8,000 interruptions with SRS_TEST_CENSUS=20000.
TIMES = max(5, int(os.environ.get("SRS_TEST_CENSUS", "200")) // 20)
#: Of fewer interruptions it is a matter of luck how many come at the few bad moments.
_ENOUGH = 100

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no signal that reaches a child alone"
)

#: A program that is interrupted once for each line it reads; it says when it can be, and when it has ended.
PROGRAM = """
import asyncio, logging, signal, sys
import anyio, trio
from srs_vsphere import AsyncRunspacePool, AsyncSrsClient, BasicAuth, RunspacePool, SrsClient

logging.basicConfig(stream=sys.stdout, format="%(message)s")
url, auth = sys.argv[1], BasicAuth("alice", "sesame-7Qx")

def run():
    with SrsClient(url, auth=auth) as client:
        while True:
            client.run("'x'")

def map():
    with SrsClient(url, auth=auth) as client:
        with RunspacePool(client) as pool, pool.map("long", [{}, {}, {}]) as results:
            list(results)

async def block():
    async with AsyncSrsClient(url, auth=auth) as client:
        while True:
            async with client.runspaces.open() as handle:
                await handle.run("'x'")

async def maps():
    async with AsyncSrsClient(url, auth=auth) as client:
        async with AsyncRunspacePool(client) as pool, pool.map("long", [{}, {}, {}]) as results:
            async for _ in results:
                pass

def with_signals(work):
    # On trio, a plain Ctrl-C may break into any library between two lines; this makes a cancellation of it.
    async def main():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                print("go", flush=True)
                async for _ in signals:
                    tasks.cancel_scope.cancel()
                    break
    return main

def terminated(*_):
    raise SystemExit(143)

works = {
    "run": run,
    "map": map,
    "asyncio block": lambda: asyncio.run(block()),
    "asyncio map": lambda: asyncio.run(maps()),
    "asyncio receiver": lambda: asyncio.run(with_signals(block)()),
    "trio receiver": lambda: trio.run(with_signals(block)),
}
work = works[sys.argv[2]]
for _ in sys.stdin:
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, terminated)
        if "receiver" in sys.argv[2]:
            work()
        else:
            print("go", flush=True)
            while True:
                work()
    except (KeyboardInterrupt, SystemExit):
        pass
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ended", flush=True)
"""


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(auto=True)


@contextmanager
def program(url: str, work: str) -> Iterator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            yield child, child.stdin, child.stdout
        finally:
            child.kill()


class Again:
    """Sends a signal once more if it is lost: Python drops what a handler raises within a finalizer.

    Args:
        server: what the program calls.
        child: the program.
        how: the signal.
    """

    def __init__(self, server: SimServer, child: subprocess.Popen[str], how: signal.Signals) -> None:
        self.sent = 0
        self._server, self._child, self._how = server, child, how
        self._over = False
        self._seen = server.traffic.seen
        self._watching = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._watching.join()

    def send(self) -> None:
        self.sent += 1
        self._seen = self._server.traffic.seen
        self._child.send_signal(self._how)

    def _watch(self) -> None:
        # No clean-up makes so many requests: the program goes on.
        while not self._over:
            with suppress(TimeoutError):
                self._server.wait_for(
                    lambda traffic: self._over or traffic.seen > self._seen + 100, timeout=0.1
                )
                if not self._over:
                    self.send()


def said_until(output: IO[str], word: str, on_ignored: Callable[[], object] = lambda: None) -> str:
    said: list[str] = []
    for line in output:
        if line.strip() == word:
            return "".join(said)
        said.append(line)
        if line.startswith("Exception ignored in"):
            # It came within a finalizer of Python's own: whoever presses Ctrl-C does so once more.
            on_ignored()
    pytest.fail("".join(said))


# A signal that is lost is sent again after many requests, which on a slow machine take a minute.
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("work", "how"),
    [
        ("run", signal.SIGINT),
        ("run", signal.SIGTERM),
        ("map", signal.SIGINT),
        ("asyncio block", signal.SIGINT),
        ("asyncio map", signal.SIGINT),
        ("asyncio receiver", signal.SIGTERM),
        ("trio receiver", signal.SIGINT),
        ("trio receiver", signal.SIGTERM),
    ],
)
def test_a_signal_in_a_program_leaves_nothing_without_a_word(
    server: SimServer, simulator: Simulator, work: str, how: signal.Signals
) -> None:
    simulator.on_script("long", ScriptReply(duration=3600))
    chance = random.Random(f"{work} {how}")
    named = sessions = lost = 0
    with program(server.url, work) as (child, orders, output):
        for _ in range(TIMES):
            # Counted from before it begins: the test may be slower than the program.
            wanted = server.traffic.seen + chance.randrange(14)
            print(file=orders, flush=True)
            said_until(output, "go")
            server.wait_for(lambda traffic, wanted=wanted: traffic.seen >= wanted)
            # Some moments come with a request, others between two.
            time.sleep(chance.uniform(0, 0.005))
            child.send_signal(how)
            with Again(server, child, how) as again:
                said = said_until(output, "ended", again.send)
            lost += again.sent
            if simulator.runspaces:
                with SrsClient(server.url, auth=AUTH) as client:
                    for runspace in client.runspaces.list():
                        assert f" {runspace.name} " in said, said
                        client.runspaces.delete(runspace)
                        named += 1
            sessions += simulator.session_count
            simulator.expire_sessions()
    print(
        f"{work}, {how.name}: of {TIMES}, {named} left a runspace, named in the log; {sessions} a session;"
        f" {lost} signals were lost"
    )
    luck = 1 if TIMES >= _ENOUGH else 3
    assert lost <= TIMES * 0.02 + luck
    assert named <= TIMES * 0.02 + luck
    # A Ctrl-C may come between the login's response and the line that keeps its key.
    assert sessions <= TIMES * 0.002 + luck


LOGIN = """
import sys, signal
from srs_vsphere import BasicAuth, SrsClient
signal.signal(signal.SIGINT, signal.default_int_handler)
auth, file = BasicAuth("alice", "sesame-7Qx"), sys.argv[2] or None
try:
    with SrsClient(sys.argv[1], auth=auth, session_file=file) as client:
        client.login()
except KeyboardInterrupt:
    sys.exit(3)
"""


class SlowToLogIn(Simulator):
    """A simulator whose first response waits for the test."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def handle(self, request: Request) -> Reply:
        self.asked.set()
        assert self.go_on.wait(60)
        return super().handle(request)


@pytest.mark.parametrize("shared", [False, True])
def test_ctrl_c_while_logging_in_leaves_no_session(tmp_path: Path, shared: bool) -> None:
    """Of a response that nobody reads, nobody would have the key."""
    simulator = SlowToLogIn(users={"alice": "sesame-7Qx"})
    file = str(tmp_path / "session") if shared else ""
    with (
        SimServer(simulator) as server,
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", LOGIN, server.url, file], stderr=subprocess.PIPE, text=True
        ) as child,
    ):
        try:
            assert simulator.asked.wait(60)
            child.send_signal(signal.SIGINT)
            simulator.go_on.set()
            _, errors = child.communicate(timeout=60)
        finally:
            # Leaving the block would wait for its end without a limit.
            child.kill()
    assert (child.returncode, errors) == (3, "")
    assert server.requests == (("POST", "/api/auth/login"), ("POST", "/api/auth/logout"))
    assert simulator.session_count == 0
