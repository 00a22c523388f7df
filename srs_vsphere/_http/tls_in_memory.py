"""TLS without I/O: what is read from a socket goes in, what is to be written comes out.

asyncio's own TLS costs twice as much for each response and keeps a buffer of 256 KiB for each connection;
``ssl.SSLSocket`` takes four system calls to read a record, where this takes two.
"""

from __future__ import annotations

import contextlib
import ssl

from srs_vsphere._http.limits import READ_BYTES as _READ_BYTES


class TlsInMemory:
    """One connection's TLS.

    Args:
        context: whom to trust.
        name: what the server's certificate must name.

    Attributes:
        ssl_object: what does it, and knows of the server.
    """

    __slots__ = ("_incoming", "_outgoing", "ssl_object")

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.ssl_object: ssl.SSLObject = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=name
        )

    def shake_hands(self) -> bool:
        """Go on with the handshake, and return whether it is done; what is `outgoing` then must be sent.

        Raises:
            ssl.SSLError: it failed; what is `outgoing` tells the server why.
        """
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def outgoing(self) -> bytes:
        """Return what is to be sent to the server; nothing if there is nothing."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        """Return what is to be sent for these bytes.

        Raises:
            ssl.SSLError: the connection is broken.
        """
        self.ssl_object.write(data)
        return self._outgoing.read()

    def feed(self, data: bytes | memoryview) -> None:
        """Take in what was read; nothing is the end."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def decrypt(self) -> bytes | None:
        """Return the next bytes from the server, none if it ended the connection; None if more must come.

        Raises:
            ssl.SSLError: the connection is broken.
        """
        incoming = self._incoming
        if not (incoming.pending or incoming.eof):
            return None
        try:
            return self.ssl_object.read(_READ_BYTES)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLEOFError:
            # It ended without a ``close_notify``; with one, nothing is read.
            return b""

    def close_notify(self) -> bytes:
        """Return what tells the server that no more will be sent."""
        with contextlib.suppress(OSError):
            self.ssl_object.unwrap()
        return self._outgoing.read()
