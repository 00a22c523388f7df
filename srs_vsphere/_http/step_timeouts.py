"""How long a request may wait."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from srs_vsphere.settings import Timeouts

#: Seconds; no more than some weeks fit into the timeout of a socket, which httpx's transports use.
_LONGEST_TIMEOUT = 1e6


class StepTimeouts(NamedTuple):
    """How long each step may take, in seconds; None is for ever.

    Args:
        connect: until the connection stands, TLS included.
        read: until the next bytes of the response.
        write: until the next bytes of the request are taken.
        total: for sending the request and reading what is waited for of the response, all together.
    """

    connect: float | None = None
    read: float | None = None
    write: float | None = None
    total: float | None = None

    @classmethod
    def within(cls, seconds: float, timeouts: Timeouts, *, slow: bool) -> StepTimeouts:
        """Return the timeouts of a request.

        Args:
            seconds: for all of it.
            timeouts: for each step, if that is less.
            slow: whether the service may take as long as for a login.
        """
        reading = timeouts.login if slow else timeouts.read
        steps = (timeouts.connect, reading, timeouts.write, seconds)
        return cls(*[min(step, seconds) for step in steps])

    @classmethod
    def of(cls, request: httpx.Request) -> StepTimeouts:
        """Return the timeouts that a request has in httpx's way, and ``total`` beside them.

        Args:
            request: the request, with an extension ``timeout`` or without.
        """
        timeout: dict[str, float | None] = request.extensions.get("timeout") or {}
        return cls(timeout.get("connect"), timeout.get("read"), timeout.get("write"), timeout.get("total"))

    def extension(self) -> dict[str, float | None]:
        """Return what httpx's transports and ours find in the extension ``timeout``."""
        timeouts = {**self._asdict(), "pool": self.total}
        return {
            step: None if seconds is None else min(seconds, _LONGEST_TIMEOUT)
            for step, seconds in timeouts.items()
        }
