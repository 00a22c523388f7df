"""Which servers to trust."""

from __future__ import annotations

import os
import ssl
from typing import Literal, cast

from attrs import Attribute, evolve, field, frozen, validate

from srs_vsphere.auth import Secret
from srs_vsphere.certificate import normal_thumbprint
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError

PathLike = str | os.PathLike[str]


def _path(value: PathLike | None) -> str | None:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _paths(value: PathLike | tuple[PathLike, ...] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, tuple):
        return tuple(cast("str", _path(path)) for path in value)
    return (cast("str", _path(value)),)


def _text(attribute: Attribute[str | None], value: object, kind: str = "text") -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidArgumentTypeError(f"{attribute.name} must be {kind}, not {type(value).__name__}")
    return value


def _is_path(_: object, attribute: Attribute[str | None], value: object) -> None:
    if _text(attribute, value, "a path") == "":
        raise InvalidArgumentValueError(f"{attribute.name} must name a file, not be empty")


def _are_paths(_: object, attribute: Attribute[tuple[str, ...]], value: tuple[object, ...]) -> None:
    for path in value:
        _is_path(None, cast("Attribute[str | None]", attribute), path)


def _pem(value: str | bytes | None) -> str | None:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _is_pem(_: object, attribute: Attribute[str | None], value: object) -> None:
    text = _text(attribute, value, "text or bytes")
    if text is not None and "-----BEGIN " not in text:
        raise InvalidArgumentValueError(
            f"{attribute.name} must hold certificates as PEM (-----BEGIN CERTIFICATE-----)"
        )


def _thumbprint(value: str | None) -> str | None:
    try:
        return normal_thumbprint(value) if isinstance(value, str) else value
    except InvalidArgumentValueError:
        # Refused below, when there is a whole object for a traceback with variables to show.
        return value


def _is_thumbprint(_: object, attribute: Attribute[str | None], value: object) -> None:
    text = _text(attribute, value)
    if text is not None:
        normal_thumbprint(text)


def _is_name(_: object, attribute: Attribute[str | None], value: object) -> None:
    text = _text(attribute, value)
    if text is not None and (not text or not text.isascii() or not text.isprintable() or " " in text):
        raise InvalidArgumentValueError(f"{attribute.name} must be a host name")


def _is_context(_: object, attribute: Attribute[ssl.SSLContext | None], value: object) -> None:
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise InvalidArgumentTypeError(
            f"{attribute.name} must be an ssl.SSLContext, not {type(value).__name__}"
        )


def _is_secret(_: object, attribute: Attribute[Secret | None], value: Secret | None) -> None:
    text: object = "" if value is None else value.reveal()
    kind = type(text).__name__
    # A traceback of the error below shows this frame's variables.
    del text
    if kind != "str":
        raise InvalidArgumentTypeError(f"{attribute.name} must be text, not {kind}")


def _is_verify(_: object, attribute: Attribute[bool | Literal["never"]], value: object) -> None:
    # None, as from a setting that is missing, must not switch the checks off.
    if not isinstance(value, bool) and value != "never":
        shown = repr(value) if isinstance(value, str) else type(value).__name__
        raise InvalidArgumentTypeError(f"{attribute.name} must be True, False or 'never', not {shown}")


class InsecureTlsWarning(UserWarning):
    """A client was made that does not check the service's certificate."""


@frozen(init=False)
class Tls:
    """How the service's certificate is checked.

    Without arguments, the system's authorities are trusted. With the extra ``system-trust`` these are the
    ones of the operating system's own verifier, on Windows and macOS too.

    Args:
        ca_file: a PEM file with the certificates to trust instead of the system's; an installation's
            self-signed certificate may stand in it as it is. It is read when a client is made.
        ca_data: the same as text or bytes.
        thumbprint: trust the one certificate with this SHA-256 or SHA-1 thumbprint, with or without
            colons, in any case; its host name and dates then do not matter.
        known_hosts: a file of lines ``host:port thumbprint``, as govc has it, or several such files in a
            tuple. A host that is in it is trusted by its thumbprint, others as without it.
        server_hostname: what the certificate must name, if that is not the host of the URL.
        client_certificate: a PEM file with the client's own certificate, and perhaps its key.
        client_key: a PEM file with its key, if that is a file of its own.
        client_key_password: what the key is encrypted with.
        context: a context of your own, which decides everything; it goes with no other argument. One that
            verifies nothing warns.
        verify: False switches all checks off: whoever stands between you and the service can read and
            change everything. A password is then not sent, unless this is ``"never"``; nor is it over
            ``http://`` to another machine. Default True.

    Raises:
        TypeError: an argument is of the wrong kind.
        ValueError: an argument makes no sense, or two of them exclude each other.
    """

    ca_file: str | None = field(validator=_is_path)
    ca_data: str | None = field(validator=_is_pem, repr=False)
    thumbprint: str | None = field(validator=_is_thumbprint)
    known_hosts: tuple[str, ...] = field(validator=_are_paths)
    server_hostname: str | None = field(validator=_is_name)
    client_certificate: str | None = field(validator=_is_path)
    client_key: str | None = field(validator=_is_path)
    client_key_password: Secret | None = field(validator=_is_secret)
    context: ssl.SSLContext | None = field(validator=_is_context)
    verify: bool | Literal["never"] = field(validator=_is_verify)

    def __init__(
        self,
        *,
        ca_file: PathLike | None = None,
        ca_data: str | bytes | None = None,
        thumbprint: str | None = None,
        known_hosts: PathLike | tuple[PathLike, ...] | None = None,
        server_hostname: str | None = None,
        client_certificate: PathLike | None = None,
        client_key: PathLike | None = None,
        client_key_password: str | Secret | None = None,
        context: ssl.SSLContext | None = None,
        verify: bool | Literal["never"] = True,
    ) -> None:
        given = client_key_password
        hidden = given if given is None or isinstance(given, Secret) else Secret(given)
        # A traceback of the errors below shows this frame's variables.
        del client_key_password, given
        values = {
            "ca_file": _path(ca_file),
            "ca_data": _pem(ca_data),
            "thumbprint": _thumbprint(thumbprint),
            "known_hosts": _paths(known_hosts),
            "server_hostname": server_hostname,
            "client_certificate": _path(client_certificate),
            "client_key": _path(client_key),
            "client_key_password": hidden,
            "context": context,
            "verify": verify,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        validate(self)
        self._check_together()

    def _check_together(self) -> None:
        ways = {
            "ca_file": self.ca_file is not None,
            "ca_data": self.ca_data is not None,
            "known_hosts": bool(self.known_hosts),
            "thumbprint": self.thumbprint is not None,
            f"verify={self.verify!r}": self.verify is not True,
        }
        given = [name for name, is_given in ways.items() if is_given]
        if len(given) > 1 and not set(given) <= {"ca_file", "ca_data", "known_hosts"}:
            raise InvalidArgumentValueError(
                f"{given[0]} and {given[-1]} exclude each other: each says whom to trust"
            )
        if self.client_certificate is None and (self.client_key or self.client_key_password):
            raise InvalidArgumentValueError("client_key needs client_certificate beside it")
        if self.context is not None and evolve(self, context=None) != Tls():
            raise InvalidArgumentValueError("context goes with no other argument: set these in the context")
