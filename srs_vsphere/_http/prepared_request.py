"""A request in bytes, as our own transports send it; written down once, it may be sent many times."""

from __future__ import annotations

import re
from typing import Final

import httpx

from srs_vsphere._http.response_head import FIELDS
from srs_vsphere._http.step_timeouts import StepTimeouts
from srs_vsphere.auth import Secret

#: How much of a body is waited for where a caller wants the whole of it.
_WHOLE = 256 * 1024
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
    if FIELDS.fullmatch(block) is None or block.count(b"\n") != len(fields):
        raise httpx.LocalProtocolError("a header cannot be sent")
    return b"%b%b\r\n%b" % (start, block, body)


class PreparedRequest(httpx.Request):
    """A request for `AsyncioTransport` and its sync twin; httpx's own transports never see one.

    Several calls may send the same one at the same time: sending changes nothing in it.

    Args:
        method: HTTP method.
        url: where it goes.
        headers: all header fields but Content-Length.
        content: the body, or None.
        secret: what the headers hold of the credentials, or None.
        timeouts: how long each step may take.
        whole: whether the caller wants the response's whole body at once.
        repeatable: whether it may be sent again if a kept connection turns out closed.

    Attributes:
        wire: head and body as they go over the wire; they hold the API key.
        enough: how much of the response's body is waited for before the response is returned.
    """

    def __init__(
        self,
        method: str,
        url: httpx.URL,
        headers: dict[str, str],
        content: bytes | None,
        *,
        secret: Secret | None = None,
        timeouts: StepTimeouts,
        whole: bool,
        repeatable: bool,
    ) -> None:
        super().__init__(method, url, headers=headers, content=content)
        self.wire: bytes = request_bytes(self)
        self.secret: Secret | None = secret
        self.timeouts: StepTimeouts = timeouts
        self.enough: int = _WHOLE if whole else 0
        self.repeatable: bool = repeatable

    def within(self, timeouts: StepTimeouts) -> PreparedRequest:
        """Return a copy with other timeouts, which costs a fiftieth of a new request.

        Args:
            timeouts: how long each step may take.
        """
        copy = PreparedRequest.__new__(PreparedRequest)
        copy.__dict__.update(self.__dict__)
        copy.timeouts = timeouts
        return copy
