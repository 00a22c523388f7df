"""What tests of the client share: a simulator, a real server for it, and both event loops."""

from __future__ import annotations

import inspect
import logging
import math
import signal
import socket
from collections.abc import Generator, Iterator

import anyio
import pytest
import pytest_timeout
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from srs_vsphere._http import default_transport
from srs_vsphere.simulator import Clock, Settings, SimServer, Simulator, SystemClock


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--road",
        choices=("own", "httpx"),
        default="own",
        help="what clients send through: the package's own transports, or httpx's",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "lets_out(why): shows a secret on purpose, which tests/secret_watch.py would not have"
    )
    # A machine may be slow. What passed passes again: `--hypothesis-profile default` tries other examples.
    hypothesis_settings.register_profile(
        "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
    )
    hypothesis_settings.load_profile("patient")
    # What a script starts in the background ignores Ctrl-C, and so does all that it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_SECONDS_TO_CLEAN_UP = 30.0
#: Seconds that a test may take.
LIMIT = pytest.StashKey[float]()


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(
    item: pytest.Item, settings: pytest_timeout.Settings
) -> Generator[None, object, object]:
    """Have the signal come again: what cleans up after a test that hung may hang as well."""
    item.stash[LIMIT] = settings.timeout
    result = yield
    if hasattr(signal, "getitimer") and signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, _SECONDS_TO_CLEAN_UP)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Bound an async test within its event loop, a little before its time is up.

    asyncio may swallow what the signal of a timer raises, and on trio the test would still be waited for.
    """
    test = pyfuncitem.obj
    if inspect.iscoroutinefunction(test):
        seconds = 0.9 * pyfuncitem.stash.get(LIMIT, math.inf)

        async def bounded(**given: object) -> None:
            with anyio.fail_after(seconds) as scope:
                try:
                    await test(**given)
                except anyio.get_cancelled_exc_class() as cancellation:
                    if scope.cancel_called:
                        # It shows where the test was.
                        raise TimeoutError from cancellation
                    raise

        pyfuncitem.obj = bounded
    return (yield)


@pytest.fixture(scope="session", autouse=True)
def road(request: pytest.FixtureRequest) -> Iterator[None]:
    """Send the whole suite through the transports that were asked for."""
    with pytest.MonkeyPatch.context() as patch:
        if request.config.getoption("--road") == "httpx":
            for cls in (default_transport.AsyncDefaultTransport, default_transport.DefaultTransport):
                patch.setattr(cls, "own", lambda _: None)
        yield


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


@pytest.fixture
def clock() -> Clock:
    return SystemClock()


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(
        users={"alice": "sesame-7Qx", "bob": "sesame-7Qx"}, settings=Settings(quota=5), clock=clock
    )


@pytest.fixture
def server(simulator: Simulator) -> Iterator[SimServer]:
    with SimServer(simulator) as server:
        yield server


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("httpcore", "httpx", "srs_vsphere"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.fixture
def nowhere() -> Iterator[str]:
    """A url of this machine where nobody answers, and nobody else begins to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def nowhere_tls() -> Iterator[str]:
    """A url of this machine where connections are taken, and nobody ever says a word."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield f"https://127.0.0.1:{held.getsockname()[1]}"
