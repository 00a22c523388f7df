"""Pods: the processes behind runspaces, in which scripts run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from srs_vsphere.simulator.outcome import Run

if TYPE_CHECKING:
    from srs_vsphere.simulator.powershell_host.host import Host


@define(eq=False)
class Pod:
    """The process behind one runspace.

    Args:
        runspace_id: the runspace's id.
        registered: when it was made, in seconds of the clock.
        started: whether it takes scripts yet.
        alive: whether it is still there.
        unreachable: why nothing gets through to it; None when it answers.
        host: the real PowerShell in it; None when the simulator itself says what comes out of scripts.
        last: the script that was started last.
        structured: the last script that was run for structured output.
        variables: what scripts have left in the global scope.
    """

    runspace_id: str
    registered: float
    started: bool = False
    alive: bool = True
    unreachable: str | None = None
    host: Host | None = None
    last: Run | None = None
    structured: Run | None = None
    variables: dict[str, object] = field(factory=dict[str, object])

    @property
    def failure(self) -> str | None:
        """Why a call to it fails, or None."""
        has_died = self.host is not None and self.host.gone is not None
        return "Connection refused" if has_died or not self.alive else self.unreachable

    def end(self) -> None:
        """End the process."""
        self.alive = False
        if self.host is not None:
            self.host.end()

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
