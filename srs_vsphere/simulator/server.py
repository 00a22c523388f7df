"""The simulator behind a real HTTP/1.1 server on loopback.

In a thread with a loop of its own, for clients of any kind::

    with SimServer(Simulator()) as server:
        httpx.get(server.url + "/api/about")
        with server.faults.armed(Fault(operation="runspaces.list", status=503)):
            ...
    # all connections are closed, the thread has ended; what a registered behaviour raised is raised here

Inside a running asyncio loop::

    async with SimServer(Simulator(), tls=True) as server:
        client = AsyncSrsClient(server.url, tls=Tls(ca_file=server.ca_file), ...)

Tests look at what the server has seen, and wait for it without sleeping::

    server.requests[-1] == ("GET", "/api/runspaces")
    server.wait_for(lambda traffic: traffic.seen == 3)
    server.wait_idle()                  # all connections are closed; `await server.wait_idle_async()`
"""

from __future__ import annotations

from srs_vsphere.simulator.certificate import make_certificate
from srs_vsphere.simulator.control import control_listener
from srs_vsphere.simulator.delivery import Service
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.http1 import Limits
from srs_vsphere.simulator.listener import LOOPBACK, Listener
from srs_vsphere.simulator.running import Running


class SimServer(Running):
    """A real server for one simulated host; a context manager, with or without ``async``.

    Args:
        service: the simulator.
        tls: whether to speak TLS, with a self-signed certificate made for it.
        port: where to listen on 127.0.0.1; 0 takes a free port.
        name: the host's name, as faults know it.
        faults: what goes wrong; default: a new empty plan.
        limits: how much a client may send; default: as the proxy before the real service.
        control: whether to let faults be changed over HTTP too, at ``control_url``.

    Raises:
        ValueError: there is no such port.
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
        control: bool = False,
    ) -> None:
        self.service = service
        self.faults: FaultPlan = faults if faults is not None else FaultPlan()
        certificate = make_certificate() if tls else None
        self._listener = Listener(
            service,
            self.faults,
            name=name,
            port=port,
            context=certificate.context() if certificate is not None else None,
            limits=limits if limits is not None else Limits(),
        )
        control_at = control_listener(self.faults, service.clock) if control else None
        super().__init__([self._listener], self._listener.traffic, certificate, control_at)

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
        return f"{self.scheme}://{LOOPBACK}:{self.port}"

    @property
    def requests(self) -> tuple[tuple[str, str], ...]:
        """Method and path of the last requests, oldest first."""
        return self.traffic.requests
