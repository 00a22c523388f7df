"""What a server has seen of its clients, for tests that wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition

_REMEMBERED = 10_000


class Traffic:
    """Counts of connections and requests; read from any thread.

    Args:
        total: where everything is counted too, together with that of other hosts.

    Attributes:
        accepted: connections in all.
        open: connections now.
        seen: requests in all.
    """

    def __init__(self, *, total: Traffic | None = None) -> None:
        self._total = total
        self.accepted: int = 0
        self.open: int = 0
        self.seen: int = 0
        self._requests: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)
        self._changed = Condition()
        self._waiting = 0

    def __repr__(self) -> str:
        return f"Traffic(accepted={self.accepted}, open={self.open}, seen={self.seen})"

    @property
    def requests(self) -> tuple[tuple[str, str], ...]:
        """Method and path of the last ten thousand requests, oldest first."""
        return tuple((method, target.partition("?")[0]) for method, target in tuple(self._requests))

    def connected(self) -> None:
        """Count a connection that was accepted."""
        self.accepted += 1
        self.open += 1
        if self._total is not None:
            self._total.connected()
        self._tell()

    def disconnected(self) -> None:
        """Count a connection that is closed."""
        self.open -= 1
        if self._total is not None:
            self._total.disconnected()
        self._tell()

    def requested(self, method: str, target: str) -> None:
        """Count a request whose head has arrived.

        Args:
            method: its method.
            target: its path and query.
        """
        self.seen += 1
        self._requests.append((method, target))
        if self._total is not None:
            self._total.requested(method, target)
        self._tell()

    def wait(self, done: Callable[[Traffic], bool], timeout: float) -> None:
        """Block until something is true of these counts.

        Args:
            done: tells whether it is.
            timeout: seconds to wait at most.

        Raises:
            TimeoutError: it did not become true.
        """
        with self._changed:
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: done(self), timeout):
                    raise TimeoutError(f"waited {timeout} s in vain: {self!r}")
            finally:
                self._waiting -= 1

    def _tell(self) -> None:
        # Whoever begins to wait after this look sees the new counts at once.
        if self._waiting:
            with self._changed:
                self._changed.notify_all()
