"""A simulator with host processes behind it, on a clock that tests move, and a caller who waits for them."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Semaphore

from srs_vsphere.simulator import Settings, Simulator
from tests.simulator.calling import USERS, Caller

STAND_IN = Path(__file__).with_name("stand_in_host.py")
#: What a test waits at most for a process to say something.
PATIENCE = 60.0


class HandClock:
    """Shows what a test sets, also to the threads that listen to processes."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def seconds(self):
        return self.passed

    def advance(self, seconds):
        self.passed += seconds


def real_powershell():
    """Return the path of PowerShell 7, or None."""
    return shutil.which("pwsh")


def stand_in(*transcripts):
    """Return a command that replays transcripts."""
    return [sys.executable, str(STAND_IN), *map(str, transcripts)]


def save(path, *exchanges):
    """Write a transcript of scripts in the text format with what comes of each."""
    told = [
        {
            "send": [{"op": "run", "script": script, "format": "text", "parameters": []}, *more],
            "receive": [
                *events,
                {"event": "end", "state": state, "reason": None, "text": text, "objects": []},
            ],
        }
        for script, more, events, state, text in exchanges
    ]
    path.write_text(json.dumps(told), "utf-8")
    return path


class HostCaller(Caller):
    """A caller of a simulator with host processes."""

    def __init__(self, powershell, **settings):
        simulator = Simulator(
            users=USERS, settings=Settings(**settings), clock=HandClock(), seed=1, powershell=powershell
        )
        super().__init__(simulator)
        agenda = simulator._gateway.agenda
        self._news = Semaphore(0)
        self._post = agenda.post
        agenda.post = self._posted

    def _posted(self, action):
        self._post(action)
        self._news.release()

    def wait_for_news(self):
        """Wait until a process has said something since the last time."""
        assert self._news.acquire(timeout=PATIENCE), "the process says nothing"

    def run(self, runspace, script, **members):
        while self._news.acquire(blocking=False):
            pass
        return super().run(runspace, script, **members)

    def ready_runspace(self, **members):
        """Create a runspace and wait until it has left ``creating``."""
        runspace = self.create_runspace(**members)
        self.simulator.clock.advance(1)
        host = self.host(runspace)
        while host is not None and host.gone is None and not host._is_ready:
            self.wait_for_news()
            self.get("/api/about")
        while self.get(f"/api/runspaces/{runspace}")[1]["state"] == "creating":
            self.simulator.clock.advance(1)
        return runspace

    def finish(self, execution, patience=PATIENCE):
        """Wait until an execution has ended, and return it."""
        while True:
            self.simulator.clock.advance(0.6)
            found = self.get(f"/api/script-executions/{execution}")[1]
            if found["state"] != "running":
                self.simulator.clock.advance(0.6)
                return found
            pod = self.simulator._gateway.executions._executions[execution].pod
            if pod.failure is None:
                self.wait_for_news()

    def host(self, runspace):
        """Return the host process of a runspace."""
        return self.simulator._gateway.runspaces.find(runspace).pod.host
