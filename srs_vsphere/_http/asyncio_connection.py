"""One connection: carries one request at a time, and gives up when it has waited long enough.

A connection has at most one timer, and moves it only when it fires: what a wait sets is a deadline, and a
timer that fires early is set again for the deadline of that moment. So a poll costs a clock reading, and
a connection that is polled every ten seconds with a read timeout of thirty sets a timer every thirty.

All connections of an event loop are read into one buffer, which is emptied before the loop reads the next.
asyncio's other way makes a new one of 256 KiB for each read: 20 us more, half of what a poll costs.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Iterable
from typing import Final, Protocol, cast

import httpx

from srs_vsphere._http import limits
from srs_vsphere._http.response_head import MalformedResponse
from srs_vsphere._http.response_parser import ResponseParser
from srs_vsphere._http.socket_waits import Wait, waiting_for
from srs_vsphere._http.step_timeouts import StepTimeouts

_INFO: Final = {"client_addr": "sockname", "server_addr": "peername"}


class ConnectionCallbacks(Protocol):
    """What a connection tells the transport that it belongs to."""

    def released(self, connection: Connection) -> None:
        """It can carry another request."""
        ...

    def dropped(self, connection: Connection) -> None:
        """It will carry no other request."""
        ...

    def lost(self, connection: Connection) -> None:
        """Its socket is closed."""
        ...


class Connection(asyncio.BufferedProtocol):
    """One connection to the server.

    Args:
        loop: the running event loop.
        callbacks: who is told when it is released, dropped and lost.
        read_buffer: what the loop reads into, shared with other connections of this loop.
        keep_alive: seconds after which it is closed if no request comes.

    Attributes:
        closed: whether it carries no further request.
        idle_since: when it was last released, on the loop's clock.
        requests: how many it was given.
    """

    __slots__ = (
        "_armed",
        "_callbacks",
        "_deadline",
        "_drain_waiter",
        "_end",
        "_enough",
        "_is_readable",
        "_keep_alive",
        "_loop",
        "_parser",
        "_paused",
        "_read_buffer",
        "_read_timeout",
        "_timer",
        "_transport",
        "_waiter",
        "_write_buffer_full",
        "_writing",
        "closed",
        "idle_since",
        "requests",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        callbacks: ConnectionCallbacks,
        read_buffer: memoryview,
        keep_alive: float,
    ) -> None:
        self.closed: bool = False
        self.idle_since: float = 0.0
        self.requests: int = 0
        self._loop = loop
        self._callbacks = callbacks
        self._keep_alive = keep_alive
        self._read_buffer = read_buffer
        self._transport: asyncio.Transport | None = None
        self._is_readable: Wait | None = None
        self._parser: ResponseParser | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drain_waiter: asyncio.Future[None] | None = None
        self._end = math.inf
        self._enough = 0
        self._read_timeout: float | None = None
        self._paused = False
        self._write_buffer_full = False
        self._writing = False
        self._timer: asyncio.TimerHandle | None = None
        self._armed = math.inf
        self._deadline = math.inf

    # What the transport does with it.

    async def start(self) -> None:
        """Do what goes before the first request, which is nothing."""

    def is_usable(self, now: float) -> bool:
        """Whether it may carry the next request: it is not too old, and nothing came that nobody asked for.

        The loop would tell of such bytes, or of the server's close, but only after the request was written.

        Args:
            now: the time on the loop's clock.
        """
        return now < self._deadline and not (self._is_readable and self._is_readable(0))

    async def exchange(
        self, parser: ResponseParser, data: bytes, timeouts: StepTimeouts, now: float, end: float, enough: int
    ) -> None:
        """Send a request, and wait for its response.

        Args:
            parser: is fed; its ``error`` says if the exchange failed.
            data: the request.
            timeouts: how long each step may take.
            now: the time on the loop's clock.
            end: when all of it must be done, on the loop's clock.
            enough: how much of the body is waited for; 0 waits for the head only.
        """
        transport = self._transport
        assert transport is not None  # a connection is in use only when it is connected
        self.requests += 1
        self._parser = parser
        self._read_timeout = timeouts.read
        self._end = end
        self._enough = enough
        transport.write(data)
        if self._write_buffer_full:
            await self._drain_and_wait(parser, timeouts.write)
        else:
            await self.more(parser, enough, now)

    async def more(self, parser: ResponseParser, enough: int, now: float | None = None) -> None:
        """Wait until this much of the body waits to be taken, or it ends, or it breaks off.

        Args:
            parser: the one that `exchange` was given.
            enough: how many bytes; 0 waits for the head only, and bounds what follows by no deadline.
            now: the time on the loop's clock, if it is known.
        """
        self._enough = enough
        if self._parser is parser and not self._has_enough(parser):
            if self._paused and self._transport is not None:
                self._paused = False
                self._transport.resume_reading()
            self._waiter = self._loop.create_future()
            self._wait_for(self._read_timeout, now)
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.abandon(parser)
                raise
        if not enough and self._parser is parser:
            # Whoever reads the body bit by bit may take as long as that takes.
            self._end = math.inf

    def abandon(self, parser: ResponseParser) -> None:
        """Give up a response: a connection that still carries it is of no more use.

        Args:
            parser: the one that `exchange` was given.
        """
        if self._parser is parser:
            self.drop(httpx.StreamClosed())

    def drop(self, error: Exception | None = None) -> None:
        """Close it at once, whatever it carries.

        Args:
            error: what the reader of its response is told.
        """
        self._close(error)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close it after its idle time."""
        self._close(None)
        if self._transport is not None:
            self._transport.close()

    def get_extra_info(self, info: str) -> object:
        """Tell about the connection, as ``response.extensions["network_stream"]`` does in httpx.

        Args:
            info: ``ssl_object``, ``client_addr``, ``server_addr`` or ``socket``; all else is unknown.

        Returns:
            What was asked for, or None.
        """
        if self._transport is None:
            return None
        return self._transport.get_extra_info(_INFO.get(info, info))

    # What the event loop tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        # No isinstance: uvloop's transports are asyncio's in all but name.
        self._transport = cast("asyncio.Transport", transport)
        self._is_readable = waiting_for(transport.get_extra_info("socket").fileno())

    def get_buffer(self, sizehint: int) -> memoryview:
        """Say where to read to."""
        del sizehint
        return self._read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read on in the response."""
        self._receive(bytes(self._read_buffer[:nbytes]))

    def _receive(self, data: bytes) -> None:
        """Read on in the response; bytes that belong to none end the connection."""
        parser = self._parser
        if parser is None:
            self.drop()
            return
        try:
            parser.feed(data)
        except MalformedResponse as fault:
            self.drop(httpx.RemoteProtocolError(str(fault)))
            return
        if parser.done:
            self._finish(parser)
        elif self._has_enough(parser):
            # Reading on sets another deadline.
            self._deadline = math.inf
            self._wake()
            if parser.waiting > max(limits.HIGH_WATER, self._enough) and not self._paused:
                self._paused = True
                if self._transport is not None:
                    self._transport.pause_reading()
        elif self._waiter is not None and self._read_timeout is not None:
            self._deadline = min(self._loop.time() + self._read_timeout, self._end)

    def eof_received(self) -> None:
        """End the response that only this ends, or break it off."""
        parser = self._parser
        if parser is None:
            self.drop()
            return
        try:
            parser.eof()
        except MalformedResponse as fault:
            self.drop(httpx.RemoteProtocolError(str(fault)))
        else:
            self._finish(parser)

    def connection_lost(self, exc: Exception | None) -> None:
        """Break the response off, if there is one still."""
        if exc is None:
            self.eof_received()
        else:
            kind = httpx.WriteError if self._writing else httpx.ReadError
            self.drop(kind(str(exc) or type(exc).__name__))
        self._callbacks.lost(self)

    def pause_writing(self) -> None:
        """Note that the server does not take what is written."""
        self._write_buffer_full = True

    def resume_writing(self) -> None:
        """Let the request go on."""
        self._write_buffer_full = False
        self._wake_drain()

    # Within.

    async def _drain_and_wait(self, parser: ResponseParser, timeout: float | None) -> None:
        self._writing = True
        try:
            while self._write_buffer_full and not self.closed:
                self._drain_waiter = self._loop.create_future()
                self._wait_for(timeout)
                await self._drain_waiter
            self._deadline = math.inf
            self._writing = False
        except BaseException:
            self.abandon(parser)
            raise
        await self.more(parser, self._enough)

    def _has_enough(self, parser: ResponseParser) -> bool:
        return parser.done or (parser.head is not None and parser.waiting >= self._enough)

    def _finish(self, parser: ResponseParser) -> None:
        """The response is whole; the connection is released before anybody reads it."""
        self._parser = None
        self._deadline = math.inf
        waiter = self._waiter
        self._waiter = None
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if not parser.excess and parser.head is not None and parser.head.keep_alive and not self._writing:
            self.idle_since = self._loop.time()
            self._wait_until(self.idle_since + self._keep_alive)
            self._callbacks.released(self)
        else:
            self.drop()
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _close(self, error: Exception | None) -> None:
        if self.closed:
            return
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        parser = self._parser
        self._parser = None
        if parser is not None:
            parser.error = error or httpx.ReadError("the connection was closed")
        self._wake()
        self._wake_drain()
        self._callbacks.dropped(self)

    def _wake(self) -> None:
        waiter = self._waiter
        self._waiter = None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _wake_drain(self) -> None:
        waiter = self._drain_waiter
        self._drain_waiter = None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _wait_for(self, timeout: float | None, now: float | None = None) -> None:
        if timeout is None:
            self._wait_until(self._end)
        else:
            until = (self._loop.time() if now is None else now) + timeout
            self._wait_until(min(until, self._end))

    def _wait_until(self, deadline: float) -> None:
        self._deadline = deadline
        if deadline == math.inf:
            return
        if self._timer is None:
            self._armed = deadline
            self._timer = self._loop.call_at(deadline, self._tick)
        elif self._armed > deadline:
            self._timer.cancel()
            self._armed = deadline
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._deadline == math.inf:
            return
        if self._loop.time() < self._deadline:
            self._wait_until(self._deadline)
        elif self._drain_waiter is not None:
            self.drop(httpx.WriteTimeout("the server did not take the request in time"))
        elif self._parser is not None:
            self.drop(httpx.ReadTimeout("the server did not respond in time"))
        else:
            self.close()


#: Connections of the process that this one was forked from: kept, for what happens when they are collected is
#: not meant for them.
_forgotten: list[Connection] = []


def forget(connections: Iterable[Connection]) -> None:
    """Close connections in this process only: the process that this one was forked from goes on using them.

    Their event loop is the other process's, so it is not told. Each descriptor is replaced by an empty one: a
    socket of this process must not get its number as long as the loop may close it.

    Args:
        connections: all that were open when the process was forked.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for connection in connections:
        sock = cast("socket.socket | None", connection.get_extra_info("socket"))
        if sock is not None and sock.fileno() >= 0:
            os.dup2(nothing, sock.fileno(), inheritable=False)
        _forgotten.append(connection)
    os.close(nothing)
