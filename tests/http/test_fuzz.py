"""A short run of the fuzz, and as long a one as SRS_FUZZ says."""

from __future__ import annotations

import os

import pytest

from tests.http import fuzz

COUNT = int(os.environ.get("SRS_FUZZ", "4000"))


@pytest.mark.timeout(600 + COUNT // 500)
def test_damaged_responses_give_a_result_or_an_error_and_leave_nothing() -> None:
    outcomes = fuzz.run(COUNT, seed=int(os.environ.get("SRS_FUZZ_SEED", "6")))
    assert outcomes.total() == COUNT // 500 * 500
    assert set(outcomes) <= {
        "fetched", "read", "left early", "empty", "cancelled",
        "ConnectError", "ReadError", "WriteError", "RemoteProtocolError",
    }  # fmt: skip
    # It would show nothing if all were refused.
    assert (
        min(outcomes[word] for word in ("fetched", "read", "RemoteProtocolError", "cancelled")) > COUNT // 100
    )
