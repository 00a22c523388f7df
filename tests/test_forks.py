"""Processes that fork after a client was used: parent and children share no connection and no session.

Each test runs a program of its own, for the tests' process has the server's threads in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from srs_vsphere.simulator import SimServer, Simulator, VirtualClock

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

ROOT = Path(__file__).parents[1]
LOGIN = ("POST", "/api/auth/login")
LOGOUT = ("POST", "/api/auth/logout")

PREAMBLE = """
import asyncio, faulthandler, os, signal, sys, threading, warnings
import anyio
from srs_vsphere import *

# What hangs says where, and ends: nobody else would end a child.
faulthandler.register(signal.SIGALRM, chain=True)
signal.alarm(95)
os.register_at_fork(after_in_child=lambda: signal.alarm(85))

url, ca_file, *ids = sys.argv[1:]
AUTH = BasicAuth("alice", "sesame-7Qx")
OPTIONS = {"auth": AUTH, "tls": Tls(ca_file=ca_file or None)}

if sys.version_info[:2] == (3, 12):
    # There, a thread that was joined may not be gone yet, and a fork beside it is warned of.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

def fork(work):
    '''Do some work in another process.'''
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException as error:
        print(f"child: {error!r}", file=sys.stderr)
        os._exit(1)
    os._exit(0)

def join(*children):
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture
def clock() -> VirtualClock:
    """No client waits for what a service takes its time for."""
    return VirtualClock(auto=True)


@pytest.fixture(params=["plain", "tls"])
def place(request: pytest.FixtureRequest, simulator: Simulator) -> Iterator[tuple[SimServer, str]]:
    """A server, and the file that makes it trusted."""
    with SimServer(simulator, tls=request.param == "tls") as server:
        yield server, str(server.ca_file or "")


def run(place: tuple[SimServer, str], program: str, *arguments: str) -> None:
    server, ca_file = place
    code = PREAMBLE + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code, server.url, ca_file, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


def test_processes_read_only_their_own_responses(place, simulator: Simulator) -> None:
    server, _ = place
    ids = [simulator.add_runspace() for _ in range(4)]
    run(
        place,
        """
        with SrsClient(url, **OPTIONS) as client:
            client.runspaces.list()

            def work(id):
                for _ in range(60):
                    assert client.runspaces.get(id).id == id

            children = [fork(lambda: work(id)) for id in ids[1:]]
            work(ids[0])
            join(*children)
        """,
        *ids,
    )
    assert server.traffic.accepted == 4
    assert server.requests.count(LOGIN) == 4


def test_a_childs_logout_does_not_end_the_parents_session(place, simulator: Simulator) -> None:
    server, _ = place
    run(
        place,
        """
        client = SrsClient(url, **OPTIONS)
        client.login()

        def work():
            with client:
                client.runspaces.list()

        join(fork(work), fork(client.close))
        client.runspaces.list()
        client.logout()
        client.close()
        """,
    )
    # What a child closed says no farewell of TLS to the server: the parent still uses its connection.
    assert server.traffic.accepted == 2
    assert server.requests.count(LOGIN) == server.requests.count(LOGOUT) == 2


def test_a_stream_that_was_open_goes_on_in_the_parent(place, simulator: Simulator) -> None:
    for _ in range(5):
        simulator.add_runspace()
    run(
        place,
        """
        client = SrsClient(url, max_connections=1, **OPTIONS)

        def leave(opened):
            opened.__exit__(None, None, None)
            assert len(client.runspaces.list()) == 5

        opened = client.runspaces.stream()
        runspaces = opened.__enter__()
        next(runspaces)
        join(fork(lambda: leave(opened)))
        assert len(list(runspaces)) == 4
        opened.__exit__(None, None, None)
        assert len(client.runspaces.list()) == 5
        client.logout()
        client.close()
        """,
    )


def test_what_other_threads_held_is_free_in_the_child(place, simulator: Simulator) -> None:
    """A slot, the turn to log in, and locks."""
    run(
        place,
        """
        # From Python 3.12 on, a fork beside a thread is warned of.
        warnings.simplefilter("ignore", DeprecationWarning)
        client = SrsClient(url, max_connections=1, retry=RetryPolicy(deadline=20), **OPTIONS)
        client.about()
        sender = client._session.sender
        taken, go = threading.Event(), threading.Event()

        def hold():
            sender.limiter.acquire(1)
            client._session._state.turn.acquire(1)
            with sender._budget._lock, client._session.turns._lock:
                taken.set()
                go.wait()
            client._session._state.turn.release()
            sender.limiter.release()

        thread = threading.Thread(target=hold)
        thread.start()
        taken.wait()
        child = fork(lambda: client.run("1"))
        join(child)
        go.set()
        thread.join()
        client.close()
        """,
    )


def test_a_key_that_was_given_is_kept(place, simulator: Simulator) -> None:
    server, _ = place
    run(
        place,
        """
        with SrsClient(url, **OPTIONS) as client:
            client.login()
            key = client._session._state.key
            given = SrsClient(url, auth=ApiKeyAuth(key.reveal()), tls=OPTIONS["tls"])
            given.runspaces.list()
            join(fork(given.runspaces.list))
            given.close()
        """,
    )
    assert server.requests.count(LOGIN) == 1


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux lists them")
def test_no_thread_of_a_login_is_left_to_fork_beside(place) -> None:
    """One that is just ending holds locks of OpenSSL, which nobody would release in the child."""
    run(
        place,
        """
        for _ in range(20):
            with SrsClient(url, **OPTIONS) as client:
                client.login()
                assert len(os.listdir("/proc/self/task")) == 1
        """,
    )


def test_a_child_leaves_the_parents_runspaces_alone(place, simulator: Simulator) -> None:
    """It leaves the blocks that it was forked in, as by an exception."""
    run(
        place,
        """
        with SrsClient(url, **OPTIONS) as client, RunspacePool(client) as pool:
            with client.runspaces.open() as block, pool.lease() as lease:
                before = {runspace.id for runspace in client.runspaces.list()}
                assert len(before) == 2
                child = os.fork()
                if not child:
                    raise SystemExit
                join(child)
                assert {runspace.id for runspace in client.runspaces.list()} == before
                assert (block.run("1").output, lease.run("2").output) == ("1", "2")
                child = os.fork()
                if not child:
                    with pool.lease() as own:
                        assert own.id not in before
                    raise SystemExit
                join(child)
                assert {runspace.id for runspace in client.runspaces.list()} == before
        """,
    )
    assert not simulator.runspaces


def test_the_same_through_httpxs_transport(place, simulator: Simulator) -> None:
    """As under a tracer, which replaces functions of httpx."""
    ids = [simulator.add_runspace() for _ in range(3)]
    run(
        place,
        """
        import httpx
        original = httpx.HTTPTransport.handle_request
        seen = []

        def traced(self, request):
            seen.append(request)
            return original(self, request)

        httpx.HTTPTransport.handle_request = traced
        with SrsClient(url, **OPTIONS) as client:
            client.runspaces.list()

            def work(id):
                for _ in range(40):
                    assert client.runspaces.get(id).id == id

            children = [fork(lambda: work(id)) for id in ids[1:]]
            work(ids[0])
            join(*children)
            assert len(seen) == 42
        """,
        *ids,
    )


ASYNC = """
async def work(client, id):
    for _ in range(60):
        assert (await client.runspaces.get(id)).id == id

async def in_child(client, id):
    async with client:
        await work(client, id)
"""


def test_a_fork_of_a_running_event_loop(place, simulator: Simulator) -> None:
    server, _ = place
    ids = [simulator.add_runspace() for _ in range(4)]
    run(
        place,
        ASYNC
        + """
async def main():
    async with AsyncSrsClient(url, **OPTIONS) as client:
        await client.runspaces.list()
        children = [fork(lambda: asyncio.run(in_child(client, id))) for id in ids[1:]]
        await work(client, ids[0])
        join(*children)
        await work(client, ids[0])

asyncio.run(main())
""",
        *ids,
    )
    assert server.requests.count(LOGIN) == server.requests.count(LOGOUT) == 4
    assert server.traffic.accepted == 4


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_fork_after_the_event_loop_has_ended(place, simulator: Simulator, backend: str) -> None:
    """As with gunicorn's --preload: used while the program is loaded, then in each worker."""
    server, _ = place
    ids = [simulator.add_runspace() for _ in range(3)]
    run(
        place,
        ASYNC
        + """
client = AsyncSrsClient(url, **OPTIONS)
*ids, backend = ids

async def main():
    await client.runspaces.list()

def child(id):
    anyio.run(in_child, client, id, backend=backend)

anyio.run(main, backend=backend)
join(*[fork(lambda: child(id)) for id in ids])
# Its own client can be closed in its own event loop only.
os._exit(0)
""",
        *ids,
        backend,
    )
    assert server.requests.count(LOGIN) == 4
    assert server.requests.count(LOGOUT) == 3
    assert server.traffic.accepted == 4


def test_what_a_child_inherited_does_not_hold_connections_open(place, simulator: Simulator) -> None:
    """The server sees the end of a connection that the parent closes, though a child was forked from it."""
    server, ca_file = place
    program = """
    reading, writing = os.pipe()

    def wait():
        os.close(writing)
        os.read(reading, 1)

    client = SrsClient(url, **OPTIONS)
    client.about()
    loop = asyncio.new_event_loop()
    other = AsyncSrsClient(url, **OPTIONS)
    loop.run_until_complete(other.about())
    child = fork(wait)
    client.close()
    loop.run_until_complete(other.aclose())
    loop.close()
    print("closed", flush=True)
    sys.stdin.read()
    os.close(writing)
    join(child)
    """
    code = PREAMBLE + textwrap.dedent(program)
    command = [sys.executable, "-W", "always", "-c", code, server.url, ca_file]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdin is not None
            assert running.stdout.readline() == "closed\n"
            server.wait_idle()
            assert server.traffic.accepted == 2
            running.stdin.close()
            assert running.stdout.read() == ""
            running.wait()
        finally:
            # Leaving the block would wait for its end without a limit.
            running.kill()
    assert running.returncode == 0


@pytest.mark.parametrize(
    "own",
    [
        "http_client=httpx.Client(verify=TLS)",
        "transport=httpx.HTTPTransport(verify=TLS)",
        "http_client=httpx2.Client(verify=TLS)",
    ],
)
def test_what_the_program_gave_is_not_shared_with_a_child(place, simulator: Simulator, own: str) -> None:
    """A client cannot renew it, so the child is told to make its own."""
    if "httpx2" in own:
        pytest.importorskip("httpx2", reason="httpx2 is not installed")
    server, _ = place
    simulator.add_runspace()
    run(
        place,
        f"""
        import ssl
        import httpx
        {"import httpx2" if "httpx2" in own else ""}

        TLS = ssl.create_default_context(cafile=ca_file or None)
        client = SrsClient(url, auth=AUTH, {own})
        unused = SrsClient(url, auth=AUTH, {own})
        block = client.runspaces.open()
        block.__enter__()

        def refused():
            try:
                client.runspaces.list()
            except ClosedError as error:
                assert "forked" in str(error) and "anew in this process" in str(error), error
            else:
                raise AssertionError
            block.__exit__(None, None, None)
            client.close()

        def use():
            assert len(unused.runspaces.list()) == 2
            unused.close()

        join(fork(refused), fork(use))
        assert len(client.runspaces.list()) == 2
        block.__exit__(None, None, None)
        client.close()
        # What the program has it closes itself.
        os._exit(0)
        """,
    )
    assert server.traffic.accepted == 2
    assert server.requests.count(LOGIN) == server.requests.count(LOGOUT) == 2


@pytest.mark.parametrize("own", ["http_client=httpx.AsyncClient", "transport=httpx.AsyncHTTPTransport"])
def test_an_async_client_does_not_share_it_either(place, simulator: Simulator, own: str) -> None:
    server, _ = place
    run(
        place,
        f"""
        import ssl
        import httpx

        TLS = ssl.create_default_context(cafile=ca_file or None)

        async def refused(client):
            try:
                async with client:
                    await client.runspaces.list()
            except ClosedError as error:
                assert "forked" in str(error), error
            else:
                raise AssertionError

        async def main():
            async with AsyncSrsClient(url, auth=AUTH, {own}(verify=TLS)) as client:
                await client.runspaces.list()
                join(fork(lambda: asyncio.run(refused(client))))
                await client.runspaces.list()

        asyncio.run(main())
        os._exit(0)
        """,
    )
    assert server.traffic.accepted == 1
    assert server.requests.count(LOGIN) == server.requests.count(LOGOUT) == 1
