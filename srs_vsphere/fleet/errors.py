"""Why a host has no runspaces in a report although nothing failed on it: it was not asked."""

from __future__ import annotations

from typing import Unpack

from srs_vsphere.errors import Facts, SrsError


class HostMissingError(SrsError):
    """The sweep's deadline passed before the host had answered; it may not have been asked at all."""

    advice = "Allow the sweep more time, give the fleet more concurrency, or look at what the host does."


class HostSkippedError(SrsError):
    """The host was not asked, since its last polls have failed: its circuit breaker is open.

    Args:
        message: what happened.
        next_probe: seconds until it is asked again.
        last_error: how its last poll failed.
        **facts: as for `SrsError`.
    """

    advice = "Nothing was sent: it is asked again, once, when some time has passed."

    def __init__(
        self,
        message: str,
        *,
        next_probe: float = 0.0,
        last_error: SrsError | None = None,
        **facts: Unpack[Facts],
    ) -> None:
        super().__init__(message, **facts)
        self.next_probe: float = next_probe
        self.last_error: SrsError | None = last_error
