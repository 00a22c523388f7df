"""Waiting for a runspace, a script or a web console: when to ask again, and when to stop asking.

There is no clock and no sleep in here. `Wait.saw` takes how long the wait has lasted and what the last
response was; it returns what to do next.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from srs_vsphere.errors import (
    ApiError,
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    SrsError,
    TransportError,
)
from srs_vsphere.models.runspace import Runspace, RunspaceState
from srs_vsphere.models.script_execution import ScriptExecution
from srs_vsphere.models.web_console import WebConsole, WebConsoleState

#: Nothing changes faster on the service: it looks at its runspaces twice a second.
SHORTEST_DELAY = 0.5
#: Seconds between two questions at most, before jitter.
LONGEST_DELAY = 5.0
#: A runspace is given so long to become ready, a minute more than the service itself gives it.
CREATION_TIMEOUT = 660.0
#: What rounding leaves of the time allowed is not worth another question, and may be too short to pass.
_NO_TIME = 0.001
#: After so many responses without an id in a row the record is stuck.
_STUCK_AFTER = 3
_GROWTH = 1.5
_JITTER = 0.2
#: Seconds from the start in which "not found" means "not yet". After that it must come twice in a row, since
#: the service also responds so when it cannot read its state.
_NOT_FOUND_GRACE = 1.0


class Seen(Enum):
    """What the last response showed."""

    #: It is there and not yet what is waited for.
    PENDING = "pending"
    #: It has come to an end, good or bad.
    ENDED = "ended"
    #: Its record has no id: the service lost it.
    STUCK = "stuck"
    NOT_FOUND = "not found"
    #: The question failed in a way that may pass.
    TRANSIENT_ERROR = "transient error"
    #: The question failed and would fail again.
    LASTING_ERROR = "lasting error"


class End(Enum):
    """Why there is nothing more to ask."""

    ENDED = "what was waited for has come about"
    TIMEOUT = "the time allowed is over"
    STUCK = "the service lost it and will never say more"
    NOT_FOUND = "the service does not know it any more"
    ERROR = "the service cannot be asked"


class Wait:
    """One wait under way.

    The first question is asked at once, the next after half a second; each delay is half as long again as the
    one before it. Each is then stretched by up to a fifth, so that many waiters spread out. Before the
    deadline passes there is one last question, right at it.

    Args:
        timeout: seconds until waiting is given up, None for never.
        random: gives numbers from 0 to 1, 1 excluded.
        longest_delay: no delay grows beyond these seconds, before it is stretched; default 5.
    """

    def __init__(
        self, timeout: float | None, random: Callable[[], float], longest_delay: float = LONGEST_DELAY
    ) -> None:
        self._timeout = timeout
        self._random = random
        self._longest_delay = longest_delay
        self._delay = SHORTEST_DELAY
        self._last: Seen | None = None
        self._stuck = 0

    def saw(self, elapsed: float, seen: Seen) -> float | End:
        """Take the last response and return what to do next.

        Args:
            elapsed: seconds since the wait began.
            seen: what the response showed.

        Returns:
            Seconds until the next question, or why there is none.
        """
        before, self._last = self._last, seen
        self._stuck = self._stuck + 1 if seen is Seen.STUCK else 0
        if seen is Seen.ENDED:
            return End.ENDED
        if seen is Seen.LASTING_ERROR:
            return End.ERROR
        if self._stuck >= _STUCK_AFTER:
            return End.STUCK
        if seen is before is Seen.NOT_FOUND and elapsed >= _NOT_FOUND_GRACE:
            return End.NOT_FOUND
        return self._ask_again(elapsed)

    def _ask_again(self, elapsed: float) -> float | End:
        delay = self._delay * (1 + _JITTER * self._random())
        self._delay = min(self._delay * _GROWTH, self._longest_delay)
        if self._timeout is None:
            return delay
        left = self._timeout - elapsed
        if left < _NO_TIME:
            return End.TIMEOUT
        # The last question comes right at the deadline, and none less than the shortest delay before it.
        return left if left - delay < SHORTEST_DELAY else delay


def seen_runspace(runspace: Runspace) -> Seen:
    """Return what a runspace's state means for a wait until it is ready."""
    # A runspace that is ACTIVE would be ready, if the service ever reported it.
    ends = {RunspaceState.READY, RunspaceState.ACTIVE, RunspaceState.ERROR}
    return Seen.ENDED if runspace.state in ends else Seen.PENDING


def seen_execution(execution: ScriptExecution) -> Seen:
    """Return what a script's state means for a wait until it has ended."""
    if execution.ended:
        return Seen.ENDED
    return Seen.STUCK if execution.stuck else Seen.PENDING


def seen_console(console: WebConsole) -> Seen:
    """Return what a web console's state means for a wait until it is available."""
    ends = {WebConsoleState.AVAILABLE, WebConsoleState.ERROR}
    return Seen.ENDED if console.state in ends else Seen.PENDING


def seen_error(error: SrsError) -> Seen:
    """Return what an error means for a wait.

    A refused key is permanent: the session has logged in again by then.
    """
    if isinstance(error, NotFoundError):
        return Seen.NOT_FOUND
    if isinstance(error, AuthenticationError | InvalidRequestError):
        return Seen.LASTING_ERROR
    return Seen.TRANSIENT_ERROR if isinstance(error, ApiError | TransportError) else Seen.LASTING_ERROR
