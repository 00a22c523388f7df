"""A script that a host process runs: what has come out of it so far."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from attrs import define, field

from srs_vsphere.simulator.outcome import Outcome, Run
from srs_vsphere.simulator.powershell_host.protocol import End, Record
from srs_vsphere.simulator.scripting import STREAMS

_PARAMETER_FAILED = "An error occurred durgin execution of argument transformation for parameter"


@define(eq=False)
class LiveRun(Run):
    """A script that was sent to a host process.

    Args:
        cancel: asks the process to stop it.
        kept: how many records of each stream are kept, the newest.
    """

    cancel: Callable[[], None] = field(kw_only=True)
    kept: int = field(kw_only=True)
    _end: float = field(default=math.inf, init=False)
    _records: dict[str, deque[tuple[float, str]]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._records = {stream: deque(maxlen=self.kept) for stream in STREAMS}

    @property
    def ends(self) -> float:
        """When it ended, in seconds of the clock; infinity while it runs."""
        return self._end

    def stop(self, now: float, interval: float) -> None:
        """Ask the process to stop it.

        Args:
            now: the moment, in seconds of the clock.
            interval: not used: the process ends when it can.
        """
        if self.running(now):
            self.cancel()

    def streams(self, now: float, limit: int) -> dict[str, list[tuple[float, str]]]:
        """Return the newest records of each stream with their times, in seconds of the clock.

        Args:
            now: the moment, in seconds of the clock.
            limit: how many records of a stream are wanted.
        """
        return {stream: list(records)[-limit:] for stream, records in self._records.items()}

    def wrote(self, moment: float, record: Record) -> None:
        """Take a record.

        Args:
            moment: when it was written, in seconds of the clock.
            record: the record.
        """
        if record.message.strip():
            self._records[record.stream].append((moment, record.message))

    def ended(self, moment: float, end: End) -> None:
        """Take the end.

        Args:
            moment: when it was, in seconds of the clock.
            end: what came out.
        """
        reason = end.reason
        if end.parameter is not None:
            reason = f"{_PARAMETER_FAILED} '{end.parameter}': {reason}"
        self._end = moment
        self.outcome: Outcome = Outcome(
            output=[(0.0, document) for document in end.objects],
            text=end.text,
            state=end.state,
            reason=reason,
        )
