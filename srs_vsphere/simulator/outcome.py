"""A script's run in its runspace: what has come out of it at any moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from srs_vsphere.simulator.answers import with_trace
from srs_vsphere.simulator.scripting import STREAMS, StreamMessage

if TYPE_CHECKING:
    from srs_vsphere.simulator.service_scripts import StructuredRun

STOPPED = "System.Management.Automation.PipelineStoppedException: The pipeline has been stopped."


@define(eq=False)
class Outcome:
    """What will come out of a script if it is not stopped.

    Args:
        output: its output with the times at which it comes, in seconds after the start: JSON documents in the
            json format, otherwise nothing.
        text: its whole output in the text format.
        records: what it writes to its streams, in order.
        duration: how long it runs, in seconds.
        state: how it ends.
        reason: why it failed.
        structured: what the script that asks for the rest of structured output may tell; None if this script
            leaves that as it was.
    """

    output: Sequence[tuple[float, str]] = ()
    text: str = ""
    records: Sequence[StreamMessage] = ()
    duration: float = 0.0
    state: str = "success"
    reason: str | None = None
    structured: StructuredRun | None = None


@define(eq=False)
class Run:
    """A script that was started in a runspace.

    Args:
        id: the execution's id.
        started: when, in seconds of the clock.
        format: the number of the output's format.
        outcome: what comes out of it.
    """

    id: str
    started: float
    format: int
    outcome: Outcome
    _stopped: float | None = field(default=None, init=False)

    @property
    def ends(self) -> float:
        """When it ends, in seconds of the clock."""
        end = self.started + self.outcome.duration
        return end if self._stopped is None else min(end, self._stopped)

    def running(self, now: float) -> bool:
        """Say whether it is running.

        Args:
            now: the moment, in seconds of the clock.
        """
        return now < self.ends

    def stop(self, now: float, interval: float) -> None:
        """Stop it the next time that it looks whether it shall stop.

        Args:
            now: the moment, in seconds of the clock.
            interval: how often it looks, in seconds.
        """
        if self.running(now):
            looks = math.floor((now - self.started) / interval) + 1
            self._stopped = self.started + looks * interval

    @property
    def _canceled(self) -> bool:
        return self._stopped is not None and self._stopped < self.started + self.outcome.duration

    def state(self, now: float) -> str:
        """Return its state.

        Args:
            now: the moment, in seconds of the clock.
        """
        if self.running(now):
            return "running"
        return "canceled" if self._canceled else self.outcome.state

    def reason(self, now: float) -> str | None:
        """Return why it failed, or None.

        Args:
            now: the moment, in seconds of the clock.
        """
        if self.running(now):
            return None
        return with_trace(STOPPED) if self._canceled else self.outcome.reason

    def output(self, now: float) -> list[str | None] | None:
        """Return its output as the runspace gives it; only the end brings any.

        Args:
            now: the moment, in seconds of the clock.
        """
        running = self.running(now)
        if self.format == 0:
            if running:
                return [None]
            return [self.outcome.text if self.state(now) == "success" else ""]
        if self.format == 1 and not running:
            until = self.ends - self.started
            return [document for at, document in self.outcome.output if at <= until]
        return None

    def streams(self, now: float, limit: int) -> dict[str, list[tuple[float, str]]]:
        """Return the newest records of each stream with their times, in seconds of the clock.

        Args:
            now: the moment, in seconds of the clock.
            limit: how many records of a stream are kept.
        """
        until = min(now, self.ends) - self.started
        streams: dict[str, list[tuple[float, str]]] = {stream: [] for stream in STREAMS}
        for record in self.outcome.records:
            if record.at <= until and record.message.strip():
                streams[record.stream].append((self.started + record.at, record.message))
        return {stream: records[-limit:] for stream, records in streams.items()}
