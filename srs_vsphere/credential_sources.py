"""Credentials that name where the secret is: it is read at each login, and they can be pickled."""

from __future__ import annotations

import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

from attrs import Attribute, field, frozen

from srs_vsphere._validation import words_of
from srs_vsphere.auth import BasicAuth, Secret
from srs_vsphere.errors import AuthenticationError, InvalidArgumentTypeError, InvalidArgumentValueError


def _text(_: object, attribute: Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise InvalidArgumentTypeError(f"{attribute.name} must be text, not {type(value).__name__}")
    if not value.strip():
        raise InvalidArgumentValueError(f"{attribute.name} must not be blank")


def _path(value: str | os.PathLike[str]) -> str:
    # What is neither is refused by the validator, when there is a whole object for a traceback to show.
    return os.fspath(value) if isinstance(value, os.PathLike) else value


@frozen
class EnvAuth:
    """User name and password in environment variables.

    Args:
        username_variable: name of the variable with the user name; default ``SRS_USERNAME``.
        password_variable: name of the variable with the password; default ``SRS_PASSWORD``.

    Raises:
        TypeError: one of them is not text.
        ValueError: one of them is blank.
    """

    username_variable: str = field(default="SRS_USERNAME", validator=_text)
    password_variable: str = field(default="SRS_PASSWORD", validator=_text)

    @property
    def username(self) -> str:
        """The user name.

        Raises:
            AuthenticationError: the variable is not set.
        """
        return _variable(self.username_variable).reveal()

    def credentials(self) -> BasicAuth:
        """Read the variables.

        Raises:
            AuthenticationError: one of them is not set or cannot be used.
        """
        return _basic(self.username, _variable(self.password_variable), self.password_variable)


@frozen
class FileAuth:
    """A user name, and a file with the password, such as a secret that Docker or Kubernetes mounts.

    A line feed at the file's end is not part of the password. Where files have an owner (not on Windows),
    a file that everybody can read is refused.

    Args:
        username: the user.
        password_file: path of the file.

    Raises:
        TypeError: one of them is of the wrong kind.
        ValueError: one of them is blank.
    """

    username: str = field(validator=_text)
    password_file: str = field(converter=_path, validator=_text)

    def credentials(self) -> BasicAuth:
        """Read the file.

        Raises:
            AuthenticationError: it cannot be read or used, or everybody can read it.
        """
        return _basic(self.username, _read_secret(Path(self.password_file)), f"file {self.password_file}")


@frozen
class KeyringAuth:
    """A user name, and its password in the system's keyring; the extra ``keyring``.

    ``keyring set SERVICE USERNAME`` puts it there.

    Args:
        username: the user.
        service: under which name the password is kept; default ``srs-vsphere``.

    Raises:
        TypeError: one of them is not text.
        ValueError: one of them is blank.
        RuntimeError: the ``keyring`` package is not installed.
    """

    username: str = field(validator=_text)
    service: str = field(default="srs-vsphere", validator=_text)

    def __attrs_post_init__(self) -> None:
        if find_spec("keyring") is None:
            raise RuntimeError("KeyringAuth needs the extra: pip install srs-vsphere[keyring]")

    def credentials(self) -> BasicAuth:
        """Ask the keyring; it may ask the person at the screen.

        Raises:
            AuthenticationError: it is locked, or holds no such password.
        """
        import keyring
        from keyring.errors import KeyringError

        where = f"keyring entry {self.service!r} of {self.username!r}"
        try:
            password = keyring.get_password(self.service, self.username)
        except KeyringError as error:
            raise AuthenticationError(
                f"the {where} cannot be read",
                cause=type(error).__name__,
                advice="Unlock the keyring, or set one up.",
            ) from None
        if password is None:
            raise AuthenticationError(
                f"there is no {where}", advice=f"Run: keyring set {self.service} {self.username}"
            )
        secret = Secret(password)
        del password
        return _basic(self.username, secret, where)


def _variable(name: str) -> Secret:
    value = os.environ.get(name)
    if not value:
        raise AuthenticationError(f"the environment variable {name} is not set", advice=f"Set {name}.")
    return Secret(value)


def _read_secret(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            if sys.platform != "win32" and os.fstat(file.fileno()).st_mode & (stat.S_IROTH | stat.S_IWOTH):
                raise AuthenticationError(
                    f"everybody can read the file {path}", advice=f"Run: chmod o-rwx {path}"
                )
            content = Secret(file.read().decode("utf-8-sig"))
    except OSError as error:
        raise AuthenticationError(
            f"the file {path} cannot be read", cause=error.strerror, advice="Check its path and its rights."
        ) from None
    except UnicodeDecodeError:
        raise AuthenticationError(f"the file {path} is not UTF-8 text", advice="Write it anew.") from None
    return Secret(content.reveal().removesuffix("\n").removesuffix("\r"))


def _basic(username: str, password: Secret, where: str) -> BasicAuth:
    try:
        return BasicAuth(username, password)
    except ValueError as error:
        raise AuthenticationError(
            f"the {where} cannot be used: {words_of(error)}", advice="Correct it."
        ) from None
