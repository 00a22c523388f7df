"""A program's ``on_retry`` or ``on_event``: awaited by the async client; what it raises is logged."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

_log = logging.getLogger("srs_vsphere")

T = TypeVar("T")


class AsyncEventHook(Generic[T]):
    """A hook of the async client.

    Args:
        argument: the client's argument that it was given as.
        hook: a function, or a coroutine function, which is awaited.
    """

    def __init__(self, argument: str, hook: Callable[[T], object]) -> None:
        self._argument = argument
        self._hook = hook

    async def tell(self, event: T) -> None:
        """Call the hook; what it raises is logged.

        Args:
            event: what it is told.
        """
        try:
            result = self._hook(event)
            if inspect.isawaitable(result):
                await result
        except Exception:  # noqa: BLE001 - it may raise anything, and the call must go on
            _log.exception("%s raised; the call goes on", self._argument)


class EventHook(Generic[T]):
    """A hook of the sync client.

    Args:
        argument: the client's argument that it was given as.
        hook: a function.

    Raises:
        TypeError: it is a coroutine function, which nobody could await.
    """

    def __init__(self, argument: str, hook: Callable[[T], object]) -> None:
        if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(type(hook).__call__):
            raise TypeError(
                f"{argument} must be a plain function, not async: the sync client cannot await it"
            )
        self._argument = argument
        self._hook = hook

    def tell(self, event: T) -> None:
        """Call the hook; what it raises is logged.

        Args:
            event: what it is told.
        """
        try:
            result = self._hook(event)
            if inspect.iscoroutine(result):
                result.close()
                _log.error("%s returned a coroutine, which the sync client cannot await", self._argument)
        except Exception:  # noqa: BLE001 - it may raise anything, and the call must go on
            _log.exception("%s raised; the call goes on", self._argument)
