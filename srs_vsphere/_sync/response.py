"""A response whose body is still to come, and the slot it holds until it is closed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import httpx

from srs_vsphere._concurrency.late_calls import scheduler_sync
from srs_vsphere._concurrency.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Iterator, Callable

#: What an HTTP library may still hold of a body after its connection is closed.
_LONGEST_LEFTOVER = 131072


class Response:
    """An open response.

    Args:
        response: the response, with its body unread.
        limiter: where its slot goes back to.
        overdue: tells whether the time for all of the body is over; default never.
    """

    __slots__ = (
        "_begun",
        "_chunks",
        "_closed",
        "_guard",
        "_limiter",
        "_overdue",
        "_response",
        "kept",
        "status",
    )

    def __init__(
        self, response: httpx.Response, limiter: Limiter, overdue: Callable[[], bool] | None = None
    ) -> None:
        self._response = response
        self._limiter = limiter
        self._overdue = overdue
        self._chunks: Iterator[bytes] | None = None
        self._begun = False
        self._closed = False
        self.status: int = response.status_code
        self.kept: bool = False
        self._guard: _Guard | None = None

    def header(self, name: str) -> str | None:
        """Return a header's value, or None.

        Args:
            name: its name, in any letter case.
        """
        value: str | None = self._response.headers.get(name)
        return value

    def keep(self) -> Response:
        """Leave it open after the attempt that brought it; the caller closes it."""
        self.kept = True
        self._limiter.streams += 1
        self._guard = _Guard(self._response, self._limiter)
        return self

    def whole(self) -> bytes | None:
        """Return the body if it is all there already; None if it has to be read."""
        stream = self._response.stream
        if self._begun or not isinstance(stream, httpx.ByteStream):
            return None
        return b"".join(stream)

    def next_chunk(self) -> bytes:
        """Return the next bytes of the body as they arrive; none at its end."""
        if self._chunks is None:
            if self._begun:
                return b""
            self._begun = True
            self._chunks = self._response.iter_bytes()
        if self._overdue is not None and self._overdue():
            # A server that trickles never lets a socket's own timeout pass.
            raise httpx.ReadTimeout("the deadline passed before the whole response came")
        for chunk in self._chunks:
            return chunk
        self._chunks = None
        return b""

    def read(self, limit: int | None = None) -> bytes:
        """Return the rest of the body.

        Args:
            limit: after how many bytes to stop, whatever follows; default none.
        """
        whole = self.whole()
        if whole is not None:
            return whole[:limit]
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
        if self._guard is not None:
            self._guard.armed = False
            self._limiter.streams -= 1
        try:
            if self._begun or not isinstance(self._response.stream, httpx.ByteStream):
                self._response.close()
                self._wind_up()
        finally:
            self._limiter.release()

    def _wind_up(self) -> None:
        # The HTTP library's readers are generators within generators. One that is left in the middle is
        # closed by the garbage collector, with a task or a warning; reading on after the close ends them.
        self._overdue = None
        size = 0
        try:
            while self._chunks is not None and size < _LONGEST_LEFTOVER:
                size += len(self.next_chunk())
        except (httpx.HTTPError, httpx.StreamError):
            self._chunks = None


class _Guard:
    """Gives back what a stream holds that was never exited, when it is collected.

    Args:
        response: the stream's.
        limiter: where its slot goes back to.
    """

    armed: bool = False

    def __init__(self, response: httpx.Response, limiter: Limiter) -> None:
        self._response = response
        self._limiter = limiter
        self._schedule = scheduler_sync()
        self.armed = True

    def __del__(self) -> None:
        if not self.armed:
            return
        response, limiter = self._response, self._limiter

        def give_back() -> None:
            limiter.streams -= 1
            limiter.release()
            # Streams of our own transports can be given up without waiting.
            give_up = getattr(response.stream, "give_up", None)
            if give_up is not None:
                give_up()

        self._schedule(give_back)
        warnings.warn(
            "a stream was entered and never left: use `with`",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
