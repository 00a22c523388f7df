"""Sessions: who has logged in, and until when."""

from __future__ import annotations

from attrs import define

from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.ids import Ids


@define(eq=False)
class Session:
    """One login.

    Args:
        key: the API key.
        user: whose session it is, as the token service names the user.
        used: when it was used last, in seconds of the clock.
        ended: whether it was logged out, or is over.
    """

    key: str
    user: str
    used: float
    ended: bool = False


class Sessions:
    """All sessions. They end when they are not used, and only then.

    Args:
        agenda: tells the time.
        ids: makes the keys.
        validity: how long an unused session lasts, in seconds.
    """

    def __init__(self, agenda: Agenda, ids: Ids, validity: float) -> None:
        self._agenda = agenda
        self._ids = ids
        self._validity = validity
        self._by_key: dict[str, Session] = {}

    def open(self, user: str) -> Session:
        """Begin a session.

        Args:
            user: whose, as the token service names the user.
        """
        session = Session(self._ids.guid(), user, self._agenda.now)
        self._by_key[session.key] = session
        return session

    def use(self, key: str | None) -> Session | None:
        """Find the session of a key and let its time begin anew.

        Args:
            key: the API key; None stands for a request without one.

        Returns:
            The session, or None when there is none or it is over.
        """
        session = self._by_key.get(key) if key is not None else None
        if session is None or not self.is_active(session):
            return None
        session.used = self._agenda.now
        return session

    def is_active(self, session: Session) -> bool:
        """Say whether a session is still valid; one that has become too old is forgotten.

        Args:
            session: the session.
        """
        if not session.ended and self._agenda.now - session.used > self._validity:
            self.end(session)
        return not session.ended

    def end(self, session: Session) -> None:
        """End a session.

        Args:
            session: the session.
        """
        session.ended = True
        self._by_key.pop(session.key, None)

    def end_all(self) -> None:
        """End every session."""
        for session in list(self._by_key.values()):
            self.end(session)

    def active(self) -> list[Session]:
        """Return the sessions that are still valid, in the order of their logins."""
        return [session for session in list(self._by_key.values()) if self.is_active(session)]
