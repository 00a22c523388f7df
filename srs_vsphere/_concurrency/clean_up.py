"""Clean-up on the way out: bounded in time; an error in it is logged, not raised.

No cancellation reaches it, neither anyio's nor plain asyncio's, nor does the first Ctrl-C. What came in the
meantime goes on afterwards.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

import anyio
from attrs import frozen

from srs_vsphere._concurrency import stopping

T = TypeVar("T")

_log = logging.getLogger("srs_vsphere")

_TOO_LATE = "the service did not respond in time"
#: What is cancelled because its time is over is waited for so long, and then left alone.
_SECONDS_TO_GIVE_UP = 1.0
#: Work that a Ctrl-C broke into is tried once more, for so long.
_SECONDS_AFTER_INTERRUPT = 5.0


@frozen
class _Try(Generic[T]):
    """How one try ended.

    Args:
        result: what the work returned.
        problem: why it did not, if it did not.
        interrupt: what broke into it, or came while it went on.
        again: whether it is worth another try.
    """

    result: T | None = None
    problem: str | None = None
    interrupt: BaseException | None = None
    again: bool = False


async def async_clean_up(
    work: Callable[[], Coroutine[object, object, T]], *, seconds: float, left: str
) -> T | None:
    """Do what can be done on the way out.

    Args:
        work: does it; it is called a second time if something breaks into the first.
        seconds: how long it may take.
        left: what the log says is left if it fails.

    Returns:
        What `work` returned; None if it failed, which is logged.

    Raises:
        BaseException: a cancellation or a Ctrl-C that came in the meantime.
    """
    attempt = _in_asyncio if _is_asyncio() else _in_trio
    tried = await attempt(work, seconds)
    interrupt = tried.interrupt
    if tried.again:
        tried = await attempt(work, min(seconds, _SECONDS_AFTER_INTERRUPT))
        interrupt = interrupt or tried.interrupt
    return _ended(tried, interrupt, left)


def clean_up(work: Callable[[], T], *, seconds: float, left: str) -> T | None:
    """Do what can be done on the way out.

    Args:
        work: does it; it is called a second time if something breaks into the first. A thread cannot be
            cancelled: it bounds itself.
        seconds: how long it may take.
        left: what the log says is left if it fails.

    Returns:
        What `work` returned; None if it failed, which is logged.

    Raises:
        BaseException: a Ctrl-C that came in the meantime.
    """
    del seconds
    with stopping.out_of_reach():
        tried = _in_thread(work)
        interrupt = tried.interrupt
        if tried.again:
            tried = _in_thread(work)
    return _ended(tried, interrupt or tried.interrupt, left)


def _ended(tried: _Try[T], interrupt: BaseException | None, left: str) -> T | None:
    if tried.problem is not None:
        _log.warning("%s: %s", left, tried.problem)
    if interrupt is not None:
        raise interrupt
    return tried.result


def _is_asyncio() -> bool:
    # Loaded on use: threads need no event loop.
    import asyncio

    try:
        # Trio may run as a guest in a loop of asyncio: then there is a loop, but no task.
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


async def _in_asyncio(work: Callable[[], Coroutine[object, object, T]], seconds: float) -> _Try[T]:
    # Whoever cancels a task of asyncio reaches what it awaits, shielded or not. So the work is a task of its
    # own, and this one waits for its end whatever comes.
    import asyncio

    task = asyncio.get_running_loop().create_task(work())
    interrupt: BaseException | None = None
    ends, overdue = time.monotonic() + seconds, False
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait({task}, timeout=max(0.0, ends - time.monotonic()))
            except asyncio.CancelledError as error:
                interrupt = error
                continue
            if time.monotonic() >= ends and not task.done():
                if overdue:
                    break
                task.cancel()
                ends, overdue = time.monotonic() + _SECONDS_TO_GIVE_UP, True
    if overdue or not task.done():
        return _Try(problem=_TOO_LATE, interrupt=interrupt)
    if task.cancelled():
        # As by a loop that ends and cancels all tasks that it finds.
        return _Try(problem="it was cancelled", interrupt=interrupt, again=True)
    problem = task.exception()
    if problem is None:
        return _Try(task.result(), interrupt=interrupt)
    if isinstance(problem, Exception):
        return _Try(problem=_words(problem), interrupt=interrupt)
    return _Try(problem=_words(problem), interrupt=problem, again=True)


async def _in_trio(work: Callable[[], Coroutine[object, object, T]], seconds: float) -> _Try[T]:
    try:
        with anyio.move_on_after(seconds, shield=True):
            return _Try(await work())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is logged
        return _Try(problem=_words(error))
    except BaseException as error:  # noqa: BLE001 - it is raised again after the second try
        return _Try(problem=_words(error), interrupt=error, again=True)
    return _Try(problem=_TOO_LATE)


def _in_thread(work: Callable[[], T]) -> _Try[T]:
    try:
        return _Try(work())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is logged
        return _Try(problem=_words(error))
    except BaseException as error:  # noqa: BLE001 - it is raised again after the second try
        return _Try(problem=_words(error), interrupt=error, again=True)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
