"""One connection: carries one request at a time, knows when it has waited long enough.

A connection has at most one timer, and moves it only when it fires: what a wait sets is a deadline, and a
timer that fires early is set again for the deadline of that moment. So a poll costs a clock reading, and
a connection that is polled every ten seconds with a read timeout of thirty sets a timer every thirty.

All connections of a pool are read into one buffer, which is emptied before the loop reads the next. asyncio's
other way makes a new one of 256 KiB for each read: 20 us more, half of what a poll costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import select
from collections.abc import AsyncGenerator
from typing import Final, Protocol, cast

import httpx

from srs_vsphere._http import limits
from srs_vsphere._http.response_head import MalformedResponse
from srs_vsphere._http.response_parser import ResponseParser
from srs_vsphere._http.step_timeouts import StepTimeouts

_INFO: Final = {"client_addr": "sockname", "server_addr": "peername"}


class ConnectionCallbacks(Protocol):
    """What a connection tells the pool that keeps it."""

    def free(self, connection: Connection) -> None:
        """It can carry another request."""
        ...

    def dropped(self, connection: Connection) -> None:
        """It will carry no other request."""
        ...

    def gone(self, connection: Connection) -> None:
        """Its socket is closed."""
        ...


class Connection(asyncio.BufferedProtocol):
    """One connection to one server.

    Args:
        loop: the running event loop.
        callbacks: who is told when it is free, dropped and gone.
        read_buffer: what the loop reads into, shared with other connections of this loop.

    Attributes:
        admitted: whether the callbacks counts it among its own.
        closed: whether it carries no further request.
        requests: how many it was given.
    """

    __slots__ = (
        "_answer",
        "_armed",
        "_callbacks",
        "_deadline",
        "_drainer",
        "_end",
        "_enough",
        "_loop",
        "_patience",
        "_paused",
        "_read_buffer",
        "_reader",
        "_timer",
        "_transport",
        "_uploading",
        "_write_buffer_full",
        "admitted",
        "closed",
        "requests",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, callbacks: ConnectionCallbacks, read_buffer: memoryview
    ) -> None:
        self.admitted: bool = False
        self.closed: bool = False
        self.requests: int = 0
        self._loop = loop
        self._callbacks = callbacks
        self._read_buffer = read_buffer
        self._transport: asyncio.Transport | None = None
        self._answer: ResponseParser | None = None
        self._reader: asyncio.Future[None] | None = None
        self._drainer: asyncio.Future[None] | None = None
        self._end = math.inf
        self._enough = 0
        self._patience: float | None = None
        self._paused = False
        self._write_buffer_full = False
        self._uploading = False
        self._timer: asyncio.TimerHandle | None = None
        self._armed = math.inf
        self._deadline = math.inf

    # What the pool and the transport do with it.

    def has_unexpected_bytes(self) -> bool:
        """Whether something came while nobody asked: the server's farewell, or bytes of no answer.

        The loop would tell, but only after what is written now.
        """
        if self._transport is None or not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return bool(poll.poll(0))

    def rest(self, keep_alive: float) -> None:
        """Wait for the next request, so many seconds at most."""
        self._wait_until(self._loop.time() + keep_alive)

    async def exchange(
        self,
        answer: ResponseParser,
        wire: bytes,
        body: AsyncGenerator[bytes, None] | None,
        waits: StepTimeouts,
        enough: int,
    ) -> None:
        """Send a request and wait for its answer.

        Args:
            answer: is filled; its ``error`` says if that failed.
            wire: the request, or its head.
            body: what follows, in pieces as they go over the wire.
            waits: ``read`` and ``write`` count.
            enough: how much of the body is waited for; 0 waits for the head only.
        """
        transport = self._transport
        assert transport is not None  # noqa: S101 - it was connected before the pool handed it out
        self.requests += 1
        self._answer = answer
        self._patience = waits.read
        self._end = math.inf if waits.total is None else self._loop.time() + waits.total
        self._enough = enough
        transport.write(wire)
        if body is not None or self._write_buffer_full:
            await self._upload(answer, transport, body, waits.write)
        if not self._is_enough(answer) and self._answer is answer:
            await self.more(answer, enough)
        if not enough:
            # Whoever reads the body bit by bit may take as long as that takes.
            self._end = math.inf

    async def more(self, answer: ResponseParser, enough: int) -> None:
        """Wait until this much of the body waits to be taken, or it ends, or it breaks off.

        Args:
            answer: the one that `exchange` was given.
            enough: how many bytes; 0 waits for the head only.
        """
        if self._answer is not answer:
            return
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        self._enough = enough
        self._reader = self._loop.create_future()
        self._wait_for(self._patience)
        try:
            await self._reader
        except asyncio.CancelledError:
            self.abandon(answer)
            raise

    def abandon(self, answer: ResponseParser) -> None:
        """Give up an answer: a connection that still carries it is of no more use.

        Args:
            answer: the one that `exchange` was given.
        """
        if self._answer is answer:
            self.drop(httpx.StreamClosed())

    def drop(self, error: Exception | None = None) -> None:
        """Close it at once, whatever it carries.

        Args:
            error: what the reader of its answer is told.
        """
        self._close(error)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close it after its idle time, with a farewell if it is over TLS."""
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

    def get_buffer(self, sizehint: int) -> memoryview:
        """Say where to read to."""
        del sizehint
        return self._read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read on in the answer; what belongs to none ends the connection."""
        answer = self._answer
        if answer is None:
            self.drop()
            return
        try:
            answer.feed(bytes(self._read_buffer[:nbytes]))
        except MalformedResponse as fault:
            self.drop(httpx.RemoteProtocolError(str(fault)))
            return
        if answer.done:
            self._finish(answer)
        elif self._is_enough(answer):
            # Whoever wants more comes back and sets another deadline.
            self._deadline = math.inf
            self._wake()
            if answer.waiting > max(limits.HIGH_WATER, self._enough) and not self._paused:
                self._paused = True
                self._pause()
        elif self._reader is not None and self._patience is not None:
            self._deadline = min(self._loop.time() + self._patience, self._end)

    def eof_received(self) -> None:
        """End the answer that only this ends, or break it off."""
        answer = self._answer
        if answer is None:
            self.drop()
            return
        try:
            answer.eof()
        except MalformedResponse as fault:
            self.drop(httpx.RemoteProtocolError(str(fault)))
        else:
            self._finish(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Break the answer off, if there is one still."""
        if exc is None:
            self.eof_received()
        else:
            kind = httpx.WriteError if self._uploading else httpx.ReadError
            self.drop(kind(str(exc) or type(exc).__name__))
        self._callbacks.gone(self)

    def pause_writing(self) -> None:
        """Note that the server does not take what is written."""
        self._write_buffer_full = True

    def resume_writing(self) -> None:
        """Let the upload go on."""
        self._write_buffer_full = False
        self._wake_drainer()

    # Within.

    async def _upload(
        self,
        answer: ResponseParser,
        transport: asyncio.Transport,
        body: AsyncGenerator[bytes, None] | None,
        patience: float | None,
    ) -> None:
        self._uploading = True
        try:
            await self._drain(patience)
            if body is not None:
                async with contextlib.aclosing(body):
                    async for part in body:
                        if self._answer is not answer:
                            # It was answered, or broke off: the rest of the request interests nobody.
                            return
                        transport.write(part)
                        await self._drain(patience)
            self._uploading = False
        except BaseException:
            self.abandon(answer)
            raise

    async def _drain(self, patience: float | None) -> None:
        while self._write_buffer_full and not self.closed:
            self._drainer = self._loop.create_future()
            self._wait_for(patience)
            await self._drainer
        self._deadline = math.inf

    def _is_enough(self, answer: ResponseParser) -> bool:
        return answer.done or (answer.head is not None and answer.waiting >= self._enough)

    def _finish(self, answer: ResponseParser) -> None:
        """The answer is whole; the connection is free before anybody reads it."""
        self._answer = None
        self._deadline = math.inf
        reader = self._reader
        self._reader = None
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if answer.reusable and not self._uploading:
            self._callbacks.free(self)
        else:
            self.drop()
        if reader is not None and not reader.done():
            reader.set_result(None)

    def _close(self, error: Exception | None) -> None:
        if self.closed:
            return
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        answer = self._answer
        self._answer = None
        if answer is not None:
            answer.error = error or httpx.ReadError("the connection was closed")
        self._wake()
        self._wake_drainer()
        self._callbacks.dropped(self)

    def _pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _wake(self) -> None:
        reader = self._reader
        self._reader = None
        if reader is not None and not reader.done():
            reader.set_result(None)

    def _wake_drainer(self) -> None:
        drainer = self._drainer
        self._drainer = None
        if drainer is not None and not drainer.done():
            drainer.set_result(None)

    def _wait_for(self, patience: float | None) -> None:
        if patience is None and self._end == math.inf:
            self._deadline = math.inf
        elif patience is None:
            self._wait_until(self._end)
        else:
            self._wait_until(min(self._loop.time() + patience, self._end))

    def _wait_until(self, deadline: float) -> None:
        self._deadline = deadline
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
        elif self._drainer is not None:
            self.drop(httpx.WriteTimeout("the server did not take the request in time"))
        elif self._answer is not None:
            self.drop(httpx.ReadTimeout("the server did not answer in time"))
        else:
            self.close()
