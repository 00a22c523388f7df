"""Which servers to trust."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

from attrs import Attribute, field, frozen

from srs_vsphere._validation import flag


def _path(value: str | os.PathLike[str] | None) -> str | None:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _is_path(_: object, attribute: Attribute[str | None], value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{attribute.name} must be a path, not {type(value).__name__}")
    if value == "":
        raise ValueError(f"{attribute.name} must name a file, not be empty")


@frozen(kw_only=True)
class Tls:
    """How the service's certificate is checked.

    Args:
        ca_file: a PEM file with the certificates to trust instead of the system's; an installation's
            self-signed certificate may stand in it as it is. Default: the system's.
        verify: whether to check at all; False lets anybody between you and the service read the
            password, so use it for a laboratory only. Default True.

    Raises:
        TypeError: `ca_file` is no path, or `verify` neither True nor False.
        ValueError: `ca_file` is empty.
    """

    ca_file: str | None = field(default=None, converter=_path, validator=_is_path)
    verify: bool = field(default=True, validator=flag)


@lru_cache(maxsize=32)
def ssl_context(tls: Tls) -> ssl.SSLContext:
    """Return the context for these settings, shared by all clients: making one takes 25 ms.

    Args:
        tls: the settings.

    Raises:
        OSError: the ``ca_file`` cannot be read or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except OSError as error:
        # Neither an SSLError nor the system's own error says which file it was.
        raise OSError(error.errno, f"ca_file cannot be used: {error.strerror}", tls.ca_file) from error
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=1)
def unused_context() -> ssl.SSLContext:
    """Return a context that trusts nobody, for clients that speak plain HTTP: loading no store is quick."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
