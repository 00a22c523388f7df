"""The pytest fixtures with a PowerShell behind them, as a user's own test run sees them."""

from __future__ import annotations

import os

import pytest

from tests.recorded_exchanges import shared_file
from tests.simulator.hosting import real_powershell, stand_in
from tests.simulator.test_pytest_plugin import run_pytest

pytest_plugins = ["pytester"]
__all__ = ["run_pytest"]

RUNS = """
import pytest

def test_scripts_run_for_real(srs_client):
    assert srs_client.run("1..3", width=None).output == "1\\n2\\n3"

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_on_either_event_loop(async_srs_client):
    async with async_srs_client as client:
        assert (await client.run("1..3", width=None)).output == "1\\n2\\n3"
"""
MISSING = """
import pytest

@pytest.mark.srs_simulator(powershell="no-such-pwsh")
def test_missing(srs_client):
    pass
"""


@pytest.fixture(params=["stand-in", "pwsh"])
def program(request, tmp_path):
    """A program of one name."""
    if request.param == "pwsh":
        if real_powershell() is None:
            pytest.skip("pwsh is not installed")
        return "pwsh"
    if os.name == "nt":
        pytest.skip("a program of one file that is Python is a shell script here")
    path = tmp_path / "stand-in"
    command = " ".join(stand_in(shared_file("api/pwsh-host-transcript.json")))
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_a_setting_puts_a_program_behind_the_fixtures(run_pytest, pytester, program):
    pytester.makeini(f"[pytest]\nsrs_powershell = {program}\nsrs_speed = 20\n")
    run_pytest(RUNS, "-p", "anyio").assert_outcomes(passed=3)


def test_the_marker_names_a_program_too(run_pytest, program):
    marker = f"import pytest\npytestmark = pytest.mark.srs_simulator(powershell={program!r}, speed=20)\n"
    run_pytest(marker + RUNS, "-p", "anyio", "-k", "real").assert_outcomes(passed=1, deselected=2)


def test_a_program_that_is_missing_is_an_error_that_says_so(run_pytest):
    result = run_pytest(MISSING)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*srs_simulator: powershell: the PATH has no program 'no-such-pwsh'; *"])
