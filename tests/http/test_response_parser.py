"""Any split of any byte stream gives what the whole gives; a remembered head, what a new one gives."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from srs_vsphere._http import limits
from srs_vsphere._http.response_head import HeadMemory
from tests.http.feeding import FRAGMENTS, outcome, responses, split

mutation = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.sampled_from(["cut", "insert", "flip", "double"]),
        st.sampled_from(FRAGMENTS),
        st.integers(0, 255),
    ),
    max_size=4,
)


def mutate(data: bytes, steps: list[tuple[int, str, bytes, int]]) -> bytes:
    for place, kind, fragment, byte in steps:
        at = place % (len(data) + 1)
        if kind == "cut":
            data = data[:at] + data[at + byte % 9 :]
        elif kind == "insert":
            data = data[:at] + fragment + data[at:]
        elif kind == "flip":
            data = data[:at] + bytes([byte]) + data[at + 1 :]
        else:
            data = data[:at] + data[max(at - byte, 0) :]
    return data


@settings(max_examples=400)
@given(
    data=responses(),
    steps=mutation,
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
)
@example(data=b"\r\n\r\n", steps=[], cuts=[1, 2, 3])
@example(data=b"HTTP/1.1 200 OK\r\n\r\n", steps=[], cuts=[17, 18])
def test_any_split_gives_what_the_whole_gives(
    data: bytes, steps: list[tuple[int, str, bytes, int]], cuts: list[int]
) -> None:
    data = mutate(data, steps)
    whole = outcome([data] if data else [])
    assert outcome(split(data, cuts)) == whole
    if len(data) < 1000:
        assert outcome([data[at : at + 1] for at in range(len(data))]) == whole


@settings(max_examples=100)
@given(data=st.lists(responses(), min_size=1, max_size=3))
def test_a_remembered_head_reads_as_a_new_one(data: list[bytes]) -> None:
    memory = HeadMemory(size=2)
    for _ in range(2):
        for one in data:
            assert outcome([one], memory=memory) == outcome([one])


def edge(before: bytes, filler: bytes, after: bytes, longest: int) -> None:
    """The longest that is taken is taken, and one byte more is refused, whole or byte by byte."""
    for surplus, refused in ((0, False), (1, True)):
        data = before + filler * (longest + surplus) + after
        results = {
            outcome([data]) == ("refused",),
            outcome(split(data, range(0, len(data), 7))) == ("refused",),
        }
        assert results == {refused}


def test_edges_do_not_depend_on_the_split() -> None:
    line = b"HTTP/1.1 200 "
    edge(line, b"O", b"\r\nContent-Length: 0\r\n\r\n", limits.STATUS_LINE_BYTES - len(line))
    start, end = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA:", b"\r\n\r\n"
    edge(start, b"b", end, limits.HEAD_BYTES - len(start) - len(end))
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    edge(chunked + b"2;", b"a", b"\r\n[]\r\n0\r\n\r\n", limits.CHUNK_LINE_BYTES - 2)
    edge(chunked + b"0\r\nA:", b"b", b"\r\n\r\n", limits.TRAILER_BYTES - 6)


def test_a_body_byte_by_byte_is_held_in_one_piece() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(1000)
    assert outcome([data[at : at + 1] for at in range(len(data))]) == outcome([data])
