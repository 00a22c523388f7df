"""Tracebacks without the frames whose variables hold a request, and with it the API key and the script."""

from __future__ import annotations

from types import TracebackType
from typing import cast

_LIBRARIES = frozenset(
    {
        *("httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "hpack", "socksio"),
        *("anyio", "asyncio", "uvloop", "trio", "ssl", "contextlib", "srs_vsphere"),
    }
)


def hide_requests(error: BaseException) -> None:
    """Take the frames of the HTTP libraries and of this package out of an exception, and of those behind it.

    What is left is the program's own: its transport, its event hook.
    """
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        found = left.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        found.__traceback__ = _own_frames(found.__traceback__)
        left += [found.__cause__, found.__context__]
        if isinstance(found, BaseExceptionGroup):
            left += cast("BaseExceptionGroup[BaseException]", found).exceptions


def _own_frames(traceback: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _LIBRARIES:
            kept.append(traceback)
        traceback = traceback.tb_next
    following = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following
