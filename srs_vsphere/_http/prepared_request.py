"""A request that was written down once, to be sent straight through a transport of ours many times."""

from __future__ import annotations

import httpx

from srs_vsphere._http.request_bytes import request_bytes
from srs_vsphere._http.step_timeouts import StepTimeouts
from srs_vsphere.auth import Secret

#: How much of a body is waited for where a caller wants the whole of it.
_WHOLE = 256 * 1024


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
