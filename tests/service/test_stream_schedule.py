"""Streams are read at every look, or rarely while a script is silent."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere._service.stream_schedule import StreamSchedule, StreamsChoice
from srs_vsphere.models import ScriptExecution

RUNNING = ScriptExecution("id", start_time=datetime(2026, 1, 2, tzinfo=UTC))
NEW = ScriptExecution("id")


def read_at(choice: StreamsChoice, looks: list[float], writes: list[float]) -> list[float]:
    """Play a script that writes at some times; return when its streams were read."""
    schedule, found, last = StreamSchedule(choice), [], -1.0
    for now in looks:
        if schedule.due(now, RUNNING):
            schedule.read(now, wrote=any(last < at <= now for at in writes))
            found.append(now)
            last = now
    return found


def test_a_silent_script_is_read_more_and_more_rarely() -> None:
    looks = [float(second) for second in range(400)]
    assert read_at("sparse", looks, []) == [8, 24, 56, 116, 176, 236, 296, 356]
    assert read_at(True, looks, []) == looks
    assert read_at(False, looks, []) == []


def test_one_that_writes_is_read_at_every_look_until_it_is_silent_again() -> None:
    looks = [float(second) for second in range(60)]
    assert read_at("sparse", looks, [5, 9, 10.5]) == [8, 9, 10, 18, 19, 27, 43]


def test_the_first_look_finds_no_streams() -> None:
    for choice in (True, "sparse"):
        schedule = StreamSchedule(choice)
        assert not schedule.due(0.0, NEW)
    assert StreamSchedule(True).due(0.0, RUNNING)
    assert StreamSchedule(True).due(0.0, None)
    assert StreamSchedule(True).due(0.6, NEW)


@given(
    st.lists(st.floats(0.5, 3.6), min_size=1, max_size=100),
    st.lists(st.floats(0, 300), max_size=20),
)
def test_no_silence_is_longer_than_a_minute_and_none_follows_a_record(
    delays: list[float], writes: list[float]
) -> None:
    looks = [sum(delays[:number]) for number in range(1, len(delays) + 1)]
    found = read_at("sparse", looks, writes)
    for one, two in pairwise(found):
        # The first look at which the gap has passed.
        assert two - one < 60 + 3.6
    for look in found:
        before = max((at for at in found if at < look), default=-1.0)
        following = next((at for at in looks if at > look), None)
        if following is not None and any(before < at <= look for at in writes):
            assert following in found
