"""What is still to happen: events in the order of their time, carried out at the next look."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from attrs import define

from srs_vsphere.simulator.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS = 10_000_000


@define(eq=False)
class Event:
    """Something that is going to happen.

    Args:
        due: when, in seconds of the clock.
        action: what is done then.
        cancelled: whether it shall not happen after all.
        happened: whether it has happened.
    """

    due: float
    action: Callable[[], None]
    cancelled: bool = False
    happened: bool = False


class Agenda:
    """The events to come, and the moment that is being looked at.

    Nothing runs in the background: `catch_up` carries out what has become due since the last look, each
    event at its own moment, so the outcome does not depend on how often that is.

    Args:
        clock: where the time comes from.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.now: float = clock.seconds()
        self._start = _ticks(clock.now() - timedelta(seconds=self.now))
        #: Up to which moment is being caught up.
        self.present: float = self.now
        self._events: list[tuple[float, int, Event]] = []
        self._order = count()
        self._posted: deque[tuple[float, Callable[[], None]]] = deque()

    def catch_up(self) -> float:
        """Carry out all events that are due; one that raises stays, and is due again at the next look.

        Returns:
            The present moment, in seconds of the clock.

        Raises:
            ValueError: the clock has gone back.
        """
        present = self._clock.seconds()
        if present < self.present:
            raise ValueError(f"clock must not run backwards: it shows {present} s after {self.present} s")
        self.present = present
        while self._posted:
            moment, action = self._posted.popleft()
            self.at(max(moment, self.now), action)
        events = self._events
        while events and events[0][0] <= present:
            entry = heappop(events)
            event = entry[2]
            if event.cancelled:
                continue
            self.now = event.due
            try:
                event.action()
            except BaseException:
                heappush(events, entry)
                raise
            event.happened = True
        self.now = present
        return present

    def next_due(self) -> float | None:
        """Return when the next event is due, in seconds of the clock; None if nothing is to happen."""
        while self._events and self._events[0][2].cancelled:
            heappop(self._events)
        return self._events[0][0] if self._events else None

    def at(self, due: float, action: Callable[[], None]) -> Event:
        """Note an event.

        Args:
            due: when, in seconds of the clock.
            action: what to do then.

        Returns:
            The event, which can be cancelled.
        """
        event = Event(due, action)
        heappush(self._events, (due, next(self._order), event))
        return event

    def after(self, seconds: float, action: Callable[[], None]) -> Event:
        """Note an event some seconds from the moment that is being looked at.

        Args:
            seconds: how many.
            action: what to do then.

        Returns:
            The event, which can be cancelled.
        """
        return self.at(self.now + seconds, action)

    def post(self, action: Callable[[], None]) -> None:
        """Note something that has just happened elsewhere; this may be called in any thread.

        Args:
            action: what to do about it at the next look.
        """
        self._posted.append((self._clock.seconds(), action))

    def stamp(self, moment: float) -> str:
        """Return a moment as the service writes it: up to seven digits of a second, and an offset.

        Args:
            moment: in seconds of the clock.
        """
        seconds, fraction = divmod(self._start + round(moment * _TICKS), _TICKS)
        text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
        digits = f".{fraction:07d}".rstrip("0") if fraction else ""
        return f"{text}{digits}+00:00"

    def unix_milliseconds(self) -> int:
        """Return the moment that is being looked at as milliseconds since 1970."""
        return (self._start + round(self.now * _TICKS)) * 1000 // _TICKS


def _ticks(time: datetime) -> int:
    passed = time - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * _TICKS + passed.microseconds * 10
