"""Ways to poll services for their runspaces, by name: what is compared.

A contender is a context manager; inside it there is one function per place, a place being a host, or one of
several requests at once on the same host. Each function makes one poll and returns the runspaces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from tests.benchmarks import contenders_ours as ours
from tests.benchmarks import contenders_peers as peers
from tests.benchmarks.generated import OPENAPI_GENERATOR, OPENAPI_PYTHON_CLIENT
from tests.benchmarks.places import Places, Poll

FLOOR = "asyncio.Protocol + json"
STREAMS = "asyncio streams + json"
AIOHTTP = "aiohttp + json"
HTTPX = "httpx, one client"
HTTPX_PER_HOST = "httpx, a client per host"
OURS = "srs_vsphere"
FLOOR_UVLOOP = "asyncio.Protocol + json, uvloop"
OURS_UVLOOP = "srs_vsphere, uvloop"
OURS_OTEL = "srs_vsphere, OpenTelemetry"
OURS_HTTPX = "srs_vsphere, a transport given"
TRANSPORT_HTTPX = "its transport under httpx"

#: Those that run in uvloop's event loop.
ON_UVLOOP = frozenset({FLOOR_UVLOOP, OURS_UVLOOP})

CONTENDERS: Mapping[str, Callable[[Places], AbstractAsyncContextManager[list[Poll]]]] = {
    FLOOR: peers.floor,
    STREAMS: peers.streams,
    AIOHTTP: peers.aiohttp,
    HTTPX: peers.httpx_one,
    HTTPX_PER_HOST: peers.httpx_per_host,
    OPENAPI_GENERATOR: peers.openapi_generator,
    OPENAPI_PYTHON_CLIENT: peers.openapi_python_client,
    OURS: ours.ours,
    FLOOR_UVLOOP: peers.floor,
    OURS_UVLOOP: ours.ours,
    OURS_OTEL: ours.ours_otel,
    OURS_HTTPX: ours.ours_httpx,
    TRANSPORT_HTTPX: ours.transport_httpx,
}
