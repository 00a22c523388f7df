"""An answer whose body is still to come, and the slot it holds until it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srs_vsphere._concurrency import Slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


class Reply:
    """An open answer.

    Args:
        response: the answer, with its body unread.
        slots: where its slot goes back to.
    """

    def __init__(self, response: httpx.Response, slots: Slots) -> None:
        self._response = response
        self._slots = slots
        self._chunks: Iterator[bytes] | None = None
        self._closed = False
        self.status = response.status_code
        self.content_type = response.headers.get("content-type")
        self.kept = False

    def header(self, name: str) -> str | None:
        """Return a header's value, or None.

        Args:
            name: its name, in any letter case.
        """
        value: str | None = self._response.headers.get(name)
        return value

    def keep(self) -> Reply:
        """Leave it open after the attempt that brought it; whoever holds it closes it."""
        self.kept = True
        return self

    def next_chunk(self) -> bytes:
        """Return the next bytes of the body as they arrive; none at its end."""
        if self._chunks is None:
            self._chunks = self._response.iter_bytes()
        for chunk in self._chunks:
            return chunk
        return b""

    def read(self, limit: int | None = None) -> bytes:
        """Return the rest of the body.

        Args:
            limit: after how many bytes to stop, whatever follows; default none.
        """
        chunks: list[bytes] = []
        size = 0
        while limit is None or size < limit:
            chunk = self.next_chunk()
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks)[:limit]

    def close(self) -> None:
        """Close the connection, or give it back if the body is done; and free the slot."""
        if self._closed:
            return
        self._closed = True
        try:
            self._response.close()
        finally:
            self._slots.release()
