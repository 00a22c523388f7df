"""Work that goes on when waiting for it is interrupted, so that what it made can be undone."""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio

from srs_vsphere._concurrency import stopping

if TYPE_CHECKING:
    from srs_vsphere._concurrency.background import BackgroundTask

T = TypeVar("T")

#: Work that was interrupted is given up after so long.
_SECONDS_TO_GO_ON = 5.0
#: How often a waiting thread looks up: on Windows, nothing else lets a Ctrl-C through.
_SECONDS_BETWEEN_LOOKS = 0.1
#: That a thread has ended is waited for so long.
_LOOKS_FOR_THE_END = 1000
_SECONDS_BETWEEN_LOOKS_FOR_THE_END = 0.001


class AsyncCompletion(Generic[T]):
    """Does work that must not be broken off, for callers that may be.

    Args:
        undo: undoes what the work made; it lets nothing out.
    """

    def __init__(self, undo: Callable[[T], Coroutine[object, object, None]]) -> None:
        self._undo = undo
        self._left: set[BackgroundTask] = set()

    @property
    def is_settled(self) -> bool:
        """Whether all work that was interrupted has ended."""
        return all(task.ended for task in self._left)

    async def result_of(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Return what some work makes. It goes on when this is cancelled, but not for long, and is undone."""
        # Loaded on use: threads need no event loop.
        from srs_vsphere._concurrency.background import start_in_background

        future: Future[T] = Future()
        scope, ended = anyio.CancelScope(), anyio.Event()

        async def do(future: Future[T]) -> None:
            try:
                with scope:
                    future.set_result(await work())
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            finally:
                del future
                ended.set()

        task = start_in_background(partial(do, future))
        try:
            await ended.wait()
            return future.result()
        except BaseException:
            if not future.done():
                scope.deadline = anyio.current_time() + _SECONDS_TO_GO_ON
                self._add(task)
            _once_made(future, self.undo_later)
            raise
        finally:
            # An error that refers to a frame that refers to it would stay until the collector comes by.
            del future

    def undo_later(self, result: T) -> None:
        """Undo what some work made, without waiting for it."""
        from srs_vsphere._concurrency.background import start_in_background

        self._add(start_in_background(lambda: self._undo(result)))

    async def settle(self, seconds: float) -> None:
        """Wait until the work that was interrupted has ended, and is undone.

        Args:
            seconds: how long, for each.
        """
        while self._left:
            task = next(iter(self._left))
            with anyio.move_on_after(seconds):
                await task.wait()
            self._left.discard(task)

    def _add(self, task: BackgroundTask) -> None:
        self._left = {task, *(other for other in self._left.copy() if not other.ended)}


class Completion(Generic[T]):
    """Does work that must not be broken off, for the one thread that can be: by a Ctrl-C.

    Args:
        undo: undoes what the work made; it lets nothing out.
    """

    def __init__(self, undo: Callable[[T], None]) -> None:
        self._undo = undo
        self._left: set[threading.Thread] = set()

    @property
    def is_settled(self) -> bool:
        """Whether all work that was interrupted has ended."""
        return not any(thread.is_alive() for thread in self._left)

    def result_of(self, work: Callable[[], T]) -> T:
        """Return what some work makes. It goes on when this is interrupted, and is undone.

        Args:
            work: makes something; it bounds itself.
        """
        if threading.current_thread() is not threading.main_thread():
            return work()
        future: Future[T] = Future()
        stop = stopping.event()

        def do(future: Future[T]) -> None:
            try:
                # False if whoever waits was interrupted before it began.
                if future.set_running_or_notify_cancel():
                    with stopping.told_by(stop):
                        future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
                future.set_exception(error)
            finally:
                del future

        thread = _thread(partial(do, future))
        try:
            try:
                thread.start()
            except RuntimeError:
                # None begins any more while the interpreter ends.
                do(future)
            while not future.done():
                with suppress(TimeoutError):
                    future.exception(_SECONDS_BETWEEN_LOOKS)
            if thread.ident is not None:
                # A process that is forked right after should not have the thread still ending.
                thread.join()
                _await_end(thread)
            return future.result()
        except BaseException:
            if not future.cancel():
                if not future.done():
                    self._add(thread)
                _once_made(future, self.undo_later)
            raise
        finally:
            # An error that refers to a frame that refers to it would stay until the collector comes by.
            del future

    def undo_later(self, result: T) -> None:
        """Undo what some work made, without waiting for it."""
        thread = _thread(lambda: self._undo(result))
        thread.start()
        self._add(thread)

    def settle(self, seconds: float) -> None:
        """Wait until the work that was interrupted has ended, and is undone.

        Args:
            seconds: how long, for each.
        """
        while self._left:
            thread = next(iter(self._left))
            thread.join(seconds)
            self._left.discard(thread)

    def _add(self, thread: threading.Thread) -> None:
        self._left = {thread, *(other for other in self._left.copy() if other.is_alive())}


def _once_made(future: Future[T], then: Callable[[T], None]) -> None:
    def look(future: Future[T]) -> None:
        if future.exception() is None:
            then(future.result())

    future.add_done_callback(look)


def _thread(do: Callable[[], None]) -> threading.Thread:
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
