"""Clocks: where a simulator gets its time from. It never asks the machine itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol, runtime_checkable

from srs_vsphere.simulator.checks import check_seconds


@runtime_checkable
class Clock(Protocol):
    """What a simulator asks for the time."""

    def now(self) -> datetime:
        """Return the date and time, with a time zone."""
        ...

    def seconds(self) -> float:
        """Return a count of seconds that never goes back; where it begins does not matter."""
        ...


_END = datetime.max.replace(tzinfo=UTC)


class VirtualClock:
    """A clock that stands still until it is moved: thirty minutes pass in no time.

    With ``auto`` the simulator moves it itself whenever a client waits: asked for a runspace, a web console
    or a script that is not done yet, it lets the time pass until that has changed, so that no client need
    wait for it in real time.

    Args:
        start: the time it shows first, with a time zone.
        auto: whether it moves when a client waits. Default: only `advance` moves it.

    Raises:
        ValueError: the start has no time zone.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, auto: bool = False) -> None:
        if not isinstance(start, datetime):
            raise TypeError(f"start must be a datetime, not {type(start).__name__}")
        if start.tzinfo is None:
            raise ValueError("start must have a time zone")
        self.auto = auto
        self._start = start
        self._seconds = 0.0
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the date and time, with a time zone."""
        return self._start + timedelta(seconds=self._seconds)

    def seconds(self) -> float:
        """Return the seconds since the start."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Args:
            seconds: how much; zero or more.

        Raises:
            TypeError: it is no number.
            ValueError: time would go back, or on beyond the year 9999.
        """
        check_seconds("seconds", seconds)
        with self._lock:
            if not self.reaches(self._seconds + seconds):
                raise ValueError(f"seconds must not lead beyond the year 9999: {seconds!r}")
            self._seconds += seconds

    def reaches(self, seconds: float) -> bool:
        """Tell whether there is such a moment, before the end of the year 9999.

        Args:
            seconds: the moment, in seconds since the start.
        """
        return seconds <= (_END - self._start).total_seconds()

    def move_to(self, seconds: float) -> None:
        """Let time pass up to a moment; one that has passed already changes nothing.

        Args:
            seconds: the moment, in seconds since the start.
        """
        with self._lock:
            self._seconds = max(self._seconds, seconds)

    def __repr__(self) -> str:
        return f"VirtualClock({self.now().isoformat()})"


class SystemClock:
    """The machine's own time, sped up if wanted.

    Args:
        speed: how many simulated seconds pass in one real second.

    Raises:
        ValueError: the speed is not positive.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"speed must be a positive number, not {speed!r}")
        self._speed = speed
        self._start = datetime.now(UTC)
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """Return the date and time, with a time zone."""
        return self._start + timedelta(seconds=self.seconds())

    def seconds(self) -> float:
        """Return the simulated seconds since this clock was made."""
        return (time.monotonic() - self._origin) * self._speed

    def __repr__(self) -> str:
        return f"SystemClock(speed={self._speed})"
