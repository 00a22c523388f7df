"""One response while it arrives: HTTP/1.1 as a state machine without I/O."""

from __future__ import annotations

from typing import Final

from srs_vsphere._http import limits
from srs_vsphere._http.chunked_body import Chunks
from srs_vsphere._http.response_head import UNTIL_CLOSE, Head, HeadMemory, MalformedResponse

_BEGINNING: Final = b"HTTP/1."


class ResponseParser:
    """One response: `feed` it what was read, `take` what came of the body.

    Args:
        memory: heads seen before.
        keep: whether the head may be kept in the memory.

    Attributes:
        head: status and header fields, once they are there.
        started: whether a single byte came.
        done: whether the last byte of the response came.
        excess: whether bytes came after it.
        waiting: how many bytes of the body were not taken yet.
        error: why no more will come, if the response broke off.
        body: what came of the body and was not taken yet.
    """

    # Not in slots: most responses set few of them, and one is made for each request.
    head: Head | None = None
    started: bool = False
    done: bool = False
    excess: bool = False
    waiting: int = 0
    error: Exception | None = None
    body: bytes | bytearray = b""
    _beginning: bytearray | None = None
    _informational: int = 0
    _chunks: Chunks | None = None
    _left: int = 0

    def __init__(self, memory: HeadMemory, *, keep: bool = False) -> None:
        self.keep: bool = keep
        self._memory = memory

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return self.done and not self.excess and self.head is not None and self.head.keep_alive

    def take(self) -> bytes:
        """Return what came of the body and was not taken yet."""
        body = self.body
        self.body = b""
        self.waiting = 0
        return bytes(body)

    def feed(self, data: bytes) -> None:
        """Take in the next bytes.

        Args:
            data: what was read; not empty.

        Raises:
            MalformedResponse: they are no response: a head, chunk or trailer too long or malformed, bytes
                before the status line, a switch of protocols that nobody asked for, no end of 1xx responses.
        """
        self.started = True
        if self.head is None:
            end = data.find(b"\r\n\r\n") + 2
            head = self._memory.known.get(data[:end])
            if head is None or self._beginning is not None:
                data = self._feed_head(data)
            else:
                self._begin_body(head)
                data = data[end + 2 :]
            if not data:
                return
        if self.done:
            self.excess = True
            return
        if self._chunks is not None:
            data = self._chunks.feed(data)
            self.done = self._chunks.done
            self.excess = self._chunks.excess
            if not data:
                return
        elif self._left != UNTIL_CLOSE:
            more = len(data) - self._left
            if more > 0:
                data = data[: self._left]
                self.excess = True
            self.done = more >= 0
            self._left -= len(data)
        if self.body:
            if not isinstance(self.body, bytearray):
                self.body = bytearray(self.body)
            self.body += data
        else:
            self.body = data
        self.waiting += len(data)

    def eof(self) -> None:
        """Note that the server sends no more.

        Raises:
            MalformedResponse: it should have.
        """
        if self.done:
            return
        if not self.started:
            raise MalformedResponse("the server closed the connection without sending a response")
        if self.head is None:
            raise MalformedResponse("the server closed the connection within the head of its response")
        if self._chunks is not None or self._left != UNTIL_CLOSE:
            raise MalformedResponse("the server closed the connection before the end of its response's body")
        self.done = True

    def _feed_head(self, data: bytes) -> bytes:
        """Look for the end of the head; return what came behind it."""
        while data:
            pending = self._beginning
            if pending is None:
                end = data.find(b"\r\n\r\n")
            else:
                searched = max(len(pending) - 3, 0)
                pending += data
                end = pending.find(b"\r\n\r\n", searched)
            if end < 0:
                if pending is None:
                    pending = self._beginning = bytearray(data)
                _check_beginning(pending)
                return b""
            if pending is not None:
                data = bytes(pending)
                self._beginning = None
            if end + 4 > limits.HEAD_BYTES:
                raise MalformedResponse("the head is too long")
            head = self._memory.parse(data[: end + 2], keep=self.keep)
            data = data[end + 4 :]
            if head.is_final:
                self._begin_body(head)
                return data
            self._informational += 1
            if head.status == 101:
                raise MalformedResponse("a switch of protocols that nobody asked for")
            if self._informational > limits.INFORMATIONAL_COUNT:
                raise MalformedResponse("too many informational responses")
        return data

    def _begin_body(self, head: Head) -> None:
        self.head = head
        if head.status in {204, 304} or head.length == 0:
            self.done = True
        elif head.length >= UNTIL_CLOSE:
            self._left = head.length
        else:
            self._chunks = Chunks()


def _check_beginning(block: bytearray) -> None:
    """Refuse what can no longer become a head."""
    if not _BEGINNING.startswith(block[: len(_BEGINNING)]):
        raise MalformedResponse("what came is not an HTTP response")
    if len(block) >= limits.HEAD_BYTES:
        raise MalformedResponse("the head is too long")
    longest = limits.STATUS_LINE_BYTES + 2
    if len(block) >= longest and block.find(b"\r\n", 0, longest) < 0:
        raise MalformedResponse("the status line is too long")
