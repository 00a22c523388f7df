"""What is answered about runspaces."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from srs_vsphere.simulator.answers import (
    OK,
    PROVIDER_EXCEPTION,
    Json,
    bytes_reply,
    error_details,
    error_reply,
    with_trace,
)
from srs_vsphere.simulator.bodies import RunspaceBody
from srs_vsphere.simulator.conditions import Conditions
from srs_vsphere.simulator.exchange import Reply
from srs_vsphere.simulator.lifecycle import Lifecycle
from srs_vsphere.simulator.runspaces import Runspace, Runspaces, not_found
from srs_vsphere.simulator.sessions import Session
from srs_vsphere.simulator.settings import Settings


@frozen(eq=False)
class RunspaceAnswers:
    """The operations on runspaces.

    Args:
        settings: limits and durations.
        conditions: what goes wrong.
        runspaces: the runspaces.
        lifecycle: what becomes of them.
        quota_left: says how many runspaces and web consoles may still be made.
    """

    settings: Settings
    conditions: Conditions
    runspaces: Runspaces
    lifecycle: Lifecycle
    quota_left: Callable[[], int]

    def list(self, user: str) -> Reply:
        """Answer with a user's runspaces, in the order of their creation.

        Args:
            user: whose.
        """
        failure = self.conditions.take("list_error")
        if failure is None:
            return self.runspaces.list(user)
        exception = f'{PROVIDER_EXCEPTION}: List runspaces for user "{user}" failed with error: {failure}'
        return error_reply(
            500, 2035, "Runspace Provider failed to list user runspaces", with_trace(exception)
        )

    def get(self, user: str, id: str) -> Reply:
        """Answer with one runspace; that the provider fails looks as if there were none.

        Args:
            user: whose it must be.
            id: its id.
        """
        runspace = self.runspaces.find(id, user)
        failed = self.conditions.take("get_error") is not None
        return not_found(id) if runspace is None or failed else bytes_reply(runspace.json)

    def create(self, session: Session, body: RunspaceBody) -> Reply:
        """Answer a request for a new runspace.

        Args:
            session: whose request it is.
            body: what is asked.
        """
        if self.quota_left() <= 0:
            return error_reply(500, 2020, "Maximum number of running runspaces is reached")
        failure = self.conditions.take("creation_error")
        if failure is not None:
            return error_reply(500, 500, failure, with_trace(f"{PROVIDER_EXCEPTION}: {failure}"))
        runspace = self.runspaces.add(session.user, session, body.name, connected=body.connected)
        seconds = self.settings.creation_seconds + float(self.conditions.take("slow_creation") or 0)
        self.lifecycle.begin(runspace, seconds, self._error(runspace))
        return bytes_reply(runspace.json, 202)

    def delete(self, user: str, id: str) -> Reply:
        """Answer a request to delete a runspace.

        Args:
            user: whose it must be.
            id: its id.
        """
        runspace = self.runspaces.find(id, user)
        if runspace is None:
            what = f'runspace with id "{id}"' if self.runspaces.has_any(user) else "running runspaces"
            return _not_deleted(user, id, f'User "{user}" doesn\'t have {what}')
        failure = self.conditions.take("deletion_error")
        if failure is not None:
            # By then the service has forgotten the runspace already.
            self.runspaces.remove(runspace)
            return _not_deleted(user, id, failure)
        self.lifecycle.dispose(runspace)
        return OK

    def _error(self, runspace: Runspace) -> dict[str, Json] | None:
        """Return what is going to be wrong with a runspace."""
        if runspace.connected and self.conditions.take("token_refused") is not None:
            text = "The solution token is not valid any more"
            return error_details(401, text, with_trace(f"System.Exception: {text}"))
        failure = self.conditions.take("pod_error")
        if failure is None:
            return None
        text = f"K8s Pod with ID '{runspace.id}' {failure}"
        return error_details(500, text, f"{PROVIDER_EXCEPTION}: {text}")


def _not_deleted(user: str, id: str, failure: str) -> Reply:
    message = f"Runspace Provider failed to destroy runspace with id '{id}'"
    exception = f'{PROVIDER_EXCEPTION}: Kill runspace for user "{user}" failed with error: {failure}'
    return error_reply(500, 2040, message, with_trace(exception))
