"""Users: their passwords, and what the token service calls them."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from srs_vsphere.simulator.exchange import Request

_DOMAIN = "VSPHERE.LOCAL"


def subject(user: str) -> str:
    """Return what the token service calls a user: with a domain, in capital letters.

    Args:
        user: the user's name as it was typed.
    """
    name, at, domain = user.rpartition("@")
    return f"{name}@{domain.upper()}" if at else f"{user}@{_DOMAIN}"


class Users:
    """The users that may log in.

    Args:
        passwords: their passwords, by user name; a name without a domain is of ``vsphere.local``.

    Raises:
        TypeError: it maps no text to text.
        ValueError: a user name is blank or holds a colon, or two are the same.
    """

    def __init__(self, passwords: Mapping[str, str]) -> None:
        if not isinstance(passwords, Mapping):
            raise TypeError(f"users must map names to passwords, not be a {type(passwords).__name__}")
        self._known: dict[str, tuple[str, str]] = {}
        for user, password in passwords.items():
            if not (isinstance(user, str) and isinstance(password, str)):
                raise TypeError("users must map names to passwords, both as text")
            if not user.strip():
                raise ValueError("a user name must not be blank")
            if ":" in user:
                raise ValueError("a user name must not hold a colon, at which the service would split it")
            name = subject(user)
            if name.casefold() in self._known:
                raise ValueError(f"user {name!r} is there twice")
            self._known[name.casefold()] = (name, password)

    def with_password(self, user: str, password: str) -> str | None:
        """Return what the token service calls a user, or None when it does not know the pair.

        Args:
            user: the user's name as it was typed.
            password: the password.
        """
        name, expected = self._known.get(subject(user).casefold(), ("", None))
        return name if password == expected else None

    def from_basic(self, request: Request) -> str | None:
        """Return the user that a request's ``Authorization`` header logs in, or None.

        The service looks at no scheme: whatever stands before the credentials will do.

        Args:
            request: the request.
        """
        _, _, credentials = (request.header("authorization") or "").strip().partition(" ")
        try:
            pair = base64.b64decode(credentials.strip(), validate=True).decode("utf-8", "replace")
        except ValueError:
            # No base64, or not even ASCII.
            return None
        user, colon, password = pair.partition(":")
        return self.with_password(user, password) if colon else None
