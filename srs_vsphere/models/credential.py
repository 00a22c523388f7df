"""A user name and a password for a script, which gets them as a PSCredential."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.secret import Secret


# No repr by attrs: it fails on what is not whole yet, as in a traceback with variables of a refusal below.
@frozen(init=False, repr=False)
class Credential:
    """A user name and a password, to be given to a script as a parameter; it arrives as ``PSCredential``.

    Like a `Secret`, which arrives as ``SecureString``, it is in no repr, log, error or pickle of ours. On its
    way it can be read wherever TLS ends: a proxy that ends the encryption before the service,
    the service's gateway, and the runspace; and the script can do anything with it. The service stores
    neither the parameter nor its value with the script execution.

    Args:
        username: the user's name, such as ``DOMAIN\\user``.
        password: the password.

    Raises:
        TypeError: one of them is not text.
        ValueError: one of them is blank or empty, which no PSCredential can be.
    """

    username: str
    password: Secret

    def __init__(self, username: str, password: str | Secret) -> None:
        secret = password if isinstance(password, Secret) else Secret(password)
        # A traceback of the errors below shows this frame's variables.
        del password
        if not isinstance(username, str):
            raise InvalidArgumentTypeError(f"username must be text, not {type(username).__name__}")
        if not username.strip():
            raise InvalidArgumentValueError("username must not be blank: a credential has a user")
        if not isinstance(secret.reveal(), str):
            raise InvalidArgumentTypeError(f"password must be text, not {type(secret.reveal()).__name__}")
        if not secret.reveal():
            raise InvalidArgumentValueError("password must not be empty")
        object.__setattr__(self, "username", username)
        object.__setattr__(self, "password", secret)

    def __repr__(self) -> str:
        return f"Credential(username={getattr(self, 'username', None)!r}, password=Secret('***'))"
