"""Following a script while it runs: its state, and each record of its streams once."""

from __future__ import annotations

from collections import deque

from srs_vsphere._sync.poll import Poll
from srs_vsphere._sync.script_calls import ScriptCalls
from srs_vsphere._sync.session import Session
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.poll_schedule import Seen, seen_error, seen_execution
from srs_vsphere._service.stream_merge import StreamFollower
from srs_vsphere._service.stream_schedule import StreamSchedule, StreamsChoice, longest_delay
from srs_vsphere.errors import NotFoundError, SrsError
from srs_vsphere.models import ScriptExecution, StreamGap, StreamRecord, StreamType

#: The service writes a script's state, output and streams one after the other: this long after the end the
#: streams are whole.
_SECONDS_TO_SETTLE = 0.05


class ScriptWatch:
    """A script under observation until it has ended.

    Args:
        session: makes the calls.
        id: the script's id.
        timeout: seconds until it is given up; None for never.
        given: seconds that the caller gave, for errors; default the timeout.
        streams: how often its streams are read; default at every look.
        follower: what is known of its streams already; default nothing.
    """

    def __init__(
        self,
        session: Session,
        id: str,
        timeout: float | None,
        *,
        given: float | None = None,
        streams: StreamsChoice = True,
        follower: StreamFollower | None = None,
    ) -> None:
        #: How many streams the service did not have any more at the end.
        self.lost_streams = 0
        self.execution: ScriptExecution | None = None
        self._calls = ScriptCalls(session)
        self._id = id
        self._kinds = tuple(StreamType) if streams else ()
        self._clock = session.sender.clock
        self._follower = StreamFollower() if follower is None else follower
        self._schedule = StreamSchedule(streams)
        self._began = self._clock.now()
        self._poll = Poll(
            session,
            timeout,
            operation="script_executions.wait",
            what=f"script {id} did not end",
            ask=lambda within: self._calls.get(id, within),
            see=seen_execution,
            given=given,
            longest_delay=longest_delay(streams),
        )

    @property
    def last(self) -> ScriptExecution | None:
        """The script as it was last seen."""
        return self._poll.last

    def look(self) -> list[StreamRecord | StreamGap]:
        """Wait as long as is due, and look at the script once; `execution` is set once it has ended.

        Returns:
            What is new of its streams; the newest come with a later look, or with `finish`.

        Raises:
            WaitTimeoutError: the time is over.
            SrsError: asking makes no sense any more.
        """
        self.execution = self._poll.step()
        elapsed = self._clock.now() - self._began
        if self.execution is not None or not self._schedule.due(elapsed, self._poll.last):
            return []
        streams: dict[StreamType, list[StreamRecord] | None] = {}
        for stream in self._kinds:
            try:
                streams[stream] = self._calls.records(self._id, stream, self._poll.left())
            except SrsError as error:
                # In its first moments a script has no streams yet; and while it runs, there is a next look.
                if seen_error(error) is Seen.LASTING_ERROR:
                    raise
                streams[stream] = None
        told = self._follower.look(streams)
        self._schedule.read(elapsed, wrote=self._follower.wrote)
        return told

    def finish(self, within: float | None = None) -> list[StreamRecord | StreamGap]:
        """Look at the streams of a script that has ended for the last time.

        Args:
            within: seconds it may take.

        Returns:
            All that was not returned before; `lost_streams` tells how many streams are missing.

        Raises:
            SrsError: they cannot be had, so that it is unknown what is missing.
        """
        if not self._kinds:
            return []
        deadline = Deadline(within, self._clock.now)
        self._clock.sleep(_SECONDS_TO_SETTLE)
        streams: dict[StreamType, list[StreamRecord] | None] = {}
        lost = 0
        for stream in self._kinds:
            try:
                streams[stream] = self._calls.records(self._id, stream, deadline.left())
            except NotFoundError:
                # How it ended is known: that its history was pruned just now changes nothing about that.
                streams[stream] = None
                lost += 1
        self.lost_streams = lost
        return [*self._follower.look(streams), *self.give_up()]

    def give_up(self) -> list[StreamRecord | StreamGap]:
        """Return what was seen of the streams and held back so far."""
        return self._follower.finish()


class ScriptRecords:
    """An iterator of what a script writes to its streams, from their beginning to the script's end."""

    def __init__(self, session: Session, id: str, timeout: float | None) -> None:
        self._watch = ScriptWatch(session, id, timeout)
        self._ready: deque[StreamRecord | StreamGap] = deque()
        self._done = False

    def __iter__(self) -> ScriptRecords:
        return self

    def __next__(self) -> StreamRecord | StreamGap:
        while not self._ready:
            if self._done:
                raise StopIteration
            # Whoever is canceled in here may ask again: nothing is marked as read before it was.
            if self._watch.execution is None:
                self._ready.extend(self._watch.look())
            else:
                self._ready.extend(self._watch.finish())
                self._done = True
        return self._ready.popleft()
