"""Web consoles: records of them, without a console behind."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from srs_vsphere.simulator.agenda import Agenda, Event
from srs_vsphere.simulator.answers import (
    OK,
    PROVIDER_EXCEPTION,
    Json,
    error_details,
    error_reply,
    json_reply,
    with_trace,
)
from srs_vsphere.simulator.conditions import Conditions
from srs_vsphere.simulator.exchange import Reply
from srs_vsphere.simulator.ids import Ids
from srs_vsphere.simulator.sessions import Session
from srs_vsphere.simulator.settings import Settings


@define(eq=False)
class WebConsole:
    """One web console.

    Args:
        id: its id.
        session: the session that created it.
        creation_time: when, as the service writes it.
        state: ``creating``, ``available`` or ``error``.
        error: why it failed.
        starting: the event of its pod's start.
    """

    id: str
    session: Session
    creation_time: str
    state: str = "creating"
    error: dict[str, Json] | None = None
    starting: Event | None = None

    def members(self) -> dict[str, Json]:
        """Return what the service says about it."""
        members: dict[str, Json] = {"id": self.id, "state": self.state}
        if self.error is not None:
            members["error_details"] = self.error
        return members | {"creation_time": self.creation_time}


class WebConsoles:
    """All web consoles of all users.

    Args:
        agenda: tells the time and keeps what is to happen.
        ids: makes the ids.
        settings: the limits.
        conditions: what goes wrong.
        quota_left: says how many runspaces and web consoles may still be made.
    """

    def __init__(
        self,
        agenda: Agenda,
        ids: Ids,
        settings: Settings,
        conditions: Conditions,
        quota_left: Callable[[], int],
    ) -> None:
        self._agenda = agenda
        self._ids = ids
        self._settings = settings
        self._conditions = conditions
        self._quota_left = quota_left
        self._consoles: dict[str, WebConsole] = {}

    def __len__(self) -> int:
        return len(self._consoles)

    def create(self, session: Session, *, wait: bool) -> Reply:
        """Answer a request for a new web console.

        Args:
            session: whose request it is.
            wait: whether to answer only when its state is final; the simulator answers with that state at
                once.
        """
        if self._quota_left() <= 0:
            return error_reply(500, 2060, "Maximum number of web consoles is reached")
        failure = self._conditions.take("creation_error")
        if self._conditions.take("token_refused") is not None:
            cause = "Object reference not set to an instance of an object."
            failure = f'Create runspace for user "{session.user}" failed with error: {cause}'
        if failure is not None:
            return error_reply(500, 500, failure, with_trace(f"{PROVIDER_EXCEPTION}: {failure}"))
        stamp = self._agenda.stamp(self._agenda.now)
        console = WebConsole(f"wc{self._ids.hexadecimal(12)}", session, stamp)
        self._consoles[console.id] = console
        pod_failure = self._conditions.take("pod_error")
        if wait:
            self._pod_started(console, pod_failure)
        else:
            delay = self._settings.console_seconds
            console.starting = self._agenda.after(delay, lambda: self._pod_started(console, pod_failure))
        return json_reply(console.members())

    def list(self, user: str) -> Reply:
        """Answer with a user's web consoles, in the order of their creation.

        Args:
            user: whose.
        """
        failure = self._conditions.take("list_error")
        if failure is not None:
            exception = (
                f'{PROVIDER_EXCEPTION}: List web consoles for user "{user}" failed with error: {failure}'
            )
            message = "Runspace Provider failed to list user web consoles"
            return error_reply(500, 2075, message, with_trace(exception))
        return json_reply(
            [console.members() for console in self._consoles.values() if console.session.user == user]
        )

    def get(self, user: str, id: str) -> Reply:
        """Answer with one web console.

        Args:
            user: whose it must be.
            id: its id.
        """
        console = self._consoles.get(id)
        failure = self._conditions.take("get_error")
        if console is None or console.session.user != user or failure is not None:
            return error_reply(404, 2070, f"Web Console with id '{id}' not found")
        return json_reply(console.members())

    def delete(self, user: str, id: str) -> Reply:
        """Answer a request to delete a web console, whoever's it is and whether it is there or not.

        Args:
            user: who asks.
            id: its id.
        """
        failure = self._conditions.take("deletion_error")
        if failure is not None:
            exception = (
                f'{PROVIDER_EXCEPTION}: Kill web console for user "{user}" failed with error: {failure}'
            )
            message = f"Runspace Provider failed to destroy web console with id '{id}'"
            return error_reply(500, 2080, message, with_trace(exception))
        self._consoles.pop(id, None)
        return OK

    def pending(self, id: str) -> Event | None:
        """Return what has to happen before a console's state changes, None if nothing has to.

        Args:
            id: the console's id.
        """
        console = self._consoles.get(id)
        return console.starting if console is not None and console.state == "creating" else None

    def clean_up(self, is_active: Callable[[Session], bool]) -> None:
        """Remove the consoles whose sessions are over.

        Args:
            is_active: says whether a session is not over.
        """
        for console in list(self._consoles.values()):
            if not is_active(console.session):
                del self._consoles[console.id]

    def clear(self) -> None:
        """Forget all web consoles."""
        self._consoles.clear()

    def _pod_started(self, console: WebConsole, failure: str | None) -> None:
        if failure is None:
            console.state = "available"
        else:
            text = f"K8s Pod with ID '{console.id}' {failure}"
            console.state = "error"
            console.error = error_details(500, text, f"{PROVIDER_EXCEPTION}: {text}")
