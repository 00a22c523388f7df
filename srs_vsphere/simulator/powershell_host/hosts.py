"""All host processes of one simulator: none outlives it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread

from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.powershell_host.host import Host

_PATIENCE = 5.0
# Between two looks at the clock, in real seconds.
_INTERVAL = 1.0
_log = logging.getLogger("srs_vsphere.simulator")


class Hosts:
    """Starts host processes and ends those that are still there.

    Args:
        command: what starts one.
        agenda: tells the time and keeps what has happened.
    """

    def __init__(self, command: Sequence[str], agenda: Agenda) -> None:
        self._command = command
        self._agenda = agenda
        self._lock = Lock()
        self._hosts: list[Host] = []
        self._look: Callable[[], Callable[[], None] | None] | None = None
        self._watching: Event | None = None

    def watch(self, look: Callable[[], Callable[[], None] | None]) -> None:
        """Look regularly, in a thread, while there are processes, so that none outlives its time unnoticed.

        Args:
            look: gives what is called, in a thread of its own; None when there is nothing to look at.
        """
        self._look = look

    def start(self) -> Host:
        """Start a process.

        Raises:
            OSError: it cannot be started.
        """
        with self._lock:
            self._hosts = [host for host in self._hosts if host.gone is None]
            host = Host(self._command, self._agenda)
            self._hosts.append(host)
            if self._watching is None and self._look is not None:
                self._watching = Event()
                Thread(target=_watch, args=(self._look, self._watching), daemon=True).start()
            return host

    def close(self) -> None:
        """Kill all processes and wait until they have ended."""
        with self._lock:
            if self._watching is not None:
                self._watching.set()
                self._watching = None
            hosts, self._hosts = self._hosts, []
        for host in hosts:
            host.end()
        for host in hosts:
            host.join(_PATIENCE)


def _watch(look: Callable[[], Callable[[], None] | None], end: Event) -> None:
    while not end.wait(_INTERVAL):
        looking = look()
        if looking is None:
            return
        try:
            looking()
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            _log.error("what is due in the simulator fails: %s: %s", type(error).__name__, error)
        # Not to be what keeps the simulator while this waits.
        del looking
