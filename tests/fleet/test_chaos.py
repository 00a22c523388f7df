"""Every event of a watch over misbehaving hosts is true, told once, and none is missing."""

from __future__ import annotations

import pytest

from tests.fleet import chaos


@pytest.mark.anyio
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_event_is_true_and_none_is_missing(seed: int) -> None:
    logs = await chaos.run(3.0, seed)
    # Otherwise nothing was tested.
    assert sum(log.failed for log in logs.values()) > 10
    assert sum(len(log.events) for log in logs.values()) > 50
