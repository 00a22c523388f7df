"""A certificate that is about to expire is worth a line in the log, once."""

from __future__ import annotations

import hashlib
import logging
import ssl
from datetime import UTC, datetime, timedelta
from typing import Final
from weakref import WeakSet

from srs_vsphere._codec.x509 import read_not_after

_log = logging.getLogger("srs_vsphere")

_SOON: Final = timedelta(days=30)

#: Connections, since httpx's transport tells of one with each of its responses.
_looked_at: WeakSet[ssl.SSLObject | ssl.SSLSocket] = WeakSet()
_reported: set[tuple[str, bytes]] = set()


def report_expiry(connection: object) -> None:
    """Log until when the server's certificate is valid, if that is not long.

    Here and not in the context, since that may be the system's own verifier or the program's.

    Args:
        connection: what TLS knows of a connection whose handshake is over; all else is left alone.
    """
    if not isinstance(connection, ssl.SSLObject | ssl.SSLSocket) or connection in _looked_at:
        return
    _looked_at.add(connection)
    der = connection.getpeercert(binary_form=True)
    try:
        not_after = read_not_after(der or b"")
    except ValueError:
        return
    if not_after - datetime.now(UTC) > _SOON:
        return
    name = str(connection.server_hostname or "the service")
    seen = (name, hashlib.sha256(der or b"").digest())
    if seen not in _reported:
        _reported.add(seen)
        _log.info("the certificate of %s is valid until %s", name, not_after.isoformat())
