"""Clients for the state machine: their time is the simulator's, and the async one looks like the sync one."""

from __future__ import annotations

import asyncio
import inspect
from random import Random

from srs_vsphere import AsyncRunspacePool, AsyncSrsClient, BasicAuth, RunspacePool, SrsClient
from srs_vsphere._concurrency.clock import AsyncClock, Clock
from srs_vsphere.simulator import FaultPlan, SimTransport, SyncSimTransport, VirtualClock
from tests.machine.watching import Watched

URL = "http://srs.test"


class ServerClock(Clock):
    """Time is the simulator's: whoever sleeps moves it on. Chance has a seed."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.now = clock.seconds
        self.random = Random(0).random

    def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)


class AsyncServerClock(AsyncClock):
    """The same for the async client; real time limits nothing."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.now = clock.seconds
        self.random = Random(0).random

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)
        await asyncio.sleep(0)


class Blocking:
    """An async object as its sync twin: what it returns is waited for on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: object) -> None:
        self._loop = loop
        self._target = target

    def __getattr__(self, name: str) -> object:
        return self._wrapped(getattr(self._target, name))

    def __call__(self, *args: object, **kwargs: object) -> object:
        return self._wrapped(self._target(*args, **kwargs))

    def __enter__(self) -> object:
        return self._wrapped(self._target.__aenter__())

    def __exit__(self, *error: object) -> object:
        return self._wrapped(self._target.__aexit__(*error))

    def __iter__(self) -> Blocking:
        return self

    def __next__(self) -> object:
        try:
            return self._wrapped(self._target.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def _wrapped(self, value: object) -> object:
        if inspect.iscoroutine(value):
            value = self._loop.run_until_complete(value)
        ours = type(value).__module__.startswith("srs_vsphere._async")
        return Blocking(self._loop, value) if ours or callable(value) else value


class Caller:
    """One user's client, with the door it goes through.

    Args:
        user: whose it is.
        simulator: the service.
        faults: what goes wrong.
        loop: drives the async client; None for the sync one.
    """

    def __init__(
        self, user: str, simulator: Watched, faults: FaultPlan, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self.user = user
        self._loop = loop
        auth = BasicAuth(user, "secret")
        if loop is None:
            self.transport = SyncSimTransport(simulator, faults=faults)
            self.inner = SrsClient(URL, auth=auth, transport=self.transport)
            self.client = self.inner
            self.inner._session.sender.clock = ServerClock(simulator.clock)
        else:
            self.transport = SimTransport(simulator, faults=faults)
            self.inner = AsyncSrsClient(URL, auth=auth, transport=self.transport)
            self.client = Blocking(loop, self.inner)
            self.inner._session.sender.clock = AsyncServerClock(simulator.clock)

    def pool(self, size: int) -> object:
        """A pool of this user's runspaces."""
        kind = RunspacePool if self._loop is None else AsyncRunspacePool
        pool = kind(self.inner, size=size)
        return pool if self._loop is None else Blocking(self._loop, pool)

    def check_nothing_is_held(self) -> None:
        session = self.inner._session
        assert session.sender.limiter.free == 20
        assert session._state.turn.free == 1
        assert self.transport.traffic.open == 0
