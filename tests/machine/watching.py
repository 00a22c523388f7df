"""The simulator for the state machine: it remembers what it was asked for, and can be looked into."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from srs_vsphere.simulator import Reply, Request, ScriptCall, ScriptReply, Settings, Simulator, VirtualClock
from srs_vsphere.simulator.executions import Execution
from srs_vsphere.simulator.runspaces import Runspace
from srs_vsphere.simulator.users import subject
from tests.machine.choosing import Work


class Watched(Simulator):
    """A simulator that counts what it carried out, and whose scripts do what the test planned."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings=settings, clock=VirtualClock())
        #: How often something was created, by operation and name.
        self.created: Counter[tuple[str, str]] = Counter()
        self.operations: list[str | None] = []
        self.plans: dict[str, Work] = {}
        self.ran: Counter[str] = Counter()
        self.on_script(lambda call: call.script in self.plans, self._run)

    def handle(self, request: Request, **options: Mapping[str, str]) -> Reply:
        reply = super().handle(request, **options)
        operation = self.operation_of(request)
        self.operations.append(operation)
        if operation in {"runspaces.create", "script_executions.create"} and reply.status == 202:
            self.created[operation, json.loads(request.body)["name"]] += 1
        return reply

    def _run(self, call: ScriptCall) -> ScriptReply:
        self.ran[call.script] += 1
        return self.plans[call.script].reply()

    def runspaces_of(self, user: str) -> dict[str, Runspace]:
        self._gateway.agenda.catch_up()
        return {
            runspace.id: runspace for runspace in self._gateway.runspaces if runspace.user == subject(user)
        }

    def executions_of(self, user: str) -> dict[str, Execution]:
        """What a list of them shows: all but those that were lost at their start."""
        self._gateway.agenda.catch_up()
        return {
            execution.id: execution
            for execution in self._gateway.executions.of(subject(user), skip_system=False)
        }

    def execution(self, id: str, user: str) -> Execution | None:
        self._gateway.agenda.catch_up()
        return self._gateway.executions.find(id, subject(user))

    def consoles_of(self, user: str) -> dict[str, str]:
        self._gateway.agenda.catch_up()
        return {
            console.id: console.state
            for console in self._gateway.consoles._consoles.values()
            if console.session.user == subject(user)
        }
