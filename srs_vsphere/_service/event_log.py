"""Events as lines of the log ``srs_vsphere``, with their facts as fields for structured logs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from attrs import fields

if TYPE_CHECKING:
    from srs_vsphere.events import Event

LOG: Final = logging.getLogger("srs_vsphere")
# Silent, unless the program asks for it.
LOG.addHandler(logging.NullHandler())

_IDS: Final = frozenset({"script_id", "runspace_id"})


def log_event(event: Event) -> None:
    """Write an event to the log: requests at DEBUG, all else at INFO."""
    # Loaded on use, here as below: a short program may see no event.
    from srs_vsphere.events import RequestEnded

    level = logging.DEBUG if isinstance(event, RequestEnded) else logging.INFO
    if LOG.isEnabledFor(level):
        LOG.log(level, _text(event), extra=log_fields(event))


def log_fields(event: Event) -> dict[str, object]:
    """Return an event's facts as fields of a log record: ``srs_event`` and ``srs_...``."""
    from srs_vsphere.events import shortened

    facts: dict[str, object] = {"srs_event": type(event).__name__}
    for attribute in fields(type(event)):
        value: object = getattr(event, attribute.name)
        facts[f"srs_{attribute.name}"] = (
            shortened(value) if attribute.name in _IDS and isinstance(value, str) else value
        )
    return facts


def _text(event: Event) -> str:
    from srs_vsphere.events import (
        LoggedIn,
        RequestEnded,
        Retrying,
        ScriptEnded,
        ScriptStarted,
        WaitingForQuota,
        shortened,
    )

    match event:
        case RequestEnded():
            result = event.error if event.status is None else f"HTTP {event.status}"
            took = f"in {event.seconds * 1000:.0f} ms, attempt {event.attempt}"
            return f"{event.operation} on {event.host}: {result or 'done'} {took}"
        case Retrying():
            return (
                f"{event.operation} on {event.host}: attempt {event.attempt} failed ({event.reason}), "
                f"next in {event.wait:.2f} s"
            )
        case LoggedIn():
            return f"{event.host}: logged in as {event.username} in {event.seconds:.2f} s"
        case WaitingForQuota():
            return f"{event.host}: no room for another runspace, waiting up to {event.seconds:g} s"
        case ScriptStarted():
            return (
                f"{event.host}: script {event.name} ({shortened(event.script_id)}) "
                f"runs in {shortened(event.runspace_id)}"
            )
        case ScriptEnded():
            result = event.outcome or event.error or "unknown"
            return (
                f"{event.host}: script {event.name or '?'} ({shortened(event.script_id)}) "
                f"ended after {event.seconds:.1f} s: {result}"
            )
