"""API keys kept in a file, so that the commands of one person share one session of the service.

The file belongs to its user alone. Beside it lies a lock file, held by whoever logs in.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from srs_vsphere._codec.strict_json import loads
from srs_vsphere._service.file_lock import lock as _lock
from srs_vsphere.auth import Secret, check_key
from srs_vsphere.errors import AuthenticationError


class SessionFile:
    """The keys of one host's sessions, by user.

    Args:
        path: the file; it is made if it does not exist.
        host: host and port of the service.
    """

    def __init__(self, path: str, host: str) -> None:
        self._path = Path(path)
        self._host = host
        self._lock: int | None = None

    def load(self, user: str) -> Secret | None:
        """Return the key of a user's session, or None.

        Raises:
            AuthenticationError: the file cannot be read, or others can read or write it.
        """
        key = self._read().get(self._name(user))
        return None if key is None else Secret(key)

    def save(self, user: str, key: Secret) -> None:
        """Keep the key of a user's session, in place of an older one.

        Raises:
            AuthenticationError: the file cannot be read or written.
        """
        keys = self._read()
        keys[self._name(user)] = key.reveal()
        self._write(keys)

    def forget(self, user: str, key: Secret) -> None:
        """Forget the key of a user's session, unless it was replaced in the meantime.

        Raises:
            AuthenticationError: the file cannot be read or written.
        """
        keys = self._read()
        if keys.get(self._name(user)) == key.reveal():
            del keys[self._name(user)]
            self._write(keys)

    def try_lock(self) -> bool:
        """Take the lock, without waiting.

        Returns:
            Whether it was free.

        Raises:
            AuthenticationError: the lock file cannot be made.
        """
        with self._errors("locked"):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # No link is followed, which somebody else may have put there: it would make a file elsewhere.
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            lock = os.open(f"{self._path}.lock", flags, 0o600)
            try:
                _lock(lock)
            except (BlockingIOError, PermissionError):
                # So say Linux and macOS, and Windows.
                os.close(lock)
                return False
            except BaseException:
                # As on a network drive that has no locks: waiting would not help.
                os.close(lock)
                raise
        self._lock = lock
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            # Closing releases it; the file stays, for somebody else may be waiting for this very one.
            os.close(self._lock)
            self._lock = None

    def _name(self, user: str) -> str:
        return f"{user} at {self._host}"

    def _read(self) -> dict[str, str]:
        with self._errors("read"):
            try:
                with self._path.open("rb") as file:
                    self._check_owner(os.fstat(file.fileno()))
                    content = file.read()
            except FileNotFoundError:
                return {}
        # Whatever it held is replaced with the next login, if it cannot be read.
        with suppress(ValueError):
            document = loads(content)
            if isinstance(document, dict):
                pairs = cast("dict[object, object]", document).items()
                return {
                    str(name): key for name, key in pairs if isinstance(key, str) and _is_usable(Secret(key))
                }
        return {}

    def _check_owner(self, status: os.stat_result) -> None:
        # Windows has neither owners of this kind nor such rights.
        if sys.platform == "win32" or not hasattr(os, "getuid"):
            return
        if status.st_uid != os.getuid() or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise AuthenticationError(
                f"others can read or write the session file {self._path}",
                advice="Remove it: a new one is made with the next login.",
            )

    def _write(self, keys: dict[str, str]) -> None:
        with self._errors("written"):
            # Made for its owner only; whoever reads meanwhile finds the old file or the new one.
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(keys, file, indent=1)
                Path(temporary).replace(self._path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    @contextmanager
    def _errors(self, done: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise AuthenticationError(
                f"the session file {self._path} cannot be {done}",
                cause=error.strerror,
                advice="Check session_file, and the rights to its folder.",
            ) from None


def _is_usable(key: Secret) -> bool:
    try:
        check_key(key)
    except ValueError:
        return False
    return True
