"""A socket to one of a name's addresses: the next is tried when one is slow (RFC 8305, happy eyeballs).

asyncio has the same behind ``happy_eyeballs_delay``, but there (CPython 3.11) an attempt that is cancelled
starts the next one, whose socket then belongs to nobody.
"""

from __future__ import annotations

import asyncio
import socket

from srs_vsphere._http.name_lookup import NEXT_AFTER, Place, async_look_up


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
    loop = asyncio.get_running_loop()
    places = await async_look_up(host, port)
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
    family, address = place
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _hang_up(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
