"""All connections of one transport, by server."""

from __future__ import annotations

import asyncio
import ssl
import threading

import httpx

from srs_vsphere._http import limits
from srs_vsphere._http.asyncio_connection import Connection
from srs_vsphere._http.connection_pool import Address, ConnectionPool

_read_buffers = threading.local()


def _read_buffer_of_this_thread() -> memoryview:
    """One for all pools: a client for each of thousands of hosts would else cost 64 KiB more."""
    try:
        read_buffer: memoryview = _read_buffers.read_buffer
    except AttributeError:
        read_buffer = _read_buffers.read_buffer = memoryview(bytearray(limits.READ_BYTES))
    return read_buffer


class ConnectionPools:
    """All connections of one transport.

    It belongs to the event loop it is first used in; if that is closed, the next one inherits nothing.

    Args:
        ssl_context: for ``https``; None makes a default one when first needed.
        max_connections: to one server, at one time.
        keep_alive: how many seconds an idle connection is kept.

    Attributes:
        ssl_context: as given.
        max_connections: as given.
        keep_alive: as given.
        read_buffer: what all connections of this thread are read into, whatever pool they are of.
        sockets: connections whose socket is open.
    """

    def __init__(
        self, *, ssl_context: ssl.SSLContext | None, max_connections: int, keep_alive: float
    ) -> None:
        self.ssl_context = ssl_context
        self.max_connections = max_connections
        self.keep_alive = keep_alive
        self.read_buffer: memoryview = memoryview(b"")
        self._closed = False
        self.sockets: set[Connection] = set()
        self._places: dict[Address, ConnectionPool] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._emptied = asyncio.Event()

    def __repr__(self) -> str:
        places = self._places.values()
        return (
            f"<{'closed, ' if self._closed else ''}{len(places)} servers, "
            f"{sum(place.taken for place in places)} connections, "
            f"{sum(len(place.idle) for place in places)} of them idle, "
            f"{sum(len(place.queue) for place in places)} requests wait, {len(self.sockets)} sockets>"
        )

    def place(self, address: Address) -> ConnectionPool:
        """Return the connections to a server.

        Args:
            address: of the server.

        Raises:
            RuntimeError: the pool was closed, or belongs to another event loop that still lives.
        """
        if self._loop is not asyncio.get_running_loop():
            self._move()
        if self._closed:
            raise RuntimeError("the transport was closed")
        return self._places.get(address) or ConnectionPool(self, address)

    async def aclose(self) -> None:
        """Close all connections, and wait until they are closed; requests under way fail."""
        self._closed = True
        if self._loop is not asyncio.get_running_loop():
            self._forget()
        for place in list(self._places.values()):
            place.send_away()
            place.close_idle()
        for connection in list(self.sockets):
            if not connection.closed:
                connection.drop(httpx.ReadError("the transport was closed"))
        if self.sockets:
            await self._emptied.wait()

    # What a place asks of its pool.

    def is_closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._closed

    def context(self) -> ssl.SSLContext:
        """Return the context for TLS."""
        if self.ssl_context is None:
            self.ssl_context = ssl.create_default_context()
        return self.ssl_context

    def made(self, connection: Connection) -> None:
        """A socket was opened."""
        self.sockets.add(connection)
        self._emptied.clear()

    def gone(self, connection: Connection) -> None:
        """A socket was closed."""
        self.sockets.discard(connection)
        if not self.sockets:
            self._emptied.set()

    def settled(self, place: ConnectionPool) -> None:
        """Somebody is in this place."""
        self._places[place.address] = place

    def left(self, place: ConnectionPool) -> None:
        """Nobody is in this place any more."""
        if self._places.get(place.address) is place:
            del self._places[place.address]

    # Within.

    def _move(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError("the transport is in use by another event loop")
        self._forget()
        self._loop = asyncio.get_running_loop()
        self.read_buffer = _read_buffer_of_this_thread()

    def _forget(self) -> None:
        self._places.clear()
        self.sockets.clear()
        self._emptied = asyncio.Event()
