"""Byte streams made up of responses, and what becomes of them without any I/O."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from hypothesis import strategies as st

from srs_vsphere._http.response_head import HeadMemory, MalformedResponse
from srs_vsphere._http.response_parser import ResponseParser

Outcome = tuple[object, ...]


def outcome(pieces: Iterable[bytes], *, memory: HeadMemory | None = None) -> Outcome:
    """Feed a response piece by piece, taking its body as it comes, and say what came of it."""
    parser = ResponseParser(memory or HeadMemory(), keep=True)
    body = bytearray()
    over = False
    try:
        for piece in pieces:
            if parser.done:
                # The connection would be idle now: any byte ends it.
                over = True
            else:
                parser.feed(piece)
                assert parser.waiting == len(parser.body)
                body += parser.take()
        parser.eof()
    except MalformedResponse:
        return ("refused",)
    head = parser.head
    assert head is not None
    assert parser.done
    return (head.status, head.reason, tuple(head.fields), bytes(body), parser.reusable and not over)


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


token = st.text("abcXYZ-019", min_size=1, max_size=12).map(str.encode)
value = st.text("abc ,;=/1\t\xe9", max_size=20).map(lambda text: text.encode("latin-1"))
field = st.tuples(token, value).map(lambda both: b"%b: %b\r\n" % both)
fields = st.lists(field, max_size=6).map(b"".join)
status_line = st.builds(
    b"HTTP/1.%d %b%b\r\n".__mod__,
    st.tuples(
        st.sampled_from([1, 1, 1, 0]),
        st.sampled_from([b"200", b"200", b"202", b"0", b"404", b"500", b"204", b"304", b"100", b"103"]),
        st.sampled_from([b" OK", b" ", b"", b" a longer reason"]),
    ),
)
payload = st.binary(max_size=200)


@st.composite
def chunked(draw: st.DrawFn) -> bytes:
    parts = draw(st.lists(st.binary(min_size=1, max_size=60), max_size=5))
    extension = draw(st.sampled_from([b"", b";a=b", b" ;x"]))
    framed = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)
    return framed + b"0\r\n" + draw(st.sampled_from([b"", b"", b"X: y\r\n"])) + b"\r\n"


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Mostly well-formed responses, some with bytes after them."""
    start = draw(status_line) + draw(fields)
    kind = draw(st.sampled_from(["length", "chunked", "close", "both"]))
    body = draw(payload)
    if kind == "length":
        rest = b"Content-Length: %d\r\n\r\n" % len(body) + body
    elif kind == "chunked":
        rest = b"Transfer-Encoding: chunked\r\n\r\n" + draw(chunked())
    elif kind == "close":
        rest = b"\r\n" + body
    else:
        rest = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(body) + body
    before = draw(st.sampled_from([b"", b"", b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"]))
    after = draw(st.sampled_from([b"", b"", b"", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]))
    return before + start + rest + after


FRAGMENTS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b":", b"0", b"-1", b"ffffffff", b"HTTP/1.1 ",
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"5\r\nabcde\r\n", b"0\r\n\r\n",
    b"\0", b"\xff", b";", b"A" * 5000, b"B: c\r\n" * 300,
]  # fmt: skip
