"""Pods: the processes behind runspaces, in which scripts run."""

from __future__ import annotations

from attrs import define, field

from srs_vsphere.simulator.outcome import Run


@define(eq=False)
class Pod:
    """The process behind one runspace.

    Args:
        runspace_id: the runspace's id.
        registered: when it was made, in seconds of the clock.
        started: whether it takes scripts yet.
        alive: whether it is still there.
        unreachable: why nothing gets through to it; None when it answers.
        last: the script that was started last.
        structured: the last script that was run for structured output.
        variables: what scripts have left in the global scope.
    """

    runspace_id: str
    registered: float
    started: bool = False
    alive: bool = True
    unreachable: str | None = None
    last: Run | None = None
    structured: Run | None = None
    variables: dict[str, object] = field(factory=dict[str, object])

    @property
    def failure(self) -> str | None:
        """Why a call to it fails, or None."""
        return self.unreachable if self.alive else "Connection refused"

    def busy(self, now: float) -> bool:
        """Say whether a script is running.

        Args:
            now: the moment, in seconds of the clock.
        """
        return self.alive and self.last is not None and self.last.running(now)

    def idle_since(self, now: float) -> float:
        """Return since when nothing has been running, in seconds of the clock.

        Args:
            now: the moment, in seconds of the clock.
        """
        if self.failure is not None or self.last is None:
            return self.registered
        return min(self.last.ends, now)
