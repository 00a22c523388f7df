"""Every event of a watch over misbehaving hosts is true, told once, and none is missing."""

from __future__ import annotations

import pytest

from tests.fleet import chaos


@pytest.mark.anyio
@pytest.mark.parametrize(("anyio_backend", "seed"), [("asyncio", 1), ("trio", 2)])
async def test_every_event_is_true_and_none_is_missing(seed: int) -> None:
    # Otherwise nothing is tested; how long that takes is up to the machine.
    logs = await chaos.run(3.0, seed, failed=10, events=50)
    assert sum(len(log.polls) for log in logs.values()) > 0
