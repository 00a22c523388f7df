"""Chunked bodies, unwrapped as they arrive."""

from __future__ import annotations

import re
from typing import Final

from srs_vsphere._http import limits
from srs_vsphere._http.response_head import FIELDS, MalformedResponse

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*+(?:;[^\x00-\x08\x0a-\x1f\x7f]*+)?")

_SIZE: Final = 0
_PAYLOAD: Final = 1
_END: Final = 2
_TRAILER: Final = 3


class Chunks:
    """One chunked body.

    Attributes:
        done: whether the last chunk and the trailer came.
        excess: whether bytes came after them.
    """

    __slots__ = ("_expected", "_held", "_left", "done", "excess")

    def __init__(self) -> None:
        self.done = False
        self.excess = False
        self._expected = _SIZE
        self._left = 0
        self._held: bytes = b""

    def feed(self, data: bytes) -> bytes:
        """Take in the next bytes and return what they hold of the body.

        Raises:
            MalformedResponse: a malformed or endless size line, a chunk that announces too much or is not
                ended by a line end, a malformed or endless trailer.
        """
        if self._held:
            data = self._held + data
            self._held = b""
        parts: list[bytes] = []
        at = 0
        size = len(data)
        while at < size and not self.done:
            expected = self._expected
            if expected == _PAYLOAD:
                part = data[at : at + self._left]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if not self._left:
                    self._expected = _END
                continue
            if expected == _SIZE:
                after = self._size_line(data, at)
            elif expected == _END:
                after = self._chunk_end(data, at)
            else:
                after = self._trailer(data, at)
            if after < 0:
                # The line is not whole. What is held is short: each kind of line has its bound.
                self._held = data[at:]
                break
            at = after
        else:
            self.excess = at < size
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _size_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\r\n", at, at + limits.CHUNK_LINE_BYTES + 2)
        if end < 0:
            if len(data) - at >= limits.CHUNK_LINE_BYTES + 2:
                raise MalformedResponse("the line before a chunk is too long")
            return -1
        line = _SIZE_LINE.fullmatch(data, at, end)
        if line is None:
            raise MalformedResponse("the line before a chunk is malformed")
        self._left = int(line[1], 16)
        if self._left > limits.CHUNK_BYTES:
            raise MalformedResponse("a chunk is too large")
        self._expected = _PAYLOAD if self._left else _TRAILER
        return end + 2

    def _chunk_end(self, data: bytes, at: int) -> int:
        if data.startswith(b"\r\n", at):
            self._expected = _SIZE
            return at + 2
        if data[at:] == b"\r":
            return -1
        raise MalformedResponse("a chunk is longer than it says")

    def _trailer(self, data: bytes, at: int) -> int:
        if data.startswith(b"\r\n", at):
            self.done = True
            return at + 2
        end = data.find(b"\r\n\r\n", at)
        if (len(data) if end < 0 else end + 4) - at > limits.TRAILER_BYTES:
            raise MalformedResponse("the trailer is too long")
        if end < 0:
            return -1
        # Its fields are checked and passed over: nobody is told of trailers.
        block = data[at : end + 2]
        if FIELDS.fullmatch(block) is None or block.count(b"\r\n") > limits.FIELD_COUNT:
            raise MalformedResponse("the trailer is malformed")
        self.done = True
        return end + 4
