"""The bytes of one connection, taken apart into requests; no I/O."""

from __future__ import annotations

from srs_vsphere.simulator.http1 import ChunkedBody, Head, Limits, parse_head

#: The first byte of a connection that begins with TLS.
_TLS_HANDSHAKE = b"\x16"


class RequestReader:
    """What a client has sent, and was not taken yet.

    Args:
        limits: how much it may send.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0
        self._chunks: ChunkedBody | None = None
        self._last_block = b""
        self._last_head: Head | None = None

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add what has come.

        Args:
            data: the bytes.
        """
        self._buffer += data

    def take_head(self) -> Head | None:
        """Take the next request without its body; None until all of it is there.

        Raises:
            RefusedRequestError: no service would read it to its end.
        """
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            self._searched = max(0, len(buffer) - 3)
            # Only the limits can object to what is not whole; and what begins TLS never becomes a request.
            if len(buffer) > self._limits.head or buffer.startswith(_TLS_HANDSHAKE):
                parse_head(bytes(buffer), self._limits)
            return None
        block = bytes(buffer[:end])
        del buffer[: end + 4]
        self._searched = 0
        # A client that polls sends the same head again and again.
        if block == self._last_block and self._last_head is not None:
            return self._last_head
        head = parse_head(block, self._limits)
        self._last_block, self._last_head = block, head
        return head

    def take_body(self, head: Head) -> bytes | None:
        """Take the body of a request; None until all of it is there.

        Args:
            head: the request's head, the last that was taken.

        Raises:
            RefusedRequestError: no service would read it to its end.
        """
        buffer = self._buffer
        if head.length is None:
            if self._chunks is None:
                self._chunks = ChunkedBody(self._limits)
            rest = self._chunks.feed(bytes(buffer))
            buffer.clear()
            if rest is None:
                return None
            buffer += rest
            body = bytes(self._chunks.body)
            self._chunks = None
            return body
        if len(buffer) < head.length:
            return None
        body = bytes(buffer[: head.length])
        del buffer[: head.length]
        return body
