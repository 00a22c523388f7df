"""What can be made to go wrong inside the service: a few times, until it is cleared, or in one call."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from attrs import define

from srs_vsphere.simulator.checks import check_times


@define
class _Condition:
    text: str
    left: int | None


class Conditions:
    """The conditions that hold, each under a name, with a text that goes with it."""

    def __init__(self) -> None:
        self._conditions: dict[str, _Condition] = {}
        self._of_this_call: dict[str, str] = {}

    def hold(self, name: str, times: int | None, text: str = "") -> None:
        """Let a condition hold.

        Args:
            name: which.
            times: for how many occasions; None means until it is cleared.
            text: what goes with it, such as the message of an error.

        Raises:
            TypeError: the number of times is no whole number.
            ValueError: it is not positive.
        """
        if times is not None:
            check_times(times)
        self._conditions[name] = _Condition(text, times)

    def take(self, name: str) -> str | None:
        """Return the text of a condition if it holds now, and count this occasion.

        Args:
            name: which.
        """
        if name in self._of_this_call:
            return self._of_this_call.pop(name)
        condition = self._conditions.get(name)
        if condition is None:
            return None
        if condition.left is not None:
            condition.left -= 1
            if condition.left == 0:
                del self._conditions[name]
        return condition.text

    @contextmanager
    def for_one_call(self, texts: Mapping[str, str]) -> Generator[None]:
        """Let conditions hold for one occasion each within a ``with`` block, before all others.

        Args:
            texts: what goes with each, by its name.
        """
        self._of_this_call = dict(texts)
        try:
            yield
        finally:
            self._of_this_call = {}

    def clear(self) -> None:
        """Let no condition hold any more."""
        self._conditions.clear()
