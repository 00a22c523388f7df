"""Which servers to trust."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

from attrs import field, frozen


def _path(value: str | os.PathLike[str] | None) -> str | None:
    return None if value is None else os.fspath(value)


@frozen(kw_only=True)
class Tls:
    """How the service's certificate is checked.

    Args:
        ca_file: a PEM file with the certificates to trust instead of the system's; an installation's
            self-signed certificate may stand in it as it is. Default: the system's.
        verify: whether to check at all; False lets anybody between you and the service read the
            password, so use it for a laboratory only. Default True.
    """

    ca_file: str | None = field(default=None, converter=_path)
    verify: bool = True


@lru_cache(maxsize=32)
def ssl_context(tls: Tls) -> ssl.SSLContext:
    """Return the context for these settings, shared by all clients: making one takes 25 ms.

    Args:
        tls: the settings.

    Raises:
        OSError: the ``ca_file`` cannot be read or holds no certificate.
    """
    context = ssl.create_default_context(cafile=tls.ca_file)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=1)
def unused_context() -> ssl.SSLContext:
    """Return a context that trusts nobody, for clients that speak plain HTTP: loading no store is quick."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
