"""SIGN logins: not written yet."""

from __future__ import annotations

from srs_vsphere.simulator.exchange import Request


def verify(request: Request, now: int, nonce_age: float) -> str | None:
    """Return the user that a SIGN header logs in, or None."""
    raise ImportError(request, now, nonce_age)
