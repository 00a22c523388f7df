"""How often tests try something."""

import os

#: Whoever runs the suite several times need not try every random moment each time: ``SRS_TEST_SHARE=0.2``.
SHARE = float(os.environ.get("SRS_TEST_SHARE", "1"))


def often(times: int, least: int = 1) -> int:
    """Return how often to try what is tried at random so many times, but not less than `least`."""
    return max(least, round(times * SHARE))
