"""One sync client in many threads: one login for all, no more connections than allowed, nothing left."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from srs_vsphere import AuthenticationError, BasicAuth, SrsClient
from srs_vsphere.simulator import SimServer, Simulator, VirtualClock

LOGIN = ("POST", "/api/auth/login")


def test_threads_share_a_client(server: SimServer, simulator: Simulator) -> None:
    for _ in range(3):
        simulator.add_runspace()
    start = threading.Barrier(16)

    def work(client: SrsClient) -> list[int]:
        start.wait()
        return [len(client.runspaces.list()) for _ in range(10)]

    with SrsClient(server.url, auth=BasicAuth("alice", "sesame-7Qx"), max_connections=4) as client:
        with ThreadPoolExecutor(16) as threads:
            for logins in (1, 2):
                results = [future.result() for future in [threads.submit(work, client) for _ in range(16)]]
                assert results == [[3] * 10] * 16
                assert server.requests.count(LOGIN) == logins
                simulator.expire_sessions()
        assert server.traffic.accepted <= 4
        assert client._session.sender.limiter.free == 4
    server.wait_idle()


def test_threads_share_a_refused_login(server: SimServer) -> None:
    start = threading.Barrier(8)

    def work(client: SrsClient) -> None:
        start.wait()
        with pytest.raises(AuthenticationError):
            client.runspaces.list()

    with SrsClient(server.url, auth=BasicAuth("alice", "wrong")) as client, ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(work, client) for _ in range(8)]:
            future.result()
    # Threads that come after the refusal try for themselves, so it is few rather than one.
    assert server.requests.count(LOGIN) < 8


@pytest.mark.parametrize("clock", [VirtualClock(auto=True)], ids=["at once"])
def test_a_client_can_be_used_while_the_interpreter_ends(
    server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a function of `atexit`, where some versions of Python begin no thread any more."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    url = server.url.replace("127.0.0.1", "localhost")
    with SrsClient(url, auth=BasicAuth("alice", "sesame-7Qx")) as client:
        monkeypatch.setattr(threading.Thread, "start", start)
        assert client.runspaces.list() == []
        assert client.run("'x'").output == "x"
