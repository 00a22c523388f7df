"""A request into bytes."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Final, NamedTuple

import httpx

from srs_vsphere._http.response_head import are_fields

_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.1\r\n")

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
"""Methods that may be sent again if nobody knows what became of the first time."""


class RequestBytes(NamedTuple):
    """A request as it goes over the wire.

    Args:
        start: the head, and the body too if that is at hand.
        rest: the body otherwise, in pieces.
        last: whether the connection must not be used again.
    """

    start: bytes
    rest: AsyncGenerator[bytes, None] | None
    last: bool


def request_bytes(request: httpx.Request) -> RequestBytes:
    """Write a request down.

    Args:
        request: with the headers that httpx gives it.

    Raises:
        httpx.LocalProtocolError: method, target or headers cannot be sent, or the body at hand is not as
            long as they say.
    """
    target = request.extensions.get("target") or request.url.raw_path
    start = b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii", "replace"), target)
    if request.method == "CONNECT" or _REQUEST_LINE.fullmatch(start) is None:
        raise httpx.LocalProtocolError("the method or the target cannot be sent")
    fields = request.headers.raw
    length: int | None = 0
    last = False
    for name, value in fields:
        size = len(name)
        # The lengths tell most fields apart from these three without looking at them.
        if size == 14 and name.lower() == b"content-length":
            length = int(value) if value.isdigit() else -1
        elif size == 17 and name.lower() == b"transfer-encoding":
            length = None
        elif size == 10 and name.lower() == b"connection":
            last = b"close" in value.lower()
    block = b"".join([b"%b: %b\r\n" % field for field in fields])
    # A line end within a value would make two fields of one.
    if not are_fields(block) or block.count(b"\n") != len(fields):
        raise httpx.LocalProtocolError("a header cannot be sent")
    start = b"%b%b\r\n" % (start, block)
    stream = request.stream
    if isinstance(stream, httpx.ByteStream):
        body = request.content
        if length is None:
            framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
            return RequestBytes(start + framed, None, last)
        if len(body) != length:
            raise httpx.LocalProtocolError("the body is not as long as its Content-Length")
        return RequestBytes(start + body if body else start, None, last)
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("the request's body cannot be read asynchronously")
    return RequestBytes(start, _chunked(stream) if length is None else _counted(stream, length), last)


async def _chunked(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    async for part in stream:
        if part:
            yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


async def _counted(stream: AsyncIterable[bytes], length: int) -> AsyncGenerator[bytes, None]:
    async for part in stream:
        length -= len(part)
        if length < 0:
            raise httpx.LocalProtocolError("the body is longer than its Content-Length")
        yield part
    if length:
        raise httpx.LocalProtocolError("the body is shorter than its Content-Length")
