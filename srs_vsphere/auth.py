"""Credentials: frozen values that never show their secrets."""

from __future__ import annotations

import base64
import sys
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast, runtime_checkable

from attrs import field, frozen

from srs_vsphere._validation import check_flag
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.secret import NeverCopied
from srs_vsphere.secret import Secret as Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from srs_vsphere.sign_auth import SignAuth


# No repr by attrs: it fails on what is not whole yet, as in a traceback with variables of a refusal below.
@frozen(init=False, repr=False)
class BasicAuth(NeverCopied):
    """User name and password, which the service trades for an API key at vCenter's single sign-on.

    Args:
        username: vCenter single sign-on user, such as ``administrator@vsphere.local``; without a colon.
        password: that user's password.
        allow_pickle: whether the password may be pickled, in the clear, to be sent to other processes;
            default False. Credentials by name, which each process looks up, need no such thing.

    Raises:
        TypeError: one of them is not text.
        ValueError: one of them is empty or cannot be sent, or the user name holds a colon.
    """

    username: str
    password: Secret
    allow_pickle: bool = field(eq=False)

    def __init__(self, username: str, password: str | Secret, *, allow_pickle: bool = False) -> None:
        secret = _hidden(password)
        # Given as "user:password", a user name is a secret, too.
        name = Secret(username)
        # A traceback of the errors below shows this frame's variables.
        del username, password
        _check_text(secret, "password")
        _check_text(name, "username")
        if not name.reveal().strip():
            raise InvalidArgumentValueError("username must not be blank")
        if ":" in name.reveal():
            raise InvalidArgumentValueError(
                "username must not hold a colon: the service would read the rest as password"
            )
        object.__setattr__(self, "username", name.reveal())
        object.__setattr__(self, "password", secret)
        check_flag("allow_pickle", allow_pickle)
        object.__setattr__(self, "allow_pickle", allow_pickle)

    def __reduce__(self) -> tuple[object, ...]:
        if not self.allow_pickle:
            raise TypeError(
                "a secret is not pickled, unless BasicAuth(..., allow_pickle=True) says so: create the"
                " credentials anew in the other process, as EnvAuth and FileAuth do"
            )
        return _with_pickle, (self.username, self.password.reveal())

    def __repr__(self) -> str:
        return f"BasicAuth(username={getattr(self, 'username', None)!r}, password=Secret('***'))"

    def authorization(self) -> Secret:
        """Return the value of the ``Authorization`` header that logs this user in."""
        # In one expression, since a traceback shows what has a name.
        return Secret(
            "Basic " + base64.b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode("ascii")
        )


def _with_pickle(username: str, password: str) -> BasicAuth:
    return BasicAuth(username, Secret(password), allow_pickle=True)


@frozen(init=False, repr=False)
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
        secret = _hidden(key)
        del key
        _check_text(secret, "key")
        object.__setattr__(self, "key", check_key(secret))

    def __repr__(self) -> str:
        return "ApiKeyAuth(key=Secret('***'))"


@runtime_checkable
class CredentialSource(Protocol):
    """What hands out credentials when a client logs in, such as a class of your own over a vault.

    `EnvAuth`, `FileAuth`, `KeyringAuth` and `SsoAuth` are of this kind.
    """

    def credentials(self) -> LoginAuth | Awaitable[LoginAuth]:
        """Return the credentials for one login; asked at each.

        A plain method may block: the async client calls it in a worker thread. The sync client takes no
        coroutine.
        """
        ...


LoginAuth: TypeAlias = "BasicAuth | SignAuth"
Auth: TypeAlias = "BasicAuth | ApiKeyAuth | SignAuth | CredentialSource"


def is_sign_auth(value: object) -> bool:
    """Tell whether something is a `SignAuth`.

    Args:
        value: what may be one.
    """
    # Where its module is not loaded there is none, and no reason to load it.
    sign_auth = sys.modules.get("srs_vsphere.sign_auth")
    return sign_auth is not None and isinstance(value, sign_auth.SignAuth)


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
        raise InvalidArgumentValueError(
            "key must be printable ASCII without spaces, as the service issues it"
        )
    return key


def _hidden(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _check_text(secret: Secret, argument: str) -> None:
    value = cast("object", secret.reveal())  # by callers without types
    problem: Exception | None = None
    if not isinstance(value, str):
        problem = InvalidArgumentTypeError(f"{argument} must be text, not {type(value).__name__}")
    elif not value:
        problem = InvalidArgumentValueError(f"{argument} must not be empty")
    else:
        try:
            value.encode()
        except UnicodeEncodeError:
            problem = InvalidArgumentValueError(
                f"{argument} must be text that UTF-8 can carry, without lone surrogates"
            )
    del value
    if problem is not None:
        raise problem
