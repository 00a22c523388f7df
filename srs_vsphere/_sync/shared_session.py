"""A session that several processes share through a file: one of them logs in, the others take its key."""

from __future__ import annotations

from srs_vsphere._sync.login import Login
from srs_vsphere._concurrency.clock import Clock
from srs_vsphere._service.call import Call
from srs_vsphere._service.session_file import SessionFile
from srs_vsphere.auth import Auth, Secret
from srs_vsphere.errors import NotSentError

#: Seconds between two attempts to take the lock.
_LOOK_AGAIN_AFTER = 0.05


class SharedSession:
    """Finds the key of a session in a file, and logs in where there is none that works.

    Args:
        file: the file.
        login: logs in.
        auth: the credentials; their ``username`` says whose session it is.
        clock: the client's clock.
    """

    def __init__(self, file: SessionFile, login: Login, auth: Auth, clock: Clock) -> None:
        self._file = file
        self._login = login
        self._auth = auth
        self._clock = clock

    def key(self, call: Call, stale: Secret | None) -> Secret:
        """Return the key that the file holds, or that of a new session.

        Args:
            call: what it is for; its deadline counts.
            stale: a key that the service does not take any more, or None.

        Raises:
            AuthenticationError: the file cannot be used.
            SrsError: the login failed.
        """
        user = self._user()
        self._lock(call)
        try:
            found = self._file.load(user)
            if found is not None and found != stale:
                return found
            key = self._login.key(call)
            self._file.save(user, key)
            self._login.keep()
            return key
        finally:
            self._file.unlock()

    def take(self, call: Call, key: Secret | None) -> Secret | None:
        """Return the key of the session that is about to be ended, and take it out of the file.

        Args:
            call: the call that ends it; its deadline counts.
            key: the key, if the client has one already; else it is what the file holds.

        Raises:
            AuthenticationError: the file cannot be used.
            NotSentError: another process was logging in until the deadline.
        """
        user = self._user()
        # Nobody else may have the file open meanwhile: what is written then would be lost, and on Windows
        # no file takes the place of one that is open.
        self._lock(call)
        try:
            found = self._file.load(user) if key is None else key
            if found is not None:
                self._file.forget(user, found)
            return found
        finally:
            self._file.unlock()

    def _lock(self, call: Call) -> None:
        while not self._file.try_lock():
            if self._clock.now() >= call.deadline:
                raise NotSentError("another process was logging in until the deadline", **call.facts())
            self._clock.sleep(_LOOK_AGAIN_AFTER)

    def _user(self) -> str:
        # Read anew each time: that of `EnvAuth` may change.
        return str(getattr(self._auth, "username", ""))
