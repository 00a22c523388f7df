"""A request into bytes."""

from __future__ import annotations

import re
from typing import Final

import httpx

from srs_vsphere._http.response_head import are_fields

_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.1\r\n")

IDEMPOTENT: Final = frozenset({"GET", "PUT", "DELETE", "OPTIONS", "TRACE"})
"""Methods that may be sent again if nobody knows what became of the first time."""


def request_bytes(request: httpx.Request) -> bytes:
    """Write a request down: head and body.

    Args:
        request: with the headers that httpx gives it, and its body in one piece.

    Raises:
        httpx.LocalProtocolError: method, target or headers cannot be sent, the response to such a request has
            no body whatever its head says, or the body is not as long as the headers say.
    """
    start = b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii", "replace"), request.url.raw_path)
    if request.method in {"CONNECT", "HEAD"} or _REQUEST_LINE.fullmatch(start) is None:
        raise httpx.LocalProtocolError("the method or the target cannot be sent")
    if not isinstance(request.stream, httpx.ByteStream):
        raise httpx.LocalProtocolError("the body must be in one piece")
    fields = request.headers.raw
    body = b"".join(request.stream)
    length = b"0"
    for name, value in fields:
        size = len(name)
        # The lengths tell most fields apart from these two without looking at them.
        if size == 14 and name.lower() == b"content-length":
            length = value
        elif size == 17 and name.lower() == b"transfer-encoding":
            raise httpx.LocalProtocolError("the body must be in one piece")
    if length != b"%d" % len(body):
        raise httpx.LocalProtocolError("the body is not as long as its Content-Length")
    block = b"".join([b"%b: %b\r\n" % field for field in fields])
    # A line end within a value would make two fields of one.
    if not are_fields(block) or block.count(b"\n") != len(fields):
        raise httpx.LocalProtocolError("a header cannot be sent")
    return b"%b%b\r\n%b" % (start, block, body)
