"""Scripts of which it is known what PowerShell makes of them: each is right here or refused."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere.simulator.objects.refusal import NotUnderstoodError
from srs_vsphere.simulator.powershell.machine import Machine
from srs_vsphere.simulator.powershell.runner import run

#: What a script puts out where PowerShell stops with an error.
STOPS = object()
#: By script, the objects that PowerShell puts out; `STOPS` where it does not run the script to its end.
KNOWN = {
    # Numbers: types, overflow, halves, the sign of a remainder.
    "2147483647 + 1": [2147483648.0],
    "2147483647 * 2": [4294967294.0],
    "-2147483648 - 1": [-2147483649.0],
    "9223372036854775807": [9223372036854775807],
    "9223372036854775807 + 1": [9.223372036854775808e18],
    "[int]2.5; [int]3.5; [int]-2.5; [int]0.5": [2, 4, -2, 0],
    "[int]'2.5'": [2],
    "[int]'0x10'": [16],
    "[int]' 5 '": [5],
    "7 / 2; 8 / 2; -7 / 2; 1 / 4": [3.5, 4, -3.5, 0.25],
    "7 % 3; -7 % 3; 7 % -3": [1, -1, 1],
    "7.5 % 2": [1.5],
    "1.0; 1.50; .5; 1e3; 1E-2": [1.0, 1.5, 0.5, 1000.0, 0.01],
    "0x7f; 0xFF; 1kb; 2MB; 1.5kb": [127, 255, 1024, 2097152, 1536.0],
    "007": [7],
    "1l.GetType().Name": ["Int64"],
    "5 -3; 5 - 3; 5-3": [2, 2, 2],
    "2 + 3 * 4; (2 + 3) * 4; 2 * 3 + 4": [14, 20, 10],
    "10 - 2 - 3; 16 / 4 / 2": [5, 2],
    "1 + '2'; '1' + 2; 1 + '0x10'; '3' * 2": [3, "12", 17, "33"],
    "'3' - 1": [2],
    "3 * '4'": [12],
    "'ab' * 0; 'ab' * 3": ["", "ababab"],
    "1 + $true": [2],
    "1 + $null; $null + 1; $null + 'a'": [1, 1, "a"],
    "-'5'": [-5],
    "+5": [5],
    "- 5": [-5],
    "5 -band 3; 5 -bor 3; 1 -shl 4": [1, 7, 16],
    # Texts: quotes, escapes, what is inserted.
    '\'it\'\'s\'; "say ""hi"""': ["it's", 'say "hi"'],
    "'a`nb'": ["a`nb"],
    '"a`nb`tc`0d`"e`$f``g"': ['a\nb\tc\0d"e$f`g'],
    '"`a`b`f`v`e"': ["\a\b\f\v\x1b"],
    '"a`qb"': ["aqb"],
    '$n = "web"; "$n-1 $n.Length $n[0] ${n}s $($n.Length)"': ["web-1 web.Length web[0] webs 3"],
    '"$undefined|"': ["|"],
    "\"$(1; 2)|$()|$('a')\"": ["1 2||a"],
    '"$(1.10) $(1e20) $true $null|"': ["1.1 1E+20 True |"],
    '"$(@(1, @(2, 3)))"': ["1 System.Object[]"],
    '"$((5).GetType())"': ["int"],
    '"100%; #no comment"': ["100%; #no comment"],
    '"a $ b $"': ["a $ b $"],
    "'#' + ';' + '|'": ["#;|"],
    "@'\nit's\n'@": ["it's"],
    '$x = 1\n@"\n$x "q"\n"@': ['1 "q"'],
    "'{0}-{1:N2}' -f 1, 2.5": ["1-2.50"],
    "'a,b,c' -split ','": ["a", "b", "c"],
    "-split 'a b'": ["a", "b"],
    "'a', 'b' -join '-'; 1, 2.5 -join ' '; 5 -join '-'": ["a-b", "1 2.5", "5"],
    "-join ('a', 'b')": ["ab"],
    "'abc' -replace 'b', 'x'": ["axc"],
    "'abc'.ToUpper(); 'abc'.Substring(1); ' a '.Trim()": ["ABC", "bc", "a"],
    "'abc'[0] + 'x'": ["ax"],
    "'abc'[-1]; 'abc'.Length": ["c", 3],
    "'é'.Length; '😀'.Length; ('a😀' * 2).Length": [1, 2, 6],
    "'a' + 1.0 + $false + 1e15": ["a1False1E+15"],
    # Comparisons.
    "'A' -eq 'a'; 'A' -ceq 'a'; 'a' -ieq 'A'; 'a' -ne 'A'": [True, False, True, False],
    "'10' -gt 9; 10 -gt '9'; '10' -eq 10.0; 10 -eq '10.0'": [False, True, True, True],
    "0 -eq ''; '' -eq 0; 0 -eq $null; '' -eq $null": [True, False, False, False],
    "$true -eq 1; 1 -eq $true; 2 -eq $true; $true -eq 2; $true -eq 'false'": [True, True, False, True, True],
    "$null -eq $null; $null -ne 0; @($null) -eq $null": [True, True, None],
    "1, 2, 3 -eq 2; 1, 2, 3 -ne 2; 1, 2, 3 -gt 5": [2, 1, 3],
    "(1, 2, 3 -gt 5).Count": [0],
    "1, 2, 3 -contains 2; 2 -in 1, 2; 1, 2 -notcontains 2": [True, True, False],
    "'ab' -contains 'a'": [False],
    "'abc' -like 'A*'; 'abc' -match 'B'; 'a.c' -like 'a?c'": [True, True, True],
    "'b' -gt 'A'; 'B' -lt 'a'; 'a10' -lt 'a9'": [True, False, True],
    "'a' -lt 'B' -and 'b' -gt 'A'": [True],
    "1 -eq 1 -and 2 -eq 3 -or 1": [True],
    "$true -or $false -and $false": [False],
    "-not 1 -eq 0; !$true; -not ''": [True, False, True],
    "-not (1 -eq 0)": [True],
    "1 -lt 2 -eq $true": [True],
    "3 -is [int]; '3' -as [int]": [True, 3],
    "1 -xor 1": [False],
    # What is true.
    "if ('0') {'t'} else {'f'}; if ('') {'t'} else {'f'}": ["t", "f"],
    "if (@(0)) {'t'} else {'f'}; if (@(0, 0)) {'t'} else {'f'}; if (@()) {'t'} else {'f'}": ["f", "t", "f"],
    "if (,@(0)) {'t'} else {'f'}; if (,@()) {'t'} else {'f'}; if (@(,@(0))) {'t'} else {'f'}": [
        "t",
        "f",
        "t",
    ],
    "if (@{}) {'t'} else {'f'}; if (@{}.Keys) {'t'} else {'f'}": ["t", "t"],
    "if ('False') {'t'}; if (0.0) {'t'}; if (-1) {'m'}": ["t", "m"],
    # Arrays: commas, unrolling, ranges.
    "1..3; 3..1; -1..1; 2..2": [1, 2, 3, 3, 2, 1, -1, 0, 1, 2],
    "$n = [long] 3; 1..$n; $n..2; (1..$n)[0].GetType().Name": [1, 2, 3, 3, 2, "Int32"],
    "1..2 + 5; 1, 2 + 3": [1, 2, 5, 1, 2, 3],
    "(1, 2) + 3, 4": [1, 2, 3, 4],
    "1, 2 * 2": [1, 2, 1, 2],
    "1 + 2, 3": STOPS,
    ",1; ,@(1, 2); (, 1).Count; (,@(1, 2)).Count": [1, [1, 2], 1, 1],
    "@(@(1, 2), @(3)); @(@(1, 2)).Count; @(, @(1, 2)).Count": [[1, 2], [3], 2, 1],
    "@(1, @(2, 3)).Count; (1, (2, 3)).Count": [2, 2],
    "$a = 1, 2; $a += 3, 4; $a.Count; $a -join ''": [4, "1234"],
    "$a = @(); $a += $null; $a.Count; $a += @(); $a.Count": [1, 1],
    "$a = 1; $a += 2; $b += 1; $s = 'x'; $s += 1; $a; $b; $s": [3, 1, "x1"],
    "$a = 1..5; $a[0]; $a[-1]; $a[9]; $a[1..2]": [1, 5, None, 2, 3],
    "@(1).Count; @($null).Count; @().Count; $null.Count; (5).Count; 'ab'.Count": [1, 1, 0, 0, 1, 1],
    "$x = @(1); $x.GetType().Name; $y = ,1; $y.Count": ["Object[]", 1],
    "(1, 2 | % { $_ }).Count; (1 | % { $_ }).Count": [2, 1],
    "$r = foreach ($i in 1..3) { $i }; $r.Count; $e = foreach ($i in @()) { 1 }; $e.Count": [3, 0],
    "$x = if ($false) { 1 }; @($x).Count; $x | % { 'never' }": [0],
    "(@{a=1}, @{a=2}).a; @(@{a=1}).a.GetType().Name": [1, 2, "Int32"],
    "([pscustomobject]@{n=1, 2}, [pscustomobject]@{n=3}).n.Count": [3],
    "(,[pscustomobject]@{n=1}).n -eq 1": [True],
    "$h = @{}; $h.a = 1; $h['b'] = 2; $h.Count; $h.A": [2, 1],
    "@{a=1}.Keys[0]": STOPS,
    "@{a=1}.b; @{a=1}.Count; [pscustomobject]@{a=1}": [None, 1, {"a": 1}],
    "$a, $b = 1, 2; $b": [2],
    "($x = 5); $x": [5, 5],
    "$x = 5; $x++; $x; $x--; $x": [6, 5],
    # Pipelines.
    "1..5 | ? { $_ % 2 } | % { $_ * 10 }": [10, 30, 50],
    '1..5 | Where-Object { $_ -gt 3 } | ForEach-Object { "<$_>" }': ["<4>", "<5>"],
    "1..3 | % { $_; $_ * 2 }": [1, 2, 2, 4, 3, 6],
    "1, 2 | % { 5, 6 | % { $_ }; $_ }": [5, 6, 1, 5, 6, 2],
    "1..9 | Select-Object -First 2": [1, 2],
    "3, 1, 2 | Sort-Object": [1, 2, 3],
    "1..3 | Measure-Object -Sum | % Sum": [6.0],
    "Write-Output 1 2; Write-Output (1, 2); echo a b; Write-Output 1, 2": [1, 2, 1, 2, "a", "b", 1, 2],
    "Write-Output (1, 2) -NoEnumerate | % Count": [2],
    "Write-Output -5; Write-Output 1.5; Write-Output 'a b'": [-5, 1.5, "a b"],
    "Write-Output 1 + 2": [1, "+", 2],
    "Write-Output a-b a.b a=b": ["a-b", "a.b", "a=b"],
    "Write-Output 1kb": [1024],
    "Write-Output $null; @(Write-Output @()).Count": [None, 0],
    "$null | % { 'once' }; @() | % { 'never' }": ["once"],
    "@(1, 2), 3 | % { @($_).Count }": [2, 1],
    "1 | % { $_ } | Out-Null; 'x' | Out-Null; 'end'": ["end"],
    "'a' | Write-Output | % { $_ + 'b' }": ["ab"],
    # Statements: what separates them, comments, names.
    "1;2\n3\r\n4;;5": [1, 2, 3, 4, 5],
    "1 # c\r2": [1, 2],
    "1 # a; 2\n3 <# b\n4 #> ; 5": [1, 3, 5],
    "1 + `\n 2": [3],
    "'a' + <# in between #> 'b'": ["ab"],
    "$Abc = 1; $aBC; $ABC += 1; $abc": [1, 2],
    "$global:v = 1; $v; $script:v = 2; $global:v; ${v}": [1, 2, 2],
    "IF (1) { 'A' } ELSE { 'B' }; ForEach ($I In 1, 2) { $i }": ["A", 1, 2],
    "if (0) { 1 } elseif (1) { 2 } else { 3 }": [2],
    "if (1) { 'a' }\nelse { 'b' }": ["a"],
    "if (1) { 1 }; 2": [1, 2],
    "foreach ($i in 1..2) { foreach ($j in 1..2) { $i * $j } }": [1, 2, 2, 4],
    "foreach ($i in 1, 2) { }; $i": [2],
    "foreach ($i in @{a=1}) { 'once' }; foreach ($i in 'ab') { $i }; foreach ($i in $null) { 1 }": [
        "once",
        "ab",
    ],
    "$i = 0; while ($i -lt 2) { $i; $i += 1 }": [0, 1],
    "for ($i = 0; $i -lt 2; $i++) { $i }": [0, 1],
    "switch (2) { 1 { 'a' } 2 { 'b' } }": ["b"],
    "function f($x) { $x * 2 }; f 4": [8],
    "& { 1 }; . { $q = 5 }; $q": [1, 5],
    "1..3 | % { if ($_ -eq 2) { return }; $_ }": [1, 3],
    "return 5; 6": [5],
    "if (1) { return 'a' }; 'b'": ["a"],
    "param($a = 5) $a": [5],
    "param([int]$a = '7', [string]$b) $a; $b": [7, ""],
    "$x = 1 2": STOPS,
    "$x = @{a=1} 5": STOPS,
    "'a' 'b'": STOPS,
    "1 +": STOPS,
    "[pscustomobject]@{b=1; a=2}; [ordered]@{z=1; y=2}": [{"b": 1, "a": 2}, {"z": 1, "y": 2}],
    "@{a=1; A=2}": STOPS,
    "[string]1.5; [string]$true; [bool]'false'; [bool]0; [int]$true; [int]$null": [
        "1.5",
        "True",
        True,
        False,
        1,
        0,
    ],
    "[int[]]('1', 2) -join ','; [string[]](1, 2) -join '|'": ["1,2", "1|2"],
    "[char]65; [int][char]'a'; [datetime]'2024-01-02' -gt [datetime]'2023-01-02'": ["A", 97, True],
    "[math]::Round(2.5); [int]::MaxValue; [string]::Join('-', 1, 2)": [2.0, 2147483647, "1-2"],
    "(Get-Date '2024-02-03').Month": [2],
    "sleep -Milliseconds 500; 'x'": STOPS,
}


class Ran:
    """What came of a script, and whether it was refused."""

    def __init__(self, script):
        self.refused = self.stopped = False
        self.output = []
        machine = Machine()
        try:
            result = run(script, [], machine)
        except NotUnderstoodError:
            self.refused = True
            return
        self.stopped = result.error is not None or machine.records != []
        self.output = [value for _, value in result.output]


def same(one, other):
    """Whether two values are the same; 1, 1.0 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    kinds = [
        bool if isinstance(each, bool) else float if isinstance(each, float) else object
        for each in (one, other)
    ]
    return kinds[0] is kinds[1] and one == other


@pytest.mark.parametrize("script", KNOWN)
def test_what_is_known_is_right_or_refused(script):
    ran = Ran(script)

    expected = KNOWN[script]
    if not ran.refused and expected is STOPS:
        assert ran.stopped
    elif not ran.refused:
        assert not ran.stopped
        assert same(ran.output, expected), ran.output


def test_not_everything_is_refused():
    counts = Counter(Ran(script).refused for script in KNOWN)

    assert counts[False] >= len(KNOWN) * 0.4


# Programs that are made at random, with what they put out worked out beside them.

#: A text of the script with the value that it stands for, and how tightly its outermost operator binds.
ATOM = 9


def arithmetic(sign, left, right):
    """Return what PowerShell makes of two numbers, None where it stops."""
    if sign in "/%" and right == 0:
        return None
    if sign == "/":
        whole = isinstance(left, int) and isinstance(right, int) and left % right == 0
        value = left // right if whole else left / right
    elif sign == "%":
        if not (isinstance(left, int) and isinstance(right, int)):
            return None
        value = abs(left) % abs(right) * (-1 if left < 0 else 1)
    else:
        value = {"+": left + right, "-": left - right, "*": left * right}[sign]
    return float(value) if isinstance(value, int) and not -(2**31) <= value < 2**31 else value


@st.composite
def numbers(draw, depth=3):
    if depth == 0 or draw(st.booleans()):
        value = draw(st.integers(-20, 20) | st.sampled_from([0.5, 2.5, 2147483647, 65536, -2147483648]))
        return str(value), value, ATOM
    sign = draw(st.sampled_from("+-*/%"))
    binding = 3 if sign in "+-" else 4
    left, one, left_binding = draw(numbers(depth - 1))
    right, other, right_binding = draw(numbers(depth - 1))
    value = arithmetic(sign, one, other)
    if value is None or (isinstance(value, float) and abs(value) > 1e15):
        return left, one, left_binding
    # Brackets only where they are needed, and sometimes where they are not.
    spare = draw(st.booleans())
    left = f"({left})" if left_binding < binding or spare else left
    right = f"({right})" if right_binding <= binding or spare else right
    blank = draw(st.sampled_from([" ", " ", "  ", "\n "]))
    return f"{left} {sign}{blank}{right}", value, binding


LETTERS = st.text("abcXYZ 09.,;#|{}()[]<>@&=+-*/%!?:_äé€", max_size=8)


def written(value):
    """Return the text that PowerShell makes of a value."""
    if isinstance(value, float):
        return f"{value:.15g}".replace("e", "E") if value != int(value) else str(int(value))
    return str(value)


@st.composite
def texts(draw):
    parts, value = [], ""
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["plain", "quote", "escape", "number"]))
        if kind == "plain":
            part = draw(LETTERS)
            parts.append(part)
            value += part
        elif kind == "quote":
            parts.append('""')
            value += '"'
        elif kind == "escape":
            part, sign = draw(st.sampled_from([("`n", "\n"), ("`t", "\t"), ("`$", "$"), ("``", "`")]))
            parts.append(part)
            value += sign
        else:
            text, number, _ = draw(numbers(1))
            if isinstance(number, float) and float(f"{number:.15g}") != number:
                continue
            parts.append(f"$({text})")
            value += written(number)
    if draw(st.booleans()):
        single = draw(LETTERS)
        return "'" + single.replace("'", "''") + "'", single
    return '"' + "".join(parts) + '"', value


@st.composite
def questions(draw):
    left, one, _ = draw(numbers(1))
    right, other, _ = draw(numbers(1))
    word, answer = draw(
        st.sampled_from(
            [
                ("eq", one == other),
                ("ne", one != other),
                ("lt", one < other),
                ("le", one <= other),
                ("gt", one > other),
                ("ge", one >= other),
            ]
        )
    )
    return f"{left} -{draw(st.sampled_from([word, word.upper(), 'i' + word]))} {right}", answer


@st.composite
def lists(draw):
    """A list of scalars, with what a pipeline takes from it."""
    items = draw(st.lists(numbers(0) | texts(), min_size=1, max_size=4))
    script = ", ".join(item[0] for item in items)
    values = [item[1] for item in items]
    way = draw(st.sampled_from(["bare", "array", "brackets", "nested"]))
    if way == "nested":
        return f"@(({script}), 7)" if len(values) > 1 else f"@({script})", (
            [values, 7] if len(values) > 1 else values
        )
    return {"bare": script, "array": f"@({script})", "brackets": f"({script})"}[way], values


def random_case(draw, text):
    return "".join(sign.upper() if draw(st.booleans()) else sign for sign in text)


@st.composite
def programs(draw):
    """Return a script and what it puts out."""
    lines, output = [], []
    variables = {}
    for number in range(draw(st.integers(1, 5))):
        kind = draw(
            st.sampled_from(
                ["number", "text", "question", "list", "assign", "if", "map", "filter", "loop", "count"]
            )
        )
        if kind == "number":
            script, value, _ = draw(numbers())
            output.append(value)
        elif kind == "text":
            script, value = draw(texts())
            output.append(value)
        elif kind == "question":
            script, value = draw(questions())
            output.append(value)
        elif kind == "list":
            script, values = draw(lists())
            output += values
        elif kind == "count":
            script, values = draw(lists())
            script = f"@({script}).Count"
            output.append(len(values))
        elif kind == "assign":
            text, value, _ = draw(numbers())
            name = f"v{number}"
            variables[name] = value
            script = f"${random_case(draw, name)} = {text}"
            if draw(st.booleans()):
                shown = draw(st.sampled_from(sorted(variables)))
                script += f"; ${random_case(draw, shown)}"
                output.append(variables[shown])
        elif kind == "if":
            question, answer = draw(questions())
            script = f"{random_case(draw, 'if')} ({question}) {{ 'yes' }} else {{ 'no' }}"
            output.append("yes" if answer else "no")
        elif kind == "map":
            count, more = draw(st.integers(1, 5)), draw(st.integers(-5, 5))
            script = (
                f"1..{count} | {draw(st.sampled_from(['%', 'ForEach-Object', 'foreach']))} {{ $_ * {more} }}"
            )
            output += [each * more for each in range(1, count + 1)]
        elif kind == "filter":
            count, least = draw(st.integers(1, 5)), draw(st.integers(0, 6))
            script = f"1..{count} | {draw(st.sampled_from(['?', 'Where-Object']))} {{ $_ -ge {least} }}"
            output += [each for each in range(1, count + 1) if each >= least]
        else:
            text, values = draw(lists())
            name = f"i{number}"
            variables[name] = values[-1]
            script = f"foreach (${name} in {text}) {{ @(${name}).Count }}"
            output += [len(each) if isinstance(each, list) else 1 for each in values]
            variables.pop(name)
        comment = draw(st.sampled_from(["", "", " # ' \" ; 5", " <# 1; 2 #>"]))
        separator = draw(st.sampled_from([";", "\n", " ;\n\n", "\r\n"]))
        lines.append(script + comment + ("\n" if "#" in comment and separator.startswith(";") else separator))
    return "".join(lines), output


@given(programs())
def test_programs_are_right_or_refused(program):
    script, expected = program
    ran = Ran(script)

    # All of these are made of what is understood.
    assert not ran.refused
    assert not ran.stopped
    assert same(ran.output, expected), ran.output
