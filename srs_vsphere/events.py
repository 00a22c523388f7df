"""What a client tells its program while it works: the events of ``on_event``.

None of them holds a key, a password, a token, a script or a parameter's value.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import field, frozen

#: Of an id, a repr and the log show so many characters: who knows a running script's id can read it.
_SHOWN = 8


def shortened(id: str) -> str:
    """Return the beginning of an id, which is enough to tell it from others in a log.

    Args:
        id: the id of a script or runspace.
    """
    return id if len(id) <= _SHOWN else f"{id[:_SHOWN]}…"


def _short_repr(id: str | None) -> str:
    return repr(id if id is None else shortened(id))


@frozen(kw_only=True)
class RequestEnded:
    """An attempt of a request has ended.

    Args:
        operation: name of the operation, such as ``runspaces.list``.
        host: host and port of the service.
        attempt: number of the attempt, from 1.
        seconds: how long it took, until the response was read or a stream began.
        status: HTTP status, None if no response came.
        error: class of the error that it ended with, or None.
    """

    operation: str
    host: str
    attempt: int
    seconds: float
    status: int | None = None
    error: str | None = None


@frozen(kw_only=True)
class Retrying:
    """A request failed, and is sent again after a wait.

    Args:
        operation: name of the operation.
        host: host and port of the service.
        attempt: number of the attempt that failed, from 1.
        wait: seconds until the next one.
        reason: why it is tried again.
    """

    operation: str
    host: str
    attempt: int
    wait: float
    reason: str


@frozen(kw_only=True)
class LoggedIn:
    """A session was begun.

    Args:
        host: host and port of the service.
        username: who logged in.
        seconds: how long it took.
    """

    host: str
    username: str
    seconds: float


@frozen(kw_only=True)
class WaitingForQuota:
    """The service has no room for another runspace, and the client waits for it.

    Args:
        host: host and port of the service.
        seconds: how long it waits at most.
    """

    host: str
    seconds: float


@frozen(kw_only=True)
class ScriptStarted:
    """The service has taken a script.

    Args:
        host: host and port of the service.
        name: the script's name.
        script_id: its id; shortened in the repr.
        runspace_id: the runspace that runs it; shortened in the repr.
    """

    host: str
    name: str
    script_id: str = field(repr=_short_repr)
    runspace_id: str = field(repr=_short_repr)


@frozen(kw_only=True)
class ScriptEnded:
    """A script has ended, or the client stopped waiting for it.

    Args:
        host: host and port of the service.
        name: the script's name, if it is known.
        script_id: its id; shortened in the repr.
        runspace_id: the runspace that ran it, if it is known; shortened in the repr.
        seconds: how long the client waited for its end and collected what it left.
        outcome: what came of it, None if the client does not know.
        error: class of the error that waiting ended with, or None.
    """

    host: str
    name: str | None
    script_id: str = field(repr=_short_repr)
    runspace_id: str | None = field(repr=_short_repr)
    seconds: float
    outcome: str | None = None
    error: str | None = None


Event: TypeAlias = RequestEnded | Retrying | LoggedIn | WaitingForQuota | ScriptStarted | ScriptEnded
