"""A program's ``on_retry``: awaited by the async client, called by the sync one; what it raises is logged."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable

from srs_vsphere.retry import RetryEvent

_log = logging.getLogger("srs_vsphere")


class AsyncRetryHook:
    """An ``on_retry`` of the async client.

    Args:
        hook: a function, or a coroutine function, which is awaited.
    """

    def __init__(self, hook: Callable[[RetryEvent], object]) -> None:
        self._hook = hook

    async def tell(self, event: RetryEvent) -> None:
        """Call the hook; what it raises is logged.

        Args:
            event: what it is told.
        """
        try:
            result = self._hook(event)
            if inspect.isawaitable(result):
                await result
        except Exception:  # noqa: BLE001 - it may raise anything, and the call must go on
            _log.exception("on_retry raised; the call goes on")


class RetryHook:
    """An ``on_retry`` of the sync client.

    Args:
        hook: a function.

    Raises:
        TypeError: it is a coroutine function, which nobody could await.
    """

    def __init__(self, hook: Callable[[RetryEvent], object]) -> None:
        if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(type(hook).__call__):
            raise TypeError("on_retry must be a plain function, not async: the sync client cannot await it")
        self._hook = hook

    def tell(self, event: RetryEvent) -> None:
        """Call the hook; what it raises is logged.

        Args:
            event: what it is told.
        """
        try:
            result = self._hook(event)
            if inspect.iscoroutine(result):
                result.close()
                _log.error("on_retry returned a coroutine, which the sync client cannot await")
        except Exception:  # noqa: BLE001 - it may raise anything, and the call must go on
            _log.exception("on_retry raised; the call goes on")
