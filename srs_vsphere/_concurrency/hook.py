"""A program's own function that is told of something: awaited by the async client, called by the sync one."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from srs_vsphere.errors import InvalidArgumentTypeError

T = TypeVar("T")

_log = logging.getLogger("srs_vsphere")


class AsyncHook(Generic[T]):
    """A function of a program that uses the async client; what it raises is logged.

    Args:
        name: the argument that it was given as.
        function: the function, or a coroutine function, which is awaited.
    """

    def __init__(self, name: str, function: Callable[[T], object]) -> None:
        self._name = name
        self._function = function

    async def tell(self, event: T) -> None:
        """Call the function."""
        try:
            result = self._function(event)
            if inspect.isawaitable(result):
                await result
        except Exception:  # noqa: BLE001 - it may raise anything, and the call must go on
            _log.exception("%s raised; the call goes on", self._name)


class Hook(Generic[T]):
    """A function of a program that uses the sync client; what it raises is logged.

    Args:
        name: the argument that it was given as.
        function: the function.

    Raises:
        InvalidArgumentTypeError: it is a coroutine function, which nobody could await.
    """

    def __init__(self, name: str, function: Callable[[T], object]) -> None:
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
            raise InvalidArgumentTypeError(
                f"{name} must be a plain function, not async: the sync client cannot await it"
            )
        self._name = name
        self._function = function

    def tell(self, event: T) -> None:
        """Call the function."""
        try:
            result = self._function(event)
            if inspect.iscoroutine(result):
                result.close()
                _log.error("%s returned a coroutine, which the sync client cannot await", self._name)
        except Exception:  # noqa: BLE001 - it may raise anything, and the call must go on
            _log.exception("%s raised; the call goes on", self._name)
