"""How far this machine's clock is from the service's, which takes a signed login for two minutes only."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime
from typing import Final

#: Seconds; a difference of less has other reasons, such as a slow network.
_WORTH_SAYING: Final = 30.0


def clock_skew(date: str | None, now: datetime) -> str | None:
    """Say how wrong this machine's clock is, or None if it is about right.

    Args:
        date: the ``Date`` header of the service's response.
        now: the time on this machine.
    """
    if date is None:
        return None
    try:
        there = email.utils.parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    if there.tzinfo is None:
        there = there.replace(tzinfo=UTC)
    seconds = (now - there).total_seconds()
    if abs(seconds) < _WORTH_SAYING:
        return None
    direction = "ahead of" if seconds > 0 else "behind"
    return (
        f"This machine's clock is {abs(seconds):.0f} s {direction} the service's, which takes a signed login "
        "for 120 s only: set the clock."
    )
