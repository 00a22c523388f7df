"""The pytest plugin, as a user's own test run sees it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

import pytest

import srs_vsphere.pytest_plugin
from tests.pasting import WITH_PLUGIN

PASTED = textwrap.dedent(
    re.search(r"::\n\n(    import pytest\n.*?)\n\n``", srs_vsphere.pytest_plugin.__doc__, re.DOTALL)[1]
)


pytest_plugins = ["pytester"]


@pytest.fixture
def run_pytest(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))

    def run(text, *arguments):
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess(*WITH_PLUGIN, "--strict-markers", "-Werror", *arguments)

    return run


def test_the_tests_in_its_documentation_can_be_pasted(run_pytest):
    run_pytest(PASTED).assert_outcomes(passed=4)


MARKED = """
import httpx, pytest

pytestmark = pytest.mark.srs_fault(operation="about", nth=3, status=500)

@pytest.mark.srs_fault(operation="about", nth=1, status=503)
@pytest.mark.srs_fault(operation="about", nth=1, status=504)
def test_markers_are_tried_from_top_to_bottom(srs_server):
    statuses = [httpx.get(srs_server.url + "/api/about").status_code for _ in range(4)]
    assert statuses == [503, 504, 500, 200]

def test_a_module_may_be_marked(srs_server):
    statuses = [httpx.get(srs_server.url + "/api/about").status_code for _ in range(4)]
    assert statuses == [200, 200, 500, 200]

@pytest.mark.srs_simulator(check=False)
def test_each_test_has_a_simulator_of_its_own(srs_simulator, srs_server):
    assert srs_server.service is srs_simulator
    assert srs_simulator.requests_seen == 0
"""


def test_markers_make_faults(run_pytest):
    run_pytest(MARKED).assert_outcomes(passed=3)


IMPOSSIBLE = """
import pytest

@pytest.mark.srs_fault(stattus=503)
def test_unknown(srs_server): pass

@pytest.mark.srs_fault(status=99)
def test_impossible(srs_server): pass

@pytest.mark.srs_fault("about", status=503)
def test_positional(srs_server): pass
"""


def test_an_impossible_marker_is_an_error_that_says_why(run_pytest):
    result = run_pytest(IMPOSSIBLE)
    result.assert_outcomes(errors=3)
    result.stdout.re_match_lines(
        [
            r".*srs_fault: .*unexpected keyword argument 'stattus'",
            r".*srs_fault: status must be 0 or from 200 to 599, not 99",
            r".*srs_fault: .*positional argument",
        ]
    )


def test_its_marker_and_fixtures_are_listed(run_pytest):
    listed = run_pytest("", "--markers").stdout.str()
    assert "@pytest.mark.srs_fault(**fault): let the simulated service fail" in listed
    listed = run_pytest("", "--fixtures").stdout.str()
    for fixture in ("srs_simulator", "srs_server", "srs_client", "async_srs_client"):
        assert re.search(rf"^{fixture}\b", listed, re.MULTILINE)


LOAD = """
import sys, pytest
import srs_vsphere.pytest_plugin
from tests.pasting import WITH_PLUGIN
print(*({"httpx", "attr", "cattrs", "anyio"} & set(sys.modules)))
"""


def test_loading_it_loads_nothing_that_takes_time():
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
