"""Casts and members of the simulator's small part of PowerShell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from srs_vsphere.simulator.powershell.errors import NotUnderstoodError
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.powershell.runner import run
from srs_vsphere.simulator.powershell.values import EnumValue, type_name

#: Without a time zone, as PowerShell has it too.
JANUARY = datetime(2020, 1, 2)  # noqa: DTZ001 - that is what is wanted


def result_of(script):
    result = run(script, [], Machine({}))
    assert result.error is None, result.error
    [(_, value)] = result.output
    return value


@pytest.mark.parametrize(
    ("script", "value", "kind"),
    [
        ("[int]'5'", 5, "System.Int32"),
        ("[int]2.5", 2, "System.Int32"),
        ("[int]'3.5'", 4, "System.Int32"),
        ("[int]$null", 0, "System.Int32"),
        ("[int]$true", 1, "System.Int32"),
        ("[System.Int64]5", 5, "System.Int64"),
        ("[long]1 + 1", 2, "System.Int64"),
        ("[double]'1e3'", 1000.0, "System.Double"),
        ("[decimal]'1.10'", Decimal("1.10"), "System.Decimal"),
        ("[char]65", "A", "System.Char"),
        ("[datetime]'2020-01-02T03:04:05Z'", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "System.DateTime"),
        ("[datetime]::Parse('2020-01-02')", JANUARY, "System.DateTime"),
        ("[datetime]([datetime]'2020-01-02')", JANUARY, "System.DateTime"),
        ("[datetime]::new(2020, 1, 2)", JANUARY, "System.DateTime"),
        ("[datetime]::new(2020, 1, 1 + 1, 2 * 2, 3 - 1, 0).Hour", 4, "System.Int32"),
        ("[timespan]'01:02:03.5'", timedelta(hours=1, minutes=2, seconds=3.5), "System.TimeSpan"),
        ("[timespan]10000000", timedelta(seconds=1), "System.TimeSpan"),
        ("[timespan]::FromDays(1.5)", timedelta(days=1.5), "System.TimeSpan"),
        ("[timespan][timespan]::FromHours(1)", timedelta(hours=1), "System.TimeSpan"),
        ("[guid]'00000000-0000-0000-0000-000000000001'", UUID(int=1), "System.Guid"),
        ("[version]'1.2'", "1.2", "System.Version"),
        ("[dayofweek]'monday'", EnumValue("System.DayOfWeek", "Monday", 1), "System.DayOfWeek"),
        ("[DayOfWeek]::Friday.value__", 5, "System.Int32"),
        ("[hashtable]@{a=1}", {"a": 1}, "System.Collections.Hashtable"),
        ("[hashtable][pscustomobject]@{a=1}", {"a": 1}, "System.Collections.Hashtable"),
        ("[pscustomobject]@{a=1}", {"a": 1}, "System.Management.Automation.PSCustomObject"),
        ("[pscustomobject]5", 5, "System.Int32"),
        ("[object]'x'", "x", "System.String"),
        ("([array]5).Count", 1, "System.Int32"),
        ("([string[]](1,2))[1]", "2", "System.String"),
        ("([int[]]'7')[0]", 7, "System.Int32"),
        ("([string[]]$null).Count", 0, "System.Int32"),
        ("[string](1,2)", "1 2", "System.String"),
        ("([int]).FullName", "System.Int32", "System.String"),
        ("(@{a=1} + @{b=2}).Count", 2, "System.Int32"),
        ("@{1='x'}[1]", "x", "System.String"),
        ("(@{n=1},@{n=2}).n -join ','", "1,2", "System.String"),
        ("'abc'[1]", "b", "System.String"),
        ("([timespan]::FromSeconds(90)).Minutes", 1, "System.Int32"),
        ("'abc'.StartsWith('a')", True, "System.Boolean"),
        ("'abc'.EndsWith('a')", False, "System.Boolean"),
        ("$true -eq 1", True, "System.Boolean"),
        ("5 -eq 'x'", False, "System.Boolean"),
        ("(@{}) -eq 1", False, "System.Boolean"),
        ("1 -notin 1,2", False, "System.Boolean"),
        ("1,2 -notcontains 3", True, "System.Boolean"),
        ("[bool]@()", False, "System.Boolean"),
        ("[bool](1,0)", True, "System.Boolean"),
        ("[bool]@(0)", False, "System.Boolean"),
        ("[bool]@{}", True, "System.Boolean"),
    ],
)
def test_values_become_other_values(script, value, kind):
    found = result_of(script)

    assert (found, type_name(found)) == (value, kind)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("[int]'abc'", 'Cannot convert value "abc" to type "System.Int32". Error: "The input string \'abc\''),
        ("[char]'ab'", 'Cannot convert value "ab" to type "System.Char"'),
        ("[guid]'x'", 'Cannot convert value "x" to type "System.Guid"'),
        ("[datetime]'soon'", 'Cannot convert value "soon" to type "System.DateTime"'),
        ("[timespan]'soon'", 'Cannot convert value "soon" to type "System.TimeSpan"'),
        (
            "[hashtable]5",
            'Cannot convert the "5" value of type "System.Int32" to type "System.Coll',
        ),
        ("[char]5000000", 'Cannot convert the "5000000" value of type "System.Int32" to type "System.Char"'),
        ("1 + @{}", "Cannot convert the"),
        ("5 % 0", "Attempted to divide by zero."),
        ("'{1}' -f 1", "Error formatting a string: Index is out of range."),
        ("$null[0]", "Cannot index into a null array."),
    ],
)
def test_values_that_cannot_become_others_end_the_script(script, message):
    error = run(script, [], Machine({})).error

    assert error is not None
    assert error.startswith(f"System.Management.Automation.RuntimeException: {message}")


@pytest.mark.parametrize(
    "script",
    [
        "[no.such.type]5",
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
        run(script, [], Machine({}))
