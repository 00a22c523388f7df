"""When a running script's streams are read.

Each stream shows its newest 50 records only, and no request tells whether anything was written to one: a
script's state, its output and the list of scripts have no counters. A script that was silent may begin to
write at any moment; so whatever is to lose no more than 50 records in so many seconds has to read each of the
five streams that often.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from srs_vsphere.models.script_execution import ScriptExecution

#: True: at every look; ``"sparse"``: rarely while the script is silent; False: never.
StreamsChoice: TypeAlias = bool | Literal["sparse"]

#: Seconds between two looks at most, before jitter; a stream loses what exceeds 50 records between two.
_LONGEST_DELAY = 2.0
_LONGEST_SPARSE_DELAY = 3.0
#: The service asks a runspace about its script as soon as it has started, and then twice a second.
_FIRST_MOMENTS = 0.5
#: A silent script's streams are read after so many seconds, then twice as many, and so on up to the longest.
_FIRST_GAP = 8.0
_LONGEST_GAP = 60.0


def longest_delay(choice: StreamsChoice) -> float:
    """Return the seconds between two looks at a script at most, before jitter.

    Args:
        choice: how often its streams are read.
    """
    return _LONGEST_SPARSE_DELAY if choice == "sparse" else _LONGEST_DELAY


class StreamSchedule:
    """Decides at which looks at a running script its streams are read.

    Args:
        choice: how often they are read.
    """

    def __init__(self, choice: StreamsChoice) -> None:
        self._choice = choice
        self._gap = _FIRST_GAP
        self._wrote = False
        self._last = 0.0

    def due(self, elapsed: float, execution: ScriptExecution | None) -> bool:
        """Tell whether the streams are to be read now.

        Args:
            elapsed: seconds since the first look.
            execution: the script as this look showed it, None if it showed nothing.
        """
        if self._choice is False:
            return False
        if elapsed < _FIRST_MOMENTS and execution is not None and execution.start_time is None:
            # Until the service has asked its runspace once, a script has neither start time nor streams.
            return False
        return self._choice is True or self._wrote or elapsed - self._last >= self._gap

    def read(self, elapsed: float, *, wrote: bool) -> None:
        """Take note that the streams were read.

        Args:
            elapsed: seconds since the first look.
            wrote: whether one of them had something new.
        """
        self._gap = _FIRST_GAP if self._wrote else min(2 * self._gap, _LONGEST_GAP)
        self._wrote, self._last = wrote, elapsed
