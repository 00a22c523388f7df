"""A socket to one of a name's addresses: the next is tried when one is slow (RFC 8305, happy eyeballs).

asyncio has the same behind ``happy_eyeballs_delay``, but there (CPython 3.11) an attempt that is cancelled
starts the next one, whose socket then belongs to nobody.
"""

from __future__ import annotations

import itertools
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

NEXT_AFTER: Final = 0.25
"""Seconds that one address is tried alone before the next is tried beside it."""

#: An address as a socket of its family takes it.
Place = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


async def dial(host: str, port: int) -> socket.socket:
    """Connect to a host.

    Args:
        host: its name or address.
        port: its port.

    Returns:
        A connected socket that does not block.

    Raises:
        OSError: the name is unknown, or none of its addresses answers; the first address's error.
    """
    # Loaded on use: a blocking client needs the rest of this module only.
    import asyncio

    loop = asyncio.get_running_loop()
    places = literal_places(host, port)
    if not places:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        places = alternating([(family, address) for family, _, _, _, address in found])
    if len(places) == 1:
        return await _connect(places[0])
    errors: list[OSError] = []
    trying: set[asyncio.Task[socket.socket]] = set()
    try:
        while places or trying:
            if places:
                trying.add(loop.create_task(_connect(places.pop(0))))
            done, trying = await asyncio.wait(
                trying, timeout=NEXT_AFTER if places else None, return_when=asyncio.FIRST_COMPLETED
            )
            won: socket.socket | None = None
            for task in done:
                error = task.exception()
                if error is None and won is None:
                    won = task.result()
                elif isinstance(error, OSError):
                    errors.append(error)
                else:
                    _hang_up(task)
            if won is not None:
                return won
    finally:
        for task in trying:
            task.cancel()
            task.add_done_callback(_hang_up)
    raise errors[0] if errors else OSError("the name has no address")


async def _connect(place: Place) -> socket.socket:
    import asyncio

    family, address = place
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def literal_places(host: str, port: int) -> list[Place]:
    """The place itself, if the host is an address and need not be looked up in a thread."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port))]
    return []


def alternating(places: list[Place]) -> list[Place]:
    """The resolver's order, but no family twice in a row as long as there is another."""
    families = dict.fromkeys(family for family, _ in places)
    columns = [[place for place in places if place[0] == family] for family in families]
    return [place for row in itertools.zip_longest(*columns) for place in row if place is not None]


def _hang_up(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
