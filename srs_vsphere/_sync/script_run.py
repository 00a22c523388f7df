"""A script that was started, and what is known of it so far."""

from __future__ import annotations

from attrs import Factory, define, field

from srs_vsphere._concurrency.hook import Hook
from srs_vsphere._service.deadline import Deadline
from srs_vsphere._service.script_output import OutputReader
from srs_vsphere._service.stream_merge import StreamFollower
from srs_vsphere._service.stream_schedule import StreamsChoice
from srs_vsphere.models import ScriptExecution, StreamGap, StreamRecord
from srs_vsphere.results import ScriptResult


def _id_of(run: ScriptRun) -> str:
    return run.execution.id


@define(eq=False)
class ScriptRun:
    """A script that was started, and what is known of it so far.

    Args:
        execution: the script as it was last seen.
        reader: reads its output.
        deadline: when all of it must have ended.
        name: its name, None if it is not known.
        script: the user's script, None if it is not known.
        runspace_id: where it runs, None if it is not known.
        values_of: the name of the run, by which the rest of its values can be asked for there.
        streams: how often its streams are read.
        on_record: told of each record.
        result: what came of it, once that was collected.
    """

    execution: ScriptExecution
    reader: OutputReader
    deadline: Deadline
    name: str | None = None
    script: str | None = field(default=None, repr=False)
    runspace_id: str | None = None
    values_of: str | None = None
    streams: StreamsChoice = True
    on_record: Hook[StreamRecord] | None = None
    result: ScriptResult[object] | None = None
    #: Kept, for a record that the service lost has no id any more.
    id: str = field(init=False, default=Factory(_id_of, takes_self=True))
    #: What is known of its streams.
    follower: StreamFollower = field(factory=StreamFollower, init=False, repr=False)
    #: What it has written to its streams so far.
    followed: list[StreamRecord | StreamGap] = field(factory=list[StreamRecord | StreamGap], init=False)

    @property
    def named(self) -> str:
        """The script in an error's text."""
        return f"script {self.id}" if self.name is None else f"script {self.name} ({self.id})"

    @property
    def records(self) -> list[StreamRecord]:
        """The same as `followed`, without the gaps."""
        return [record for record in self.followed if isinstance(record, StreamRecord)]

    def heard(self, news: list[StreamRecord | StreamGap]) -> None:
        """Keep what is new of its streams, and tell of it."""
        self.followed += news
        if self.on_record is not None:
            for record in news:
                if isinstance(record, StreamRecord):
                    self.on_record.tell(record)
