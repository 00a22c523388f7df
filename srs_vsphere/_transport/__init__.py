"""The fast path: an httpx transport on asyncio, for HTTP/1.1, plain and TLS."""

from srs_vsphere._transport.place import Address
from srs_vsphere._transport.transport import FastTransport, Fetched, applicable
from srs_vsphere._transport.waits import Waits

__all__ = ["Address", "FastTransport", "Fetched", "Waits", "applicable"]
