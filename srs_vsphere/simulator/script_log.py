"""The scripts that a simulator was given, with what became of them."""

from __future__ import annotations

from attrs import define, frozen

from srs_vsphere.simulator.behaviours import ScriptBehaviour
from srs_vsphere.simulator.executions import Execution
from srs_vsphere.simulator.scripting import ScriptCall


@define(eq=False)
class ScriptRecord:
    """A script that was started, as the simulator remembers it.

    Args:
        call: the script.
        behaviour: what answered it; None if it was understood, or refused.
        state: how it ended, if no execution is made of it.
    """

    call: ScriptCall
    behaviour: ScriptBehaviour | None = None
    state: str = "success"
    _execution: Execution | None = None

    def follow(self, execution: Execution) -> None:
        """Take the state from an execution from now on.

        Args:
            execution: the execution.
        """
        self._execution = execution

    def seen(self) -> ScriptRun:
        """Return it as it stands now."""
        execution = self._execution
        if execution is None:
            return ScriptRun(self.call, self.state, None, self.behaviour)
        return ScriptRun(self.call, execution.state, execution.reason, self.behaviour)


@frozen
class ScriptRun:
    """One script that a simulator was given.

    Args:
        call: the script.
        state: ``running``, ``success``, ``error`` or ``canceled``, as the service shows it.
        reason: why it failed, as the service shows it.
        behaviour: what answered it; None if the simulator understood it itself, or refused it.
    """

    call: ScriptCall
    state: str
    reason: str | None
    behaviour: ScriptBehaviour | None
