"""Several workers at one stack of work, as tasks or as threads; results are handed out as they come.

Task groups have no translation into threads, and would tie the block to one task: a program may leave a
generator in the middle, and have it closed by another task.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import anyio
from attrs import frozen

from srs_vsphere._concurrency import stopping
from srs_vsphere._concurrency.background import BackgroundTask, start_in_background
from srs_vsphere._concurrency.clean_up import async_clean_up

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

In = TypeVar("In")
Out_co = TypeVar("Out_co", covariant=True)

_log = logging.getLogger("srs_vsphere")

#: Leaving waits for canceled scripts no longer than this.
_SECONDS_TO_LEAVE = 10.0
#: How often a thread that waits for a result looks up, so that a Ctrl-C reaches it on every system.
_SECONDS_BETWEEN_LOOKS = 0.2
_LEFT = "scripts of a pool's map() did not stop in time, and may go on"


@frozen
class _Failure:
    """What ended a worker."""

    error: BaseException


class AsyncWorkerPool(Generic[Out_co]):
    """Workers as tasks, in an ``async with`` block whose target iterates over results as they come.

    Leaving the block early cancels what is under way, and waits for that up to 10 seconds.

    Args:
        size: how many work at once.
        inputs: the stack; it is taken from only as workers become free.
        work: what is done with each. What it raises is raised where the results are read, and ends the rest.
    """

    def __init__(self, size: int, inputs: Iterable[In], work: Callable[[In], Awaitable[Out_co]]) -> None:
        self._size = size
        self._work: Callable[[], Iterator[Awaitable[Out_co]]] = lambda: (work(item) for item in inputs)
        self._tasks: list[BackgroundTask] = []
        self._working = 0
        self._left = False
        self._sending: MemoryObjectSendStream[Out_co | _Failure] | None = None
        self._receiving: MemoryObjectReceiveStream[Out_co | _Failure] | None = None

    async def __aenter__(self) -> Self:
        if self._sending is not None:
            raise RuntimeError("this map is in use: make another for a second block")
        self._sending, self._receiving = anyio.create_memory_object_stream[Out_co | _Failure](0)
        jobs = self._work()
        self._working = self._size
        self._tasks = [
            start_in_background(lambda: self._worker(jobs, self._sending)) for _ in range(self._size)
        ]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._left = True
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()

        async def end() -> None:
            for task in tasks:
                await task.wait()

        try:
            await async_clean_up(end, seconds=_SECONDS_TO_LEAVE, left=_LEFT)
        finally:
            for stream in (self._sending, self._receiving):
                if stream is not None:
                    stream.close()

    def __aiter__(self) -> Self:
        if self._receiving is None:
            raise TypeError(
                "enter it first: `async with pool.map(...) as results:`, `async for result in results:`"
            )
        return self

    async def __anext__(self) -> Out_co:
        if self._receiving is None:
            raise TypeError("enter it first: `async with pool.map(...) as results:`")
        try:
            result = await self._receiving.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            if self._working and not self._left:
                raise RuntimeError("the tasks of this map were cancelled") from None
            raise StopAsyncIteration from None
        if isinstance(result, _Failure):
            raise result.error
        return result

    async def _worker(
        self, jobs: Iterator[Awaitable[Out_co]], sending: MemoryObjectSendStream[Out_co | _Failure] | None
    ) -> None:
        if sending is None:
            return
        with sending.clone() as results:
            try:
                for job in jobs:
                    await results.send(await job)
            except anyio.get_cancelled_exc_class():
                if not self._left:
                    sending.close()
                raise
            except anyio.BrokenResourceError:
                # Nobody reads results any more.
                return
            except BaseException as error:  # noqa: BLE001 - it is raised where the results are read
                await results.send(_Failure(error))
            self._working -= 1
        if not self._working:
            sending.close()


class WorkerPool(Generic[Out_co]):
    """Workers as threads, in a ``with`` block whose target iterates over results as they come.

    Leaving the block early, by a Ctrl-C too, cancels what is under way, and waits for that up to 10 seconds.
    A thread that waits for the next input is not waited for.

    Args:
        size: how many work at once.
        inputs: the stack; it is taken from only as workers become free.
        work: what is done with each. What it raises is raised where the results are read, and ends the rest.
    """

    def __init__(self, size: int, inputs: Iterable[In], work: Callable[[In], Out_co]) -> None:
        self._size = size
        self._work: Callable[[], Iterator[Callable[[], Out_co]]] = lambda: (
            partial(work, item) for item in inputs
        )
        self._turn = threading.Lock()
        self._leaving = threading.Event()
        #: Threads that wait for the next input, or for their turn to ask for it.
        self._asking: set[threading.Thread] = set()
        # A result, or None of a worker that has nothing left to do, or what went wrong in it.
        self._results: queue.SimpleQueue[tuple[Out_co] | _Failure | None] = queue.SimpleQueue()
        self._working = 0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        if self._threads:
            raise RuntimeError("this map is in use: make another for a second block")
        jobs = self._work()
        self._working = self._size
        self._threads = [
            threading.Thread(target=self._worker, args=(jobs,), daemon=True) for _ in range(self._size)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            # A Ctrl-C: nobody is to leave the block, which was not entered.
            self._leaving.set()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._leaving.set()
        ends = time.monotonic() + _SECONDS_TO_LEAVE
        waiting = list(self._threads)
        while waiting and time.monotonic() < ends:
            waiting[0].join(_SECONDS_BETWEEN_LOOKS)
            waiting = [thread for thread in waiting if thread.is_alive() and thread not in self._asking]
        if waiting:
            _log.warning(_LEFT)

    def __iter__(self) -> Self:
        if not self._threads:
            raise TypeError("enter it first: `with pool.map(...) as results:`, `for result in results:`")
        return self

    def __next__(self) -> Out_co:
        if not self._threads:
            raise TypeError("enter it first: `with pool.map(...) as results:`")
        while self._working and not self._leaving.is_set():
            try:
                result = self._results.get(timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                continue
            if isinstance(result, tuple):
                return result[0]
            self._working -= 1
            if result is not None:
                self._leaving.set()
                raise result.error
        raise StopIteration

    def _worker(self, jobs: Iterator[Callable[[], Out_co]]) -> None:
        try:
            with stopping.told_by(self._leaving):
                for job in self._taken(jobs):
                    self._results.put((job(),))
        except stopping.Stopped:
            self._results.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the results are read
            self._results.put(_Failure(error))
        else:
            self._results.put(None)

    def _taken(self, jobs: Iterator[Callable[[], Out_co]]) -> Iterator[Callable[[], Out_co]]:
        thread = threading.current_thread()
        while not self._leaving.is_set():
            self._asking.add(thread)
            try:
                with self._turn:
                    job = None if self._leaving.is_set() else next(jobs, None)
            finally:
                self._asking.discard(thread)
            if job is None:
                return
            yield job
