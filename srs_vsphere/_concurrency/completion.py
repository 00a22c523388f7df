"""Work that goes on when whoever waits for it is interrupted, so that what it made can be undone."""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
from attrs import define, field

from srs_vsphere._concurrency import stopping

if TYPE_CHECKING:
    from srs_vsphere._concurrency.background import BackgroundTask

T = TypeVar("T")

#: Work that nobody waits for any more is given up after so long.
_SECONDS_TO_GO_ON = 5.0
#: How often a waiting thread looks up: on Windows, nothing else lets a Ctrl-C through.
_SECONDS_BETWEEN_LOOKS = 0.1
#: That a thread has ended is waited for so long.
_LOOKS_FOR_THE_END = 1000
_SECONDS_BETWEEN_LOOKS_FOR_THE_END = 0.001


@define(eq=False)
class _Job(Generic[T]):
    """Work under way.

    Args:
        lock: held by whoever looks at, or changes, what follows.
        result: what it made.
        error: why it did not.
        ended: whether it has ended.
        abandoned: whether nobody waits for it any more.
    """

    lock: threading.Lock = field(factory=threading.Lock)
    result: T | None = None
    error: BaseException | None = None
    ended: bool = False
    abandoned: bool = False

    def end(self) -> T | None:
        """Note that it has ended; gives what is to be undone, since nobody waits for it."""
        with self.lock:
            self.ended = True
            return self.result if self.abandoned else None

    def abandon(self) -> T | None:
        """Note that nobody waits for it any more; gives what is to be undone, if it has ended already."""
        with self.lock:
            self.abandoned = True
            return self.result if self.ended else None

    def outcome(self) -> T:
        """Return what it made, or raise why it did not."""
        if self.error is not None:
            try:
                raise self.error
            finally:
                # An error that refers to a frame that refers to it would stay until the collector comes by.
                self.error = None
        if self.result is None:
            raise RuntimeError("work that makes something has made None")
        return self.result


class AsyncCompletion(Generic[T]):
    """Does work that must not be broken off, for callers that may be.

    Args:
        undo: undoes what the work made; it lets nothing out.
    """

    def __init__(self, undo: Callable[[T], Coroutine[object, object, None]]) -> None:
        self._undo = undo
        self._left: dict[_Job[T], BackgroundTask] = {}

    @property
    def is_settled(self) -> bool:
        """Whether there is no work that nobody waits for."""
        return not self._left

    async def result_of(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Return what some work makes. It goes on when this is cancelled, but not for long, and is undone.

        Args:
            work: makes something, which is not None.
        """
        # Loaded on use: threads need no event loop.
        from srs_vsphere._concurrency.background import start_in_background

        job: _Job[T] = _Job()
        scope, ended = anyio.CancelScope(), anyio.Event()

        async def do() -> None:
            try:
                with scope:
                    job.result = await work()
            except BaseException as error:
                job.error = error
                if not isinstance(error, Exception):
                    raise
            finally:
                late = job.end()
                ended.set()
                if late is None:
                    self._left.pop(job, None)
            if late is not None:
                await self._finish(job, late)

        task = start_in_background(do)
        try:
            await ended.wait()
        except BaseException:
            late = job.abandon()
            if late is not None:
                self.undo_later(late)
            elif not job.ended:
                scope.deadline = anyio.current_time() + _SECONDS_TO_GO_ON
                self._left[job] = task
            raise
        return job.outcome()

    def undo_later(self, result: T) -> None:
        """Undo what some work made, without waiting for it.

        Args:
            result: what it made.
        """
        from srs_vsphere._concurrency.background import start_in_background

        job: _Job[T] = _Job()
        self._left[job] = start_in_background(lambda: self._finish(job, result))

    async def settle(self, seconds: float) -> None:
        """Wait until the work that nobody waits for has ended, and is undone.

        Args:
            seconds: how long, for each.
        """
        while self._left:
            job, task = next(iter(self._left.items()))
            with anyio.move_on_after(seconds):
                await task.wait()
            self._left.pop(job, None)

    async def _finish(self, job: _Job[T], result: T) -> None:
        try:
            await self._undo(result)
        finally:
            self._left.pop(job, None)


class Completion(Generic[T]):
    """Does work that must not be broken off, for the one thread that can be: by a Ctrl-C.

    Args:
        undo: undoes what the work made; it lets nothing out.
    """

    def __init__(self, undo: Callable[[T], None]) -> None:
        self._undo = undo
        self._left: dict[_Job[T], threading.Thread] = {}

    @property
    def is_settled(self) -> bool:
        """Whether there is no work that nobody waits for."""
        return not self._left

    def result_of(self, work: Callable[[], T]) -> T:
        """Return what some work makes. It goes on when this is interrupted, and is undone.

        Args:
            work: makes something, which is not None; it bounds itself.
        """
        if threading.current_thread() is not threading.main_thread():
            return work()
        job: _Job[T] = _Job()
        ended = threading.Event()
        stop = stopping.event()

        def do() -> None:
            try:
                with stopping.told_by(stop):
                    job.result = work()
            except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
                job.error = error
            late = job.end()
            ended.set()
            if late is not None:
                self._undo(late)
            self._left.pop(job, None)

        thread = self._thread(do)
        try:
            try:
                thread.start()
            except RuntimeError:
                # None begins any more while the interpreter ends.
                do()
            while not ended.wait(_SECONDS_BETWEEN_LOOKS):
                pass
            if thread.ident is not None:
                # A process that is forked right after should not have the thread still ending.
                thread.join()
                _await_end(thread)
        except BaseException:
            self._left[job] = thread
            late = job.abandon()
            if late is not None:
                self.undo_later(late)
            if job.ended:
                self._left.pop(job, None)
            raise
        return job.outcome()

    def undo_later(self, result: T) -> None:
        """Undo what some work made, without waiting for it.

        Args:
            result: what it made.
        """
        job: _Job[T] = _Job()

        def do() -> None:
            self._undo(result)
            self._left.pop(job, None)

        self._left[job] = thread = self._thread(do)
        thread.start()

    def settle(self, seconds: float) -> None:
        """Wait until the work that nobody waits for has ended, and is undone.

        Args:
            seconds: how long, for each.
        """
        while self._left:
            job, thread = next(iter(self._left.items()))
            thread.join(seconds)
            self._left.pop(job, None)

    def _thread(self, do: Callable[[], None]) -> threading.Thread:
        context = contextvars.copy_context()
        return threading.Thread(target=context.run, args=(do,), name="srs_vsphere login", daemon=True)


def _await_end(thread: threading.Thread) -> None:
    """Wait until the system has no such thread any more, where it tells.

    Python calls it ended a moment earlier. A process that is forked in between inherits the locks of OpenSSL
    that the thread holds while it ends, and nobody releases them there.
    """
    known = f"/proc/self/task/{thread.native_id}"
    for _ in range(_LOOKS_FOR_THE_END):
        if not os.path.exists(known):  # noqa: PTH110 - nothing heavier is loaded for it
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS_FOR_THE_END)
