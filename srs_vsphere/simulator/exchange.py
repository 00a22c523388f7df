"""What a door hands to the state machine and what it gets back: one request, one reply, no I/O."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen


@frozen
class Request:
    """A whole HTTP request.

    Args:
        method: such as ``GET``.
        target: path and query as they were sent.
        headers: names in lower case with their values, in the order they came.
        body: the bytes of the body.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None.

        Args:
            name: its name in lower case.
        """
        for key, value in self.headers:
            if key == name:
                return value
        return None


@frozen
class Reply:
    """A whole HTTP response.

    Args:
        status: HTTP status; 0 is what the real gateway sends for a runspace it cannot reach.
        headers: names with their values, in order; the door adds framing and ``Date``.
        body: the bytes of the body, or an iterable that makes them piece by piece.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterable[bytes] = field(default=b"", repr=False)
