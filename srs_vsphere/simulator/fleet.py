"""Hundreds of independent simulated hosts behind one process and one event loop.

::

    with SimFleet(200) as fleet:                  # or `async with`, on a running asyncio loop
        urls = [host.url for host in fleet.hosts]
        fleet.faults.add(Fault(host="srs-0007", operation="runspaces.list", status=503))
        fleet.hosts[3].simulator.add_runspace(name="left over")
        fleet.wait_idle()

Each host has its own port, simulator, sessions and quota; the faults are one plan, the clock is one clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from srs_vsphere.simulator.certificate import make_certificate
from srs_vsphere.simulator.clock import Clock, SystemClock
from srs_vsphere.simulator.control import control_listener
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.http1 import Limits
from srs_vsphere.simulator.listener import LOOPBACK, Listener
from srs_vsphere.simulator.running import Running
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.simulator import DEFAULT_USERS, Simulator, UnknownScripts
from srs_vsphere.simulator.traffic import Traffic


@frozen(eq=False)
class SimHost:
    """One host of a fleet.

    Args:
        name: its name, as faults know it, such as ``srs-0007``.
        simulator: its state.
    """

    name: str
    simulator: Simulator
    _listener: Listener = field(repr=False)
    _scheme: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"{self._scheme}://{LOOPBACK}:{self._listener.port}"

    @property
    def port(self) -> int:
        """Its port; 0 if one is still to be chosen."""
        return self._listener.port

    @property
    def traffic(self) -> Traffic:
        """Counts of its connections and requests."""
        return self._listener.traffic


class SimFleet(Running):
    """Independent simulated hosts; a context manager, with or without ``async``.

    Args:
        n: how many hosts.
        users: passwords by user name, for all hosts.
        settings: limits and durations, for all hosts.
        clock: one for all hosts; default: the machine's own time.
        seed: of ids, keys and dice; each host's are its own.
        faults: what goes wrong; default: a new empty plan.
        tls: whether to speak TLS, with one self-signed certificate for all.
        port: of the first host, the others follow; 0 takes free ports.
        limits: how much a client may send.
        control: whether to let faults be changed over HTTP too, at ``control_url``.
        control_port: where; 0 takes a free port.
        powershell: a program that runs scripts for real, as for `Simulator`.
        unknown_scripts: what becomes of scripts that are not understood, as for `Simulator`.

    Raises:
        ValueError: ``n`` is not positive, or there are not so many ports.
        FileNotFoundError: there is no such program.
        RuntimeError: TLS is wanted and the ``cryptography`` package is not installed.
    """

    def __init__(
        self,
        n: int,
        *,
        users: Mapping[str, str] = DEFAULT_USERS,
        settings: Settings | None = None,
        clock: Clock | None = None,
        seed: int = 0,
        faults: FaultPlan | None = None,
        tls: bool = False,
        port: int = 0,
        limits: Limits | None = None,
        control: bool = False,
        control_port: int = 0,
        powershell: str | Sequence[str] | None = None,
        unknown_scripts: UnknownScripts = "fail",
    ) -> None:
        if n < 1:
            raise ValueError(f"n must be 1 or more, not {n}")
        if 0 < port <= 65535 < port + n - 1:
            raise ValueError(f"port: there are no {n} ports from {port} on")
        self.faults: FaultPlan = faults if faults is not None else FaultPlan(seed=seed)
        clock = clock if clock is not None else SystemClock()
        certificate = make_certificate() if tls else None
        context = certificate.context() if certificate is not None else None
        traffic = Traffic()
        listeners: list[Listener] = []
        hosts: list[SimHost] = []
        for number in range(n):
            name = f"srs-{number + 1:04d}"
            simulator = Simulator(
                users=users,
                settings=settings,
                clock=clock,
                seed=seed * 1_000_003 + number,
                powershell=powershell,
                unknown_scripts=unknown_scripts,
            )
            listener = Listener(
                simulator,
                self.faults,
                name=name,
                port=port + number if port else 0,
                context=context,
                limits=limits if limits is not None else Limits(),
                traffic=Traffic(total=traffic),
            )
            listeners.append(listener)
            hosts.append(SimHost(name, simulator, listener, "https" if tls else "http"))
        self.hosts: tuple[SimHost, ...] = tuple(hosts)
        control_at = control_listener(self.faults, clock, control_port) if control else None
        super().__init__(listeners, traffic, certificate, control_at)

    def __repr__(self) -> str:
        return f"SimFleet({len(self.hosts)} hosts, {self.traffic!r})"
