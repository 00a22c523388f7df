"""A runspace that stays: created, ready, connected if asked; deleted again if that does not come about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from srs_vsphere.errors import QuotaExceededError, VCenterConnectionError
from srs_vsphere.models import Runspace, ScriptExecutionState, StreamType

if TYPE_CHECKING:
    from srs_vsphere import SrsClient

_DEFAULT_TIMEOUT = 660.0
_SECONDS_BETWEEN_TRIES = 2.0


def create_ready(
    client: SrsClient,
    name: str | None,
    *,
    vcenter: bool,
    wait: bool,
    timeout: float | None,
    wait_quota: float,
) -> Runspace:
    """Create a runspace that stays.

    Args:
        client: makes the calls.
        name: what to call it; None for a unique name.
        vcenter: whether it connects to vCenter, which is checked if it is waited for.
        wait: whether to wait until it is ready.
        timeout: seconds until it must be ready; None for 660.
        wait_quota: seconds to wait for room if the service has none.

    Raises:
        SrsError: as for `Runspaces.open`; the runspace is not kept.
    """
    runspace = _created(client, name, vcenter=vcenter, wait_quota=wait_quota)
    if not wait:
        return runspace
    try:
        ready = client.runspaces.wait_ready(runspace, timeout=timeout or _DEFAULT_TIMEOUT)
        if vcenter:
            _check_connection(client, ready, timeout or _DEFAULT_TIMEOUT)
    except BaseException:
        client.runspaces.delete(runspace)
        raise
    return ready


def _created(client: SrsClient, name: str | None, *, vcenter: bool, wait_quota: float) -> Runspace:
    ends = time.monotonic() + wait_quota
    while True:
        try:
            return client.runspaces.create(name, run_vc_connection_script=vcenter)
        except QuotaExceededError:
            left = ends - time.monotonic()
            if left <= 0:
                raise
            time.sleep(min(left, _SECONDS_BETWEEN_TRIES))


def _check_connection(client: SrsClient, runspace: Runspace, timeout: float) -> None:
    script = runspace.vc_connection_script_id
    if script is None:
        raise VCenterConnectionError(f"runspace {runspace.id} never tried to connect to vCenter")
    ended = client.script_executions.wait(script, timeout=timeout)
    errors = client.script_executions.records(script, StreamType.ERROR)
    if errors or ended.state != ScriptExecutionState.SUCCESS:
        reason = errors[0].message if errors else (ended.reason or "no reason was given").splitlines()[0]
        raise VCenterConnectionError(
            f"runspace {runspace.id} is not connected to vCenter: {reason}", records=errors
        )
