"""The small part of PowerShell that the simulator understands."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
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
        ("1,2,3 -gt 1", [2, 3]),
        ("1,2 -contains 3; -not $true; !0; $true -and 0; 0 -or 1", [False, False, True, False, True]),
        ("1,2 -join '-'; 5 -join ','", ["1-2", "5"]),
        ("$null -eq $null; 0 -eq $null; $a; ,@(1,2)", [True, False, None, [1, 2]]),
        (
            "(1,2,3).Count; 'abc'.Length; 'abc'.Count; $null.Count; @{a=1}.A; [pscustomobject]@{b=2}",
            [3, 3, 1, 0, 1, {"b": 2}],
        ),
        ("(5).GetType().FullName; (5).GetType().Name", ["System.Int32", "Int32"]),
        ("[int]'5'; [string]5; [double]2; [bool]'x'; [long]1", [5, "5", 2.0, True, 1]),
        ("if (0) {1} elseif ('a') {2} else {3}; if ($false) {4}", [2]),
        ("foreach ($i in 1..3) { $i * 2 }", [2, 4, 6]),
        (
            '1..5 | ? { $_ -gt 3 } | % { $_ + 1 }; 1..2 | ForEach-Object -Process { "<$_>" }',
            [5, 6, "<1>", "<2>"],
        ),
        ("Write-Output 1,2; echo 'a b' ; Write-Output a", [1, 2, "a b", "a"]),
        ("-2147483648 - 1; (-2147483648).GetType().Name; -5", [-2147483649.0, "Int32", -5]),
        ("return 5; 6", [5]),
        ("1, 2 | Out-Null; 3", [3]),
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
        ("Write-Verbose 'n' -Verbose:$false", []),
        (
            "Write-Error 'e'; Write-Error 'n' -ErrorAction SilentlyContinue; 'x' | Write-Warning",
            [("error", "e"), ("warning", "x")],
        ),
        (
            "Write-Host a b; Write-Host 'a','b'; Write-Host ''",
            [("information", m) for m in ("a b", "a b", "")],
        ),
        ("Write-Warning -Mess 'w'; Write-Error -ea SilentlyContinue 'n'", [("warning", "w")]),
        ("Write-Progress -Activity 'p'; Write-Host 'h' -ForegroundColor DarkGreen", [("information", "h")]),
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


def test_what_stands_behind_an_unknown_command_is_worked_out_before_the_error():
    assert [stream for stream, _ in written("No-Such-Thing (Write-Warning 'w')")] == ["warning", "error"]
    assert [stream for stream, _ in written("(Write-Warning 'w') | No-Such-Thing")] == ["warning", "error"]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("throw 'boom'", "RuntimeException: boom"),
        ("throw", "RuntimeException: ScriptHalted"),
        (
            "Write-Error 'e' -ErrorAction Stop",
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
    result, machine = outcome("1; Start-Sleep 2; Write-Warning 'w'; Start-Sleep -Milliseconds 500; 2")

    assert [round(at, 3) for at, _ in result.output] == [0, 2.5]
    assert round(machine.elapsed, 3) == 2.5
    assert [record.at for record in machine.records] == [2]


@pytest.mark.parametrize(
    ("script", "parameters", "expected"),
    [
        ('param($a, $B = 2) "$a-$b"', {"A": 1}, ["1-2"]),
        ("param([string[]]$p) $p.Count; $p", {"p": "x"}, [1, "x"]),
        ('param([switch]$s) "$s"', {"s": True}, ["True"]),
        ('param($q) "$q|$args"', {"p": 5}, ["|-p 5"]),
        ("[CmdletBinding()]param([Parameter(Mandatory=$true)][int]$n) $n", {"n": "7"}, [7]),
        ("'no parameters'", {"p": 1}, ["no parameters"]),
        ("param($p) $p | % { $_.GetType().Name }", {"p": b"ab"}, ["Byte", "Byte"]),
        ("param($p) if ($p) { 'yes' } else { 'no' }", {"p": b"\0"}, ["no"]),
        ("param($p) if ($p) { 'yes' } else { 'no' }", {"p": b""}, ["no"]),
        ("param($p) $p.Length", {"p": b"abc"}, [3]),
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
    "sleep 1",
    "@() | Start-Sleep 1",
    "Write-Progress 'p' -PercentComplete 500",
    "Write-Progress ''",
    "Write-Host 'x' -ForegroundColor Geen",
    "Write-Host 'x' -ForegroundColor 77",
    "@() | Write-Output 'x'",
    "1 | Write-Warning 'x'",
    "1 | Write-Progress 'x'",
    "Out-Null",
    "write 1",
    "ssh-keygen",
    "1.10d",
    "-(5)",
    "$x = 5; -$x",
    "'abc'[0]",
    "@{a=1}['a']",
    "@{a=1}.b",
    "@{a=1}.Keys",
    "@{a=1}.Values",
    "@{1='a'}",
    "(@{n=1},@{n=2}).n",
    "(5).ToString()",
    '"$((5).GetType())"',
    "[int]",
    "[string](1,2)",
    "[double]'2.5'",
    "[char]65",
    "[decimal]1",
    "[timespan]::FromMinutes(1)",
    "[System.DayOfWeek]::Monday",
    "[void]1",
    "'abc' -like 'a*'",
    "1 -in 1,2",
    "1 | ConvertTo-Json",
    "[pscustomobject]@{a=1} | Format-Table",
    "$ErrorActionPreference = 'Stop'",
    "$VerbosePreference = 'Continue'",
    "$ProgressPreference = 'Stop'",
    "Write-Warning 'x' -WarningAction Ignore",
    "Write-Information 'x' -InformationAction Ignore",
    "$x = @{a=1} 5",
    "if (1) { 'a' } 'b'",
    "exit (1)",
    "break here",
    "throw ''",
    "throw $null",
    "return 1/0",
    "$(1/0; 'a')",
    "Write-Output { 1 }",
    "Write-Output 'abc'.Length",
    "1`\n+ 2",
    "Write-Output a`\n",
    "1 # sig # begin signature block",
    "param([int]$p) foreach ($p in 'a') { $p }",
    "param($p = [int]'x') $p",
    "!" * 2000 + "1",
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
    "Start-Sleep -Sec 1",
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


def test_how_much_a_script_may_do_does_not_depend_on_how_fast_it_does_it():
    assert len(output("1..20000 | % { $_ }")) == 20_000
    assert output("1" + " + 1" * 7000) == [7001]
    with pytest.raises(NotUnderstoodError, match="more than 100000 steps"):
        run("1..90000 | % { $_ }", [], Machine())


def test_brackets_in_brackets_do_not_take_time():
    # Tried in two ways on each level, this would never come to an end.
    assert output("(" * 40 + "1" + " | % { $_ })" * 40) == [1]
