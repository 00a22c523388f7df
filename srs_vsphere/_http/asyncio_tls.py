"""A connection over TLS: what comes is decrypted before the plain connection that it is sees it."""

from __future__ import annotations

import asyncio
import ssl

import httpx

from srs_vsphere._http.asyncio_connection import Connection, ConnectionCallbacks
from srs_vsphere._http.response_parser import ResponseParser
from srs_vsphere._http.step_timeouts import StepTimeouts
from srs_vsphere._http.tls_in_memory import TlsInMemory


class SecureConnection(Connection):
    """One connection to the server over TLS.

    Args:
        loop: as for `Connection`.
        callbacks: as for `Connection`.
        read_buffer: as for `Connection`.
        keep_alive: as for `Connection`.
        tls: what encrypts and decrypts.
    """

    __slots__ = ("_is_encrypted", "_tls")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        callbacks: ConnectionCallbacks,
        read_buffer: memoryview,
        keep_alive: float,
        tls: TlsInMemory,
    ) -> None:
        super().__init__(loop, callbacks, read_buffer, keep_alive)
        self._tls = tls
        self._is_encrypted = False

    async def start(self) -> None:
        """Do the handshake.

        Raises:
            OSError: it failed.
        """
        try:
            while not self._tls.shake_hands():
                self._send(self._tls.outgoing())
                self._waiter = self._loop.create_future()
                await self._waiter
                if self.closed:
                    raise ConnectionResetError("the server closed the connection during the TLS handshake")
        finally:
            # If it failed, this tells the server why.
            self._send(self._tls.outgoing())
        self._is_encrypted = True
        self._decrypt()

    async def exchange(
        self, parser: ResponseParser, data: bytes, timeouts: StepTimeouts, now: float, end: float, enough: int
    ) -> None:
        """Send a request encrypted, and wait for its response.

        Args:
            parser: as for `Connection`.
            data: as for `Connection`.
            timeouts: as for `Connection`.
            now: as for `Connection`.
            end: as for `Connection`.
            enough: as for `Connection`.

        Raises:
            httpx.WriteError: the connection is broken.
        """
        try:
            data = self._tls.encrypt(data)
        except ssl.SSLError as problem:
            self.drop()
            raise httpx.WriteError(str(problem)) from None
        await super().exchange(parser, data, timeouts, now, end, enough)

    def close(self) -> None:
        """Close it, and tell the server so."""
        if self._is_encrypted and not self.closed:
            self._send(self._tls.close_notify())
        super().close()

    def get_extra_info(self, info: str) -> object:
        """Tell about the connection, as `Connection` does.

        Args:
            info: what to tell.
        """
        return self._tls.ssl_object if info == "ssl_object" else super().get_extra_info(info)

    def buffer_updated(self, nbytes: int) -> None:
        """Go on with the handshake, or decrypt what came."""
        self._tls.feed(self._read_buffer[:nbytes])
        if self._is_encrypted:
            self._decrypt()
        else:
            self._wake()

    def _decrypt(self) -> None:
        tls = self._tls
        try:
            while not self.closed and (data := tls.decrypt()) is not None:
                if data:
                    self._receive(data)
                else:
                    self.eof_received()
                    self.close()
        except ssl.SSLError as problem:
            self.drop(httpx.ReadError(str(problem)))
        # New keys, say: the server waits for them.
        self._send(tls.outgoing())

    def _send(self, data: bytes) -> None:
        if data and self._transport is not None and not self.closed:
            self._transport.write(data)
