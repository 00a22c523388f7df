"""Status line and header fields of a response, and what they say about its body.

Written here and not taken from a library, for two reasons that were measured. The service responds with
the status line ``HTTP/1.1 0 ``, which h11 and llhttp refuse together with the body that says what
happened. And polls bring the same head again and again: found in a dict as a whole it costs 0.3 us, against
3 us for a parser in C that calls back for each field.

What is not plainly HTTP is refused, never repaired.
"""

from __future__ import annotations

import re
from typing import Final

import httpx

from srs_vsphere._http import limits

Field = tuple[bytes, bytes]

UNTIL_CLOSE: Final = -1
CHUNKED: Final = -2

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2}|0)(?: ([^\x00-\x08\x0a-\x1f\x7f]*+))?")
#: Header lines and nothing else.
FIELDS: Final = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+")

# The fields that say where a response ends. Their lengths tell them from most others at a glance.
_TELLING: Final = {len(name): name for name in (b"content-length", b"transfer-encoding", b"connection")}
_ENCODING: Final = b"content-encoding"


class MalformedResponse(Exception):
    """The server's bytes are not a response."""


class Head:
    """Status line and header fields of one response.

    Args:
        version: ``b"HTTP/1.1"`` or ``b"HTTP/1.0"``.
        status: the status code; 0 is what the service says if a runspace cannot be reached.
        reason: the words after it.
        fields: names and values as they came.
        length: of the body, or `UNTIL_CLOSE`, or `CHUNKED`.
        keep_alive: whether the server goes on listening afterwards.
        encoded: whether the body has to be decoded, for instance unzipped.

    Attributes:
        headers: the fields as httpx has them, for a response to copy.
        is_final: whether no other head follows; one with a status of 1xx is followed by another.
    """

    __slots__ = (
        "encoded",
        "fields",
        "headers",
        "is_final",
        "keep_alive",
        "length",
        "reason",
        "status",
        "version",
    )

    def __init__(
        self,
        version: bytes,
        status: int,
        reason: bytes,
        fields: list[Field],
        length: int,
        keep_alive: bool,
        encoded: bool,
    ) -> None:
        self.version: bytes = version
        self.status: int = status
        self.reason: bytes = reason
        self.fields: list[Field] = fields
        self.length: int = length
        self.keep_alive: bool = keep_alive
        self.encoded: bool = encoded
        self.headers: httpx.Headers = httpx.Headers(fields)
        self.is_final: bool = status >= 200 or status == 0


def parse_head(block: bytes) -> Head:
    """Read a head.

    Args:
        block: status line and header lines, each with its line end, without the empty line.

    Raises:
        MalformedResponse: a malformed status line or header line (folded ones included), too many of them,
            both Content-Length and Transfer-Encoding, conflicting or odd Content-Lengths, another coding than
            chunked.
    """
    end = block.index(b"\r\n")
    if end > limits.STATUS_LINE_BYTES:
        raise MalformedResponse("the status line is too long")
    status_line = _STATUS.fullmatch(block, 0, end)
    if status_line is None:
        raise MalformedResponse("the status line is malformed")
    if FIELDS.fullmatch(block, end + 2) is None:
        raise MalformedResponse("a header line is malformed")
    lines = block[end + 2 :].split(b"\r\n")
    del lines[-1]
    if len(lines) > limits.FIELD_COUNT:
        raise MalformedResponse("too many header lines")
    fields: list[Field] = []
    lengths: list[bytes] = []
    codings: list[bytes] = []
    options: list[bytes] = []
    for line in lines:
        name, _, value = line.partition(b":")
        value = value.strip(b" \t")
        fields.append((name, value))
        kind = _TELLING.get(len(name))
        if kind is not None and name.lower() == kind:
            if kind == b"content-length":
                lengths.append(value)
            elif kind == b"transfer-encoding":
                codings.append(value.lower())
            else:
                options.append(value.lower())
    modern = status_line[1] == b"1"
    tokens = _parts(options)
    return Head(
        version=b"HTTP/1.1" if modern else b"HTTP/1.0",
        status=int(status_line[2]),
        reason=status_line[3] or b"",
        fields=fields,
        length=_length(lengths, codings, modern),
        keep_alive=b"close" not in tokens and (modern or b"keep-alive" in tokens),
        encoded=any(len(name) == len(_ENCODING) and name.lower() == _ENCODING for name, _ in fields),
    )


def _parts(values: list[bytes]) -> set[bytes]:
    return {part.strip(b" \t") for value in values for part in value.split(b",")}


def _length(lengths: list[bytes], codings: list[bytes], modern: bool) -> int:
    if codings:
        if lengths:
            raise MalformedResponse("both Content-Length and Transfer-Encoding")
        if codings != [b"chunked"] or not modern:
            raise MalformedResponse("a Transfer-Encoding that is not chunked")
        return CHUNKED
    if not lengths:
        return UNTIL_CLOSE
    different = _parts(lengths)
    if len(different) > 1:
        raise MalformedResponse("conflicting Content-Lengths")
    digits = different.pop()
    if not digits.isdigit() or len(digits) > limits.LENGTH_DIGITS:
        raise MalformedResponse("a Content-Length that is not a length")
    return int(digits)


class HeadMemory:
    """Heads seen lately, by their bytes: those of polls differ once a second, by their date.

    Args:
        size: how many are kept before all are forgotten.

    Attributes:
        known: the final ones among them, each by its bytes without the empty line.
    """

    __slots__ = ("_size", "known")

    _LONGEST = 1024

    def __init__(self, size: int = 128) -> None:
        self.known: dict[bytes, Head] = {}
        self._size = size

    def parse(self, block: bytes, *, keep: bool) -> Head:
        """Read a head, or remember what was read of it.

        Args:
            block: the head, as for `parse_head`.
            keep: whether it may be kept; the response to a login carries a key and is not.

        Raises:
            MalformedResponse: as for `parse_head`.
        """
        head = self.known.get(block)
        if head is None:
            head = parse_head(block)
            if keep and head.is_final and len(block) <= self._LONGEST:
                if len(self.known) >= self._size:
                    self.known.clear()
                self.known[block] = head
        return head


SEEN_HEADS: Final = HeadMemory()
"""Those of all connections: hosts that are polled in the same second bring the same."""
