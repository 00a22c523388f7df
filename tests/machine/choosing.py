"""What Hypothesis may choose from: faults, scripts, and how much time passes."""

from __future__ import annotations

from attrs import frozen
from hypothesis import strategies as st

from srs_vsphere.simulator import Fault, ScriptReply, StreamMessage

CREATIONS = ("runspaces.create", "web_consoles.create")
SCRIPTS = (
    "script_executions.create",
    "script_executions.get",
    "script_executions.streams",
    "script_executions.output",
    "script_executions.cancel",
    "script_executions.list",
)

ANYWHERE = (
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "2"}},
    {"status": 429},
    {"status": 500},
    {"status": 502},
    {"status": 0},
    {"reset": "before"},
    {"reset": "after"},
    {"reset": "after", "lost_answer": True},
    {"reset": "after", "lost_answer": True, "delay": 5.0},
    {"lost_answer": True},
    {"lost_answer": True, "status": 504},
    {"lost_answer": True, "status": 0},
    {"cut_after": 0},
    {"cut_after": 30},
    {"cut_after": 300},
    {"trickle": (50, 1.0)},
    {"trickle": (50, 70.0)},
    {"delay": 3.0},
    {"delay": 100.0},
    {"stale_session": True},
    {"stale_session": True, "lost_answer": True},
    {"restart": True},
    {"restart": True, "lost_answer": True},
    {"runspace_death": True},
    {"runspace_death": True, "lost_answer": True},
    {"runspace_unreachable": True},
    {"bad_utf8": True},
    {"content_type": "text/html"},
    {"refuse": True},
)
AT_CREATION = (
    {"creation_error": "Failed to create pod"},
    {"pod_error": "failed: ImagePullBackOff"},
    {"pod_error": "failed: ImagePullBackOff", "lost_answer": True},
    {"full_quota": True},
)
SLOW = ({"slow_creation": 5.0}, {"slow_creation": 700.0})


@st.composite
def faults(draw: st.DrawFn, *operations: str) -> Fault:
    """A fault for one of these operations, or for any.

    Args:
        operations: those that the call may make besides a login.
    """
    creations = [operation for operation in operations if operation in CREATIONS]
    happens = [
        *ANYWHERE,
        *(AT_CREATION if creations else ()),
        *(SLOW if "runspaces.create" in creations else ()),
    ]
    what = draw(st.sampled_from(happens))
    if "refuse" in what:
        where = None
    elif what in AT_CREATION or what in SLOW:
        where = draw(st.sampled_from(creations))
    else:
        where = draw(st.sampled_from((*operations, "auth.login", None)))
    nth = draw(st.sampled_from((None, 2, 3)))
    return Fault(operation=where, nth=nth, times=draw(st.sampled_from((1, 2, 8))), **what)


def some_faults(*operations: str) -> st.SearchStrategy[list[Fault]]:
    """None, one or two faults."""
    return st.lists(faults(*operations), max_size=2)


#: Nothing, the service's own steps, its timers, and its limits.
durations = st.sampled_from([0.0, 0.004, 0.3, 1.0, 31.0, 61.0, 310.0, 601.0, 1801.0, 3601.0, 6 * 86_400.0])

names = st.sampled_from([None, "nightly", "weekly"])


@frozen
class Work:
    """What a script will do.

    Args:
        duration: how long it runs, in seconds.
        output: what it returns.
        bursts: stream, number of records, and when in its time it writes them, from 0 to 1.
        state: how it ends.
    """

    duration: float
    output: tuple[object, ...]
    bursts: tuple[tuple[str, int, float], ...]
    state: str

    def written(self, stream: str) -> list[str]:
        """What it writes to a stream."""
        counts = [count for name, count, _ in self.bursts if name == stream]
        return [f"{stream} {number}" for number in range(sum(counts))]

    def reply(self) -> ScriptReply:
        records = [
            StreamMessage(stream, message, part * self.duration)
            for stream, _, part in self.bursts
            for message in self.written(stream)
        ]
        return ScriptReply(self.output, records, self.duration, self.state)


def works(*durations: float) -> st.SearchStrategy[Work]:
    """Scripts that run for one of these durations."""
    return st.builds(
        Work,
        duration=st.sampled_from(durations),
        output=st.lists(st.sampled_from(["one", 2]), max_size=2).map(tuple),
        bursts=st.lists(
            st.tuples(
                st.sampled_from(["error", "warning", "information"]),
                st.sampled_from([1, 2, 60]),
                st.sampled_from([0.0, 0.5, 1.0]),
            ),
            unique_by=lambda burst: burst[0],
        ).map(tuple),
        state=st.sampled_from(["success", "error", "canceled"]),
    )
