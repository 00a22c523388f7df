"""Casts and members of the simulator's small part of PowerShell."""

from __future__ import annotations

import pytest

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import type_name
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.powershell.runner import run


def result_of(script):
    result = run(script, [], Machine())
    assert result.error is None, result.error
    [(_, value)] = result.output
    return value


@pytest.mark.parametrize(
    ("script", "value", "kind"),
    [
        ("[int]'5'", 5, "System.Int32"),
        ("[int]2.5", 2, "System.Int32"),
        ("[int]$null", 0, "System.Int32"),
        ("[int]$true", 1, "System.Int32"),
        ("[long]5", 5, "System.Int64"),
        ("[long]1 + 1", 2, "System.Int64"),
        ("[hashtable]@{a=1}", {"a": 1}, "System.Collections.Hashtable"),
        ("[pscustomobject]@{a=1}", {"a": 1}, "System.Management.Automation.PSCustomObject"),
        ("[object]'x'", "x", "System.String"),
        ("[string[]](1,2) -join '-'", "1-2", "System.String"),
        ("([int[]]'7').Count", 1, "System.Int32"),
        ("([string[]]$null).Count", 0, "System.Int32"),
        ("[int]1.5", 2, "System.Int32"),
        ("$true -eq 1", True, "System.Boolean"),
        ("5 -eq 'x'", False, "System.Boolean"),
        ("[bool]@()", False, "System.Boolean"),
        ("[bool](1,0)", True, "System.Boolean"),
        ("[bool]@(0)", False, "System.Boolean"),
        ("[bool](,@(0))", True, "System.Boolean"),
        ("[bool](,@())", False, "System.Boolean"),
        ("[bool]@{}", True, "System.Boolean"),
    ],
)
def test_values_become_other_values(script, value, kind):
    found = result_of(script)

    assert (found, type_name(found)) == (value, kind)


@pytest.mark.parametrize(
    "script",
    [
        "[no.such.type]5",
        "[int]'3.5'",
        "[int]'1kb'",
        "[int]3000000000",
        "[datetime]'2020-01-02T03:04:05Z'",
        "[datetime]'01/02/2020'",
        "[guid]'x'",
        "[char]'ab'",
        "[hashtable]5",
        "[timespan]'soon'",
        "[double]'1e3'",
        "1 + @{}",
        "'{1}' -f 1",
        "@{a=1} + @{b=2}",
        "[datetimekind]::Other",
        "[guid]::NewGuid()",
        "[scriptblock]'x'",
        "(5).NoSuchMethod()",
        "'x'.Contains()",
        "(5)['a']",
        "& 5",
        "& $x",
        "1 | % Name",
        "1 | ? Name",
    ],
)
def test_members_that_are_not_known_are_refused(script):
    with pytest.raises(NotUnderstoodError):
        run(script, [], Machine())
