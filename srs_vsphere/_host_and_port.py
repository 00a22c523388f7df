"""A host with or without a port."""

from __future__ import annotations


def split_port(host: str) -> tuple[str, int | None]:
    """Return name or address of a host, and its port, None where that is left out.

    Args:
        host: such as ``srs.example.com:8443`` or ``[::1]``.
    """
    # An IPv6 address is full of colons: only what follows its bracket is a port.
    name, _, port = host.rpartition(":")
    return (name, int(port)) if name and port.isascii() and port.isdecimal() else (host, None)
