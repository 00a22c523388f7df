"""The life of a runspace between the requests: its pod starts, it is connected, it is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.answers import PROVIDER_EXCEPTION, Json, error_details
from srs_vsphere.simulator.bodies import FORMATS
from srs_vsphere.simulator.engine import Engine
from srs_vsphere.simulator.executions import Execution, Executions
from srs_vsphere.simulator.ids import Ids
from srs_vsphere.simulator.outcome import Run
from srs_vsphere.simulator.pods import Pod
from srs_vsphere.simulator.runspaces import Runspace, Runspaces
from srs_vsphere.simulator.sessions import Sessions
from srs_vsphere.simulator.settings import Settings

if TYPE_CHECKING:
    from srs_vsphere.simulator.powershell_host.hosts import Hosts

CONNECT = "powerclivclogin"
DISCONNECT = "disconnectallservers"


@frozen(eq=False)
class Lifecycle:
    """Moves runspaces from one state to the next.

    Args:
        agenda: tells the time and keeps what is to happen.
        ids: makes the ids of scripts.
        settings: limits and durations.
        sessions: who is still there.
        runspaces: the runspaces.
        executions: where the service's own scripts are kept.
        engine: says what comes out of them.
        hosts: starts a real PowerShell in each pod; None when there is none.
    """

    agenda: Agenda
    ids: Ids
    settings: Settings
    sessions: Sessions
    runspaces: Runspaces
    executions: Executions
    engine: Engine
    hosts: Hosts | None = None

    def begin(self, runspace: Runspace, seconds: float, error: dict[str, Json] | None) -> None:
        """Let a runspace's pod start.

        Args:
            runspace: the runspace.
            seconds: how long that takes.
            error: what goes wrong; None if all is well.
        """
        if error is None:
            try:
                self.provide_host(runspace.pod)
            except OSError as failure:
                error = _pod_failed(runspace, str(failure))
        runspace.starting = self.agenda.after(seconds, lambda: self._pod_started(runspace, error))

    def provide_host(self, pod: Pod) -> None:
        """Start the real PowerShell in a pod, if there is to be one.

        Args:
            pod: the pod.

        Raises:
            OSError: it cannot be started.
        """
        if self.hosts is not None:
            pod.host = self.hosts.start()

    def dispose(self, runspace: Runspace) -> None:
        """Forget a runspace and end its pod; one that is connected to vCenter disconnects first.

        Args:
            runspace: the runspace.
        """
        self.runspaces.remove(runspace)
        pod = runspace.pod
        if runspace.connected and pod.started and pod.failure is None and not pod.busy(self.agenda.now):
            self._run_system(pod, runspace.user, DISCONNECT)
        else:
            pod.end()

    def clean_up(self) -> bool:
        """Remove the runspaces that are not needed any more.

        Returns:
            Whether there are others that it may remove later.
        """
        now, left = self.agenda.now, False
        for runspace in self.runspaces:
            session, pod = runspace.session, runspace.pod
            if session is None:
                continue
            if not pod.busy(now) or pod.failure is not None:
                idle = now - pod.idle_since(now)
                unneeded = not self.sessions.is_active(session) or idle > self.settings.idle_limit
            else:
                unneeded = pod.last is not None and now - pod.last.started > self.settings.active_limit
            if unneeded:
                self.dispose(runspace)
            else:
                left = True
        return left

    def _pod_started(self, runspace: Runspace, error: dict[str, Json] | None) -> None:
        def settled(gone: str | None) -> None:
            self._begin_work(runspace, None if gone is None else _pod_failed(runspace, gone))

        host = runspace.pod.host
        if host is None or error is not None:
            self._begin_work(runspace, error)
        else:
            host.when_settled(settled)

    def _begin_work(self, runspace: Runspace, error: dict[str, Json] | None) -> None:
        if self.runspaces.find(runspace.id, runspace.user) is not runspace:
            return
        if error is not None:
            runspace.state = "error"
            runspace.error = error
        else:
            runspace.pod.started = True
            if runspace.connected:
                script = self._run_system(runspace.pod, runspace.user, CONNECT, runspace)
                runspace.connection_script_id = script.id
            else:
                runspace.state = "ready"
        self.runspaces.changed(runspace)

    def _run_system(self, pod: Pod, user: str, name: str, connecting: Runspace | None = None) -> Execution:
        def ended() -> None:
            if connecting is None:
                pod.end()
            else:
                # Whatever became of the script: the service does not look.
                connecting.state = "ready"
                self.runspaces.changed(connecting)

        duration = (
            self.settings.connection_seconds if connecting is not None else self.settings.script_seconds
        )
        outcome = self.engine.run_system(name, pod, user, duration)
        run = Run(self.ids.guid(), self.agenda.now, FORMATS.index("json"), outcome)
        execution = self.executions.start(run, pod=pod, user=user, name=name, system=True, ended=ended)
        self.engine.scripts[-1].follow(execution)
        return execution


def _pod_failed(runspace: Runspace, why: str) -> dict[str, Json]:
    text = f"K8s Pod with ID '{runspace.id}' failed: {why}"
    return error_details(500, text, f"{PROVIDER_EXCEPTION}: {text}")
