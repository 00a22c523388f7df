"""How long tests may take on a machine that has other things to do, and how often they try something."""

import os

from hypothesis import HealthCheck, settings

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

#: Whoever runs the suite several times need not try every random moment each time: ``SRS_TEST_SHARE=0.2``.
SHARE = float(os.environ.get("SRS_TEST_SHARE", "1"))


def often(times: int, least: int = 1) -> int:
    """Return how often to try what is tried at random so many times, but not less than `least`."""
    return max(least, round(times * SHARE))
