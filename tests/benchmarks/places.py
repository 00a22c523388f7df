"""Where contenders poll, and what they send."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from attrs import define

from tests.benchmarks.generated import Peers

Poll: TypeAlias = Callable[[], Awaitable["list[Any] | None"]]

PATH = "/api/runspaces"
KEY = "benchmark"
KEY_HEADER = {"X-SRS-API-KEY": KEY}
#: Longer than a contender waits for its next turn.
KEEP_ALIVE = 120.0


@define
class Places:
    """Where to poll.

    Args:
        ports: of the hosts, on loopback.
        at_once: how many requests are made at once.
        ca_file: the certificate to trust; None for plain HTTP.
        peers: the generated clients.
    """

    ports: list[int]
    at_once: int
    ca_file: str | None
    peers: Peers

    @property
    def urls(self) -> list[str]:
        """The hosts' URLs."""
        scheme = "http" if self.ca_file is None else "https"
        return [f"{scheme}://127.0.0.1:{port}" for port in self.ports]

    @property
    def connections(self) -> int:
        """How many connections a client of one host may open."""
        return self.at_once if len(self.ports) == 1 else 20

    def everywhere(self, polls: list[Poll]) -> list[Poll]:
        """Return a function for each place; one host is polled from several places at once."""
        return polls if len(polls) > 1 else polls * self.at_once

    def context(self) -> ssl.SSLContext | None:
        """Return a client's context for TLS."""
        return None if self.ca_file is None else ssl.create_default_context(cafile=self.ca_file)


def written(port: int) -> bytes:
    """Return the request as it goes over the wire."""
    return f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-SRS-API-KEY: {KEY}\r\n\r\n".encode()
