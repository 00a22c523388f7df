"""An async HTTP client for a sync client, or the other way round, is refused before anything is sent."""

import httpx
import pytest

from srs_vsphere import AsyncSrsClient, SrsClient


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_an_async_http_client_is_not_for_a_sync_client(anyio_backend: str) -> None:
    async with httpx.AsyncClient() as http_client:
        with pytest.raises(TypeError, match=r"^http_client must be an httpx.Client.*AsyncSrsClient takes"):
            SrsClient("http://srs.invalid", http_client=http_client)


def test_a_sync_http_client_is_not_for_an_async_client() -> None:
    with httpx.Client() as http_client:
        with pytest.raises(TypeError, match=r"^http_client must be an httpx.AsyncClient.*: SrsClient takes"):
            AsyncSrsClient("http://srs.invalid", http_client=http_client)
