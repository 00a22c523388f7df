"""Runspaces: the records of them, and the lists that are made of these."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from attrs import define, field

from srs_vsphere.simulator.agenda import Agenda, Event
from srs_vsphere.simulator.answers import Json, bytes_reply, dumps, error_reply
from srs_vsphere.simulator.exchange import Reply
from srs_vsphere.simulator.ids import Ids
from srs_vsphere.simulator.pods import Pod
from srs_vsphere.simulator.sessions import Session

#: A list of more runspaces than this is sent in pieces, which are put together while it is sent.
_LONG_LIST = 1000
_PIECE = 256


@define(eq=False)
class Runspace:
    """One runspace.

    Args:
        id: its id.
        user: whose it is.
        session: the session that created it; None for one that no cleanup removes.
        name: what its creator called it.
        connected: whether a connection to vCenter was asked for.
        creation_time: when it was created, as the service writes it.
        pod: the process behind it.
        state: ``creating``, ``ready`` or ``error``.
        error: why it failed.
        connection_script_id: the script that connects it.
        starting: the event of its pod's start.
        json: all this as JSON.
    """

    id: str
    user: str
    session: Session | None
    name: str | None
    connected: bool
    creation_time: str
    pod: Pod
    state: str
    error: dict[str, Json] | None = None
    connection_script_id: str | None = None
    starting: Event | None = None
    json: bytes = field(default=b"", init=False)

    def write(self) -> None:
        """Write its JSON anew."""
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


class Runspaces:
    """All runspaces of all users.

    Args:
        agenda: tells the time.
        ids: makes the ids.
    """

    def __init__(self, agenda: Agenda, ids: Ids) -> None:
        self._agenda = agenda
        self._ids = ids
        self._by_user: dict[str, dict[str, Runspace]] = {}
        # A poll of an unchanged list costs no more than finding its bytes.
        self._lists: dict[str, Reply] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_user.values()))

    def __iter__(self) -> Iterator[Runspace]:
        return iter([runspace for own in self._by_user.values() for runspace in own.values()])

    def find(self, id: str, user: str | None = None) -> Runspace | None:
        """Return a runspace, or None.

        Args:
            id: its id.
            user: whose it must be; None stands for anybody.
        """
        if user is not None:
            return self._by_user.get(user, {}).get(id)
        return next((own[id] for own in self._by_user.values() if id in own), None)

    def has_any(self, user: str) -> bool:
        """Say whether a user has any runspace.

        Args:
            user: whose.
        """
        return bool(self._by_user.get(user))

    def add(
        self,
        user: str,
        session: Session | None,
        name: str | None,
        *,
        connected: bool,
        state: str = "creating",
    ) -> Runspace:
        """Put a runspace there.

        Args:
            user: whose it is.
            session: the session that created it; None for one that no cleanup removes.
            name: what its creator calls it.
            connected: whether a connection to vCenter is asked for.
            state: where it stands.
        """
        now = self._agenda.now
        id_ = f"pcli-{self._ids.guid()}"
        pod = Pod(id_, now, started=state == "ready")
        stamp = self._agenda.stamp(now)
        runspace = Runspace(id_, user, session, name, connected, stamp, pod, state)
        self._by_user.setdefault(user, {})[id_] = runspace
        self.changed(runspace)
        return runspace

    def remove(self, runspace: Runspace) -> None:
        """Forget a runspace.

        Args:
            runspace: the runspace.
        """
        self._by_user.get(runspace.user, {}).pop(runspace.id, None)
        self._lists.pop(runspace.user, None)

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
        reply = self._lists.get(user)
        if reply is None:
            parts = [runspace.json for runspace in self._by_user.get(user, {}).values()]
            if len(parts) > _LONG_LIST:
                return bytes_reply(_pieces(parts))
            reply = self._lists[user] = bytes_reply(b"[" + b",".join(parts) + b"]")
        return reply


def not_found(id: str) -> Reply:
    """Answer that there is no such runspace.

    Args:
        id: the id that was asked for.
    """
    return error_reply(404, 2030, f"Runspace with id '{id}' not found")


def _pieces(parts: list[bytes]) -> Iterator[bytes]:
    rest = iter(parts)
    opening = b"["
    while piece := b",".join(islice(rest, _PIECE)):
        yield opening + piece
        opening = b","
    yield b"]"
