"""Names that are not resolved: waiting for one is bounded, and delays no other."""

from __future__ import annotations

import asyncio
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import srs_vsphere
from srs_vsphere import NotSentError, RetryPolicy, SrsClient, fetch_certificate
from srs_vsphere._http import asyncio_dialing, blocking_dialing, default_transport, name_lookup
from srs_vsphere._http.name_lookup import look_up

ROOT = Path(srs_vsphere.__file__).parents[1]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def place() -> Iterator[tuple[str, int]]:
    """Where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield held.getsockname()


@pytest.fixture
def unanswered(monkeypatch: pytest.MonkeyPatch, place: tuple[str, int]) -> Iterator[threading.Semaphore]:
    """Nobody answers for ``hangs.example`` until the test is over; each who asks is counted."""
    over, asking = threading.Event(), threading.Semaphore(0)

    def getaddrinfo(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == "unknown.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host == "hangs.example":
            asking.release()
            over.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asking
    over.set()


@pytest.mark.usefixtures("unanswered")
def test_a_thread_waits_no_longer_than_allowed() -> None:
    with pytest.raises(TimeoutError):
        blocking_dialing.dial_blocking("hangs.example", 80, time.monotonic() + 0.01)
    with pytest.raises(NotSentError, match="TimeoutError"):
        fetch_certificate("https://hangs.example", timeout=0.01)


@pytest.mark.usefixtures("unanswered")
def test_through_httpxs_transport_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default_transport.DefaultTransport, "own", lambda _: None)
    with SrsClient("http://hangs.example", retry=RetryPolicy(deadline=0.05)) as client:
        with pytest.raises(NotSentError, match="ConnectTimeout"):
            client.about()


@pytest.mark.usefixtures("unanswered")
def test_an_event_loop_ends_while_a_name_is_looked_up() -> None:
    async def main() -> None:
        async with asyncio.timeout(0.01):
            await asyncio_dialing.dial("hangs.example", 80)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


@pytest.mark.anyio
async def test_many_of_them_hold_up_no_other_name(
    unanswered: threading.Semaphore, place: tuple[str, int]
) -> None:
    waiting = [asyncio.create_task(asyncio_dialing.dial("hangs.example", 80)) for _ in range(60)]
    await asyncio.sleep(0)
    for _ in waiting:
        assert unanswered.acquire(timeout=60)
    with await asyncio_dialing.dial("srs.example", place[1]) as sock:
        assert sock.getpeername() == place
    for task in waiting:
        task.cancel()
    assert all(
        isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(*waiting, return_exceptions=True)
    )


@pytest.mark.usefixtures("unanswered")
def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(socket.gaierror, match="not known") as caught:
        blocking_dialing.dial_blocking("unknown.example", 80, time.monotonic() + 60)
    assert caught.value.__context__ is None
    with pytest.raises(socket.gaierror, match="not known"):
        asyncio.run(asyncio_dialing.dial("unknown.example", 80))


def test_an_address_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Thread", None)
    assert look_up("127.0.0.1", 80, 0) == [(socket.AF_INET, ("127.0.0.1", 80))]
    assert look_up("::1", 80, 0) == [(socket.AF_INET6, ("::1", 80))]


@pytest.mark.usefixtures("unanswered")
def test_no_thread_is_left_of_a_lookup() -> None:
    """From Python 3.12 on, a fork beside a thread is warned of."""
    # Those of other tests may be ending still.
    before = set(threading.enumerate())
    for _ in range(100):
        look_up("srs.example", 80, math.inf)
        left = set(threading.enumerate()) - before
        assert not [thread for thread in left if thread.name == "srs name lookup"]


@pytest.mark.usefixtures("unanswered")
def test_where_no_thread_begins_any_more_a_name_is_looked_up_at_once(
    monkeypatch: pytest.MonkeyPatch, place: tuple[str, int]
) -> None:
    """As in functions that run while the interpreter ends."""

    class Ended(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(name_lookup.threading, "Thread", Ended)
    assert look_up("srs.example", 80, 0) == [(socket.AF_INET, place)]


PROGRAM = """
import asyncio, socket, threading
from srs_vsphere import AsyncSrsClient, NotSentError, RetryPolicy, SrsClient

socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
POLICY = RetryPolicy(deadline=0.1)

async def main():
    async with AsyncSrsClient("http://hangs.example", retry=POLICY) as client:
        await client.about()

for call in (lambda: asyncio.run(main()), SrsClient("http://hangs.example", retry=POLICY).about):
    try:
        call()
    except NotSentError as error:
        print(error)
"""


def test_a_program_ends_while_a_name_is_looked_up() -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("hangs.example" in line and "deadline" in line for line in lines)
