"""What tests say about scripts: which one they mean, and what comes out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from attrs import field, frozen
from attrs.validators import ge, in_

#: The streams of a script, in the order of the numbers that the service also takes for them.
STREAMS = ("information", "error", "warning", "debug", "verbose")
STATES = ("success", "error", "canceled")


@frozen
class ScriptCall:
    """A script that is about to run.

    Args:
        script: its text; when it came inside a wrapper that makes JSON of its output, the text inside.
        parameters: its parameters by name, as Python values; carried values are decoded.
        name: what the execution is called.
        user: who runs it, as the token service names the user.
        runspace_id: where.
        output_objects_format: ``text`` or ``json``; the number if it is neither.
        system: whether the service itself runs it, to connect a runspace to vCenter or to disconnect it.
    """

    script: str
    parameters: Mapping[str, object] = field(factory=dict[str, object])
    name: str | None = None
    user: str = ""
    runspace_id: str = ""
    output_objects_format: str | int = "text"
    system: bool = False


@frozen
class StreamMessage:
    """One record that a script writes to a stream.

    Args:
        stream: ``information``, ``error``, ``warning``, ``debug`` or ``verbose``.
        message: its text; a blank one is not recorded.
        at: when, in seconds after the script's start.

    Raises:
        ValueError: there is no such stream, or the time is negative.
    """

    stream: str = field(validator=in_(STREAMS))
    message: str
    at: float = field(default=0.0, validator=ge(0))


@frozen
class ScriptReply:
    """What comes out of a script.

    Args:
        output: the objects that it returns when it ends: Python values; a dict is an object with properties.
        records: what it writes to its streams.
        duration: how long it runs, in seconds.
        state: how it ends: ``success``, ``error`` or ``canceled``.
        reason: why it failed: a message, or the text of a .NET exception.

    Raises:
        ValueError: there is no such state, or the duration is negative.
    """

    output: Sequence[object] = ()
    records: Sequence[StreamMessage] = ()
    duration: float = field(default=0.0, validator=ge(0))
    state: str = field(default="success", validator=in_(STATES))
    reason: str | None = None


#: Which scripts a reply is for: an exact text, a pattern that is searched for in it, or a question.
ScriptMatch: TypeAlias = "str | re.Pattern[str] | Callable[[ScriptCall], bool]"
#: The reply, or what makes it.
ScriptAnswer: TypeAlias = "ScriptReply | Callable[[ScriptCall], ScriptReply]"


class Handlers:
    """The replies that were registered; the newest that matches is taken."""

    def __init__(self) -> None:
        self._handlers: list[tuple[ScriptMatch, ScriptAnswer]] = []

    def add(self, match: ScriptMatch, answer: ScriptAnswer) -> None:
        """Register a reply.

        Args:
            match: for which scripts.
            answer: the reply, or a function that makes it.
        """
        self._handlers.insert(0, (match, answer))

    def find(self, call: ScriptCall) -> ScriptReply | None:
        """Return the reply for a script, or None when none was registered.

        Args:
            call: the script.
        """
        for match, answer in self._handlers:
            if _matches(match, call):
                return answer if isinstance(answer, ScriptReply) else answer(call)
        return None


def _matches(match: ScriptMatch, call: ScriptCall) -> bool:
    if isinstance(match, str):
        return match.strip() == call.script.strip()
    if isinstance(match, re.Pattern):
        return match.search(call.script) is not None
    return match(call)
