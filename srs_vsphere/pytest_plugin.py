"""Fixtures that give a test the simulated service; where this package is installed, pytest knows them.

::

    import pytest

    from srs_vsphere.simulator import ScriptReply

    def test_my_report(srs_client, srs_simulator):         # a SrsClient, entered; it logs in when it must
        srs_simulator.add_runspace(name="left over")
        assert [runspace.name for runspace in srs_client.runspaces.list()] == ["left over"]

    @pytest.mark.anyio
    async def test_my_service(async_srs_client, srs_simulator):   # an AsyncSrsClient, for you to enter
        machines = srs_simulator.on_script("(Get-VM).Count", ScriptReply(output=[42], duration=300))
        async with async_srs_client as client:
            assert (await client.run("(Get-VM).Count")).output == "42"    # at once
        assert len(machines.calls) == 1

    @pytest.mark.srs_fault(operation="runspaces.list", times=1, status=503)
    def test_my_patience(srs_client, srs_server):
        srs_client.runspaces.list()
        assert srs_server.requests.count(("GET", "/api/runspaces")) == 2

``srs_simulator`` is the state behind them. Its clock stands still and moves on whenever a client waits, so
that nothing takes its time. ``srs_server`` serves it on loopback, from a thread, so that clients on any event
loop and in any thread can use it. The marker ``srs_fault`` takes the arguments of
`srs_vsphere.simulator.faults.Fault`; several markers are tried from top to bottom.

After a test that has passed, the fixtures fail it if a script was not understood, or if a registered
behaviour or a fault was not used; what a behaviour raised they raise in any case. The marker
``srs_simulator`` changes how they work for a test, settings in pytest's configuration file for all::

    @pytest.mark.srs_simulator(users={"carol": "secret"}, check=False)

=================== ======================= ==============================================================
of the marker       in the configuration    meaning, and default
=================== ======================= ==============================================================
``users``           ``srs_users``           passwords by name, or lines NAME:PASSWORD; clients log in as the
                                            first. Default: alice and bob, password ``secret``
``speed``           ``srs_speed``           simulated seconds per real second. Default: time passes when a
                                            client waits
``unknown_scripts`` ``srs_unknown_scripts`` ``fail`` or ``succeed``, as for `Simulator`. Default: ``fail``
``check``           ``srs_check``           whether what is unknown or unused fails a test. Default: yes
``powershell``      ``srs_powershell``      a PowerShell program that runs the scripts. Default: none
=================== ======================= ==============================================================

Nothing but pytest is imported before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypedDict, cast

import pytest

if TYPE_CHECKING:
    from srs_vsphere import AsyncSrsClient, BasicAuth, SrsClient
    from srs_vsphere.simulator import Simulator
    from srs_vsphere.simulator.clock import Clock
    from srs_vsphere.simulator.server import SimServer

_USERS = {"alice": "secret", "bob": "secret"}
_PASSED: pytest.StashKey[bool] = pytest.StashKey()


class _Options(TypedDict, total=False):
    users: Mapping[str, str]
    speed: float
    unknown_scripts: Literal["fail", "succeed"]
    check: bool
    powershell: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """Make the settings known."""
    add = parser.addini
    add("srs_users", "users of the simulated service, one a line: NAME:PASSWORD", type="linelist")
    add("srs_speed", "simulated seconds per real second; default: time passes when a client waits")
    add("srs_unknown_scripts", "what becomes of a script that is not understood: fail or succeed")
    add(
        "srs_check",
        "fail a test for unknown scripts, unused behaviours and faults",
        type="bool",
        default=True,
    )
    add("srs_powershell", "a PowerShell program that runs the scripts of the simulated service")


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line(
        "markers",
        "srs_fault(**fault): let the simulated service fail; takes the arguments of "
        "srs_vsphere.simulator.faults.Fault",
    )
    config.addinivalue_line(
        "markers",
        "srs_simulator(users, speed, unknown_scripts, check, powershell): how the simulated service of this "
        "test works; srs_vsphere.pytest_plugin says what each means",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test has passed: only then its fixtures check what was used."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report


@pytest.fixture
def srs_simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A fresh simulated service, with the users alice and bob, password ``secret``."""
    from srs_vsphere.simulator import Simulator, SystemClock, VirtualClock

    options = _options(request)
    clock: Clock = VirtualClock(auto=True)
    try:
        if "speed" in options or "powershell" in options:
            clock = SystemClock(options.get("speed", 1.0))
        simulator = Simulator(
            users=options.get("users", _USERS),
            clock=clock,
            unknown_scripts=options.get("unknown_scripts", "fail"),
            powershell=options.get("powershell"),
        )
    except (TypeError, ValueError, OSError) as error:
        pytest.fail(f"srs_simulator: {error}", pytrace=False)
    with simulator:
        yield simulator
    simulator.raise_failures()
    if _checks(request):
        if simulator.refusals:
            pytest.fail("\n".join(simulator.refusals), pytrace=False)
        simulator.assert_all_used()


@pytest.fixture
def srs_server(request: pytest.FixtureRequest, srs_simulator: Simulator) -> Iterator[SimServer]:
    """The simulated service on loopback, with the faults that the test is marked with."""
    from srs_vsphere.simulator.fault_plan import FaultPlan
    from srs_vsphere.simulator.faults import Fault
    from srs_vsphere.simulator.server import SimServer

    marks = reversed(list(_node(request).iter_markers("srs_fault")))
    try:
        faults = FaultPlan([Fault(*mark.args, **mark.kwargs) for mark in marks])
    except (TypeError, ValueError) as error:
        pytest.fail(f"srs_fault: {error}", pytrace=False)
    with SimServer(srs_simulator, faults=faults) as server:
        yield server
    if _checks(request):
        faults.assert_all_used()


@pytest.fixture
def srs_client(request: pytest.FixtureRequest, srs_server: SimServer) -> Iterator[SrsClient]:
    """A client of the simulated service, for its first user: alice."""
    from srs_vsphere import SrsClient

    with SrsClient(srs_server.url, auth=_auth(request)) as client:
        yield client


@pytest.fixture
def async_srs_client(request: pytest.FixtureRequest, srs_server: SimServer) -> AsyncSrsClient:
    """An asynchronous client of the simulated service, for its first user: alice.

    The test enters it itself, with ``async with``: so it belongs to the test's own event loop, whichever
    plugin runs that.
    """
    from srs_vsphere import AsyncSrsClient

    return AsyncSrsClient(srs_server.url, auth=_auth(request))


def _auth(request: pytest.FixtureRequest) -> BasicAuth:
    from srs_vsphere import BasicAuth

    name, password = next(iter(_options(request).get("users", _USERS).items()))
    return BasicAuth(name, password)


def _node(request: pytest.FixtureRequest) -> pytest.Item:
    return cast("pytest.Item", request.node)


def _checks(request: pytest.FixtureRequest) -> bool:
    return _options(request).get("check", True) and _node(request).stash.get(_PASSED, False)


def _options(request: pytest.FixtureRequest) -> _Options:
    """Return what the configuration says, and the marker where it says something else."""
    config = request.config
    options: _Options = {"check": bool(config.getini("srs_check"))}
    lines = cast("list[str]", config.getini("srs_users"))
    if lines:
        options["users"] = dict(_user(line) for line in lines)
    speed = str(config.getini("srs_speed") or "")
    if speed:
        try:
            options["speed"] = float(speed)
        except ValueError:
            pytest.fail(f"srs_speed must be a number, not {speed!r}", pytrace=False)
    unknown = str(config.getini("srs_unknown_scripts") or "")
    if unknown:
        options["unknown_scripts"] = cast("Literal['fail', 'succeed']", unknown)
    powershell = str(config.getini("srs_powershell") or "")
    if powershell:
        options["powershell"] = powershell
    for mark in reversed(list(_node(request).iter_markers("srs_simulator"))):
        known = _Options.__annotations__.keys()
        wrong = [*map(repr, mark.args), *(name for name in mark.kwargs if name not in known)]
        if wrong:
            pytest.fail(
                f"the marker srs_simulator takes {', '.join(known)} as keywords, not {', '.join(wrong)}",
                pytrace=False,
            )
        options.update(cast("_Options", mark.kwargs))
    if not options.get("users", _USERS):
        pytest.fail("users must name at least one user", pytrace=False)
    return options


def _user(line: str) -> tuple[str, str]:
    name, colon, password = line.partition(":")
    if not (colon and name and password):
        # The line itself may be a password.
        pytest.fail("srs_users must be lines of the form NAME:PASSWORD", pytrace=False)
    return name, password
