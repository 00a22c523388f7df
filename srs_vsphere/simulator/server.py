"""The simulator behind a real HTTP/1.1 server on loopback.

In a thread with a loop of its own, for clients of any kind::

    with SimServer(Simulator()) as server:
        httpx.get(server.url + "/api/about")
        with server.faults.armed(Fault(operation="runspaces.list", status=503)):
            ...
    # all connections are closed, the thread has ended

Inside a running asyncio loop::

    async with SimServer(Simulator(), tls=True) as server:
        client = AsyncSrsClient(server.url, tls=Tls(ca_file=server.ca_file), ...)

Tests look at what the server has seen, and wait for it without sleeping::

    server.requests[-1] == ("GET", "/api/runspaces")
    server.wait_for(lambda traffic: traffic.seen == 3)
    server.wait_idle()                  # all connections are closed; `await server.wait_idle_async()`
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from srs_vsphere.simulator.certificate import Certificate, make_certificate
from srs_vsphere.simulator.delivery import Service
from srs_vsphere.simulator.faults import FaultPlan
from srs_vsphere.simulator.http1 import Limits
from srs_vsphere.simulator.listener import LOOPBACK, Listener
from srs_vsphere.simulator.traffic import Traffic


class SimServer:
    """A real server for one simulated host; a context manager, with or without ``async``.

    Args:
        service: the simulator.
        tls: whether to speak TLS, with a self-signed certificate made for it.
        port: where to listen on 127.0.0.1; 0 takes a free port.
        name: the host's name, as faults know it.
        faults: what goes wrong; default: a new empty plan.
        limits: how much a client may send; default: as the proxy before the real service.

    Raises:
        RuntimeError: TLS is wanted and the ``cryptography`` package is not installed.
    """

    def __init__(
        self,
        service: Service,
        *,
        tls: bool = False,
        port: int = 0,
        name: str = "srs",
        faults: FaultPlan | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.service = service
        self.faults = faults if faults is not None else FaultPlan()
        self._certificate: Certificate | None = make_certificate() if tls else None
        self._listener = Listener(
            service,
            self.faults,
            name=name,
            port=port,
            context=self._certificate.context() if self._certificate is not None else None,
            limits=limits if limits is not None else Limits(),
        )
        self._thread: ExitStack | None = None
        self._portal: BlockingPortal | None = None
        self._ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"SimServer({self.url!r}, {self.traffic!r})"

    @property
    def name(self) -> str:
        """The host's name, as faults know it."""
        return self._listener.name

    @property
    def port(self) -> int:
        """The port; 0 if one is still to be chosen."""
        return self._listener.port

    @property
    def url(self) -> str:
        """Where the server is, without a slash at the end."""
        scheme = "https" if self._certificate is not None else "http"
        return f"{scheme}://{LOOPBACK}:{self.port}"

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

    @property
    def traffic(self) -> Traffic:
        """Counts of connections and requests."""
        return self._listener.traffic

    @property
    def requests(self) -> tuple[tuple[str, str], ...]:
        """Method and path of the last requests, oldest first."""
        return self.traffic.requests

    def wait_for(self, done: Callable[[Traffic], bool], *, timeout: float = 10.0) -> None:
        """Block until something is true of the traffic.

        Args:
            done: tells whether it is.
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: it did not become true.
        """
        self.traffic.wait(done, timeout)

    async def wait_for_async(self, done: Callable[[Traffic], bool], *, timeout: float = 10.0) -> None:
        """Wait until something is true of the traffic, on any event loop.

        Args:
            done: tells whether it is.
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: it did not become true.
        """
        await to_thread.run_sync(lambda: self.traffic.wait(done, timeout))

    def wait_idle(self, *, timeout: float = 10.0) -> None:
        """Block until all client connections are closed.

        Args:
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: some are still open.
        """
        self.traffic.wait(_is_idle, timeout)

    async def wait_idle_async(self, *, timeout: float = 10.0) -> None:
        """Wait until all client connections are closed, on any event loop.

        Args:
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: some are still open.
        """
        await to_thread.run_sync(lambda: self.traffic.wait(_is_idle, timeout))

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            options = {"loop_factory": asyncio.SelectorEventLoop}
            portal = stack.enter_context(start_blocking_portal("asyncio", options))
            portal.call(self._listener.open)
            self._portal = portal
            self._thread = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self._portal is not None and self._thread is not None:
            with self._thread:
                self._portal.call(self._listener.close)
            self._portal = self._thread = None
        self._forget_files()

    async def __aenter__(self) -> Self:
        self._listener.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self._listener.close()
        self._forget_files()

    def _forget_files(self) -> None:
        if self._ca_file is not None:
            self._ca_file.unlink(missing_ok=True)
            self._ca_file = None


def _is_idle(traffic: Traffic) -> bool:
    return traffic.open == 0
