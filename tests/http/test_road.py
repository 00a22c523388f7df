"""How far a request goes: through how many modules, with how many calls from one into another."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from types import FrameType

import pytest

from srs_vsphere import NotFoundError
from srs_vsphere.simulator import SimServer, VirtualClock
from tests._async.helping import make_client
from tests._sync.helping import make_client as make_sync_client

pytestmark = pytest.mark.anyio

_MOST_MODULES = 10
_MOST_CALLS = 25
#: Of a `run()`, for itself and for each of its requests, which are as many as its script takes time.
_MOST_CALLS_OF_A_RUN = 150
_MOST_CALLS_OF_EACH_REQUEST = 20


class Road:
    """Counts calls from one module of the package into another, while entered."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.calls: Counter[tuple[str, str]] = Counter()
        self._frames: set[FrameType] = set()

    def __enter__(self) -> Road:
        # What other tests left to the collector is not to be counted here.
        gc.disable()
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        gc.enable()
        self._frames.clear()

    def _see(self, frame: FrameType, event: str, _: object) -> None:
        here, caller = _module(frame), _module(frame.f_back)
        # A coroutine that goes on is no call.
        if event != "call" or not here or frame in self._frames:
            return
        self._frames.add(frame)
        self.modules.add(here)
        if caller and caller != here:
            self.calls[caller, here] += 1


def _module(frame: FrameType | None) -> str:
    name = "" if frame is None else str(frame.f_globals.get("__name__"))
    return name if name.startswith("srs_vsphere.") else ""


def _shortest(roads: list[Road]) -> Road:
    """Return the one whose response had a head that was seen before: its date changes every second."""
    return min(roads, key=lambda road: len(road.modules))


def _check_list(road: Road) -> None:
    assert len(road.modules) <= _MOST_MODULES, sorted(road.modules)
    assert road.calls.total() <= _MOST_CALLS, road.calls


@pytest.fixture
def clock() -> VirtualClock:
    """No client waits for what a service takes its time for."""
    return VirtualClock(auto=True)


@pytest.fixture(autouse=True)
def _own(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--road") != "own":
        pytest.skip("it is about the package's own transports")


async def test_a_list_goes_a_short_way(server: SimServer) -> None:
    async with make_client(server.url) as client, client.runspaces.open():
        runspaces, roads = client.runspaces, [Road() for _ in range(5)]
        for road in roads:
            with road:
                assert len(await runspaces.list()) == 1
    _check_list(_shortest(roads))


def test_a_list_of_the_sync_client_goes_a_short_way(server: SimServer) -> None:
    with make_sync_client(server.url) as client, client.runspaces.open():
        runspaces, roads = client.runspaces, [Road() for _ in range(5)]
        for road in roads:
            with road:
                assert len(runspaces.list()) == 1
    _check_list(_shortest(roads))


async def test_a_run_goes_a_short_way(server: SimServer) -> None:
    async with make_client(server.url) as client:
        await client.run("1 + 1")
        before = server.traffic.seen
        with Road() as road:
            assert (await client.run("1 + 1")).output == "2"
        requests = server.traffic.seen - before
    most = _MOST_CALLS_OF_A_RUN + _MOST_CALLS_OF_EACH_REQUEST * requests
    assert road.calls.total() <= most, road.calls


async def test_many_other_requests_leave_the_latest_ones_prepared(server: SimServer) -> None:
    ids = [f"pcli-{number}" for number in range(40)]
    async with make_client(server.url) as client:
        for one in ids:
            with pytest.raises(NotFoundError):
                await client.runspaces.get(one)
        kept = [path for _, path, _ in client._session.sender._requests.kept]
    assert kept[-16:] == [f"/api/runspaces/{one}" for one in ids[-16:]]
    assert len(kept) <= 32
