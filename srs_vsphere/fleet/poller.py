"""Polls hosts one at a time, with what it keeps of each: a client, a circuit breaker, the last error."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import anyio

from srs_vsphere._async.client import AsyncSrsClient
from srs_vsphere.certificate import CertificateError
from srs_vsphere.errors import ApiError, SrsError, TransportError
from srs_vsphere.fleet.breaker import Breaker
from srs_vsphere.fleet.clients import ClientMaker
from srs_vsphere.fleet.errors import HostMissingError, HostSkippedError
from srs_vsphere.fleet.latency_sketch import LatencySketch
from srs_vsphere.fleet.login_rate import LimitedAuth
from srs_vsphere.fleet.options import FleetOptions
from srs_vsphere.fleet.reports import FleetStatistics, HostReport
from srs_vsphere.fleet.target import Target
from srs_vsphere.models import Runspace
from srs_vsphere.retry import RetryPolicy
from srs_vsphere.settings import Origin

_OPERATION = "runspaces.list"
#: Statuses of a proxy that lost the service's response, which a second attempt may not meet.
_PASSING_STATUSES = frozenset({502, 503, 504})
#: Ending the session on a host may take no longer; less, where the last poll failed or was broken off: it may
#: hang, and leaving a fleet is to take a second.
_SECONDS_TO_CLOSE = 5.0
_SECONDS_WHERE_IT_HANGS = 0.75
#: One poll in so many may be tried a second time. What is saved up is as much again, so that a network that
#: goes down meets no more than 1.1 requests for each host and interval.
_POLLS_FOR_A_RETRY = 20


class _Host:
    """What is kept of a host between two polls."""

    __slots__ = ("auth", "breaker", "client", "hangs", "last_error", "logged_in", "used", "using")

    def __init__(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self.client: AsyncSrsClient | None = None
        self.auth: LimitedAuth | None = None
        self.logged_in = False
        #: Whether its last poll failed, or was broken off.
        self.hangs = False
        self.last_error: SrsError | None = None
        self.used = 0.0
        self.using = 0


class Poller:
    """Polls hosts, for one event loop.

    Args:
        options: how the hosts are treated.
        clients: makes the hosts' clients.
    """

    def __init__(self, options: FleetOptions, clients: ClientMaker) -> None:
        self._options = options
        self._clients = clients
        self._retry = RetryPolicy(attempts=1, deadline=options.timeout)
        self._hosts: dict[str, _Host] = {}
        self._retries_left = 1.0
        self._polls = self._failed = self._skipped = self._missing = self._retries = 0
        self._latency = LatencySketch()
        self._cpu_before = time.thread_time()

    def statistics(self) -> FleetStatistics:
        """Return what was done so far; to be called in the poller's thread."""
        return FleetStatistics(
            polls=self._polls,
            failed=self._failed,
            skipped=self._skipped,
            missing=self._missing,
            retries=self._retries,
            logins=self._clients.limiter.logins,
            clients=sum(host.client is not None for host in self._hosts.values()),
            latency=self._latency.copy(),
            cpu_seconds=time.thread_time() - self._cpu_before,
        )

    async def poll(self, target: Target, until: float | None = None) -> HostReport:
        """Poll a host once.

        Args:
            target: the host.
            until: when to give up, on anyio's clock; default None, after the options' ``timeout``.

        Returns:
            What came of it: whatever a host does is in the report, and raises nothing.
        """
        self._polls += 1
        host = self._hosts.get(target.name)
        if host is None:
            host = self._hosts[target.name] = _Host(Breaker(self._options.breaker))
        begun = time.monotonic()
        if until is not None and anyio.current_time() >= until:
            self._missing += 1
            return self._report(
                target, begun, 0, _missing(target, "the sweep's deadline passed before its turn")
            )
        wait = host.breaker.wait(begun)
        if wait is not None:
            self._skipped += 1
            return self._report(target, begun, 0, _skipped(target, host, wait))
        host.using += 1
        host.used = begun
        try:
            if until is None:
                report = await self._ask(target, host, begun)
            else:
                report = await self._ask_until(until, target, host, begun)
        except BaseException:
            host.breaker.undecided()
            host.hangs = True
            raise
        finally:
            host.using -= 1
        host.hangs = report.error is not None
        self._learn(host, report)
        return report

    async def close_idle(self) -> None:
        """Log out and close the clients that have not been used for long."""
        now = time.monotonic()
        for host in list(self._hosts.values()):
            if host.client is not None and not host.using and now - host.used > self._options.idle:
                await self._close(host)

    async def aclose(self) -> None:
        """Log out and close all clients at once, waiting less where the last poll failed."""
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for host in self._hosts.values():
                    group.start_soon(self._close, host)

    async def _ask_until(self, until: float, target: Target, host: _Host, begun: float) -> HostReport:
        with anyio.CancelScope(deadline=until):
            return await self._ask(target, host, begun)
        error = _missing(target, "it had not answered at the sweep's deadline")
        return self._report(target, begun, 1, error)

    async def _ask(self, target: Target, host: _Host, begun: float) -> HostReport:
        runspaces: list[Runspace] | None = None
        attempts = 0
        while True:
            attempts += 1
            error: SrsError | None = None
            try:
                client = host.client if host.logged_in else None
                if client is None:
                    client = await self._client(target, host)
                runspaces = await client.runspaces.list()
            except SrsError as failure:
                # As data, it is kept for long: a traceback would keep the frames, and all that they hold.
                error = failure.with_traceback(None)
                error.__cause__ = error.__context__ = None
            if error is None or not self._tries_again(error, attempts, begun):
                return self._report(target, begun, attempts, error, runspaces)
            # A first failure is often a connection that the host closed while it idled.
            await anyio.sleep(random.random() * 0.1)  # noqa: S311 - no secret

    async def _client(self, target: Target, host: _Host) -> AsyncSrsClient:
        client = host.client
        if client is None:
            client, host.auth = self._clients.make(
                target, operation=_OPERATION, retry=self._retry, connections=2
            )
            host.client = client
        if not host.logged_in:
            if host.auth is not None:
                await host.auth.turn()
                await client.login()
            host.logged_in = True
        return client

    def _tries_again(self, error: SrsError, attempts: int, begun: float) -> bool:
        passing = (isinstance(error, TransportError) and not isinstance(error, CertificateError)) or (
            isinstance(error, ApiError) and error.status in _PASSING_STATUSES
        )
        in_time = time.monotonic() - begun < self._options.timeout / 2
        if attempts > 1 or not passing or not in_time or self._retries_left < 1:
            return False
        self._retries_left -= 1
        self._retries += 1
        return True

    def _report(
        self,
        target: Target,
        begun: float,
        attempts: int,
        error: SrsError | None,
        runspaces: list[Runspace] | None = None,
    ) -> HostReport:
        return HostReport(
            target=target,
            runspaces=runspaces,
            error=error,
            elapsed=time.monotonic() - begun,
            attempts=attempts,
            at=datetime.now(UTC),
        )

    def _learn(self, host: _Host, report: HostReport) -> None:
        saved = max(1.0, len(self._hosts) / _POLLS_FOR_A_RETRY)
        self._retries_left = min(saved, self._retries_left + 1 / _POLLS_FOR_A_RETRY)
        if report.error is None:
            host.breaker.succeeded()
            host.last_error = None
            self._latency.add(report.elapsed)
            return
        if isinstance(report.error, HostMissingError):
            self._missing += 1
            # Of a host that was asked just before the deadline this says nothing.
            if report.elapsed < self._options.timeout / 2:
                host.breaker.undecided()
                return
        else:
            self._failed += 1
        host.last_error = report.error
        host.breaker.failed(time.monotonic(), random.random())  # noqa: S311 - no secret

    async def _close(self, host: _Host) -> None:
        client, host.client = host.client, None
        host.logged_in = False
        if client is not None:
            await client.aclose(timeout=_SECONDS_WHERE_IT_HANGS if host.hangs else _SECONDS_TO_CLOSE)


def _missing(target: Target, message: str) -> HostMissingError:
    return HostMissingError(message, operation=_OPERATION, host=Origin.parse(target.url).host)


def _skipped(target: Target, host: _Host, wait: float) -> HostSkippedError:
    return HostSkippedError(
        f"its last {host.breaker.failures} polls have failed, the next is in {wait:.0f} s",
        next_probe=wait,
        last_error=host.last_error,
        operation=_OPERATION,
        host=Origin.parse(target.url).host,
    )
