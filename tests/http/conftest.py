"""Ours and httpx's own transport, to be tested side by side."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.http.ours import Ours


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["ours", "httpx"])
async def transport(
    request: pytest.FixtureRequest, anyio_backend: str
) -> AsyncIterator[httpx.AsyncBaseTransport]:
    made = Ours() if request.param == "ours" else httpx.AsyncHTTPTransport(verify=False)
    async with made:
        yield made


@pytest.fixture
async def ours(anyio_backend: str) -> AsyncIterator[Ours]:
    async with Ours() as made:
        yield made
