"""What a fleet hands out, one after the other, while its workers find more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Generic, Protocol, Self, TypeAlias, TypeVar

import anyio

from srs_vsphere.fleet.handoff import Handoff, HandoffClosed

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: Hands something out, and waits while enough is waiting to be taken.
Put: TypeAlias = Callable[[T], Awaitable[None]]
#: What each worker does: it returns when nothing is left to do.
Work: TypeAlias = Callable[[Put[T]], Awaitable[None]]
#: Runs the first until it ends or the fleet does, which calls the second before.
Start: TypeAlias = Callable[[Callable[[], Awaitable[None]], Callable[[], None]], None]

FLEET_CLOSED = "the fleet is closed, and nothing more comes from it"


class Source(Protocol[T_co]):
    """What hands out one after the other, from this process or from others."""

    def __aiter__(self) -> AsyncIterator[T_co]:
        """Return itself."""
        ...

    async def __anext__(self) -> T_co:
        """Return the next, and wait for it."""
        ...

    def waiting(self) -> Iterator[T_co]:
        """Take what can be had without waiting, which may be nothing."""
        ...

    async def aclose(self) -> None:
        """End what finds more, and wait for its end; a second call does nothing."""
        ...


class AsyncFleetStream(Generic[T_co]):
    """Reports, results or events of a fleet: an async iterator, to be gone through once.

    Workers begin with the first one that is asked for. They wait while as many are waiting to be taken as
    there are workers, so a slow consumer fills no memory. After a loop that was left early, `aclose()`,
    ``async with`` around the loop, or leaving the fleet ends the workers. A loop that goes on
    while another task closes the fleet ends with a `RuntimeError`.

    Args:
        start: begins to run the workers, as a part of the fleet.
        workers: how many.
        job: a context that is entered when the workers begin and left when they have ended; it gives what
            each of them does.
    """

    def __init__(
        self, start: Start, workers: int, job: Callable[[], AbstractContextManager[Work[T_co]]]
    ) -> None:
        self._start = start
        self._workers = workers
        self._job = job
        self._handoff: Handoff[T_co] | None = None
        self._scope: anyio.CancelScope | None = None
        self._ended: anyio.Event | None = None
        self._problem: Exception | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T_co:
        try:
            return await (self._handoff or self._begin()).take()
        except HandoffClosed:
            self._drop()
            if self._problem is not None:
                problem, self._problem = self._problem, None
                raise problem from None
            raise StopAsyncIteration from None

    def waiting(self) -> Iterator[T_co]:
        """Take what can be had without waiting, which may be nothing."""
        while self._handoff is not None:
            try:
                yield self._handoff.take_nowait()
            except HandoffClosed:
                return

    async def aclose(self) -> None:
        """End the workers and wait for their end; what was not taken is lost. A second call does nothing."""
        self._drop()
        if self._scope is not None:
            self._scope.cancel()
        if self._ended is not None:
            with anyio.CancelScope(shield=True):
                await self._ended.wait()

    def _drop(self) -> None:
        """Hand out nothing more, whatever is still waiting to be taken."""
        self._closed = True
        if self._handoff is not None:
            self._handoff.close()

    def _cut_off(self) -> None:
        # Whoever still takes would else believe that this was all.
        if not self._closed:
            self._problem = self._problem or RuntimeError(FLEET_CLOSED)
            self._drop()

    def _begin(self) -> Handoff[T_co]:
        if self._closed:
            raise HandoffClosed
        handoff = Handoff[T_co](self._workers)
        scope, ended = anyio.CancelScope(), anyio.Event()

        async def work(do: Work[T_co]) -> None:
            try:
                await do(handoff.put)
            except HandoffClosed:
                # Nobody takes anything any more.
                scope.cancel()
            except Exception as error:  # noqa: BLE001 - it is raised where the items are taken
                self._problem = error
                scope.cancel()

        async def run() -> None:
            try:
                with scope, self._job() as do:
                    async with anyio.create_task_group() as group:
                        for _ in range(self._workers):
                            group.start_soon(work, do)
            except (OSError, ValueError) as error:
                self._problem = error
            finally:
                handoff.end()
                ended.set()

        self._start(run, self._cut_off)
        self._handoff, self._scope, self._ended = handoff, scope, ended
        return handoff
