"""A socket to one of a name's addresses, for a thread: the next is tried when one is slow (RFC 8305)."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from typing import Final, cast

from srs_vsphere._http.name_lookup import NEXT_AFTER, Place, look_up

_LONGEST_WAIT: Final = 86_400.0
_BEGUN: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})


def dial_blocking(host: str, port: int, end: float) -> socket.socket:
    """Connect to a host.

    Args:
        host: its name or address.
        port: its port.
        end: when it must be done, on `time.monotonic`.

    Returns:
        A connected socket that does not block.

    Raises:
        TimeoutError: the time is over.
        OSError: the name is unknown, or none of its addresses answers; the first address's error.
    """
    places = look_up(host, port, end - time.monotonic())
    errors: list[OSError] = []
    with selectors.DefaultSelector() as selector:
        try:
            while places or selector.get_map():
                if places:
                    _begin(places.pop(0), selector, errors)
                left = min(end - time.monotonic(), NEXT_AFTER if places else _LONGEST_WAIT)
                if left <= 0:
                    raise TimeoutError
                # Windows refuses to wait for no socket at all.
                for key, _ in selector.select(left) if selector.get_map() else ():
                    sock = cast("socket.socket", key.fileobj)
                    selector.unregister(sock)
                    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not number:
                        return sock
                    sock.close()
                    errors.append(_error(number, key.data))
        finally:
            for key in list(selector.get_map().values()):
                cast("socket.socket", key.fileobj).close()
    raise errors[0] if errors else OSError("the name has no address")


def _begin(place: Place, selector: selectors.BaseSelector, errors: list[OSError]) -> None:
    family, address = place
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        errors.append(error)
        return
    sock.setblocking(False)
    number = sock.connect_ex(address)
    if number in _BEGUN:
        selector.register(sock, selectors.EVENT_WRITE, address)
    else:
        sock.close()
        errors.append(_error(number, address))


def _error(number: int, address: object) -> OSError:
    # Not the system's own words for it: on Windows it has none for a socket's errors.
    return OSError(number, f"Connect call failed {address}")
