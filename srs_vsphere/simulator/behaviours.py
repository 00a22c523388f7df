"""Behaviours: which reply a script gets, registered by tests, and what they have been asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, cast

from attrs import frozen

from srs_vsphere.simulator.checks import check_times
from srs_vsphere.simulator.scripting import ScriptCall, ScriptReply

#: Which scripts a reply is for: an exact text, a pattern that is searched for in it, or a question.
ScriptMatch: TypeAlias = "str | re.Pattern[str] | Callable[[ScriptCall], bool]"
#: The reply, or what makes it.
ScriptAnswer: TypeAlias = "ScriptReply | Callable[[ScriptCall], ScriptReply]"
_SHOWN = 60


class BehaviourFailedError(Exception):
    """A behaviour raised; the exception itself is the cause.

    Args:
        behaviour: which one.
        error: what it raised.
    """

    def __init__(self, behaviour: ScriptBehaviour, error: BaseException) -> None:
        super().__init__(f"the behaviour for {behaviour.shown} raised {type(error).__name__}: {error}")
        self.error = error


class ScriptBehaviour:
    """What comes out of some scripts, and with what it was asked; made by `Simulator.on_script`.

    Args:
        match: for which scripts.
        answers: the replies, one after the other, or one for all.
        times: for how many calls; None means for all.
        system: whether the service's own scripts are offered, too.
        parameter_scripts: whether scripts that make the value of a parameter are offered, too.
        remove: takes it out of the simulator again.
    """

    def __init__(
        self,
        match: ScriptMatch,
        answers: Sequence[ScriptAnswer],
        *,
        times: int | None,
        system: bool,
        parameter_scripts: bool,
        remove: Callable[[ScriptBehaviour], None],
    ) -> None:
        self.match = match
        self.times: int | None = times
        self._answers = tuple(answers)
        self._system = system
        self._parameter_scripts = parameter_scripts
        self._remove = remove
        self._calls: list[ScriptCall] = []

    def __repr__(self) -> str:
        return f"ScriptBehaviour({self.shown}, {len(self._calls)} calls)"

    @property
    def calls(self) -> tuple[ScriptCall, ...]:
        """The calls that it has answered, oldest first."""
        return tuple(self._calls)

    @property
    def shown(self) -> str:
        """What it is for, in a few words."""
        match = self.match
        if isinstance(match, re.Pattern):
            return f"the pattern {_short(match.pattern)}"
        return (
            _short(match)
            if isinstance(match, str)
            else f"the function {getattr(match, '__name__', repr(match))}"
        )

    @property
    def is_used_up(self) -> bool:
        """Whether it answers no more calls."""
        return self.times is not None and len(self._calls) >= self.times

    @property
    def is_used(self) -> bool:
        """Whether each of its replies was given at least once."""
        return len(self._calls) >= len(self._answers)

    def remove(self) -> None:
        """Take it out of the simulator; what it was asked stays known."""
        self._remove(self)

    def answer(self, call: ScriptCall) -> ScriptReply | None:
        """Return the reply for a call, None if it is not for this behaviour.

        Args:
            call: the script.

        Raises:
            BehaviourFailedError: the test's own function raised, or returned something else than a reply.
        """
        if self.is_used_up or not self._is_offered(call):
            return None
        try:
            if not _matches(self.match, call):
                return None
            self._calls.append(call)
            answer = self._answers[min(len(self._calls), len(self._answers)) - 1]
            reply = _checked(answer if isinstance(answer, ScriptReply) else answer(call))
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            # Not only Exception: pytest.fail raises something else.
            raise BehaviourFailedError(self, error) from error
        return reply

    def _is_offered(self, call: ScriptCall) -> bool:
        if isinstance(self.match, str):
            # Whoever gives the whole text means that script wherever it runs.
            return True
        return (self._system or not call.system) and (self._parameter_scripts or call.parameter is None)


class Behaviours:
    """The behaviours that were registered; the newest that matches is taken."""

    def __init__(self) -> None:
        self._behaviours: list[ScriptBehaviour] = []

    def __iter__(self) -> Iterator[ScriptBehaviour]:
        return iter(tuple(self._behaviours))

    def add(
        self,
        match: ScriptMatch,
        reply: ScriptAnswer | None,
        *,
        times: int | None,
        replies: Sequence[ScriptAnswer] | None,
        system: bool,
        parameter_scripts: bool,
    ) -> ScriptBehaviour:
        """Register a behaviour.

        Args:
            match: for which scripts.
            reply: the reply for all calls.
            times: for how many calls; default: for all, or for as many as there are replies.
            replies: instead of one reply: one for each call, in order.
            system: whether the service's own scripts are offered, too.
            parameter_scripts: whether scripts that make the value of a parameter are offered, too.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has an impossible value, or the same match is registered already.
        """
        _check_match(match)
        if (reply is None) == (replies is None):
            raise ValueError("reply: give either a reply or replies")
        answers = (reply,) if replies is None else replies
        if not isinstance(answers, list | tuple) or not answers:
            raise TypeError("replies must be a list with at least one ScriptReply")
        for answer in answers:
            if not isinstance(answer, ScriptReply) and not callable(answer):
                kind = type(answer).__name__
                raise TypeError(f"reply must be a ScriptReply or a function that makes one, not {kind}")
        if times is not None:
            check_times(times, len(answers))
        for other in self._behaviours:
            if _same(other.match, match) and not other.is_used_up:
                raise ValueError(
                    f"match: a behaviour for {other.shown} is registered already; remove() that one first"
                )
        if times is None and replies is not None:
            times = len(replies)
        behaviour = ScriptBehaviour(
            match,
            [answer for answer in answers if answer is not None],
            times=times,
            system=system,
            parameter_scripts=parameter_scripts,
            remove=self._remove,
        )
        self._behaviours.insert(0, behaviour)
        return behaviour

    def find(self, call: ScriptCall) -> FoundReply | None:
        """Return the behaviour for a script with its reply, or None when none was registered.

        Args:
            call: the script.

        Raises:
            BehaviourFailedError: a test's own function raised.
        """
        for behaviour in tuple(self._behaviours):
            reply = behaviour.answer(call)
            if reply is not None:
                return FoundReply(behaviour, reply)
        return None

    def assert_all_used(self) -> None:
        """Raise `AssertionError` if a behaviour has not answered all that it was to answer."""
        unused = [behaviour for behaviour in reversed(self._behaviours) if not behaviour.is_used]
        if unused:
            what = ", ".join(f"{behaviour.shown} ({len(behaviour.calls)} calls)" for behaviour in unused)
            raise AssertionError(f"behaviours that were registered and not used: {what}")

    def _remove(self, behaviour: ScriptBehaviour) -> None:
        if behaviour in self._behaviours:
            self._behaviours.remove(behaviour)


@frozen
class FoundReply:
    """A reply with the behaviour that gave it.

    Args:
        behaviour: the behaviour.
        reply: the reply.
    """

    behaviour: ScriptBehaviour
    reply: ScriptReply


def _check_match(match: object) -> None:
    if isinstance(match, str):
        if not match.strip():
            raise ValueError("match must not be blank: no script is")
    elif isinstance(match, re.Pattern):
        if isinstance(cast("re.Pattern[str] | re.Pattern[bytes]", match).pattern, bytes):
            raise TypeError("match must be a pattern for text, not for bytes")
    elif not callable(match):
        raise TypeError(f"match must be a text, a pattern or a function, not {type(match).__name__}")


def _checked(reply: object) -> ScriptReply:
    if isinstance(reply, ScriptReply):
        return reply
    raise TypeError(f"the answer must be a ScriptReply, not {type(reply).__name__}")


def _same(one: ScriptMatch, other: ScriptMatch) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    return one == other


def _matches(match: ScriptMatch, call: ScriptCall) -> bool:
    if isinstance(match, str):
        return match.strip() == call.script.strip()
    if isinstance(match, re.Pattern):
        return match.search(call.script) is not None
    return bool(match(call))


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
