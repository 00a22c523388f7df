"""Records of a script's five streams."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from srs_vsphere.models.model import Model


class StreamType(StrEnum):
    """The streams that the service keeps; progress is not among them, and output is read apart."""

    INFORMATION = "information"
    ERROR = "error"
    WARNING = "warning"
    DEBUG = "debug"
    VERBOSE = "verbose"


@frozen
class StreamRecord(Model):
    """One message that a script wrote to one of its streams.

    Args:
        message: the text; of an error its message without position and stack.
        time: when the runspace received it, with its time zone.
        stream: the stream it came from, filled in by this package.
    """

    message: str = ""
    time: datetime | None = None
    stream: StreamType | str | int | None = None


@frozen
class StreamGap(Model):
    """A place in a followed stream where records are missing: the service keeps the newest 50 only.

    Args:
        stream: the stream that has the gap.
        at_least: at least how many records were lost. Fifty new ones between two looks are taken for
            more than fifty, since they cannot be told apart.
        time: time of the first record after the gap.
    """

    stream: StreamType
    at_least: int
    time: datetime | None = None
