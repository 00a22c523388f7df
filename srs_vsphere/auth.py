"""Credentials: frozen values that never show their secrets."""

from __future__ import annotations

import base64
import hmac
from typing import TypeAlias

from attrs import frozen


class Secret:
    """A text that no repr, log, traceback or pickle shows.

    Args:
        value: the text to keep.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself; call this only where it is used, never to keep it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled: create the credentials anew in the other process")


@frozen(init=False)
class BasicAuth:
    """User name and password, which the service trades for an API key at vCenter's single sign-on.

    Args:
        username: vCenter single sign-on user, such as ``administrator@vsphere.local``; without a colon.
        password: that user's password.

    Raises:
        TypeError: one of them is not text.
        ValueError: one of them is empty, or the user name holds a colon.
    """

    username: str
    password: Secret

    def __init__(self, username: str, password: str | Secret) -> None:
        secret = password if isinstance(password, Secret) else _secret(password, "password")
        # A traceback of the errors below shows this frame's variables.
        del password
        if not isinstance(username, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
            raise TypeError(f"username must be text, not {type(username).__name__}")
        if not username.strip():
            raise ValueError("username must not be blank")
        if ":" in username:
            raise ValueError("username must not hold a colon: the service would read the rest as password")
        object.__setattr__(self, "username", username)
        object.__setattr__(self, "password", secret)

    def authorization(self) -> Secret:
        """Return the value of the ``Authorization`` header that logs this user in."""
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return Secret("Basic " + base64.b64encode(pair).decode("ascii"))


@frozen(init=False)
class ApiKeyAuth:
    """An API key that somebody else got from a login, used as it is: never renewed, never logged out.

    Args:
        key: the key, as the service gave it in ``X-SRS-API-KEY``.

    Raises:
        TypeError: the key is not text.
        ValueError: the key is empty or holds something that no HTTP header can carry.
    """

    key: Secret

    def __init__(self, key: str | Secret) -> None:
        secret = key if isinstance(key, Secret) else _secret(key, "key")
        del key
        object.__setattr__(self, "key", check_key(secret))


Auth: TypeAlias = BasicAuth | ApiKeyAuth


def check_key(key: Secret) -> Secret:
    """Refuse a key that no HTTP header can carry, without repeating it.

    Args:
        key: the API key.

    Returns:
        The same key.

    Raises:
        ValueError: it is empty or holds other than printable ASCII.
    """
    text = key.reveal()
    usable = bool(text) and text.isascii() and text.isprintable() and " " not in text
    del text
    if not usable:
        raise ValueError("key must be printable ASCII without spaces, as the service issues it")
    return key


def _secret(value: str, argument: str) -> Secret:
    kind = type(value).__name__
    secret = Secret(value) if kind == "str" and value else None
    empty = kind == "str" and not value
    del value
    if empty:
        raise ValueError(f"{argument} must not be empty")
    if secret is None:
        raise TypeError(f"{argument} must be text, not {kind}")
    return secret
