"""Web consoles: PowerCLI consoles in a browser."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from srs_vsphere.models.error_details import ErrorDetails
from srs_vsphere.models.model import Model


class WebConsoleState(StrEnum):
    """State of a web console; a value this list lacks stays what the service sent, a word or a number."""

    CREATING = "creating"
    AVAILABLE = "available"
    ERROR = "error"


@frozen
class WebConsole(Model):
    """A PowerCLI console in a browser, which counts against the quota of runspaces.

    Args:
        id: what the service calls it; its page is ``https://<service>/<id>``.
        state: where it stands.
        error_details: why it failed, when its state is `WebConsoleState.ERROR`.
        creation_time: when it was created, with its time zone.
    """

    id: str
    state: WebConsoleState | str | int | None = None
    error_details: ErrorDetails | None = None
    creation_time: datetime | None = None
