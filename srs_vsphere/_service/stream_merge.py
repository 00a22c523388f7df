"""Following a running script's streams: many polls of the newest records become each record once, in order.

A poll of a stream returns its newest 50 records. Two polls are joined where the end of the earlier one and
the beginning of the later one are the same, as far as possible, since equal messages at equal times occur.

The five streams are not looked at in one instant: a record of one may show up a poll later than a younger
one of another. So a record is held back until every stream was looked at again after it was seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from attrs import evolve, field, frozen, mutable

from srs_vsphere.models.stream_record import StreamGap, StreamRecord, StreamType

#: The service keeps so many records of each stream.
WINDOW = 50

Followed: TypeAlias = StreamRecord | StreamGap

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@frozen
class _Held:
    """A record or gap with the time by which it is ordered."""

    time: datetime
    item: Followed


@mutable
class _Stream:
    """What is known of one stream."""

    kind: StreamType
    #: The last poll.
    window: list[StreamRecord] = field(factory=list[StreamRecord])
    #: Time of the newest record; a record without a time, or with an earlier one, counts as just as new.
    newest: datetime = _BEGINNING

    def look(self, window: Sequence[StreamRecord]) -> list[_Held]:
        new, gap = _joined(self.window, window)
        if new:
            self.window = list(window)
        held: list[_Held] = []
        for record in new:
            self.newest = max(self.newest, record.time or _BEGINNING)
            if gap:
                # Fifty records after fifty others may have had more between them; their number is unknown.
                held.append(_Held(self.newest, StreamGap(self.kind, 1, record.time)))
                gap = False
            held.append(_Held(self.newest, evolve(record, stream=self.kind)))
        return held


class StreamFollower:
    """Joins the polls of the five streams of one script."""

    def __init__(self) -> None:
        self._streams = {kind: _Stream(kind) for kind in StreamType}
        self._held: list[_Held] = []
        self._horizon = _BEGINNING
        #: Whether the last poll showed something new.
        self.wrote: bool = False

    def look(self, windows: Mapping[StreamType, Sequence[StreamRecord] | None]) -> list[Followed]:
        """Take the records of one poll.

        Args:
            windows: the newest records of each stream, oldest first; None, or no entry, for a stream that
                could not be looked at.

        Returns:
            Records that were not returned before, and gaps, in order of time; the newest are held back.
        """
        new = [
            held for kind, stream in self._streams.items() for held in stream.look(windows.get(kind) or ())
        ]
        self.wrote = bool(new)
        self._held += new
        if any(windows.get(kind) is None for kind in StreamType):
            return []
        # What was seen at the last full poll, every stream has been polled since.
        released = self._release(self._horizon)
        self._horizon = max(stream.newest for stream in self._streams.values())
        return released

    def finish(self) -> list[Followed]:
        """Return what is held back; to be called after the last poll of a script that has ended."""
        return self._release(datetime.max.replace(tzinfo=UTC))

    def _release(self, horizon: datetime) -> list[Followed]:
        ready = [held for held in self._held if held.time <= horizon]
        self._held = [held for held in self._held if held.time > horizon]
        # Sorting is stable: within a stream the order of the service stays.
        return [held.item for held in sorted(ready, key=lambda held: held.time)]


def _joined(before: list[StreamRecord], window: Sequence[StreamRecord]) -> tuple[list[StreamRecord], bool]:
    """Find what is new in a poll.

    Args:
        before: the records of the poll before.
        window: the records of this poll.

    Returns:
        The new records, and whether some before them may be missing.
    """
    known, seen = [_key(record) for record in before], [_key(record) for record in window]
    # The service may forget what it has shown, and then shows less or nothing: that is nothing new.
    if len(seen) < len(known):
        return [], False
    if len(seen) < WINDOW and seen[: len(known)] == known:
        return list(window[len(known) :]), False
    for overlap in range(len(known), 0, -1):
        if known[-overlap:] == seen[:overlap]:
            return list(window[overlap:]), False
    return list(window), len(seen) >= WINDOW


def _key(record: StreamRecord) -> tuple[str, datetime | None]:
    return record.message, record.time
