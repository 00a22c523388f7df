"""One simulated host on the network: its listening socket and the connections that came through it."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from email.utils import format_datetime
from functools import partial

from srs_vsphere.simulator.connection import Connection
from srs_vsphere.simulator.delivery import Dispatcher, Service
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.http1 import Limits
from srs_vsphere.simulator.traffic import Traffic

_BACKLOG = 1024
_AT_ONCE = 64
_PATIENCE = 60.0
# When no connection can be accepted, as without file descriptors: until the next try, in seconds.
_PAUSE = 0.1
_log = logging.getLogger("srs_vsphere.simulator")
LOOPBACK = "127.0.0.1"


class Listener:
    """One host's listening socket on loopback.

    Args:
        service: answers the requests.
        faults: what goes wrong.
        name: the host's name, as faults know it.
        port: where to listen; 0 takes a free one.
        context: for TLS; None for plain HTTP.
        limits: how much a client may send.
        traffic: where connections and requests are counted; default: a new one.

    Raises:
        ValueError: there is no such port.
    """

    def __init__(
        self,
        service: Service,
        faults: FaultPlan,
        *,
        name: str,
        port: int = 0,
        context: ssl.SSLContext | None = None,
        limits: Limits,
        traffic: Traffic | None = None,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {port}")
        self.dispatcher: Dispatcher = Dispatcher(service, faults, name)
        self.name = name
        self.port: int = port
        self.limits = limits
        self.traffic: Traffic = traffic if traffic is not None else Traffic()
        self.connections: set[Connection] = set()
        self._context = context
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._holder: socket.socket | None = None
        self._socket: socket.socket | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._short = False
        self._greetings: set[asyncio.Task[None]] = set()
        self._emptied: asyncio.Event | None = None
        self._unwatch: Callable[[], None] | None = None
        self._date = (-1, "")

    def open(self) -> None:
        """Begin to listen; to be called on the running loop.

        Raises:
            OSError: the port is taken.
            RuntimeError: it listens already.
        """
        if self._loop is not None:
            raise RuntimeError("the server is running already")
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._holder = _bind(self.port)
        self.port = self._holder.getsockname()[1]
        try:
            self._listen()
            self._unwatch = self.dispatcher.faults.watch(self._changed)
        except (OSError, ValueError):
            self._deafen()
            self._holder.close()
            self._loop = None
            raise

    async def close(self) -> None:
        """Stop listening and close all connections; returns when they are closed."""
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        self._deafen()
        for greeting in tuple(self._greetings):
            greeting.cancel()
        if self._greetings:
            await asyncio.wait(self._greetings)
        for connection in tuple(self.connections):
            connection.abort()
        if self.connections:
            # Each is told of its end by the loop, a step or two later.
            self._emptied = asyncio.Event()
            await self._emptied.wait()
            self._emptied = None
        if self._holder is not None:
            self._holder.close()
            self._holder = None
        self._loop = None

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed.

        Args:
            connection: which one.
        """
        if connection in self.connections:
            self.connections.discard(connection)
            self.traffic.disconnected()
        if self._emptied is not None and not self.connections:
            self._emptied.set()

    def date(self) -> str:
        """Return the value of the ``Date`` header."""
        clock = self.dispatcher.service.clock
        second = int(clock.seconds())
        if second != self._date[0]:
            self._date = (second, format_datetime(clock.now(), usegmt=True))
        return self._date[1]

    def _changed(self, faults: tuple[Fault, ...]) -> None:
        """Refuse connections or accept them again; done when this returns, whichever thread asks."""
        for fault in faults:
            if fault.refuse and fault.host in {None, self.name}:
                for key in ("nth", "times", "probability"):
                    if getattr(fault, key) is not None:
                        raise ValueError(
                            f"{key} is impossible with refuse on a real server: a listening socket cannot "
                            "count the connections it refuses; remove the fault to end it"
                        )
        refusing = self.dispatcher.faults.refuses(self.name)
        if refusing == (self._socket is None):
            return
        if threading.get_ident() == self._thread:
            self._switch(refusing)
            return
        done: Future[None] = Future()

        def switch() -> None:
            try:
                self._switch(refusing)
            except OSError as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        if self._loop is not None:
            self._loop.call_soon_threadsafe(switch)
            done.result(_PATIENCE)

    def _switch(self, refusing: bool) -> None:
        if refusing:
            self._deafen()
            for connection in tuple(self.connections):
                connection.finish()
        elif self._socket is None:
            self._listen()

    def _listen(self) -> None:
        if self._loop is None:
            raise RuntimeError("the server is not running")
        listening = _bind(self.port)
        try:
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
        self._socket = listening
        self._loop.add_reader(listening, self._accept)

    def _rest(self, error: OSError) -> None:
        """Accept nothing for a moment; whoever wants to connect waits in the kernel's queue."""
        if self._socket is None or self._loop is None:
            return
        if not self._short:
            _log.warning("%s accepts no connections for now: %s", self.name, error.strerror or error)
        self._short = True
        self._loop.remove_reader(self._socket)
        self._pause = self._loop.call_later(_PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        if self._socket is not None and self._loop is not None:
            self._loop.add_reader(self._socket, self._accept)

    def _deafen(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._socket is not None and self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if self._socket is None or self._loop is None:
                return
            try:
                accepted, _address = self._socket.accept()
            except BlockingIOError:
                # Nobody is waiting.
                self._short = False
                return
            except (InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            accepted.setblocking(False)
            self.traffic.connected()
            connection = Connection(self)
            greeting = self._loop.create_task(self._greet(connection, accepted))
            self._greetings.add(greeting)
            # Not in the task itself: one that is cancelled before its first step never gets there.
            greeting.add_done_callback(partial(self._greeted, connection, accepted))

    async def _greet(self, connection: Connection, accepted: socket.socket) -> None:
        # The client may leave, or not trust the certificate: its own business.
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, accepted, ssl=self._context
            )

    def _greeted(self, connection: Connection, accepted: socket.socket, greeting: asyncio.Task[None]) -> None:
        self._greetings.discard(greeting)
        if not connection.began:
            accepted.close()
            self.traffic.disconnected()


def _bind(port: int) -> socket.socket:
    """Bind a socket to a port of loopback, so that another of ours may listen on it beside this one.

    While connections are refused nobody listens, but a bound socket keeps the port from others.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen on {LOOPBACK}:{port}: {error.strerror}") from error
    return bound
