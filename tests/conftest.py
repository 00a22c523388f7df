"""What tests of the client share: a simulator, a real server for it, and both event loops."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator

import pytest

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
    # A shell has its jobs in the background ignore Ctrl-C, and so would the programs that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "lets_out(why): shows a secret on purpose, which tests/secret_watch.py would not have"
    )


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
