"""The connections to one server: the newest idle one first, a bound on open ones, a queue for who is late."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from typing import Final, NamedTuple, Protocol

import httpx

from srs_vsphere._http.asyncio_connection import Connection
from srs_vsphere._http.dialing import dial
from srs_vsphere._http.step_timeouts import StepTimeouts

_SHUTDOWN_SECONDS: Final = 2.0


class Address(NamedTuple):
    """Where a server is.

    Args:
        secure: whether it is reached over TLS.
        host: its name or address.
        port: its port.
        server_name: what its certificate must name, if that is not the host.
    """

    secure: bool
    host: str
    port: int
    server_name: str | None = None


class PoolCallbacks(Protocol):
    """What a place asks of the pool it belongs to."""

    max_connections: int
    keep_alive: float
    read_buffer: memoryview

    def is_closed(self) -> bool:
        """Whether no request may be made any more."""
        ...

    def context(self) -> ssl.SSLContext:
        """Return the context for TLS."""
        ...

    def made(self, connection: Connection) -> None:
        """A socket was opened."""
        ...

    def gone(self, connection: Connection) -> None:
        """A socket was closed."""
        ...

    def settled(self, place: ConnectionPool) -> None:
        """Somebody is in this place."""
        ...

    def left(self, place: ConnectionPool) -> None:
        """Nobody is in this place any more."""
        ...


class ConnectionPool:
    """The connections to one server.

    A slot is taken by each connection, idle, busy or in the making. Who waits in the queue is given either
    a connection, or None: a slot that is now theirs.

    Args:
        pools: the pool.
        address: of the server.

    Attributes:
        address: as given.
        idle: connections that carry nothing, the newest last.
        taken: how many limiter are taken.
        queue: who waits.
    """

    __slots__ = ("_pools", "address", "idle", "queue", "taken")

    def __init__(self, pools: PoolCallbacks, address: Address) -> None:
        self._pools = pools
        self.address = address
        self.idle: list[Connection] = []
        self.taken = 0
        self.queue: OrderedDict[asyncio.Future[Connection | None], None] = OrderedDict()

    def take(self, *, sure: bool) -> Connection | None:
        """Take an idle connection, if there is one.

        Args:
            sure: look whether the server closed it meanwhile. That costs a system call, and is for
                requests that cannot be sent again.
        """
        while self.idle:
            connection = self.idle.pop()
            if not (sure and connection.has_unexpected_bytes()):
                return connection
            connection.drop()
        return None

    async def acquire(self, waits: StepTimeouts) -> Connection:
        """Make a connection, or wait for one if there are too many.

        Args:
            waits: ``connect`` and ``pool`` count.

        Raises:
            httpx.PoolTimeout: none became free in time.
            httpx.ConnectTimeout: the connection did not stand in time.
            httpx.ConnectError: it cannot be made.
            RuntimeError: the transport was closed meanwhile.
        """
        self._pools.settled(self)
        if self.taken < self._pools.max_connections:
            self.taken += 1
        else:
            connection = await self._queue_up(waits.pool)
            if connection is not None:
                return connection
        try:
            return await self._connect(waits.connect)
        except BaseException:
            self._free_slot()
            raise

    def close_idle(self) -> None:
        """Close the connections that carry nothing."""
        for connection in self.idle.copy():
            connection.close()

    def send_away(self) -> None:
        """Wake all who wait: the transport is closed."""
        while self.queue:
            # Each is given a slot beyond the bound: it will be given back at once.
            self.taken += 1
            if not self._hand_over(None):
                self.taken -= 1

    # What a connection tells its callbacks.

    def free(self, connection: Connection) -> None:
        """It can carry another request."""
        if self._pools.is_closed():
            connection.drop()
        elif not self._hand_over(connection):
            self.idle.append(connection)
            connection.rest(self._pools.keep_alive)

    def dropped(self, connection: Connection) -> None:
        """It will carry no other request."""
        if connection.admitted:
            connection.admitted = False
            if connection in self.idle:
                self.idle.remove(connection)
            self._free_slot()

    def gone(self, connection: Connection) -> None:
        """Its socket is closed."""
        self._pools.gone(connection)

    # Within.

    async def _queue_up(self, patience: float | None) -> Connection | None:
        ticket: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self.queue[ticket] = None
        try:
            async with asyncio.timeout(patience):
                connection = await ticket
        except BaseException as error:
            self.queue.pop(ticket, None)
            if ticket.done() and not ticket.cancelled():
                # It was given something in the very moment of being cancelled: that goes to the next.
                connection = ticket.result()
                if connection is None or connection.closed:
                    self._free_slot()
                else:
                    connection.admitted = True
                    self.free(connection)
            if isinstance(error, TimeoutError):
                raise httpx.PoolTimeout("no connection became free in time") from None
            raise
        if connection is None or connection.closed:
            # If it was lost on the way here, its slot is still ours.
            return None
        connection.admitted = True
        return connection

    def _hand_over(self, connection: Connection | None) -> bool:
        while self.queue:
            ticket, _ = self.queue.popitem(last=False)
            if not ticket.done():
                if connection is not None:
                    # From here on, the slot is the ticket's.
                    connection.admitted = False
                ticket.set_result(connection)
                return True
        return False

    def _free_slot(self) -> None:
        if not self._hand_over(None):
            self.taken -= 1
            if not self.taken:
                self._pools.left(self)

    async def _connect(self, patience: float | None) -> Connection:
        if self._pools.is_closed():
            raise RuntimeError("the transport was closed")
        secure, host, port, server_name = self.address
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self, self._pools.read_buffer)
        try:
            async with asyncio.timeout(patience):
                await loop.create_connection(
                    lambda: connection,
                    sock=await dial(host, port),
                    ssl=self._pools.context() if secure else None,
                    server_hostname=server_name or host if secure else None,
                    ssl_shutdown_timeout=_SHUTDOWN_SECONDS if secure else None,
                )
        except TimeoutError:
            raise httpx.ConnectTimeout("the connection did not stand in time") from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error) or type(error).__name__) from error
        if self._pools.is_closed():
            connection.drop()
            raise RuntimeError("the transport was closed")
        if connection.closed:
            raise httpx.ConnectError("the server closed the connection as soon as it stood")
        connection.admitted = True
        # Not before: what is cancelled on the way here is closed by the loop, and uvloop does not tell.
        self._pools.made(connection)
        return connection
