"""Logins one after the other, so that a fleet that starts or comes back does not storm the sign-on server."""

from __future__ import annotations


class LoginPace:
    """Gives each login its time.

    Args:
        per_second: how many logins may begin in a second.
    """

    def __init__(self, per_second: float) -> None:
        self._between = 1.0 / per_second
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Take the next free time.

        Args:
            now: seconds on a monotonic clock.

        Returns:
            Seconds until then.
        """
        at = max(now, self._next)
        self._next = at + self._between
        return at - now
