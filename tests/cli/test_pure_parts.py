"""Durations, tables, data and the order of the command line."""

from __future__ import annotations

import io
import json
import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from srs_vsphere.cli.app import app
from srs_vsphere.cli.data import as_data, to_json, to_yaml
from srs_vsphere.cli.durations import duration_text, parse_duration
from srs_vsphere.cli.finding import Filters
from srs_vsphere.cli.live_table import _shown, show_live
from srs_vsphere.cli.options import Options, moved_behind
from srs_vsphere.cli.problems import ExitCode, exit_code_for, message_of
from srs_vsphere.cli.table import Heading, format_members, format_table
from srs_vsphere.errors import AuthenticationError, SrsError
from srs_vsphere.fleet import FleetSnapshot, HostSnapshot
from srs_vsphere.models import Runspace
from srs_vsphere.results import ScriptOutcome


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("30s", 30), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("500ms", 0.5)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@given(st.text(max_size=8))
def test_a_duration_is_positive_or_refused(text):
    with suppress(ValueError):
        assert parse_duration(text) > 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.2s"),
        (59.9, "59.9s"),
        (60, "1m"),
        (90, "1m30s"),
        (7200, "2h"),
        (9000, "2h30m"),
        (90000, "1d1h"),
    ],
)
def test_durations_are_written(seconds, text):
    assert duration_text(seconds) == text


@given(st.floats(min_value=60, max_value=1e7))
def test_a_duration_is_read_as_it_was_written(seconds):
    assert parse_duration(duration_text(seconds)) == pytest.approx(seconds, rel=0.05)


CELLS = st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30)), max_size=5)


@given(CELLS, st.integers(min_value=1, max_value=120))
def test_a_table_fits_its_width_if_it_can(rows, width):
    headings = (Heading("A", flexible=True), Heading("B", flexible=True), Heading("C", optional=True))
    table = format_table(headings, rows, width)
    assert len(table) == len(rows) + 1
    assert all(cell_len(line) <= max(width, 18) for line in table)
    assert all(line.isprintable() for line in table)


@given(CELLS)
def test_without_a_width_nothing_is_cut(rows):
    headings = (Heading("A", flexible=True), Heading("B"), Heading("C", optional=True))
    for line, row in zip(format_table(headings, rows, None)[1:], rows, strict=True):
        for cell in row:
            assert "".join(c if c.isprintable() else "\ufffd" for c in " ".join(cell.split())) in line + " "


def test_wide_signs_take_two_cells():
    assert format_table((Heading("名前"), Heading("B")), [("a", "b")], None) == ["名前  B", "a     b"]
    assert format_members([("a", "\x1b[31mred"), ("long", "x")]) == ["a     \ufffd[31mred", "long  x"]


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(DATA)
def test_yaml_is_read_back_as_it_was(data):
    try:
        text = to_yaml(data)
        text.encode()
    except UnicodeEncodeError:
        return
    assert yaml.safe_load(text) == data


@given(DATA)
def test_json_is_read_back_as_it_was(data):
    assert json.loads(to_json(as_data(data))) == data
    assert "\n" not in to_json(data, indent=None)


class Word(StrEnum):
    ONE = "one"


def test_what_becomes_of_other_values():
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert as_data([at, b"ab", Word.ONE, (1,), timedelta(seconds=1), {1: 2}]) == [
        "2026-01-02T03:04:00+00:00",
        "YWI=",
        "one",
        [1],
        "0:00:01",
        {"1": 2},
    ]
    assert as_data(Runspace("1", creation_time=at))["creation_time"] == "2026-01-02T03:04:00+00:00"


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        (["about"], ["about"]),
        (["--url", "x", "-o", "json", "run", "-"], ["run", "-", "--url", "x", "-o", "json"]),
        (["--url=x", "-q", "run", "--", "-x"], ["run", "--url=x", "-q", "--", "-x"]),
        (["--help"], ["--help"]),
        (["-v", "--help"], ["-v", "--help"]),
        ([], []),
    ],
)
def test_options_may_stand_before_the_command(words, moved):
    assert moved_behind(words) == moved


def subclasses(kind):
    return {kind, *(found for child in kind.__subclasses__() for found in subclasses(child))}


@pytest.mark.parametrize("kind", sorted(subclasses(SrsError), key=lambda kind: kind.__name__))
def test_what_to_do_is_said_in_the_commands_terms(kind):
    """What an error advises is for programs: no call and no argument of Python's is told to an operator."""
    error = SrsError("it failed")
    error.__class__ = kind
    error.advice = kind.advice
    error.given_up = "no attempts are left of 5: wait, or raise RetryPolicy(attempts=)"
    told = message_of(error)
    assert not re.search(r"[(][a-z_]*=|[a-z]\(", told), told
    assert told.endswith(".")


def test_advice_of_its_own_is_kept():
    error = AuthenticationError(
        "no", advice='Pin it with Tls(thumbprint="AB:CD"), or say Tls(verify="never").'
    )
    assert message_of(error) == "no. Pin it with `srs cert --pin`, or give --insecure twice."
    assert message_of(AuthenticationError("no")).startswith("no. Check user name and password, and that the")


@pytest.mark.parametrize("outcome", ScriptOutcome)
def test_an_outcome_is_an_exit_code(outcome):
    codes = {ScriptOutcome.SUCCEEDED: 0, ScriptOutcome.SUCCEEDED_WITH_ERRORS: 3}
    assert exit_code_for(outcome) == codes.get(outcome, 1)


def test_all_exit_codes_are_documented():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| exit code | |")[2].partition("\n## ")[0]
    told = set(re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE))))
    in_help = set(re.findall(r"\d+", app.help_epilogue.partition("Exit codes:")[2]))
    assert told == in_help == {str(int(code)) for code in ExitCode}


def test_filters():
    now = datetime.now(UTC)
    old = Runspace("1", name="nightly", state="ready", creation_time=now - timedelta(hours=1))
    young = Runspace("2", name="other", state="error", creation_time=now)
    unknown = Runspace("3")
    assert Filters(older=600).matching([old, young, unknown]) == [old]
    assert Filters(name="night*").matching([old, young, unknown]) == [old]
    assert Filters(state="error").matching([old, young, unknown]) == [young]
    assert Filters().matching([old, young, unknown]) == [old, young, unknown]
    assert not Filters().given


def test_a_live_table_is_not_made_anew_for_each_event():
    asked = []

    def snapshot():
        asked.append(threading.current_thread())
        return FleetSnapshot()

    show_live(iter(range(1000)), snapshot, ["a"], str, Options())
    # At the beginning and the end, and by a thread of its own from time to time.
    assert asked.count(threading.main_thread()) <= 3


def test_a_live_table_fits_the_screen_and_begins_with_what_needs_a_look():
    names = [f"host-{number:02}.{'example' * 9}" for number in range(90)]
    hosts = {name: HostSnapshot({}, up=True) for name in names[:80]}
    hosts[names[50]].up = False
    hosts[names[60]].runspaces["a"] = Runspace("a", state="error")
    console = Console(width=60, height=24, file=io.StringIO())
    console.print(_shown(FleetSnapshot(hosts), names, [f"event {number}" for number in range(5)], 24))
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 23
    assert [line.split(".")[0] for line in lines[1:5]] == [" host-50", " host-60", " host-00", " host-01"]
    assert lines[-6:] == ["and 74 more hosts", *(f"event {number}" for number in range(5))]
    console.print(_shown(FleetSnapshot(hosts), names[:16], [], 24))
    assert "more hosts" not in console.file.getvalue()[-200:]
