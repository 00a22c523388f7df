"""What a poll costs when nobody listens and when somebody does, beside a client that asks for no listener."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import operator
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import ModuleType
from typing import Any, cast

from srs_vsphere import ApiKeyAuth, AsyncSrsClient, SrsClient
from tests.benchmarks.generated import Peers
from tests.benchmarks.measuring import Process, cores, cpu_seconds, in_turns, median, pin
from tests.benchmarks.places import KEY
from tests.benchmarks.results import Bound, Result, Table
from tests.benchmarks.server import serve

_WITHOUT = "nobody could listen"
_NOBODY = "nobody listens"
_ON_EVENT = "on_event"
_LOG = "the log at DEBUG, to no handler"
_OTEL = "OpenTelemetry, without exporting"
_MOST = 1.03
_POLLS = 50
_FIRST_PORT = 20_000
#: The lines of the sender that ask whether anybody listens.
_ASKS = re.compile(
    r"^( +)watched = .*\n +attempt = self\._watched if watched else self\._attempt\n", re.MULTILINE
)


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    del peers
    client_core, server_core = cores()
    result = Result("listening")
    pin(client_core)
    with Process(serve, 1, _FIRST_PORT, None, core=server_core) as server:
        (port,) = cast("list[int]", server.ready)
        url = f"http://127.0.0.1:{port}"
        for kind, turns in (("async", _async_turns), ("sync", _sync_turns)):
            with ExitStack() as stack:
                costs = in_turns(100 if quick else 300, turns(url, stack))
            # Each to its own round: on a busy machine a round is slow as a whole.
            ratios = {
                name: median(map(operator.truediv, values, costs[_WITHOUT])) for name, values in costs.items()
            }
            result.tables.append(_table(kind, costs, ratios))
            result.bounds.append(Bound(f"{kind}: {_NOBODY}, to {_WITHOUT}", ratios[_NOBODY], _MOST))
            result.numbers[kind] = {
                "cpu_us": {name: median(values) * 1e6 for name, values in costs.items()},
                "ratios": ratios,
            }
    return result


def _table(kind: str, costs: Mapping[str, list[float]], ratios: Mapping[str, float]) -> Table:
    columns = ("", "us", f"to {_WITHOUT}, median of all rounds")
    table = Table(f"CPU us of one poll of five runspaces, {kind}", columns)
    for name, values in costs.items():
        table.rows.append((name, f"{min(values) * 1e6:.1f}", f"{ratios[name]:.3f}"))
    return table


def _options() -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {
        _WITHOUT: {},
        _NOBODY: {},
        _LOG: {},
        _ON_EVENT: {"on_event": _ignore},
    }
    try:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider

        from srs_vsphere.otel import OpenTelemetry
    except ImportError:
        return options
    return {**options, _OTEL: {"telemetry": OpenTelemetry(TracerProvider(), MeterProvider())}}


def _ignore(event: object) -> None:
    del event


def _deafen(client: AsyncSrsClient | SrsClient) -> None:
    """Take out of a client what asks whether anybody listens."""
    sender = client._session.sender
    module = importlib.import_module(type(sender).__module__)
    source, replaced = _ASKS.subn(r"\1attempt = self._attempt\n", inspect.getsource(module))
    if replaced != 1:
        raise RuntimeError("the sender asks in other words whether anybody listens: adapt _ASKS")
    deaf = ModuleType(module.__name__)
    exec(compile(source, str(module.__file__), "exec"), vars(deaf))
    sender.__class__ = getattr(deaf, type(sender).__name__)


def _heard(name: str, poll: Callable[[], object]) -> float:
    log = logging.getLogger("srs_vsphere")
    log.setLevel(logging.DEBUG if name == _LOG else logging.WARNING)
    log.propagate = False
    # Once in vain: whoever had the turn before has filled the processor's caches.
    poll()
    before = cpu_seconds()
    poll()
    return (cpu_seconds() - before) / _POLLS


def _async_turns(url: str, stack: ExitStack) -> dict[str, Callable[[], float]]:
    runner = stack.enter_context(asyncio.Runner())

    def turn(name: str, options: dict[str, Any]) -> Callable[[], float]:
        client = AsyncSrsClient(url, auth=ApiKeyAuth(KEY), **options)
        stack.callback(lambda: runner.run(client.aclose()))
        if name == _WITHOUT:
            _deafen(client)

        async def poll() -> None:
            for _ in range(_POLLS):
                await client.runspaces.list()

        return lambda: _heard(name, lambda: runner.run(poll()))

    return {name: turn(name, options) for name, options in _options().items()}


def _sync_turns(url: str, stack: ExitStack) -> dict[str, Callable[[], float]]:
    def turn(name: str, options: dict[str, Any]) -> Callable[[], float]:
        client = stack.enter_context(SrsClient(url, auth=ApiKeyAuth(KEY), **options))
        if name == _WITHOUT:
            _deafen(client)

        def poll() -> None:
            for _ in range(_POLLS):
                client.runspaces.list()

        return lambda: _heard(name, poll)

    return {name: turn(name, options) for name, options in _options().items()}
