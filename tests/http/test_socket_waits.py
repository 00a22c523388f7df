"""Waiting for a socket where there is only `select.select`, which a Ctrl-C does not end on Windows."""

from __future__ import annotations

import select
import socket

import pytest

from srs_vsphere._http import socket_waits
from srs_vsphere._http.socket_waits import waiting_for


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each `select` was to take."""
    seconds: list[float] = []
    now = 0.0

    def select_(
        reading: list[int], writing: list[int], _: list[int], timeout: float
    ) -> tuple[list[int], ...]:
        nonlocal now
        seconds.append(timeout)
        found = real(reading, writing, [], 0)
        if not any(found):
            now += timeout
        return found

    real = select.select
    monkeypatch.delattr(select, "poll", raising=False)
    monkeypatch.setattr(select, "select", select_)
    monkeypatch.setattr(socket_waits.time, "monotonic", lambda: now)
    return seconds


def test_a_long_wait_is_many_short_ones(slices: list[float]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wait = waiting_for(ours.fileno())
        assert not wait(1100)
        assert sum(slices) == pytest.approx(1.1)
        assert max(slices) <= 0.2
        slices.clear()
        assert not wait(0)
        assert slices == [0]
        theirs.send(b"x")
        assert wait(1100)
        assert len(slices) == 2
        slices.clear()
        assert waiting_for(theirs.fileno(), write=True)(1100)
        assert len(slices) == 1


def test_an_interrupt_is_heard_between_two_of_them(
    slices: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: the signal's function is called in between, and never within."""

    def interrupted() -> float:
        if len(slices) == 2:
            raise KeyboardInterrupt
        return 0.0

    ours, theirs = socket.socketpair()
    with ours, theirs:
        monkeypatch.setattr(socket_waits.time, "monotonic", interrupted)
        with pytest.raises(KeyboardInterrupt):
            waiting_for(ours.fileno())(86_400_000)
    assert slices == [0.2, 0.2]
