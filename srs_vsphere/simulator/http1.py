"""HTTP/1.1 as bytes: requests taken apart, responses put together; no I/O."""

from __future__ import annotations

import re
from functools import lru_cache

from attrs import field, frozen

from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.pages import page, reason

_TOO_LARGE = page(400, "Request Header Or Cookie Too Large")
_BAD = Reply(400)
TOO_SLOW = page(408)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[!-~]+")
# A carriage return at the end is left over from the client's own reading of a header; real clients send it.
_PADDING = " \t\r"
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class RefusedRequestError(Exception):
    """A request that no service would read to its end.

    Args:
        reply: what is answered before the connection closes.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"answered with {reply.status}")
        self.reply = reply


@frozen(kw_only=True)
class Limits:
    """How much a client may send: as a rule the limits of the proxy before the service.

    Args:
        line: bytes of a header line; default 8 KiB.
        head: bytes of request line and headers together; default 32 KiB.
        body: bytes of a body; default 1 MiB.
        seconds: for a whole head, and then for each next part of a body; default 60.

    Raises:
        ValueError: one of them is not positive.
    """

    line: int = field(default=8 * 1024)
    head: int = field(default=32 * 1024)
    body: int = field(default=1024 * 1024)
    seconds: float = field(default=60.0)

    def __attrs_post_init__(self) -> None:
        for key in ("line", "head", "body"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be 1 or more, not {getattr(self, key)}")
        if not 0 < self.seconds < float("inf"):
            raise ValueError(f"seconds must be a positive number, not {self.seconds}")


@frozen(eq=False)
class Head:
    """A request without its body.

    Args:
        request: method, target and headers.
        length: bytes of the body; None if it comes in chunks.
        close: whether the client wants the connection closed afterwards.
        expects: whether the client waits to be told to go on.
    """

    request: Request
    length: int | None
    close: bool
    expects: bool


def parse_head(block: bytes, limits: Limits) -> Head:
    """Take request line and headers apart.

    Args:
        block: their bytes, without the empty line.
        limits: how long they may be.

    Raises:
        RefusedRequestError: they are too long or malformed, or the body is too long.
    """
    if len(block) > limits.head:
        raise RefusedRequestError(_TOO_LARGE)
    first, *lines = block.decode("latin-1").lstrip("\r\n").split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, version = rest.partition(" ")
    if version not in {"HTTP/1.1", "HTTP/1.0"} or not _TOKEN.fullmatch(method):
        raise RefusedRequestError(_BAD)
    if len(first) > limits.line:
        raise RefusedRequestError(page(414))
    if not _TARGET.fullmatch(target):
        raise RefusedRequestError(_BAD)
    headers = tuple(_header(line, limits) for line in lines)
    if len(_values(headers, "host")) > 1:
        raise RefusedRequestError(_BAD)
    options = ",".join(_values(headers, "connection")).lower().split(",")
    return Head(
        Request(method, _origin_form(target), headers),
        _body_length(headers, limits),
        close="close" in map(str.strip, options) or version == "HTTP/1.0",
        expects=[value.lower() for value in _values(headers, "expect")] == ["100-continue"],
    )


def _header(line: str, limits: Limits) -> tuple[str, str]:
    if len(line) > limits.line:
        raise RefusedRequestError(_TOO_LARGE)
    name, colon, value = line.partition(":")
    value = value.strip(_PADDING)
    if not colon or not _TOKEN.fullmatch(name) or _CONTROLS.search(value):
        raise RefusedRequestError(_BAD)
    return name.lower(), value


def _values(headers: tuple[tuple[str, str], ...], name: str) -> list[str]:
    return [value for key, value in headers if key == name]


def _origin_form(target: str) -> str:
    """Cut scheme and host off a target that a client meant for a proxy."""
    if target[:1] == "/" or "://" not in target:
        return target
    _, slash, path = target.partition("://")[2].partition("/")
    return slash + path or "/"


def _body_length(headers: tuple[tuple[str, str], ...], limits: Limits) -> int | None:
    codings = _values(headers, "transfer-encoding")
    lengths = _values(headers, "content-length")
    if codings:
        if lengths or [coding.lower() for coding in codings] != ["chunked"]:
            raise RefusedRequestError(_BAD)
        return None
    if not lengths:
        return 0
    digits = lengths[0]
    if len(lengths) > 1 or not (digits.isascii() and digits.isdecimal()):
        raise RefusedRequestError(_BAD)
    # Python does not read a number of thousands of digits, and no body is that long.
    digits = digits.lstrip("0") or "0"
    if len(digits) > len(str(limits.body)) or int(digits) > limits.body:
        raise RefusedRequestError(page(413))
    return int(digits)


class ChunkedBody:
    """Puts a body together that comes in chunks.

    Args:
        limits: how long it may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rest: bytes = b""
        self._missing: int = 0
        self._trailers: bool = False
        # What is neither body nor sizes may be as long as a head, however many lines it comes in.
        self._extras_left = limits.head
        self.body: bytearray = bytearray()

    def feed(self, data: bytes) -> bytes | None:
        """Take the next bytes of the connection.

        Args:
            data: the bytes.

        Returns:
            None if the body goes on, else the bytes that follow it.

        Raises:
            RefusedRequestError: the chunks are malformed, or the body is too long.
        """
        data = self._rest + data
        at = 0
        while True:
            if self._missing > 0:
                taken = data[at : at + self._missing]
                self.body += taken
                at += len(taken)
                self._missing -= len(taken)
                if self._missing:
                    self._rest = b""
                    return None
                self._missing = -1
            end = data.find(b"\r\n", at)
            if end < 0:
                self._rest = data[at:]
                if len(self._rest) > self._limits.line:
                    raise RefusedRequestError(_BAD)
                return None
            line, at = data[at:end], end + 2
            if self._trailers:
                if not line:
                    return data[at:]
                self._count_extras(len(line))
            elif self._missing < 0:
                if line:
                    raise RefusedRequestError(_BAD)
                self._missing = 0
            else:
                self._begin(line)

    def _begin(self, line: bytes) -> None:
        size, _, extension = line.partition(b";")
        self._count_extras(len(extension))
        size = size.strip()
        if not size or size.strip(b"0123456789abcdefABCDEF") or len(size) > 8:
            raise RefusedRequestError(_BAD)
        self._missing = int(size, 16)
        self._trailers = not self._missing
        if len(self.body) + self._missing > self._limits.body:
            raise RefusedRequestError(page(413))

    def _count_extras(self, length: int) -> None:
        self._extras_left -= length
        if self._extras_left < 0:
            raise RefusedRequestError(_TOO_LARGE)


def response_head(reply: Reply, *, method: str, date: str, close: bool) -> bytes:
    """Write status line and headers, with the empty line after them.

    A reply that names its own ``Content-Length`` or ``Transfer-Encoding`` keeps it, true or not.

    Args:
        reply: the reply.
        method: of the request.
        date: for the ``Date`` header.
        close: whether the connection closes afterwards.
    """
    start, rest, framed = _fixed(reply.status, reply.headers)
    framing = "" if framed else _framing(reply, method)
    ending = "Connection: close\r\n\r\n" if close else "\r\n"
    return f"{start}{framing}{rest}Date: {date}\r\nServer: Kestrel\r\n{ending}".encode()


def framed_headers(reply: Reply, *, method: str) -> list[tuple[str, str]]:
    """Return a reply's headers with the one that says how long the body is.

    Args:
        reply: the reply.
        method: of the request.
    """
    name, _, value = _framing(reply, method).strip().partition(": ")
    framing = [(name, value)] if name and not _fixed(reply.status, reply.headers)[2] else []
    return [*framing, *reply.headers]


def has_body(reply: Reply, method: str) -> bool:
    """Tell whether a reply's body is sent.

    Args:
        reply: the reply.
        method: of the request.
    """
    return method != "HEAD" and reply.status not in {204, 304}


def _framing(reply: Reply, method: str) -> str:
    if reply.status in {204, 304}:
        return ""
    if not isinstance(reply.body, bytes):
        return "Transfer-Encoding: chunked\r\n"
    return f"Content-Length: {len(reply.body)}\r\n" if reply.body or method != "HEAD" else ""


@lru_cache(maxsize=64)
def _fixed(status: int, headers: tuple[tuple[str, str], ...]) -> tuple[str, str, bool]:
    names = {name.lower() for name, _ in headers}
    return (
        f"HTTP/1.1 {status} {reason(status)}\r\n",
        "".join(f"{name}: {value}\r\n" for name, value in headers),
        bool(names & {"content-length", "transfer-encoding"}),
    )
