"""The small part of PowerShell that the simulator understands."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from srs_vsphere.simulator.objects.display import show
from srs_vsphere.simulator.objects.documents import documents
from srs_vsphere.simulator.objects.json_output import convert_to_json, structured
from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.objects.values import (
    Char,
    EnumValue,
    Hashtable,
    Int64,
    OrderedDictionary,
    Version,
)
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.powershell.runner import run


def outcome(script, **parameters):
    machine = Machine()
    return run(script, list(parameters.items()), machine), machine


def output(script, **parameters):
    result, _ = outcome(script, **parameters)
    assert result.error is None, result.error
    return [value for _, value in result.output]


def written(script):
    return [(record.stream, record.message) for record in outcome(script)[1].records]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("1 + 2 * 3 - 4", [3]),
        ("(1 + 2) * 3", [9]),
        ("7 / 2; 6 / 2; 7 % 4; -7 % 4; -3", [3.5, 3, 3, -3, -3]),
        ("'a' + 1; 'ab' * 2; 1..3; 3..1", ["a1", "abab", 1, 2, 3, 3, 2, 1]),
        ("@(1,2) + 3", [1, 2, 3]),
        ("0x1f; 2kb; 1.5; 1e3; 5l", [31, 2048, 1.5, 1000.0, 5]),
        ("'it''s'; \"a`tb`\"`$x\"", ["it's", 'a\tb"$x']),
        ('$x = 3; "$x ${x} $($x + 1) $y."', ["3 3 4 ."]),
        ('"$(1,2,3)"', ["1 2 3"]),
        ("$x = 1, 2; $x += 3; $x; $y = 5; $y -= 2; $y", [1, 2, 3, 3]),
        (
            "'A' -eq 'a'; 1 -eq '1'; 'a' -ne 'b'; 2 -gt 1; 2 -le 1; 'b' -lt 'c'",
            [True, True, True, True, False, True],
        ),
        ("1,2,3 -gt 1; 'abc' -like 'A*'; 'x' -notlike 'y'", [2, 3, True, True]),
        (
            "1 -in 1,2; 1,2 -contains 3; -not $true; !0; $true -and 0; 0 -or 1",
            [True, False, False, True, False, True],
        ),
        ("1,2 -join '-'; 5 -join ','", ["1-2", "5"]),
        ("$null -eq $null; 0 -eq $null; $a; ,@(1,2)", [True, False, None, [1, 2]]),
        (
            "(1,2,3).Count; 'abc'.Length; $null.Count; @{a=1}.a; @{a=1}['A']; (1,2)[1]; (1,2)[-1]; (1,2)[5]",
            [3, 3, 0, 1, 1, 2, 2, None],
        ),
        ("(5).GetType().FullName; (5).GetType().Name; (5).ToString()", ["System.Int32", "Int32", "5"]),
        ("[int]'5'; [string]5; [double]'2.5'; [bool]'x'; [long]1; [char]65", [5, "5", 2.5, True, 1, "A"]),
        (
            "[timespan]::FromMinutes(1).TotalSeconds; [timespan]::FromSeconds(90)",
            [60.0, timedelta(seconds=90)],
        ),
        ("if (0) {1} elseif ('a') {2} else {3}; if ($false) {4}", [2]),
        ("foreach ($i in 1..3) { $i * 2 }", [2, 4, 6]),
        (
            '1..5 | ? { $_ -gt 3 } | % { $_ + 1 }; 1..2 | ForEach-Object -Process { "<$_>" }',
            [5, 6, "<1>", "<2>"],
        ),
        ("Write-Output 1,2; echo 'a b' ; Write-Output a", [1, 2, "a b", "a"]),
        (
            "-2147483648 - 1; (-2147483648).GetType().Name; -5; -(5); - 5",
            [-2147483649.0, "Int32", -5, -5, -5],
        ),
        ("return 5; 6", [5]),
        ("1, 2 | Out-Null; 3", [3]),
        ("[ordered]@{a=1;b=@(1,@{c=$null})} | ConvertTo-Json -Compress", ['{"a":1,"b":[1,{"c":null}]}']),
        (
            "ConvertTo-Json -InputObject 1,2 -Compress; 1,2 | ConvertTo-Json -Compress; 1 | ConvertTo-Json",
            ["[1,2]", "[1,2]", "1"],
        ),
        ("<# a #> 1 # b\n 1 `\n + 1; # c", [1, 2]),
        ("1 +\n2", [3]),
        ("(1 +\n 2); (echo 3); (\n1\n)", [3, 3, 1]),
        ("$r = @(); $r += 5; $r += 'x'; $r.Count; $r", [2, 5, "x"]),
        ("'10' -gt 9; '10' -lt 9; 0 -eq ''; 1 -eq 'x'; $true -eq 'false'", [False, True, True, False, True]),
        ("2147483647 + 1; 65536 * 65536; [long]2147483647 + 1", [2147483648.0, 4294967296.0, 2147483648]),
        ("$x = Write-Warning 'w'; $x | % { 'never' }; @($x).Count; @($null).Count", [0, 1]),
        ("@{a=@()}.a.Count; @{a=,1}.a.Count; $a = @(1); $a.Count", [0, 1, 1]),
        ("([pscustomobject]@{a=1;b=2}).Count; @{a=1;b=2}.Count", [1, 2]),
        ("foreach ($i in $null) { 'never' }; foreach ($i in 5) { $i }", [5]),
        ("[ordered]@{b=1;a=2}; [pscustomobject]@{b=1;a=2}", [{"b": 1, "a": 2}, {"b": 1, "a": 2}]),
    ],
)
def test_expressions_and_commands(script, expected):
    got = output(script)

    assert got == expected
    assert [isinstance(value, bool) for value in got] == [isinstance(value, bool) for value in expected]


@pytest.mark.parametrize(
    ("script", "records"),
    [
        (
            "Write-Warning 'w'; Write-Host 'h' -NoNewline; Write-Information i",
            [("warning", "w"), ("information", "h"), ("information", "i")],
        ),
        ("Write-Verbose 'no'; Write-Debug 'no'", []),
        ("Write-Verbose 'v' -Verbose; Write-Debug -Debug -Message 'd'", [("verbose", "v"), ("debug", "d")]),
        (
            "$VerbosePreference = 'Continue'; Write-Verbose 'v'; Write-Verbose 'n' -Verbose:$false",
            [("verbose", "v")],
        ),
        (
            "Write-Error 'e'; Write-Error 'n' -ErrorAction SilentlyContinue; 'x' | Write-Warning",
            [("error", "e"), ("warning", "x")],
        ),
        ("$ErrorActionPreference = 'SilentlyContinue'; Write-Error 'n'", []),
        (
            "Write-Host a b; Write-Host 'a','b'; Write-Host ''",
            [("information", m) for m in ("a b", "a b", "")],
        ),
        ("Write-Warning 'n' -WarningAction Ignore; Write-Information 'n' -InformationAction Ignore", []),
        ("Write-Warning -Mess 'w'; Write-Error -ea SilentlyContinue 'n'", [("warning", "w")]),
        ("Write-Progress -Activity 'p' -PercentComplete 5 -Completed", []),
    ],
)
def test_streams(script, records):
    assert written(script) == records


def test_an_unknown_command_writes_an_error_and_the_script_goes_on():
    result, machine = outcome("No-Such-Command -x 1; 'on'")

    assert [value for _, value in result.output] == ["on"]
    assert machine.records[0].message.startswith(
        "The term 'No-Such-Command' is not recognized as a name of a cmdlet"
    )


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("throw 'boom'", "RuntimeException: boom"),
        ("throw", "RuntimeException: ScriptHalted"),
        (
            "Write-Error 'e' -ErrorAction Stop",
            "ActionPreferenceStopException: The running command stopped because the",
        ),
        (
            "$ErrorActionPreference = 'Stop'; Write-Error 'e'",
            "ActionPreferenceStopException: The running command stopped because the",
        ),
        ("if (", "IncompleteParseException: Missing condition in if statement after 'if ('."),
    ],
)
def test_terminating_errors(script, error):
    result, _ = outcome(script)

    assert result.error is not None
    assert result.error.text.startswith(f"System.Management.Automation.{error}")


@pytest.mark.parametrize(
    ("statement", "message", "id"),
    [
        ("1 / 0", "Attempted to divide by zero.", "RuntimeException"),
        ("5 % 0", "Attempted to divide by zero.", "RuntimeException"),
        (
            "[int]'x'",
            'Cannot convert value "x" to type "System.Int32". Error: "The input string \'x\' was not in a '
            'correct format."',
            "InvalidCastFromStringToInteger",
        ),
        (
            "1 + 'x'",
            'Cannot convert value "x" to type "System.Int32". Error: ',
            "InvalidCastFromStringToInteger",
        ),
        (
            "$null.ToString()",
            "You cannot call a method on a null-valued expression.",
            "InvokeMethodOnNull",
        ),
        ("$null[0]", "Cannot index into a null array.", "NullArray"),
        ("No-Such-Thing 'x'", "The term 'No-Such-Thing' is not recognized", "CommandNotFoundException"),
        ("1 | No-Such-Thing | % { 'never' }", "The term 'No-Such-Thing'", "CommandNotFoundException"),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}; 'on'", "if (1) {{ {} }}; 'on'", "$x = 5; $x = {}; if ($x -eq 5) {{ 'on' }}"]
)
def test_most_errors_end_their_statement_only(statement, message, id, around):
    result, machine = outcome(around.format(statement))

    assert (result.error, [value for _, value in result.output]) == (None, ["on"])
    [(stream, text)] = [(record.stream, record.message) for record in machine.records]
    assert (stream, text.startswith(message)) == ("error", True)
    [record] = machine.errors
    assert (record.error.id, record.line) == (id, 1)


def test_output_before_an_error_is_kept_and_exit_loses_it():
    assert [value for _, value in outcome("'a'; throw 'b'; 'c'")[0].output] == ["a"]
    assert outcome("'a'; exit 3; 'b'")[0].exited


def test_time_passes_on_paper():
    result, machine = outcome("1; Start-Sleep 2; Write-Warning 'w'; sleep -Milliseconds 500; 2")

    assert [round(at, 3) for at, _ in result.output] == [0, 2.5]
    assert round(machine.elapsed, 3) == 2.5
    assert [record.at for record in machine.records] == [2]


@pytest.mark.parametrize(
    ("script", "parameters", "expected"),
    [
        ('param($a, $B = 2) "$a-$b"', {"A": 1}, ["1-2"]),
        ("param([string[]]$p) $p.Count; $p", {"p": "x"}, [1, "x"]),
        ('param([switch]$s) "$s"', {"s": True}, ["True"]),
        ("param($name) $name", {"na": 1}, [1]),
        ('param($q) "$q|$args"', {"p": 5}, ["|-p 5"]),
        ("[CmdletBinding()]param([Parameter(Mandatory=$true)][int]$n) $n", {"n": "7"}, [7]),
        ("'no parameters'", {"p": 1}, ["no parameters"]),
    ],
)
def test_parameters(script, parameters, expected):
    assert output(script, **parameters) == expected


@pytest.mark.parametrize(
    ("script", "given", "error"),
    [
        (
            "param([int]$p) 1",
            [("p", "abc")],
            "ParameterBindingArgumentTransformationException: Cannot process argument",
        ),
        (
            "param($p) 1",
            [("p", 1), ("P", 2)],
            "ParameterBindingException: Cannot bind parameter because parameter 'P' is",
        ),
        (
            "[CmdletBinding()]param($q) 1",
            [("zz", 1)],
            "ParameterBindingException: A parameter cannot be found that",
        ),
        (
            "[CmdletBinding()]param($q) 1",
            [("p", 1)],
            "ParameterBindingException: Parameter cannot be processed because",
        ),
        (
            "param([Parameter(Mandatory)]$q) 1",
            [],
            "ParameterBindingException: Cannot process command because of one or",
        ),
    ],
)
def test_parameters_that_do_not_fit(script, given, error):
    result = run(script, given, Machine())

    assert result.error is not None
    assert result.error.text.startswith(f"System.Management.Automation.{error}")


REFUSED = [
    "Get-VM",
    "Get-Nonsense",
    "function f {}",
    "while ($true) { 1 }",
    "for ($i = 0; $i -lt 3; $i++) { $i }",
    "switch (1) { 1 { 'one' } }",
    "try { 1 } catch { 2 }",
    "1..3 | % { return }",
    "foreach ($i in 1..3) { break }",
    "[System.Net.Dns]::GetHostName()",
    "'x'.PadLeft(3)",
    "(Get-Date).Year",
    "1 > file",
    "Write-Error 'x' 2>$null",
    "1..1000000",
    "'x' * 1000000",
    "1..99999 | % { 1..99999 }",
    "$x = 'x'; foreach ($i in 1..60) { $x = $x + $x }",
    "[decimal]1 + 1",
    "9223372036854775807 + 1",
    "'a' -match 'a'",
    "'A' -ceq 'a'",
    "'a,b' -split ','",
    "'a_b' -lt 'ab'",
    "'{0:N2}' -f 1",
    "[datetime]::new(2013, 13, 1)",
    "@(1)['a']",
    "(" * 2000,
    "Start-Sleep -Seconds -1",
    "Start-Sleep 1 2",
    "Start-Sleep -Sec 1 -Mill 5",
    "Write-Host @args",
    "Write-Warning 'a' 'b'",
    "Write-Warning -Nonsense 'a'",
    "Write-Error 'x' -Category InvalidData",
    "Write-Output 1,2 -NoEnumerate",
    "1 | Format-Table",
    "[pscustomobject]@{a=1} | Format-Table a",
    "$Matches",
    "$Error.Count",
    "$PSVersionTable",
    "$?",
    "$env:PATH",
    "$ConfirmPreference = 'Low'",
    "$OFS = '-'",
    "$WarningPreference = 'Stop'",
    "$ErrorActionPreference",
    "$h = @{}; $h.k = 5",
    "$a, $b = 1, 2",
    "$i = 5; $i++",
    "($x = 5)",
    "$x = $y = 5",
    "$x ? 1 : 2",
    "[int]$x = 5",
    "param([int]$p) $p = 'x'",
    "param([ValidateSet('a')]$p) $p",
    "& { param($a) $a } 4",
    "& { 1 }",
    "$x = if (1) { return 5 }",
    "$(return 5)",
    "[char]'a' -eq 'a'",
    "[int][char]'a'",
    "([string[]](1,2)).GetType().Name",
    "'aB'.ToUpper()",
    "'{0}' -f 1",
    "1 -xor 0",
    "1 -notin 1,2",
    "$x = 1; foreach ($i in 1..60) { $x = $x,$x }; $x | ConvertTo-Json -Depth 100",
    "1..99999 | % { 'x' * 99999 }",
    "Shutdown-VMGuest 'x'",
    ". { 1 }",
    "{ 1 }",
    "#requires -Version 7\n1",
    "'a' 'b'",
    "(1; 2)",
    "(1\n+ 2)",
    "1.5.ToString()",
    "0xFFFFFFFF",
    "99999999999999999999",
    "@{a=1;A=2}",
    "@{a=1;b=2}.Keys",
    "@{a=1;b=2} | ConvertTo-Json",
    '"$x: y"',
    '"`u{1F389}"',
    "'it\u2019s'",
    '"a\u201db"',
    "$x = 1\n$y = @'\ntext\n'@",
    "Write-Output(1)",
    "Write-Output 01",
    "Write-Output a#b",
    "data { 1 }",
    '1/3 | % { "$_" }',
    "$ErrorActionPreference = 'Stop'; 1/0",
    "$ErrorActionPreference = 'SilentlyContinue'; throw 'x'",
]


@pytest.mark.parametrize("script", REFUSED)
def test_what_is_not_understood_is_refused(script):
    with pytest.raises(NotUnderstoodError) as caught:
        run(script, [], Machine())

    assert caught.value.line in {1, 2}
    assert caught.value.what


@given(
    st.text(
        st.sampled_from("aA1$@(){}[]'\"`|;,.+-*/%=!<> \n#_&:") | st.characters(codec="utf-8"), max_size=40
    )
)
@example("[x")
@example("$(")
@example("@{a=")
@example('"$(')
def test_any_text_is_run_or_refused(script):
    with suppress(NotUnderstoodError):
        run(script, [("p", 1)], Machine())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        ([None], ""),
        (["  a  ", "   ", 2], "a  \n   \n2"),
        ([True, 2.0, 2.5, 1e20, Decimal("1.10")], "True\n2\n2.5\n1E+20\n1.10"),
        ([[1, [2]]], "1\nSystem.Object[]"),
        ([{"a": 1, "b": "x"}], "a b\n- -\n1 x"),
        ([{"a": 1}, {"a": 10, "b": 2}], "a\n -\n 1\n10"),
        ([{"name": "x", "n": [1, 2]}, {"name": "long", "n": None}], "name n\n---- -\nx    {1, 2}\nlong"),
        ([{"a": 1}, "s", {"b": 2}], "a\n-\n1\ns\n\nb\n-\n2"),
        ([{"Name": "x", "Size": 1.5, "On": True}], "Name Size   On\n---- ----   --\nx    1.50 True"),
        ([{"n": 0.125}, {"n": 10.0}], "n\n    -\n 0.13\n10.00"),
        ([1e15, 1e16, 0.0001, 0.00001, 10 / 3], "1E+15\n1E+16\n0.0001\n1E-05\n3.33333333333333"),
        ([dict.fromkeys("abcde", 1)], "a : 1\nb : 1\nc : 1\nd : 1\ne : 1"),
        ([Hashtable({"a": 1})], f"Name{' ' * 27}Value\n----{' ' * 27}-----\na{' ' * 30}1"),
        ([datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)], "Thursday, 02 January 2020 03:04:05"),
        ([timedelta(days=1, seconds=5, microseconds=10)], "1.00:00:05.0000100"),
        ([EnumValue("E", "One", 1), UUID(int=1), Version("1.2")], f"One\n{UUID(int=1)}\n1.2"),
    ],
)
def test_the_text_of_output(values, text):
    assert "\n".join(line.rstrip() if "-" in line else line for line in show(values).split("\n")) == text


def test_a_table_is_eighty_columns_wide_and_no_more():
    lines = show([{"one": "a" * 90, "two": "b"}]).split("\n")

    assert lines[0] == "one"
    assert lines[2] == "a" * 79 + "…"


@pytest.mark.parametrize(
    ("value", "type_name", "content"),
    [
        ("x", "System.String", "x"),
        (1, "System.Int32", 1),
        (Int64(1), "System.Int64", 1),
        (2**40, "System.Int64", 2**40),
        (2**70, "System.Numerics.BigInteger", 2**70),
        (2.5, "System.Double", 2.5),
        (float("-inf"), "System.Double", "-Infinity"),
        (Decimal("1.1"), "System.Decimal", 1.1),
        (True, "System.Boolean", True),
        (Char("c"), "System.Char", "c"),
        (datetime(2013, 3, 3, 12, tzinfo=UTC), "System.DateTime", "2013-03-03T12:00:00.0000000Z"),
        (EnumValue("System.DayOfWeek", "Monday", 1), "System.DayOfWeek", {"value__": 1}),
        (Hashtable({"a": 1, "d": {"x": 1}}), "System.Collections.Hashtable", {"a": 1, "d": ""}),
        (
            {"b": [1], "a": None, "c": Hashtable()},
            "System.Management.Automation.PSCustomObject",
            {"a": None, "b": "System.Object[]", "c": "System.Collections.Hashtable"},
        ),
        (
            Version("1.2.3"),
            "System.Version",
            {"Build": 3, "Major": 1, "MajorRevision": -1, "Minor": 2, "MinorRevision": -1, "Revision": -1},
        ),
    ],
)
def test_documents(value, type_name, content):
    [text] = documents(value)

    document = json.loads(text)
    assert list(document) == ["TypeName", "Interfaces", "Value"]
    assert (document["TypeName"], document["Value"]) == (type_name, content)
    assert text.startswith('{\n  "TypeName": "')


def test_an_object_has_no_interfaces_and_other_values_have_some():
    assert json.loads(documents({"a": 1})[0])["Interfaces"] is None
    assert "System.IComparable" in json.loads(documents(1)[0])["Interfaces"]
    assert "System.IConvertible" in json.loads(documents(EnumValue("E", "A", 0))[0])["Interfaces"]


def test_an_array_is_one_document_for_each_element():
    assert [json.loads(text)["Value"] for text in documents([1, "a", None])] == [1, "a"]


def test_durations_have_all_their_units():
    [text] = documents(timedelta(seconds=-90, milliseconds=-1))

    value = json.loads(text)["Value"]
    assert (value["Minutes"], value["Seconds"], value["Milliseconds"]) == (-1, -30, -1)
    assert (value["Ticks"], value["TotalMinutes"]) == (-900010000, -90.001 / 60)


def test_json_stops_at_its_depth():
    value = Hashtable({"a": Hashtable({"b": [1, 2]})})

    assert convert_to_json(value, 2, compress=True) == '{"a":{"b":[1,2]}}'
    with pytest.raises(NotUnderstoodError, match="deeper than -Depth"):
        convert_to_json(value, 0, compress=True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_json_is_json(value):
    assert structured(value, 1) == value
    with suppress(NotUnderstoodError):
        assert json.loads(convert_to_json(value, 99, compress=True)) == value
        assert json.loads(convert_to_json(value, 99, compress=False)) == value


def test_an_ordered_dictionary_shows_itself_and_not_its_entries():
    assert json.loads(documents(OrderedDictionary({"a": 1, "b": 2}))[0])["Value"]["Count"] == 2


def test_brackets_in_brackets_do_not_take_time():
    # Tried in two ways on each level, this would never come to an end.
    assert output("(" * 40 + "1" + " | % { $_ })" * 40) == [1]
