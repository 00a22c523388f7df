"""Runspaces: their life from the request to the end, and what is answered about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from attrs import define, field

from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.answers import (
    OK,
    PROVIDER_EXCEPTION,
    Json,
    bytes_reply,
    dumps,
    error_details,
    error_reply,
    with_trace,
)
from srs_vsphere.simulator.conditions import Conditions
from srs_vsphere.simulator.exchange import Reply
from srs_vsphere.simulator.ids import Ids
from srs_vsphere.simulator.sessions import Session
from srs_vsphere.simulator.settings import Settings

#: A list of more runspaces than this is sent in pieces, which are put together while it is sent.
_LONG_LIST = 1000


@define(eq=False)
class Runspace:
    """One runspace.

    Args:
        id: its id.
        user: whose it is.
        session: the session that created it; None for one that no session's end removes.
        name: what its creator called it.
        connected: whether a connection to vCenter was asked for.
        created: when, in seconds of the clock.
        creation_time: the same as the service writes it.
        state: ``creating``, ``ready`` or ``error``.
        error: why it failed.
        connection_script_id: the script that connects it.
    """

    id: str
    user: str
    session: Session | None
    name: str | None
    connected: bool
    created: float
    creation_time: str
    state: str = "creating"
    error: dict[str, Json] | None = None
    connection_script_id: str | None = None
    json: bytes = field(default=b"", init=False)

    def write(self) -> bytes:
        """Return this runspace as JSON, and keep it for the lists."""
        members: dict[str, Json] = {} if self.name is None else {"name": self.name}
        members["id"] = self.id
        members["state"] = self.state
        if self.error is not None:
            members["error_details"] = self.error
        members["run_vc_connection_script"] = self.connected
        if self.connection_script_id is not None:
            members["vc_connection_script_id"] = self.connection_script_id
        members["creation_time"] = self.creation_time
        self.json = dumps(members)
        return self.json


class Runspaces:
    """All runspaces of all users.

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
        self._by_user: dict[str, dict[str, Runspace]] = {}
        self._lists: dict[str, Reply] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_user.values()))

    def __iter__(self) -> Iterator[Runspace]:
        return (runspace for own in list(self._by_user.values()) for runspace in list(own.values()))

    def find(self, id: str, user: str | None = None) -> Runspace | None:
        """Return a runspace, or None.

        Args:
            id: its id.
            user: whose it must be; None stands for anybody.
        """
        if user is not None:
            return self._by_user.get(user, {}).get(id)
        return next((runspace for runspace in self if runspace.id == id), None)

    def add(
        self,
        user: str,
        session: Session | None,
        name: str | None,
        *,
        connected: bool,
        state: str = "creating",
        error: dict[str, Json] | None = None,
    ) -> Runspace:
        """Put a runspace there.

        Args:
            user: whose it is.
            session: the session that created it; None for one that no session's end removes.
            name: what its creator calls it.
            connected: whether a connection to vCenter is asked for.
            state: where it stands.
            error: why it failed.
        """
        now = self._agenda.now
        runspace = Runspace(
            id=f"pcli-{self._ids.guid()}",
            user=user,
            session=session,
            name=name,
            connected=connected,
            created=now,
            creation_time=self._agenda.stamp(now),
            state=state,
            error=error,
        )
        self._by_user.setdefault(user, {})[runspace.id] = runspace
        self.changed(runspace)
        return runspace

    def remove(self, runspace: Runspace) -> bool:
        """Forget a runspace.

        Args:
            runspace: the runspace.

        Returns:
            Whether it was still there.
        """
        own = self._by_user.get(runspace.user, {})
        self._lists.pop(runspace.user, None)
        return own.pop(runspace.id, None) is not None

    def changed(self, runspace: Runspace) -> None:
        """Write a runspace anew.

        Args:
            runspace: the runspace.
        """
        runspace.write()
        self._lists.pop(runspace.user, None)

    def clear(self) -> None:
        """Forget all runspaces."""
        self._by_user.clear()
        self._lists.clear()

    def list(self, user: str) -> Reply:
        """Answer with a user's runspaces, in the order of their creation.

        Args:
            user: whose.
        """
        failure = self._conditions.take("list_error")
        if failure is not None:
            exception = f'{PROVIDER_EXCEPTION}: List runspaces for user "{user}" failed with error: {failure}'
            message = "Runspace Provider failed to list user runspaces"
            return error_reply(500, 2035, message, with_trace(exception))
        reply = self._lists.get(user)
        if reply is None:
            parts = [runspace.json for runspace in self._by_user.get(user, {}).values()]
            if len(parts) > _LONG_LIST:
                return bytes_reply(_pieces(parts))
            reply = self._lists[user] = bytes_reply(b"[" + b",".join(parts) + b"]")
        return reply

    def get(self, user: str, id: str) -> Reply:
        """Answer with one runspace.

        Args:
            user: whose it must be.
            id: its id.
        """
        failure = self._conditions.take("get_error")
        runspace = self.find(id, user) if failure is None else None
        return bytes_reply(runspace.json) if runspace is not None else not_found(id)

    def create(self, session: Session, name: str | None, *, connected: bool) -> Reply:
        """Answer a request for a new runspace.

        Args:
            session: whose request it is.
            name: what to call it.
            connected: whether to connect it to vCenter.
        """
        if self._quota_left() <= 0:
            return error_reply(500, 2020, "Maximum number of running runspaces is reached")
        failure = self._conditions.take("creation_error")
        if failure is not None:
            return error_reply(500, 500, failure, with_trace(f"{PROVIDER_EXCEPTION}: {failure}"))
        runspace = self.add(session.user, session, name, connected=connected)
        pod_failure = self._conditions.take("pod_error")
        extra = float(self._conditions.take("slow_creation") or 0)
        if connected and self._conditions.take("token_refused") is not None:
            text = "The solution token is not valid any more"
            error = error_details(401, text, with_trace(f"System.Exception: {text}"))
        elif pod_failure is not None:
            text = f"K8s Pod with ID '{runspace.id}' failed: {pod_failure}"
            error = error_details(500, text, f"{PROVIDER_EXCEPTION}: {text}")
        else:
            error = None
        delay = self._settings.creation_seconds + extra
        self._agenda.after(delay, lambda: self._pod_started(runspace, error))
        return bytes_reply(runspace.json, 202)

    def delete(self, user: str, id: str) -> Reply:
        """Answer a request to delete a runspace.

        Args:
            user: whose it must be.
            id: its id.
        """
        own = self._by_user.get(user)
        runspace = own.get(id) if own else None
        if runspace is None:
            what = f'runspace with id "{id}"' if own else "running runspaces"
            return _not_deleted(user, id, f'User "{user}" doesn\'t have {what}')
        self.remove(runspace)
        failure = self._conditions.take("deletion_error")
        return OK if failure is None else _not_deleted(user, id, failure)

    def _pod_started(self, runspace: Runspace, error: dict[str, Json] | None) -> None:
        runspace.error = error
        runspace.state = "ready" if error is None else "error"
        self.changed(runspace)


def not_found(id: str) -> Reply:
    """Answer that there is no such runspace.

    Args:
        id: the id that was asked for.
    """
    return error_reply(404, 2030, f"Runspace with id '{id}' not found")


def _not_deleted(user: str, id: str, failure: str) -> Reply:
    message = f"Runspace Provider failed to destroy runspace with id '{id}'"
    exception = f'{PROVIDER_EXCEPTION}: Kill runspace for user "{user}" failed with error: {failure}'
    return error_reply(500, 2040, message, with_trace(exception))


def _pieces(parts: list[bytes]) -> Iterator[bytes]:
    rest = iter(parts)
    opening = b"["
    while piece := b",".join(islice(rest, 256)):
        yield opening + piece
        opening = b","
    yield b"]"
