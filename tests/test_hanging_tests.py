"""Tests that hang fail when their time is up, and hold up nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HURRIED = """
from tests.conftest import LIMIT

def pytest_runtest_setup(item):
    item.stash[LIMIT] = 0.3
"""
HANGING = """
import anyio
import pytest

pytestmark = pytest.mark.anyio

async def test_waits():
    await anyio.sleep_forever()

async def test_spins():
    while True:
        await anyio.lowlevel.checkpoint()

async def test_ends():
    pass
"""


def test_an_async_test_ends_with_its_time(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(HURRIED, encoding="utf-8")
    (tmp_path / "test_hanging.py").write_text(HANGING, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )
    assert "4 failed, 2 passed" in done.stdout, done.stdout


@pytest.mark.skipif(not hasattr(signal, "getitimer"), reason="there, the process ends with a test's time")
def test_what_cleans_up_has_a_limit_too() -> None:
    seconds, again = signal.getitimer(signal.ITIMER_REAL)
    assert bool(seconds) == bool(again)
