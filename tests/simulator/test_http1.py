"""HTTP/1.1 as bytes: what is taken apart is what was put together."""

from __future__ import annotations

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere.simulator import Reply
from srs_vsphere.simulator.http1 import (
    ChunkedBody,
    Limits,
    RefusedRequestError,
    framed_headers,
    parse_head,
    response_head,
)
from srs_vsphere.simulator.request_reader import RequestReader

TOKENS = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)
VALUES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f\x85\xa0"), max_size=30
)


def cut(data, places):
    places = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


@given(st.lists(st.binary(min_size=1, max_size=50)), st.binary(max_size=20), st.lists(st.integers(0, 5000)))
def test_chunks_cut_anywhere_give_the_body_and_what_follows_it(parts, following, places):
    sent = b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    chunks = ChunkedBody(Limits())
    rest = None
    for piece in cut(sent + following, places):
        rest = chunks.feed(piece) if rest is None else rest + piece
    assert bytes(chunks.body) == b"".join(parts)
    assert rest == following


@given(st.lists(st.tuples(st.binary(max_size=50), st.booleans()), max_size=6), st.lists(st.integers(0, 5000)))
def test_requests_cut_anywhere_are_read_in_their_order(bodies, places):
    sent = b""
    for body, chunked in bodies:
        if chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            sent += b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
        else:
            sent += b"POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    reader, head, read = RequestReader(Limits()), None, []
    for piece in cut(sent, places):
        reader.feed(piece)
        while (head := head or reader.take_head()) and (body := reader.take_body(head)) is not None:
            read.append((body, head.length is None))
            head = None
    assert (read, len(reader)) == (bodies, 0)


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_a_refusal(data):
    with contextlib.suppress(RefusedRequestError):
        parse_head(data, Limits())
    with contextlib.suppress(RefusedRequestError):
        ChunkedBody(Limits()).feed(data)


@given(TOKENS, st.lists(st.tuples(TOKENS.map("x-{}".format), VALUES), max_size=9))
def test_a_head_is_read_as_it_was_written(target, headers):
    lines = [f"GET /{target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    head = parse_head("\r\n".join(lines).encode("latin-1"), Limits())
    assert head.request.target == f"/{target}"
    assert head.request.headers == tuple(headers)
    assert (head.length, head.close, head.expects) == (0, False, False)


@pytest.mark.parametrize(
    ("reply", "method", "framing"),
    [
        (Reply(200, (), b"ab"), "GET", [("Content-Length", "2")]),
        (Reply(200), "GET", [("Content-Length", "0")]),
        (Reply(200), "HEAD", []),
        (Reply(204), "GET", []),
        (Reply(200, (), [b"ab"]), "GET", [("Transfer-Encoding", "chunked")]),
        (Reply(200, (("content-length", "9"),), b"ab"), "GET", [("content-length", "9")]),
    ],
)
def test_a_response_says_how_long_it_is_unless_it_says_so_itself(reply, method, framing):
    assert framed_headers(reply, method=method) == framing
    head = response_head(reply, method=method, date="now", close=True).decode()
    expected = "".join(f"{name}: {value}\r\n" for name, value in framing)
    assert head.partition("\r\n")[2] == f"{expected}Date: now\r\nServer: Kestrel\r\nConnection: close\r\n\r\n"
