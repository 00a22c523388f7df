"""Clocks, and the events that come with time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from srs_vsphere import SrsClient
from srs_vsphere.simulator import Simulator, SyncSimTransport, SystemClock, VirtualClock
from srs_vsphere.simulator.agenda import Agenda
from tests._async.helping import AUTH


def test_a_virtual_clock_moves_only_when_it_is_moved():
    clock = VirtualClock(datetime(2026, 5, 1, tzinfo=UTC))
    assert (clock.seconds(), clock.now()) == (0, datetime(2026, 5, 1, tzinfo=UTC))

    clock.advance(90.5)

    assert (clock.seconds(), clock.now()) == (90.5, datetime(2026, 5, 1, 0, 1, 30, 500_000, UTC))


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_does_not_go_back(seconds):
    with pytest.raises(ValueError, match="seconds must be 0 seconds or more, and finite"):
        VirtualClock().advance(seconds)


def test_time_ends_with_the_year_9999():
    clock = VirtualClock()
    with pytest.raises(ValueError, match="seconds must not lead beyond the year 9999"):
        clock.advance(1e12)
    clock.advance(2.5e11)
    assert clock.now().year == 9948


def test_centuries_pass_at_once():
    clock = VirtualClock()
    simulator = Simulator(users={"alice": "sesame-7Qx"}, clock=clock)
    kept = simulator.add_runspace()
    with SrsClient("http://srs", auth=AUTH, transport=SyncSimTransport(simulator)) as client:
        for _ in range(2):
            client.runspaces.create()
            client.web_consoles.create(wait=False)
            clock.advance(599)
            assert len(client.runspaces.list()) == 2
            # One cleanup a minute is found superfluous, and none is missed.
            clock.advance(1e10)
            assert list(simulator.runspaces) == [kept]
            assert (simulator.session_count, simulator.web_console_count) == (0, 0)


@pytest.mark.parametrize("seconds", ["5", None, True])
def test_time_is_a_number(seconds):
    with pytest.raises(TypeError, match="seconds must be a number of seconds, not"):
        VirtualClock().advance(seconds)


def test_a_clock_has_a_time_zone():
    with pytest.raises(TypeError, match="start must be a datetime, not str"):
        VirtualClock("2026-05-01")
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2026, 5, 1))  # that is what is refused


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_is_positive(speed):
    with pytest.raises(ValueError, match="speed must be a positive number"):
        SystemClock(speed)


def test_the_machines_clock_runs_and_may_run_faster(monkeypatch):
    moments = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: moments[-1])
    clock = SystemClock(speed=60)
    began = clock.now()
    assert abs(began - datetime.now(UTC)) < timedelta(minutes=1)

    moments.append(101.5)

    assert clock.seconds() == 90
    assert clock.now() - began == timedelta(seconds=90)


def test_a_simulator_runs_on_the_machines_clock_by_default():
    assert isinstance(Simulator().clock, SystemClock)


def test_events_happen_at_their_own_time_and_in_order():
    clock = VirtualClock()
    agenda = Agenda(clock)
    seen = []

    def first():
        seen.append(("first", agenda.now))
        agenda.after(1, lambda: seen.append(("made by the first", agenda.now)))

    agenda.at(5, lambda: seen.append(("last", agenda.now)))
    agenda.at(1, first)
    agenda.at(1, lambda: seen.append(("as early", agenda.now)))
    agenda.at(2, lambda: seen.append(("never", agenda.now))).cancelled = True
    clock.advance(4)
    assert agenda.catch_up() == agenda.now == 4
    assert seen == [("first", 1), ("as early", 1), ("made by the first", 2)]
    clock.advance(1)
    agenda.catch_up()
    assert seen[-1] == ("last", 5)


@pytest.mark.parametrize(
    ("start", "seconds", "text"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), 0, "2026-01-01T00:00:00+00:00"),
        (datetime(2026, 1, 1, tzinfo=UTC), 59.9999999, "2026-01-01T00:00:59.9999999+00:00"),
        (datetime(2026, 1, 1, tzinfo=UTC), 0.25, "2026-01-01T00:00:00.25+00:00"),
        (
            datetime(2026, 1, 1, 1, 0, 0, 10, timezone(timedelta(hours=2))),
            0,
            "2025-12-31T23:00:00.00001+00:00",
        ),
    ],
)
def test_times_are_written_as_the_service_writes_them(start, seconds, text):
    clock = VirtualClock(start)
    clock.advance(seconds)
    agenda = Agenda(clock)

    assert agenda.stamp(agenda.now) == text
