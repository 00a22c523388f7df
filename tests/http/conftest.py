"""Ours and httpx's own transport, to be tested side by side."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from srs_vsphere._http.asyncio_transport import AsyncioTransport


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["ours", "httpx"])
async def transport(
    request: pytest.FixtureRequest, anyio_backend: str
) -> AsyncIterator[httpx.AsyncBaseTransport]:
    made = AsyncioTransport() if request.param == "ours" else httpx.AsyncHTTPTransport(verify=False)
    async with made:
        yield made


@pytest.fixture
async def ours(anyio_backend: str) -> AsyncIterator[AsyncioTransport]:
    async with AsyncioTransport() as made:
        yield made
