"""A sweep asks every host once and says what came of it, whatever some of them do."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import attrs
import httpx
import pytest

from srs_vsphere import (
    AsyncSrsClient,
    AuthenticationError,
    BasicAuth,
    CertificateError,
    EnvAuth,
    NotSentError,
    SrsError,
    Tls,
    TransportError,
)
from srs_vsphere.fleet import (
    AsyncSrsFleet,
    BreakerPolicy,
    HostMissingError,
    HostReport,
    HostSkippedError,
    Progress,
    Target,
)
from srs_vsphere.simulator import Fault
from tests.fleet.helping import AUTH, simulated, targets_of
from tests.tls_server import identity, tls_server

pytestmark = pytest.mark.anyio


async def reports_of(fleet: AsyncSrsFleet, **options: float) -> dict[str, HostReport]:
    reports = [report async for report in fleet.poll(**options)]
    by_name = {report.target.name: report for report in reports}
    assert len(by_name) == len(reports)
    return by_name


async def test_each_host_is_reported_once() -> None:
    async with simulated(30) as hosts:
        for number, host in enumerate(hosts.hosts):
            for _ in range(number % 3):
                host.simulator.add_runspace(name=host.name)
        async with AsyncSrsFleet(targets_of(hosts), timeout=60, concurrency=7) as fleet:
            for _ in range(2):
                reports = await reports_of(fleet)
                assert set(reports) == {host.name for host in hosts.hosts}
                for number, host in enumerate(hosts.hosts):
                    report = reports[host.name]
                    assert report.runspaces is not None
                    assert [runspace.name for runspace in report.runspaces] == [host.name] * (number % 3)
                    assert (report.ok, report.error, report.attempts) == (True, None, 1)
                    assert report.target.labels == {"port": str(host.port)}
                    assert report.at.tzinfo is not None
                    assert report.elapsed > 0
            statistics = fleet.statistics()
        assert (statistics.polls, statistics.failed, statistics.logins, statistics.clients) == (60, 0, 30, 30)
        assert len(statistics.latency) == 60
        assert statistics.cpu_per_poll is not None
        # One login each, two lists each, and a logout each when the fleet was left.
        assert hosts.traffic.seen == 30 * 4
        assert all(host.simulator.session_count == 0 for host in hosts.hosts)
        await hosts.wait_idle_async()


async def test_what_goes_wrong_on_a_host_is_in_its_report(nowhere: str) -> None:
    async with simulated(6) as hosts:
        bad, wrong, hangs, trickles, *fine = targets_of(hosts)
        wrong = Target(wrong.name, wrong.url, BasicAuth("alice", "wrong"))
        hosts.faults.add(Fault(host=bad.name, operation="runspaces.list", status=500))
        hosts.faults.add(Fault(host=hangs.name, operation="runspaces.list", delay=60))
        hosts.faults.add(Fault(host=trickles.name, operation="runspaces.list", trickle=(1, 5)))
        broken = Target("broken", fine[0].url.replace("http", "https"), AUTH, Tls(ca_file="no such file"))
        targets = [bad, wrong, hangs, trickles, *fine, Target("absent", nowhere, AUTH), broken]
        reports: dict[str, HostReport] = {}
        async with AsyncSrsFleet(targets, timeout=3600) as fleet, fleet.poll() as coming:
            while len(reports) < len(targets) - 2:
                report = await anext(coming)
                reports[report.target.name] = report
        assert reports.keys().isdisjoint({hangs.name, trickles.name})
        async with AsyncSrsFleet([hangs, trickles], timeout=1) as fleet:
            reports |= await reports_of(fleet)
        assert all(reports[target.name].ok for target in fine)
        assert type(reports[wrong.name].error) is AuthenticationError
        assert type(reports["absent"].error) is NotSentError
        assert isinstance(reports[hangs.name].error, TransportError)
        assert isinstance(reports[trickles.name].error, TransportError)
        assert reports["broken"].error is not None
        assert "no such file" in str(reports["broken"].error)
        for report in reports.values():
            assert (report.runspaces is None) == (report.error is not None)
            if report.error is not None:
                assert isinstance(report.error, SrsError)
                assert report.error.__traceback__ is None
                assert report.error.__cause__ is None
        await hosts.wait_idle_async()


async def test_the_hosts_that_are_late_are_reported_as_missing() -> None:
    async with simulated(8) as hosts:
        late = [host.name for host in hosts.hosts[:4]]
        for name in late:
            hosts.faults.add(Fault(host=name, operation="runspaces.list", delay=60))
        async with AsyncSrsFleet(targets_of(hosts), concurrency=3) as fleet:
            reports = await reports_of(fleet, deadline=0.3)
            assert set(reports) == {host.name for host in hosts.hosts}
            assert all(isinstance(reports[name].error, HostMissingError) for name in late)
            missing = [report for report in reports.values() if not report.ok]
            assert {report.attempts for report in missing} <= {0, 1}
            assert fleet.statistics().missing == len(missing)
            nothing = await reports_of(fleet, deadline=0)
            assert all(isinstance(report.error, HostMissingError) for report in nothing.values())
        await hosts.wait_idle_async()


async def test_a_host_that_fails_is_left_alone_and_probed() -> None:
    async with simulated(2) as hosts:
        bad, fine = targets_of(hosts)
        fault = hosts.faults.add(Fault(host=bad.name, operation="runspaces.list", status=500))
        patient = BreakerPolicy(failures=3, probe_after=3600, probe_cap=3600)
        async with AsyncSrsFleet([bad, fine], breaker=patient) as fleet:
            for number in range(6):
                reports = await reports_of(fleet)
                assert reports[fine.name].ok
                error = reports[bad.name].error
                if number < 3:
                    assert error is not None
                    assert error.status == 500
                    continue
                assert isinstance(error, HostSkippedError)
                assert 1700 < error.next_probe < 5400
                assert error.last_error is not None
                assert error.last_error.status == 500
            statistics = fleet.statistics()
        assert (statistics.failed, statistics.skipped) == (3, 3)
        async with AsyncSrsFleet([bad, fine], breaker=BreakerPolicy(failures=3, probe_after=0)) as fleet:
            for _ in range(4):
                assert not (await reports_of(fleet))[bad.name].ok
            hosts.faults.remove(fault)
            assert (await reports_of(fleet))[bad.name].ok


async def test_a_dead_network_meets_few_requests() -> None:
    async with simulated(40) as hosts:
        async with AsyncSrsFleet(targets_of(hosts), timeout=60, breaker=BreakerPolicy(failures=100)) as fleet:
            assert all(report.ok for report in (await reports_of(fleet)).values())
            hosts.faults.add(Fault(reset="before"))
            # A connection kept from before is replaced beneath the client, once: that is not what is counted.
            await reports_of(fleet)
            for _ in range(3):
                before = hosts.traffic.seen
                reports = await reports_of(fleet)
                assert not any(report.ok for report in reports.values())
                assert hosts.traffic.seen - before <= 1.1 * 40
                assert sum(report.attempts for report in reports.values()) <= 1.1 * 40


async def test_a_first_failure_is_tried_again() -> None:
    async with simulated(1) as hosts:
        # In the second half of its time a poll is not tried again.
        async with AsyncSrsFleet(targets_of(hosts), timeout=60) as fleet:
            hosts.faults.add(Fault(operation="runspaces.list", nth=1, status=503))
            (report,) = (await reports_of(fleet)).values()
            assert (report.ok, report.attempts) == (True, 2)
            assert fleet.statistics().retries == 1


async def test_a_certificate_that_is_not_trusted_is_not_tried_again(tmp_path: Path) -> None:
    with tls_server(identity().context(tmp_path)) as server:
        async with AsyncSrsFleet([Target("a", server.url, AUTH)], timeout=60) as fleet:
            report = (await reports_of(fleet))["a"]
            assert isinstance(report.error, CertificateError)
            assert report.attempts == 1
            assert fleet.statistics().retries == 0


async def test_a_restarted_gateway_gets_one_login() -> None:
    async with simulated(3) as hosts:
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            await reports_of(fleet)
            hosts.hosts[1].simulator.restart()
            seen = [host.traffic.seen for host in hosts.hosts]
            assert all(report.ok for report in (await reports_of(fleet)).values())
            more = [host.traffic.seen - before for host, before in zip(hosts.hosts, seen, strict=True)]
            assert more == [1, 3, 1]
            assert fleet.statistics().logins == 4


async def test_logins_are_staggered() -> None:
    async with simulated(6) as hosts:
        before = time.monotonic()
        async with AsyncSrsFleet(targets_of(hosts), login_rate=20) as fleet:
            reports = await reports_of(fleet)
            # Whenever they came, each of the six took a twentieth of a second of its own.
            assert fleet._clients.limiter._next - before >= 6 / 20 - 1e-6
            assert fleet.statistics().logins == 6
        assert all(report.ok for report in reports.values())


async def test_credentials_may_be_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRS_USERNAME", "alice")
    monkeypatch.setenv("SRS_PASSWORD", "sesame-7Qx")
    async with simulated(3) as hosts:
        targets = [Target(host.name, host.url, EnvAuth()) for host in hosts.hosts]
        async with AsyncSrsFleet(targets) as fleet:
            assert all(report.ok for report in (await reports_of(fleet)).values())
            for host in hosts.hosts:
                host.simulator.expire_sessions()
            assert all(report.ok for report in (await reports_of(fleet)).values())
            assert fleet.statistics().logins == 6
            monkeypatch.delenv("SRS_PASSWORD")
            hosts.hosts[0].simulator.expire_sessions()
            failed = (await reports_of(fleet))["srs-0001"]
            assert "SRS_PASSWORD is not set" in str(failed.error)


class _Vault:
    """Credentials of the program's own that cannot be had."""

    def credentials(self) -> BasicAuth:
        raise KeyError("no such host in the vault")


class _AsyncVault:
    """The same without a thread."""

    async def credentials(self) -> BasicAuth:
        raise ZeroDivisionError


async def test_what_a_programs_own_parts_raise_is_their_hosts_failure() -> None:
    async with simulated(4) as hosts:
        targets = targets_of(hosts)
        for place, auth in ((0, _Vault()), (1, _AsyncVault())):
            targets[place] = attrs.evolve(targets[place], auth=auth)

        def transport(target: Target) -> httpx.AsyncBaseTransport:
            if target is targets[2]:
                raise LookupError("no transport for it")
            return httpx.AsyncHTTPTransport()

        async with AsyncSrsFleet(targets, transport=transport) as fleet:
            for found in (await reports_of(fleet), {r.target.name: r async for r in fleet.run("1")}):
                vault, other, third, fourth = (found[target.name] for target in targets)
                assert isinstance(vault.error, AuthenticationError)
                assert "_Vault.credentials() raised KeyError (cause: 'no such host" in str(vault.error)
                assert "_AsyncVault.credentials() raised ZeroDivisionError" in str(other.error)
                assert isinstance(third.error, NotSentError)
                assert "no transport for it" in str(third.error)
                assert fourth.ok


async def test_progress_is_told_and_what_it_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        raise ZeroDivisionError

    async with simulated(4) as hosts:
        hosts.faults.add(Fault(host=hosts.hosts[0].name, operation="runspaces.list", status=500))
        async with AsyncSrsFleet(targets_of(hosts)) as fleet:
            names = [report.target.name async for report in fleet.poll(on_progress=tell)]
    assert [progress.target.name for progress in told] == names
    assert [(progress.done, progress.total) for progress in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[-1].failed == 1
    assert caplog.text.count("ZeroDivisionError") >= 4


async def test_a_slow_consumer_slows_the_sweep() -> None:
    async with simulated(40) as hosts:
        async with AsyncSrsFleet(targets_of(hosts), concurrency=4) as fleet:
            reports = fleet.poll()
            await anext(reports)
            await hosts.wait_for_async(lambda traffic: traffic.seen >= 2 * (1 + 4 + 4))
            # One was taken, four are waiting to be, and four workers have one each in hand.
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            assert fleet.statistics().polls <= 1 + 4 + 4
            assert len([report async for report in reports]) == 39


async def test_whoever_leaves_early_ends_the_sweep() -> None:
    async with simulated(20) as hosts:
        hosts.faults.add(Fault(host=hosts.hosts[-1].name, operation="runspaces.list", delay=60))
        async with AsyncSrsFleet(targets_of(hosts), concurrency=20) as fleet:
            async with fleet.poll() as reports:
                async for _ in reports:
                    break
            assert [report async for report in reports] == []
            abandoned = fleet.poll()
            await anext(abandoned)
        with pytest.raises(RuntimeError, match="the fleet is closed"):
            await anext(abandoned)
        await hosts.wait_idle_async()
        never_begun = fleet.poll()
        with pytest.raises(RuntimeError, match="not open"):
            await anext(never_begun)
    del abandoned, reports, never_begun
    gc.collect()


async def test_a_loop_over_a_fleet_that_another_task_closes_says_so() -> None:
    async with simulated(4) as hosts:
        hosts.faults.add(Fault(host=hosts.hosts[-1].name, operation="runspaces.list", delay=60))
        fleet = AsyncSrsFleet(targets_of(hosts), concurrency=2)
        begun = anyio.Event()

        async def loop() -> None:
            async for _ in fleet.poll():
                begun.set()

        async def guarded() -> None:
            with pytest.raises(RuntimeError, match="the fleet is closed"):
                await loop()

        async with anyio.create_task_group() as group, fleet:
            group.start_soon(guarded)
            await begun.wait()
        await hosts.wait_idle_async()


async def test_leaving_a_fleet_takes_a_second_where_hosts_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    patience: dict[str, float] = {}
    close = AsyncSrsClient.aclose

    async def closed(client: AsyncSrsClient, *, timeout: float = 5.0) -> None:
        url = client._session.sender.origin.url
        patience[url] = timeout
        # A slow machine has time to log out, where nothing hangs.
        await close(client, timeout=timeout if url == hanging.url else 60)

    monkeypatch.setattr(AsyncSrsClient, "aclose", closed)
    async with simulated(3) as hosts:
        good, hanging, failing = hosts.hosts
        async with AsyncSrsFleet(targets_of(hosts), timeout=60) as fleet:
            await reports_of(fleet)
            hosts.faults.add(Fault(host=hanging.name, delay=3600))
            hosts.faults.add(Fault(host=failing.name, operation="runspaces.list", status=500))
            async with fleet.poll() as reports:
                assert {(await anext(reports)).target.name for _ in range(2)} == {good.name, failing.name}
        assert patience == {good.url: 5.0, hanging.url: 0.75, failing.url: 0.75}
        assert good.simulator.session_count == failing.simulator.session_count == 0


async def test_the_fleet_ends_with_its_block_and_by_cancellation() -> None:
    async with simulated(5) as hosts:
        for host in hosts.hosts:
            hosts.faults.add(Fault(host=host.name, operation="runspaces.list", delay=60))
        with anyio.move_on_after(0.3):
            async with AsyncSrsFleet(targets_of(hosts)) as fleet:
                await reports_of(fleet)
        await hosts.wait_idle_async()
        with pytest.raises(ZeroDivisionError):
            async with AsyncSrsFleet(targets_of(hosts)) as fleet:
                async with anyio.create_task_group() as group:
                    group.start_soon(reports_of, fleet)
                    await hosts.wait_for_async(lambda traffic: traffic.open == 5)
                    group.cancel_scope.cancel()
                raise ZeroDivisionError
        await hosts.wait_idle_async()
        with pytest.raises(RuntimeError, match="used before"):
            await fleet.__aenter__()


async def test_targets_may_come_from_an_async_iterator() -> None:
    async with simulated(3) as hosts:

        async def coming() -> AsyncIterator[Target]:
            for target in targets_of(hosts):
                await anyio.lowlevel.checkpoint()
                yield target

        async with AsyncSrsFleet(coming()) as fleet:
            assert len(await reports_of(fleet)) == 3

        async def same() -> AsyncIterator[Target]:
            for _ in range(2):
                yield targets_of(hosts)[0]

        with pytest.raises(ValueError, match="two are named 'srs-0001'"):
            async with AsyncSrsFleet(same()):
                pass


async def test_idle_clients_are_closed_and_made_anew() -> None:
    async with simulated(2) as hosts:
        async with AsyncSrsFleet(targets_of(hosts), idle=0.2) as fleet:
            await reports_of(fleet)
            await hosts.wait_idle_async()
            assert all(host.simulator.session_count == 0 for host in hosts.hosts)
            assert all(report.ok for report in (await reports_of(fleet)).values())
