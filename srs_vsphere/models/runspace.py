"""Runspaces: the PowerShell sessions on the server that scripts run in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from srs_vsphere.models.error_details import ErrorDetails
from srs_vsphere.models.model import Model


class RunspaceState(StrEnum):
    """State of a runspace; a value this list lacks stays what the service sent, a word or a number."""

    CREATING = "creating"
    READY = "ready"
    #: Documented, but the service never uses it: a runspace stays `READY` while a script runs in it.
    ACTIVE = "active"
    ERROR = "error"


@frozen
class Runspace(Model):
    """A PowerShell session on the server.

    Args:
        id: what the service calls it.
        name: what its creator called it; names need not be unique.
        state: where it stands; `RunspaceState.READY` does not promise a connection to vCenter.
        error_details: why it failed, when its state is `RunspaceState.ERROR`.
        run_vc_connection_script: whether a connection to vCenter was asked for.
        vc_connection_script_id: the script execution that connects it to vCenter, once started.
        creation_time: when it was created, with its time zone.
    """

    id: str
    name: str | None = None
    state: RunspaceState | str | int | None = None
    error_details: ErrorDetails | None = None
    run_vc_connection_script: bool | None = None
    vc_connection_script_id: str | None = None
    creation_time: datetime | None = None
