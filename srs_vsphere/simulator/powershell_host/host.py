"""The PowerShell behind one runspace, as the simulated service sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.outcome import Outcome
from srs_vsphere.simulator.powershell_host.live_run import LiveRun
from srs_vsphere.simulator.powershell_host.process import HostProcess
from srs_vsphere.simulator.powershell_host.protocol import STOP, Event, Ready, Record, read_event

#: How long a process may take until it is ready, in seconds of the clock; then the service gives it up.
START_SECONDS = 600.0


class Host:
    """One host process.

    Whatever it says becomes an event of the agenda, at the moment at which it was said.

    Args:
        command: what starts it.
        agenda: tells the time and keeps what has happened.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], agenda: Agenda) -> None:
        self._agenda = agenda
        self._is_ready = False
        self._gone: str | None = None
        self._settled: Callable[[str | None], None] | None = None
        self._run: LiveRun | None = None
        self._process = HostProcess(command, self._heard, self._ended)
        self._deadline = agenda.after(START_SECONDS, self._give_up)

    @property
    def gone(self) -> str | None:
        """What ended it; None while it is there."""
        return self._gone

    def when_settled(self, action: Callable[[str | None], None]) -> None:
        """Call an action when the process is ready or has come to nothing, at once if that is so already.

        Args:
            action: takes None if it is ready, else what went wrong.
        """
        if self._is_ready or self._gone is not None:
            action(self._gone)
        else:
            self._settled = action

    def run(self, id: str, line: bytes, format: int, kept: int) -> LiveRun:
        """Run a script; the one before it has ended.

        Args:
            id: the execution's id.
            line: the command.
            format: the number of the output's format.
            kept: how many records of each stream are kept.
        """
        run = LiveRun(id, self._agenda.now, format, Outcome(), cancel=self._stop, kept=kept)
        self._run = run
        self._process.send(line)
        return run

    def end(self) -> None:
        """Kill the process."""
        self._process.end()

    def join(self, timeout: float) -> None:
        """Wait until the process has ended.

        Args:
            timeout: seconds to wait at most.
        """
        self._process.join(timeout)

    def _stop(self) -> None:
        self._process.send(STOP)

    def _heard(self, line: bytes) -> None:
        event = read_event(line)
        if event is not None:
            self._agenda.post(lambda: self._take(event))

    def _ended(self, words: str) -> None:
        self._agenda.post(lambda: self._settle(words))

    def _take(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._settle(None)
        elif self._run is None:
            return
        elif isinstance(event, Record):
            self._run.wrote(self._agenda.now, event)
        else:
            self._run.ended(self._agenda.now, event)
            self._run = None

    def _give_up(self) -> None:
        self._settle(f"it was not ready after {START_SECONDS:g} s")
        self.end()

    def _settle(self, gone: str | None) -> None:
        self._deadline.cancelled = True
        self._gone = self._gone or gone
        self._is_ready = self._gone is None
        settled, self._settled = self._settled, None
        if settled is not None:
            settled(self._gone)
