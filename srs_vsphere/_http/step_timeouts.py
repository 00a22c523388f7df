"""How long a request may wait."""

from __future__ import annotations

from typing import NamedTuple


class StepTimeouts(NamedTuple):
    """How long each step may take, in seconds; None is for ever.

    Args:
        connect: until the connection stands, TLS included.
        read: until the next bytes of the answer.
        write: until the next bytes of the request are taken.
        pool: until a connection is free.
        total: for sending the request and reading what is waited for of the response, all together.
    """

    connect: float | None = None
    read: float | None = None
    write: float | None = None
    pool: float | None = None
    total: float | None = None
