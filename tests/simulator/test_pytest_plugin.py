"""The pytest plugin, as a user's own test run sees it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

import pytest

import srs_vsphere.pytest_plugin
from tests.pasting import PLUGIN, WITH_PLUGIN

PASTED = textwrap.dedent(
    re.search(r"::\n\n(    import pytest\n.*?)\n\n``", srs_vsphere.pytest_plugin.__doc__, re.DOTALL)[1]
)


pytest_plugins = ["pytester"]


@pytest.fixture
def run_pytest(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))

    def run(text, *arguments, among_others=False):
        """Run a file of tests with the plugin: quickly, or among all other plugins that are installed."""
        pytester.makepyfile(text)
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "" if among_others else "1")
        plugins = WITH_PLUGIN if among_others else ("-p", PLUGIN, "-p", "anyio")
        return pytester.runpytest_subprocess(*plugins, "--strict-markers", "-Werror", *arguments)

    return run


def test_the_tests_in_its_documentation_can_be_pasted(run_pytest):
    run_pytest(PASTED, among_others=True).assert_outcomes(passed=4)


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


CHECKED = """
import pytest
from srs_vsphere.simulator import Fault, ScriptReply, SystemClock, VirtualClock

def test_unknown_script(srs_client):
    assert "simulator: " in srs_client.run("Get-Nonsense").reason

def test_unused_behaviour(srs_simulator):
    srs_simulator.on_script("Get-VM", ScriptReply())

@pytest.mark.srs_fault(operation="about", status=503)
def test_unused_fault(srs_server):
    pass

def test_broken_behaviour(srs_client, srs_simulator):
    srs_simulator.on_script("Get-VM", lambda call: call.nonsense)
    with pytest.raises(Exception):
        srs_client.run("Get-VM")

def test_that_fails_itself(srs_simulator):
    srs_simulator.on_script("Get-VM", ScriptReply())
    assert False

@pytest.mark.srs_simulator(check=False)
@pytest.mark.srs_fault(operation="about", status=503)
def test_unchecked(srs_client, srs_simulator):
    srs_simulator.on_script("Get-VM", ScriptReply())
    srs_client.run("Get-Nonsense")

@pytest.mark.srs_simulator(unknown_scripts="succeed")
def test_lenient(srs_client):
    assert srs_client.run("Get-Nonsense").output == ""

@pytest.mark.srs_simulator(users={"carol": "geheim"}, speed=50)
def test_settings(srs_client, srs_simulator):
    assert srs_client.runspaces.list() == []
    assert isinstance(srs_simulator.clock, SystemClock)

def test_time(srs_client, srs_simulator):
    assert srs_client.run("Start-Sleep 300; 'done'").output == "done"
    assert isinstance(srs_simulator.clock, VirtualClock)

@pytest.mark.srs_simulator(nonsense=1)
def test_wrong_marker(srs_simulator):
    pass

@pytest.mark.srs_simulator(speed=-1)
def test_wrong_value(srs_simulator):
    pass
"""


def test_the_fixtures_check_what_was_used_and_understood(run_pytest):
    result = run_pytest(CHECKED)

    result.assert_outcomes(passed=8, failed=1, errors=6)
    text = result.stdout.str()
    for line in (
        "simulator: line 1: the command Get-Nonsense is not understood",
        "behaviours that were registered and not used: 'Get-VM' (0 calls)",
        "faults that have hit no call: Fault(operation='about', status=503)",
        "AttributeError: 'ScriptCall' object has no attribute 'nonsense'",
        "the marker srs_simulator takes users, speed, unknown_scripts, check, powershell as keywords, not no",
        "srs_simulator: speed must be a positive number, not -1",
    ):
        assert line in text


CONFIGURED = """
from srs_vsphere.simulator import ScriptReply, SystemClock

def test_settings(srs_client, srs_simulator):
    srs_simulator.on_script("unused", ScriptReply())
    assert isinstance(srs_simulator.clock, SystemClock)
    assert srs_client.run("Get-Nonsense").output == ""
    assert srs_client.runspaces.list() == []
"""


def test_the_configuration_file_says_how_the_fixtures_work(run_pytest, pytester):
    pytester.makeini(
        """
        [pytest]
        srs_users =
            carol:geheim
            bob:secret
        srs_speed = 50
        srs_unknown_scripts = succeed
        srs_check = false
        """
    )
    run_pytest(CONFIGURED).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("srs_users = carol", "srs_users must be lines of the form NAME:PASSWORD"),
        ("srs_speed = fast", "srs_speed must be a number, not 'fast'"),
        ("srs_unknown_scripts = ignore", "unknown_scripts must be 'fail' or 'succeed', not 'ignore'"),
    ],
)
def test_an_impossible_setting_is_an_error_that_says_why(run_pytest, pytester, setting, message):
    pytester.makeini(f"[pytest]\n{setting}\n")
    result = run_pytest("def test_it(srs_simulator): pass")
    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()


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
    # A sentence, without the plugin's own lines.
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
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
