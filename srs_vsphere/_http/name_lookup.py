"""Where a host is, looked up in a thread that nobody has to wait for: the system's lookup cannot be stopped.

Each lookup has a thread of its own. In a pool, a few names that are not resolved would stop all others; and
an interpreter that ends does not wait for a daemon thread.
"""

from __future__ import annotations

import itertools
import socket
import threading
from concurrent.futures import Future
from typing import Final

NEXT_AFTER: Final = 0.25
"""Seconds that one address is tried alone before the next is tried beside it."""

#: An address as a socket of its family takes it.
Place = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


def look_up(host: str, port: int, timeout: float) -> list[Place]:
    """Look up where a host is, and wait for it.

    Args:
        host: its name or address.
        port: its port.
        timeout: seconds to wait.

    Returns:
        Its addresses, in the order in which they are to be tried.

    Raises:
        TimeoutError: the time is over; the lookup goes on, and comes to nothing.
        OSError: the name is unknown.
        UnicodeError: it is no name.
    """
    future, thread = _begin(host, port)
    if thread is not None:
        # Not for the future: a process that is forked right after should not have the thread still ending.
        thread.join(min(timeout, threading.TIMEOUT_MAX))
        if not future.done():
            raise TimeoutError
    return future.result()


async def async_look_up(host: str, port: int) -> list[Place]:
    """Look up where a host is in asyncio, where waiting for it can be cancelled at once; see `look_up`."""
    future, _ = _begin(host, port)
    if future.done():
        return future.result()
    # Loaded on use: threads have no need of it.
    from asyncio import wrap_future

    return await wrap_future(future)


def _begin(host: str, port: int) -> tuple[Future[list[Place]], threading.Thread | None]:
    future: Future[list[Place]] = Future()
    places = _literal_places(host, port)
    if places:
        future.set_result(places)
        return future, None
    thread = threading.Thread(target=_look_up, args=(host, port, future), name="srs name lookup", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # None begins any more while the interpreter ends.
        _look_up(host, port, future)
        return future, None
    return future, thread


def _look_up(host: str, port: int, future: Future[list[Place]]) -> None:
    found: list[Place] = []
    failure: BaseException | None = None
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = _alternating([(family, address) for family, _, _, _, address in resolved])
    except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
        failure = error
    # False if it was cancelled meanwhile.
    if not future.set_running_or_notify_cancel():
        return
    if failure is None:
        future.set_result(found)
    else:
        future.set_exception(failure.with_traceback(None))


def _literal_places(host: str, port: int) -> list[Place]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port))]
    return []


def _alternating(places: list[Place]) -> list[Place]:
    """Keep the resolver's order, but take no family twice in a row as long as there is another."""
    families = dict.fromkeys(family for family, _ in places)
    columns = [[place for place in places if place[0] == family] for family in families]
    return [place for row in itertools.zip_longest(*columns) for place in row if place is not None]
