"""Where a server is."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from srs_vsphere.settings import Origin

DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """Where a server is.

    Args:
        secure: whether it is reached over TLS.
        host: its name or address, to be looked up.
        port: its port.
        server_name: what its certificate must name, if that is not the host.
    """

    secure: bool
    host: str
    port: int
    server_name: str | None = None

    @classmethod
    def of(cls, origin: Origin) -> Address:
        """Return the address of a client's service."""
        return cls.of_url(httpx.URL(origin.url))

    @classmethod
    def of_url(cls, url: httpx.URL) -> Address:
        """Return the address that a request with this URL goes to.

        Raises:
            httpx.UnsupportedProtocol: it is neither ``http`` nor ``https``, or names no host.
        """
        default = DEFAULT_PORTS.get(url.scheme)
        host = url.raw_host.decode("ascii")
        if default is None or not host:
            raise httpx.UnsupportedProtocol("the URL must begin with http:// or https:// and name a host")
        # A dot at the end keeps the resolver from trying other domains, and a zone says which network card
        # is meant: neither is part of what a certificate names.
        name = host.partition("%")[0].removesuffix(".")
        return cls(url.scheme == "https", host, url.port or default, None if name == host else name)
