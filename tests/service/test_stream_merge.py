"""However streams are looked at, each record is told once, in order of time, and gaps are told too."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere._service.stream_merge import WINDOW, StreamFollower
from srs_vsphere.models import StreamGap, StreamRecord, StreamType

START = datetime(2026, 1, 2, tzinfo=UTC)
WARNING = StreamType.WARNING


def record(message, at=0.0, stream=WARNING):
    return StreamRecord(message, START + timedelta(seconds=at), stream)


def bare(records):
    """Records as the service gives them, which does not say their stream."""
    return [StreamRecord(r.message, r.time) for r in records]


def followed(*looks, stream=WARNING):
    follower = StreamFollower()
    told = []
    for window in looks:
        windows = {kind: [] for kind in StreamType} | {stream: bare(window)}
        told += follower.look(windows)
    return told + follower.finish()


def numbered(first, last):
    return [record(f"m{n}", n) for n in range(first, last)]


def test_new_records_are_told_once():
    assert followed(numbered(0, 2), numbered(0, 2), numbered(0, 5), numbered(0, 5)) == numbered(0, 5)


def test_windows_that_move_are_joined():
    assert followed(numbered(0, 30), numbered(10, 60), numbered(59, 109)) == numbered(0, 109)


def test_equal_messages_at_equal_times_are_all_told():
    same = [record("same")] * 10
    assert followed(same[:3], same[:3], same) == same
    tail = numbered(1, 45)
    assert followed(same, [*same[4:], *tail]) == [*same, *tail]


def test_a_window_that_was_replaced_leaves_a_gap():
    told = followed(numbered(0, 49), numbered(70, 120))
    assert told == [
        *numbered(0, 49),
        StreamGap(WARNING, 1, START + timedelta(seconds=70)),
        *numbered(70, 120),
    ]


def test_a_first_look_that_is_full_has_a_gap_before_it():
    told = followed(numbered(10, 60))
    assert told[0] == StreamGap(WARNING, 1, START + timedelta(seconds=10))
    assert told[1:] == numbered(10, 60)
    assert followed(numbered(0, 49)) == numbered(0, 49)


def test_what_the_service_forgets_is_not_told_again():
    assert followed(numbered(0, 5), [], numbered(0, 3), numbered(0, 6)) == numbered(0, 6)


def test_a_stream_that_cannot_be_looked_at_loses_nothing():
    follower = StreamFollower()
    told = follower.look({WARNING: bare(numbered(0, 3))})
    told += follower.look({WARNING: None})
    told += follower.look({})
    told += follower.look({WARNING: bare(numbered(0, 5))})
    assert told == []
    assert follower.finish() == numbered(0, 5)
    assert follower.finish() == []


def test_records_are_told_one_look_later():
    follower = StreamFollower()
    full = {kind: [] for kind in StreamType} | {WARNING: bare(numbered(0, 3))}
    assert follower.look(full) == []
    assert follower.look(full) == numbered(0, 3)
    assert follower.look(full) == []


def test_a_late_record_is_told_before_a_younger_one():
    follower = StreamFollower()
    empty = {kind: [] for kind in StreamType}
    young, late = record("young", 5), record("late", 4, StreamType.ERROR)
    assert follower.look(empty | {WARNING: bare([young])}) == []
    assert follower.look(empty | {WARNING: bare([young]), StreamType.ERROR: bare([late])}) == [late, young]


def test_records_without_a_time_keep_their_place():
    odd = [record("a", 1), StreamRecord("b", None, WARNING), record("c", 2), record("back", 1.5)]
    assert followed(odd) == odd
    assert followed([StreamRecord("b", None)]) == [StreamRecord("b", None, WARNING)]


@st.composite
def runs(draw, *, most_between_looks):
    """A script's records, and for each look the moment at which each stream is read."""
    records, moments, clock = [], [], 0
    for _ in range(draw(st.integers(1, 5))):
        moment = {}
        budget = dict.fromkeys(StreamType, most_between_looks)
        for kind in StreamType:
            # Between two reads some stream gets a burst of records: repeated messages, repeated times, but
            # not both alike.
            writer = draw(st.sampled_from(StreamType))
            burst = draw(st.integers(0, budget[writer]))
            budget[writer] -= burst
            client_clock = draw(st.integers(1, 3))
            for n in range(burst):
                clock += n % client_clock == 0
                records.append(record(f"m{n % 3}", clock, writer))
            clock += 1
            moment[kind] = len(records)
        moments.append(moment)
    return records, moments


def windows_at(records, moment):
    written = {kind: [r for r in records[: moment[kind]] if r.stream is kind] for kind in StreamType}
    return {kind: bare(of[-WINDOW:]) for kind, of in written.items()}, written


def play(records, moments):
    follower, told = StreamFollower(), []
    for moment in moments:
        told += follower.look(windows_at(records, moment)[0])
    return told + follower.finish()


def expected_of(records, moments, kind):
    """What a stream must tell, worked out from what was truly written."""
    expected, before = [], 0
    for moment in moments:
        of = windows_at(records, moment)[1][kind]
        if len(of) - before >= WINDOW:
            expected.append(StreamGap(kind, 1, of[-WINDOW].time))
        expected += of[max(before, len(of) - WINDOW) :]
        before = len(of)
    return expected


@given(runs(most_between_looks=24))
def test_nothing_is_lost_or_doubled_below_fifty_between_looks(run):
    records, moments = run
    told = play(records, moments)
    seen = {kind: moments[-1][kind] for kind in StreamType}
    for kind in StreamType:
        assert [r for r in told if r.stream is kind] == [r for r in records[: seen[kind]] if r.stream is kind]
    assert all(earlier.time <= later.time for earlier, later in pairwise(told))


@given(runs(most_between_looks=130))
def test_gaps_are_told_where_they_are(run):
    records, moments = run
    told = play(records, moments)
    for kind in StreamType:
        assert [item for item in told if item.stream is kind] == expected_of(records, moments, kind)
    assert all(earlier.time <= later.time for earlier, later in pairwise(told))


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1)), max_size=200),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_nothing_is_ever_doubled_however_alike_the_records(steps, looks):
    clock, records = 0, []
    for message, later in steps:
        clock += later
        records.append(record(message, clock))
    cuts = [min(sum(looks[: n + 1]), len(records)) for n in range(len(looks))]
    told = [r for r in followed(*(records[:cut][-WINDOW:] for cut in cuts)) if isinstance(r, StreamRecord)]
    rest = iter(records)
    # Each one told is found further on in what was written: a subsequence, so nothing is told twice.
    assert all(any(r == truth for truth in rest) for r in told)
