"""``on_retry``: the async client awaits what is async, the sync client refuses it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable

import anyio
import pytest

from srs_vsphere import AsyncSrsClient, RetryEvent, RetryPolicy, SrsClient
from srs_vsphere.simulator import Fault, SimServer

HURRIED = RetryPolicy(backoff=0)


class Hook:
    def __init__(self) -> None:
        self.told: list[int] = []

    async def __call__(self, event: RetryEvent) -> None:
        await anyio.lowlevel.checkpoint()
        self.told.append(event.attempt)


@pytest.mark.parametrize("kind", ["coroutine function", "partial", "object", "returns an awaitable"])
@pytest.mark.anyio
async def test_the_async_client_awaits_it(server: SimServer, kind: str) -> None:
    hook = Hook()

    async def told(event: RetryEvent) -> None:
        await hook(event)

    def tell(event: RetryEvent) -> Awaitable[None]:
        return hook(event)

    async def with_more(more: int, event: RetryEvent) -> None:
        await hook(event)

    hooks = {
        "coroutine function": told,
        "partial": functools.partial(with_more, 1),
        "object": hook,
        "returns an awaitable": tell,
    }
    server.faults.add(Fault(operation="about", times=2, status=503))
    async with AsyncSrsClient(server.url, retry=HURRIED, on_retry=hooks[kind]) as client:
        await client.about()
    assert hook.told == [1, 2]


@pytest.mark.anyio
async def test_what_it_raises_once_awaited_is_logged(
    server: SimServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def on_retry(event: RetryEvent) -> None:
        await anyio.lowlevel.checkpoint()
        raise KeyError(event.operation)

    server.faults.add(Fault(operation="about", times=1, status=503))
    async with AsyncSrsClient(server.url, retry=HURRIED, on_retry=on_retry) as client:
        await client.about()
    assert "on_retry raised" in caplog.text


@pytest.mark.anyio
async def test_a_cancelled_hook_ends_the_call(server: SimServer) -> None:
    server.faults.add(Fault(operation="about", status=503))
    with anyio.CancelScope() as scope:

        async def on_retry(event: RetryEvent) -> None:
            scope.cancel()
            await anyio.sleep_forever()

        async with AsyncSrsClient(server.url, retry=HURRIED, on_retry=on_retry) as client:
            await client.about()
    assert scope.cancelled_caught


def test_the_sync_client_refuses_what_is_async() -> None:
    async def told(event: RetryEvent) -> None:
        pass

    for hook in (told, functools.partial(told), Hook()):
        with pytest.raises(TypeError, match="on_retry must be a plain function"):
            SrsClient("http://srs.test", on_retry=hook)


def test_the_sync_client_does_not_await_what_it_is_returned(
    server: SimServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.add(Fault(operation="about", times=1, status=503))
    with SrsClient(server.url, retry=HURRIED, on_retry=lambda event: Hook()(event)) as client:
        client.about()
    assert "on_retry returned a coroutine" in caplog.text
