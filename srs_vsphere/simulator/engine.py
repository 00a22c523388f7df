"""What comes out of a script: a registered reply, a form that is understood, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from srs_vsphere.simulator.bodies import ParameterBody, ScriptBody
from srs_vsphere.simulator.outcome import Outcome
from srs_vsphere.simulator.pods import Pod
from srs_vsphere.simulator.scripting import Handlers
from srs_vsphere.simulator.settings import Settings

_log = logging.getLogger(__name__)


class Engine:
    """Says what comes out of scripts.

    Args:
        handlers: the replies that were registered.
        settings: how long things take.
    """

    def __init__(self, handlers: Handlers, settings: Settings) -> None:
        self._handlers = handlers
        self._settings = settings

    def run(self, body: ScriptBody, parameters: Sequence[ParameterBody], pod: Pod, user: str) -> Outcome:
        """Return what comes out of a script that a user runs."""
        return Outcome(duration=self._settings.script_seconds)

    def run_system(self, name: str, pod: Pod, user: str, duration: float) -> Outcome:
        """Return what comes out of a script that the service runs."""
        return Outcome(duration=duration)
