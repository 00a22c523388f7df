"""Several workers at one stack of work, as tasks or as threads; results are handed out as they come.

Beside `_concurrency` the only place where the two differ: task groups have no translation into threads.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
from anyio.abc import TaskGroup

In = TypeVar("In")
Out_co = TypeVar("Out_co", covariant=True)


class AsyncWorkerPool(Generic[Out_co]):
    """Workers as tasks, in an ``async with`` block whose target iterates over results as they come.

    Leaving the block early cancels what is under way.

    Args:
        size: how many work at once.
        inputs: the stack; it is taken from only as workers become free.
        work: what is done with each.
    """

    def __init__(self, size: int, inputs: Iterable[In], work: Callable[[In], Awaitable[Out_co]]) -> None:
        self._working = size
        # Nothing is begun before a worker asks for it.
        self._jobs = (work(item) for item in inputs)
        self._group: TaskGroup | None = None
        self._sending, self._receiving = anyio.create_memory_object_stream[Out_co](0)

    async def __aenter__(self) -> Self:
        self._group = await anyio.create_task_group().__aenter__()
        for _ in range(self._working):
            self._group.start_soon(self._worker)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        group.cancel_scope.cancel()
        try:
            await group.__aexit__(exc_type, exc, traceback)
        finally:
            self._sending.close()
            self._receiving.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Out_co:
        try:
            return await self._receiving.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            raise StopAsyncIteration from None

    async def _worker(self) -> None:
        for job in self._jobs:
            await self._sending.send(await job)
        self._working -= 1
        if not self._working:
            self._sending.close()


class WorkerPool(Generic[Out_co]):
    """Workers as threads, in a ``with`` block whose target iterates over results as they come.

    Leaving the block early waits for what each worker has in hand.

    Args:
        size: how many work at once.
        inputs: the stack; it is taken from only as workers become free.
        work: what is done with each.
    """

    def __init__(self, size: int, inputs: Iterable[In], work: Callable[[In], Out_co]) -> None:
        self._jobs: Iterator[Callable[[], Out_co]] = (partial(work, item) for item in inputs)
        self._turn = threading.Lock()
        self._leaving = threading.Event()
        # A result, or None of a worker that has nothing left to do, or what went wrong in it.
        self._results: queue.SimpleQueue[tuple[Out_co] | BaseException | None] = queue.SimpleQueue()
        self._working = size
        self._threads = [threading.Thread(target=self._worker, daemon=True) for _ in range(size)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leaving.set()
        for thread in self._threads:
            thread.join()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Out_co:
        while self._working:
            result = self._results.get()
            if isinstance(result, tuple):
                return result[0]
            self._working -= 1
            if result is not None:
                self._leaving.set()
                raise result
        raise StopIteration

    def _worker(self) -> None:
        try:
            for job in self._taken():
                self._results.put((job(),))
        except BaseException as error:  # noqa: BLE001 - it is raised where the results are read
            self._results.put(error)
        else:
            self._results.put(None)

    def _taken(self) -> Iterator[Callable[[], Out_co]]:
        while not self._leaving.is_set():
            with self._turn:
                try:
                    job = next(self._jobs)
                except StopIteration:
                    return
            yield job
