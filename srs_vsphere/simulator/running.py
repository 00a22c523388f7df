"""Runs listeners for the length of a ``with`` block: in a thread with its own loop, or on the present one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from anyio import CancelScope, to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from srs_vsphere.simulator.certificate import Certificate
from srs_vsphere.simulator.listener import LOOPBACK, Listener
from srs_vsphere.simulator.simulator import Simulator
from srs_vsphere.simulator.traffic import Traffic

#: How often a thread that waits looks up, so that a Ctrl-C reaches it.
_SECONDS_BETWEEN_LOOKS = 0.2


class Running:
    """A context manager, with or without ``async``, that runs some listeners.

    Args:
        listeners: what to run.
        traffic: what they have seen, all together.
        certificate: what they identify themselves with; None without TLS.
        control: the control endpoint to run with them; None without one.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        traffic: Traffic,
        certificate: Certificate | None,
        control: Listener | None,
    ) -> None:
        self.traffic = traffic
        self._control = control
        self._listeners = (*listeners, *((control,) if control is not None else ()))
        self._certificate = certificate
        self._ca_file: Path | None = None
        self._thread: ExitStack | None = None
        self._portal: BlockingPortal | None = None

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "https" if self._certificate is not None else "http"

    @property
    def control_url(self) -> str | None:
        """Where faults are changed over HTTP; None if that was not asked for."""
        return f"http://{LOOPBACK}:{self._control.port}/faults" if self._control is not None else None

    @property
    def thumbprint(self) -> str | None:
        """SHA-256 of the certificate, as pairs of hexadecimal digits with colons; None without TLS."""
        return self._certificate.thumbprint if self._certificate is not None else None

    @property
    def ca_file(self) -> str | None:
        """A file with the certificate, for clients to trust while the server runs; None without TLS."""
        if self._certificate is None:
            return None
        if self._ca_file is None:
            self._ca_file = self._certificate.save()
        return str(self._ca_file)

    def wait_for(self, done: Callable[[Traffic], bool], *, timeout: float = 60.0) -> None:
        """Block until something is true of the traffic.

        Args:
            done: tells whether it is.
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: it did not become true.
        """
        self.traffic.wait(done, timeout)

    async def wait_for_async(self, done: Callable[[Traffic], bool], *, timeout: float = 60.0) -> None:
        """Wait until something is true of the traffic, on any event loop.

        Args:
            done: tells whether it is.
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: it did not become true.
        """
        await to_thread.run_sync(lambda: self.traffic.wait(done, timeout))

    def wait_idle(self, *, timeout: float = 60.0) -> None:
        """Block until all client connections are closed.

        Args:
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: some are still open.
        """
        self.traffic.wait(_is_idle, timeout)

    async def wait_idle_async(self, *, timeout: float = 60.0) -> None:
        """Wait until all client connections are closed, on any event loop.

        Args:
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: some are still open.
        """
        await to_thread.run_sync(lambda: self.traffic.wait(_is_idle, timeout))

    def __enter__(self) -> Self:
        if self._portal is not None:
            raise RuntimeError("the server is running already")
        # A Ctrl-C while a portal begins would leave anyio waiting for the end of its thread for ever.
        begun: Future[Self] = Future()
        beginning = Thread(target=self._begin, args=(begun,), daemon=True)
        try:
            beginning.start()
            while not wait((begun,), _SECONDS_BETWEEN_LOOKS).done:
                pass
            beginning.join()
        except BaseException:
            begun.add_done_callback(self._abandon)
            raise
        return begun.result()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self._portal is not None and self._thread is not None:
            with self._thread:
                self._portal.call(self._close)
            self._portal = self._thread = None
        self._stopped(exc_val)

    async def __aenter__(self) -> Self:
        if not _on_asyncio():
            raise RuntimeError("the server runs on asyncio only: here use `with` instead of `async with`")
        if _watches_sockets(asyncio.get_running_loop()):
            await self._open()
            return self
        # Windows' usual loop cannot wait for a socket to accept from.
        return await to_thread.run_sync(self.__enter__)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self._portal is not None:
            with CancelScope(shield=True):
                await to_thread.run_sync(self.__exit__, exc_type, exc_val, exc_tb)
            return
        await self._close()
        self._stopped(exc_val)

    def _begin(self, begun: Future[Self]) -> None:
        try:
            with ExitStack() as stack:
                # add_reader, by which the listeners accept, is there on every system with this loop only.
                options = {"loop_factory": asyncio.SelectorEventLoop}
                portal = stack.enter_context(start_blocking_portal("asyncio", options))
                portal.call(self._open)
                self._portal = portal
                self._thread = stack.pop_all()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            begun.set_exception(error)
        else:
            begun.set_result(self)

    def _abandon(self, begun: Future[Self]) -> None:
        if begun.exception() is None:
            self.__exit__(None, None, None)

    async def _open(self) -> None:
        try:
            for listener in self._listeners:
                listener.open()
        except BaseException:
            await self._close()
            raise

    async def _close(self) -> None:
        for listener in self._listeners:
            await listener.close()

    def _stopped(self, error: BaseException | None) -> None:
        services = [listener.dispatcher.service for listener in self._listeners]
        simulators = [service for service in services if isinstance(service, Simulator)]
        for simulator in simulators:
            simulator.close()
        if self._ca_file is not None:
            self._ca_file.unlink(missing_ok=True)
            self._ca_file = None
        # What a registered behaviour raised is why the test went on as it did.
        if error is None or isinstance(error, Exception):
            for simulator in simulators:
                simulator.raise_failures()


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _watches_sockets(loop: asyncio.AbstractEventLoop) -> bool:
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader


def _is_idle(traffic: Traffic) -> bool:
    return traffic.open == 0
