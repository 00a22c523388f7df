"""A client for tests: it hurries, or its time is the test's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext

from srs_vsphere import (
    AsyncSrsClient,
    BasicAuth,
    NotSentError,
    RetryEvent,
    RetryPolicy,
    Timeouts,
    TransportError,
)
from srs_vsphere._concurrency.clock import AsyncClock
from srs_vsphere._service.retry_decision import RetryBudget
from srs_vsphere.auth import Auth
from srs_vsphere.simulator import VirtualClock

AUTH = BasicAuth("alice", "sesame-7Qx")

#: Retries at once, and the budget is not what a test is about.
HURRIED = RetryPolicy(backoff=0.0, budget=1000)


class AsyncSimulatedClock(AsyncClock):
    """Time that passes only while the client waits; the random source always gives the same number."""

    def __init__(self, number: float = 0.5) -> None:
        self.seconds = 0.0
        self.sleeps: list[float] = []
        self.number = number

    def now(self) -> float:
        return self.seconds

    def random(self) -> float:
        return self.number

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds

    def limit(self, seconds: float) -> AbstractContextManager[object]:
        del seconds
        return nullcontext()


class AsyncLeadingClock(AsyncSimulatedClock):
    """Time that a client and a simulator share: the simulator's clock moves on while the client waits."""

    def __init__(self, clock: VirtualClock, number: float = 0.5) -> None:
        super().__init__(number)
        self._clock = clock

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self._clock.advance(seconds)
        # Others get their turn, as in any wait.
        await AsyncClock.sleep(self, 0)


def make_client(
    url: str,
    *,
    auth: Auth | None = AUTH,
    retry: RetryPolicy = HURRIED,
    clock: AsyncClock | None = None,
    max_connections: int = 20,
    on_retry: Callable[[RetryEvent], object] | None = None,
    timeouts: Timeouts | None = None,
) -> AsyncSrsClient:
    client = AsyncSrsClient(
        url,
        auth=auth,
        retry=retry,
        timeouts=timeouts,
        max_connections=max_connections,
        on_retry=on_retry,
    )
    if clock is not None:
        client._session.sender.clock = clock
        client._session.sender._budget = RetryBudget(retry, clock.now())
    return client


async def error_once_sent(
    client: AsyncSrsClient, call: Callable[[AsyncSrsClient], Awaitable[object]]
) -> TransportError:
    """Return how a call fails whose time is over after it was sent: a slow machine is given more time."""
    seconds = 0.2
    while seconds < 60:
        try:
            await call(client.with_options(timeout=seconds))
        except NotSentError:
            seconds *= 2
        except TransportError as error:
            return error
        else:
            break
    raise AssertionError("it was not sent, or did not fail")


def free_slots(client: AsyncSrsClient) -> int:
    return client._session.sender.limiter.free
