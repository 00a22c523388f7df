"""A request that was written down once, to be sent straight through a transport of ours many times."""

from __future__ import annotations

import httpx

from srs_vsphere._http.request_bytes import request_bytes
from srs_vsphere._http.step_timeouts import StepTimeouts

#: How much of a body is waited for where a caller wants the whole of it.
_WHOLE = 256 * 1024


class PreparedRequest(httpx.Request):
    """A request for `AsyncioTransport` and its sync twin; httpx's own transports never see one.

    Args:
        method: HTTP method.
        url: where it goes.
        headers: all header fields but Content-Length.
        content: the body, or None.
        repeatable: whether it may be sent again if a kept connection turns out closed.

    Attributes:
        wire: head and body as they go over the wire; they hold the API key.
        timeouts: how long each step may take.
        enough: how much of the response's body is waited for before the response is returned.
        repeatable: as given.
    """

    wire: bytes
    timeouts: StepTimeouts
    enough: int
    repeatable: bool

    def __init__(
        self, method: str, url: httpx.URL, headers: dict[str, str], content: bytes | None, *, repeatable: bool
    ) -> None:
        super().__init__(method, url, headers=headers, content=content)
        self.wire = request_bytes(self)
        self.timeouts = StepTimeouts()
        self.enough = 0
        self.repeatable = repeatable

    def once(self, timeouts: StepTimeouts, *, whole: bool) -> PreparedRequest:
        """Return a copy to be sent once, for several calls may be under way with the same request.

        Args:
            timeouts: how long each step may take.
            whole: whether the caller wants the whole body at once.
        """
        copy = PreparedRequest.__new__(PreparedRequest)
        copy.__dict__.update(self.__dict__)
        copy.timeouts = timeouts
        copy.enough = _WHOLE if whole else 0
        return copy
