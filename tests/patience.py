"""How often tests try something."""

import os

#: How many of the random moments are tried: ``SRS_TEST_SHARE=1`` tries all, which takes a minute more.
SHARE = float(os.environ.get("SRS_TEST_SHARE", "0.2"))


def often(times: int, least: int = 1) -> int:
    """Return how often to try what is tried at random so many times, but not less than `least`."""
    return max(least, round(times * SHARE))
