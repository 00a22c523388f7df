"""The parts of a fleet that do no I/O: targets, files, breaker, sketch, schedule, changes, journal."""

from __future__ import annotations

import errno
import itertools
import json
import os
import pickle
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere import (
    ApiKeyAuth,
    BasicAuth,
    ErrorDetails,
    FileAuth,
    InvalidArgumentTypeError,
    InvalidArgumentValueError,
    NotSentError,
    Runspace,
    SrsError,
    Tls,
    profiles,
)
from srs_vsphere.fleet import (
    AsyncSrsFleet,
    BreakerPolicy,
    FleetSnapshot,
    HostDown,
    HostMissingError,
    HostReport,
    HostSkippedError,
    HostUp,
    LatencySketch,
    RunspaceChanged,
    RunspaceCreated,
    RunspaceFailed,
    RunspaceGone,
    RunspaceReady,
    Target,
    profile_targets,
    read_targets,
)
from srs_vsphere.fleet import journal as journal_module
from srs_vsphere.fleet.breaker import Breaker
from srs_vsphere.fleet.changes import changes
from srs_vsphere.fleet.journal import Journal
from srs_vsphere.fleet.login_rate import LoginLimiter
from srs_vsphere.fleet.progress import Progress
from srs_vsphere.fleet.running import job_of
from srs_vsphere.fleet.schedule import Schedule, place_of, spread
from tests.fleet.helping import FullDisk

AT = datetime(2026, 11, 26, tzinfo=UTC)
HOST = Target("a", "https://a.example")
AUTH = BasicAuth("alice", "sentinel-7Qx")


# Targets.


def test_a_target_is_a_value() -> None:
    target = Target("a", "https://a.example", labels={"site": "x"})
    assert target == pickle.loads(pickle.dumps(target))
    assert hash(target) == hash(pickle.loads(pickle.dumps(target)))
    assert "sentinel" not in repr(Target("a", "https://a.example", AUTH))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        target.name = "b"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((" ", "https://a.example"), "name must be printable and not blank"),
        (("a\n", "https://a.example"), "name must be printable"),
        (("a", "a.example"), "url must begin with"),
        (("a", "https://user:sentinel@a.example"), "url must not hold credentials"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(arguments: tuple[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        Target(*arguments)
    assert "sentinel" not in str(caught.value)


def test_targets_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="two are named 'a'"):
        AsyncSrsFleet([HOST, HOST])
    with pytest.raises(ValueError, match="at least one target"):
        AsyncSrsFleet([])
    with pytest.raises(TypeError, match=r"targets must hold Target objects, not str \(number 1\)"):
        AsyncSrsFleet([HOST, "https://b.example"])
    with pytest.raises(InvalidArgumentTypeError, match="targets must hold Target objects, not be a int"):
        AsyncSrsFleet(5)
    with pytest.raises(TypeError, match="labels"):
        Target("a", "https://a.example", labels={"site": 1})
    with pytest.raises(InvalidArgumentTypeError, match="tls must be Tls, not str"):
        Target("a", "https://a.example", tls="AB:CD")


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("concurrency", 0, InvalidArgumentValueError),
        ("timeout", 0, InvalidArgumentValueError),
        ("timeout", "1", InvalidArgumentTypeError),
        ("idle", float("inf"), InvalidArgumentValueError),
        ("login_rate", -1, InvalidArgumentValueError),
        ("timeouts", 1, InvalidArgumentTypeError),
        ("breaker", 5, InvalidArgumentTypeError),
        ("retry", 5, InvalidArgumentTypeError),
        ("transport", 5, InvalidArgumentTypeError),
    ],
)
def test_arguments_of_a_fleet_are_checked_by_name(name: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        AsyncSrsFleet([HOST], **{name: value})


def test_arguments_of_its_methods_are_checked_by_name() -> None:
    fleet = AsyncSrsFleet([HOST])
    for interval in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"interval must be more than 0 seconds, not {interval}"):
            fleet.watch(interval=interval)
    with pytest.raises(TypeError, match="interval"):
        fleet.watch(interval="5")
    with pytest.raises(TypeError, match="resume"):
        fleet.watch(interval=5, resume="snapshot")
    with pytest.raises(ValueError, match="deadline"):
        fleet.poll(deadline=-1)
    with pytest.raises(TypeError, match="on_progress"):
        fleet.poll(on_progress=5)
    with pytest.raises(ValueError, match="script"):
        fleet.run(" ")
    with pytest.raises(TypeError, match="runspace"):
        fleet.run("1", runspace="id")
    with pytest.raises(TypeError, match="on_progress"):
        fleet.run("1", on_progress=5)

    async def tell(progress: Progress) -> None:
        """Nobody would await it."""

    with pytest.raises(TypeError, match="on_progress must be a plain function"):
        fleet.poll(on_progress=tell)


# Files.

CSV = """\
name,url,auth,verify,ca_file,site

a,https://a.example,,,,north
"b, too",https://b.example:8443,lab,true,lab.pem,
"""
TOML = """\
[[target]]
name = "a"
url = "https://a.example"
labels = { site = "north" }

[[target]]
name = "b, too"
url = "https://b.example:8443"
auth = "lab"
verify = true
ca_file = "lab.pem"
"""


@pytest.mark.parametrize(("suffix", "text"), [("csv", "\ufeff" + CSV), ("TOML", TOML)])
def test_targets_come_from_a_file(tmp_path: Path, suffix: str, text: str) -> None:
    file = tmp_path / f"hosts.{suffix}"
    file.write_text(text, encoding="utf-8")
    lab = ApiKeyAuth("key")
    if suffix == "csv":
        # As some spreadsheets save it.
        (tmp_path / "wide.csv").write_text(text.lstrip("\ufeff"), encoding="utf-16")
        assert len(read_targets(tmp_path / "wide.csv", auth={"": AUTH, "lab": lab})) == 2
        (tmp_path / "columns.csv").write_text("name,url,,\na,https://a.example,,\n")
        assert len(read_targets(tmp_path / "columns.csv")) == 1
    assert read_targets(file, auth={"": AUTH, "lab": lab}) == [
        Target("a", "https://a.example", AUTH, labels={"site": "north"}),
        Target("b, too", "https://b.example:8443", lab, Tls(ca_file=str(tmp_path / "lab.pem"))),
    ]


@pytest.mark.parametrize(
    ("suffix", "text", "line", "complaint"),
    [
        ("csv", CSV.replace("https://b", "b"), 4, "url must begin with"),
        ("csv", CSV.replace(",true,", ",maybe,"), 4, "verify must be true, false or never"),
        ("csv", CSV.replace("lab,true", "elsewhere,true"), 4, "not among the credentials"),
        ("csv", CSV.replace('"b, too"', "a"), 4, "that of line 3"),
        ("csv", CSV.replace("north", "north,more"), 3, "7 cells under 6 headings"),
        ("csv", CSV.replace("name,url", "name,name"), 1, "the headings"),
        ("csv", CSV.replace(",site", ","), 3, "a cell without a heading"),
        ("csv", CSV.replace(",site", ",Password"), 3, "would show the label Password"),
        ("csv", CSV.replace('"b, too"', '"b" too'), 4, "expected after"),
        ("toml", TOML.replace("https://b", "b"), 6, "url must begin with"),
        ("toml", TOML.replace('name = "a"', ""), 1, "name is missing"),
        ("toml", TOML.replace("verify", "verfy"), 6, "there is no setting verfy"),
        ("toml", TOML.replace("verify = true", "verify = 2"), 6, "verify must be True, False"),
        ("toml", TOML.replace("verify = true", 'verify = "no"'), 6, "verify must be true, false or never"),
        ("toml", TOML.replace("verify = true", "thumbprint = '12'"), 6, "thumbprint"),
        ("toml", TOML.replace("true", "false"), 6, "exclude each other"),
        ("toml", TOML.replace('"lab"', "1"), 6, "auth must be a name"),
        ("toml", TOML.replace('{ site = "north" }', "5"), 1, "labels must be a table"),
        ("toml", TOML.replace("site =", "token ="), 1, "would show the label token"),
        ("toml", TOML.replace("lab.pem", ""), 6, "ca_file must name a file, not be empty"),
        (
            "toml",
            TOML.replace('{ site = "north" }', "{ site = [] }"),
            1,
            "label site must be a text or a number",
        ),
        ("toml", TOML.replace('name = "a"', "name = 5"), 1, "name must be text"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, suffix: str, text: str, line: int, complaint: str) -> None:
    file = tmp_path / f"hosts.{suffix}"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"line {line}: .*{complaint}"):
        read_targets(file, auth={"": AUTH, "lab": AUTH})


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("hosts.toml", "[[target]\n", "at line 1"),
        ("hosts.toml", "target = 5", "table"),
        ("hosts.toml", "target = [5]", "table"),
        ("hosts.toml", TOML.replace("[[target]]", "[[targets]]"), r"hosts\.toml: there is no targets; each"),
        ("hosts.toml", "timeout = 5\n[defaults]\n" + TOML, "there is no defaults, timeout; each target"),
        ("hosts.toml", "target = " + "[" * 9999, r"hosts\.toml: "),
        ("hosts.toml", "target = " + "9" * 9999, r"hosts\.toml: "),
        ("hosts.csv", "name;url\na;https://a.example\n", "line 1: .*separated by commas"),
        ("hosts.toml", "", "no target"),
        ("hosts.csv", "", "no target"),
        ("hosts.json", "[]", r"\.csv or a \.toml"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read_targets(tmp_path / name)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_bytes(b"name,url\nx\xff,https://a.example\n")
    with pytest.raises(InvalidArgumentValueError, match=r"hosts\.csv cannot be read: it is not UTF-8"):
        read_targets(tmp_path / "hosts.csv")


def test_a_file_may_name_credentials_only_if_there_are_some(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text(CSV)
    with pytest.raises(ValueError, match="line 4: auth names 'lab'"):
        read_targets(tmp_path / "hosts.csv", auth=AUTH)
    (tmp_path / "hosts.csv").write_text("name,url\na,https://a.example\n")
    assert read_targets(tmp_path / "hosts.csv", auth=AUTH)[0].auth == AUTH
    assert read_targets(tmp_path / "hosts.csv")[0].auth is None


def test_targets_come_from_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SRS_", "GOVC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(profiles, "config_file", lambda: tmp_path / "config.toml")
    (tmp_path / "config.toml").write_text(
        "[profiles.a]\nurl = 'https://a.example'\nusername = 'alice'\npassword_file = '/run/a'\n"
        "[profiles.b]\nurl = 'https://b.example'\nusername = 'bob'\npassword_file = '/run/b'\n"
        "ca_file = 'b.pem'\n"
    )
    assert profile_targets("b", "a") == [
        Target("b", "https://b.example", FileAuth("bob", "/run/b"), Tls(ca_file="b.pem")),
        Target("a", "https://a.example", FileAuth("alice", "/run/a")),
    ]
    with pytest.raises(ValueError, match="'c'"):
        profile_targets("a", "c")
    monkeypatch.setenv("SRS_URL", "https://c.example")
    with pytest.raises(ValueError, match="SRS_URL is set"):
        profile_targets("a")


# Circuit breaker, login pace, sketch.


@given(
    st.lists(st.tuples(st.floats(0, 100), st.booleans(), st.floats(0, 0.99)), max_size=60), st.integers(1, 4)
)
def test_a_breaker_opens_after_failures_in_a_row_and_lets_single_probes_through(
    steps: list[tuple[float, bool, float]], failures: int
) -> None:
    policy = BreakerPolicy(failures=failures, probe_after=10, probe_cap=40)
    breaker = Breaker(policy)
    now, row, last = 1000.0, 0, 0.0
    for passed, good, chance in steps:
        now += passed
        wait = breaker.wait(now)
        if row < failures:
            assert wait is None
        elif wait is None:
            assert now - last >= 5
            # Only one at a time.
            assert breaker.wait(now + 1000) is not None
        else:
            assert 0 < wait <= 60
            continue
        if good:
            breaker.succeeded()
            row = 0
        else:
            breaker.failed(now, chance)
            row, last = row + 1, now
        assert breaker.failures == row
        assert breaker.open == (row >= failures)


def test_a_probe_that_tells_nothing_is_free_again() -> None:
    breaker = Breaker(BreakerPolicy(failures=1, probe_after=1))
    breaker.failed(0, 0.5)
    assert breaker.wait(0.5) == 0.5
    assert breaker.wait(1) is None
    breaker.undecided()
    assert breaker.wait(1) is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"failures": 0}, ValueError),
        ({"failures": True}, TypeError),
        ({"probe_after": -1}, ValueError),
        ({"probe_cap": "1"}, TypeError),
    ],
)
def test_a_breaker_policy_is_checked(options: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        BreakerPolicy(**options)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=50))
def test_logins_keep_their_distance(gaps: list[float]) -> None:
    limiter = LoginLimiter(2)
    now, times = 0.0, []
    for gap in gaps:
        now += gap
        times.append(now + limiter.wait(now))
    assert all(later - earlier >= 0.499 for earlier, later in itertools.pairwise(times))
    assert times[0] == gaps[0]


@given(st.lists(st.floats(1e-5, 1e5), min_size=1, max_size=200), st.floats(0, 1), st.integers(0, 200))
def test_a_sketchs_quantiles_are_right_within_a_per_cent(
    durations: list[float], share: float, cut: int
) -> None:
    sketch, other = LatencySketch(), LatencySketch()
    for number, duration in enumerate(durations):
        (sketch if number < cut else other).add(duration)
    sketch.merge(pickle.loads(pickle.dumps(other)))
    true = sorted(durations)[int(share * (len(durations) - 1))]
    found = sketch.quantile(share)
    assert found is not None
    assert abs(found - true) <= 0.0101 * true
    assert len(sketch) == len(durations)
    assert sketch.longest == max(durations)
    assert sketch.mean == pytest.approx(sum(durations) / len(durations))
    assert sketch == sketch.copy()


def test_a_sketch_of_nothing_and_of_odd_durations() -> None:
    sketch = LatencySketch()
    assert (len(sketch), sketch.quantile(0.5), sketch.mean, repr(sketch)) == (
        0,
        None,
        None,
        "LatencySketch(0)",
    )
    sketch.add(0)
    sketch.add(-1)
    sketch.add(1e12)
    assert len(sketch) == 3
    assert "LatencySketch(3: p50" in repr(sketch)
    assert sketch != 3
    with pytest.raises(ValueError, match="share"):
        sketch.quantile(1.1)


# Schedule.


def test_places_are_stable_and_even() -> None:
    # A number that was written down: it must be the same in every release and process.
    assert place_of("srs-0001") == pytest.approx(0.1775, abs=1e-4)
    places = [place_of(f"host-{number}") for number in range(4000)]
    for tenth in range(10):
        assert 330 < sum(tenth <= place * 10 < tenth + 1 for place in places) < 470


@given(st.integers(1, 20), st.floats(0.5, 60), st.lists(st.floats(0, 3), max_size=80), st.floats(0, 1e6))
def test_turns_are_at_multiples_of_the_interval(
    hosts: int, interval: float, waits: list[float], start: float
) -> None:
    targets = [Target(f"h{number}", "https://a.example") for number in range(hosts)]
    schedule = Schedule(spread(targets), interval, start)
    now, last, sweeps = start, dict[str, float](), dict[int, set[str]]()
    for wait in waits:
        now += wait * interval
        turn = schedule.take(now)
        name = turn.item.name
        intervals = (turn.at - start) / interval - place_of(name)
        assert abs(intervals - round(intervals)) < 1e-6
        assert now - turn.at <= interval * (1 + 1e-9)
        assert (turn.left_out > 0) == (turn.behind > interval)
        if name in last:
            assert turn.at - last[name] >= interval * (1 - 1e-9)
        last[name] = turn.at
        assert name not in sweeps.setdefault(turn.sweep, set())
        sweeps[turn.sweep].add(name)
    for number in range(max(sweeps, default=0)):
        assert len(sweeps[number]) == hosts


# Changes and snapshots.

STATES = ["creating", "ready", "error", "active"]


def report(runspaces: dict[str, str] | None, error: SrsError | None = None) -> HostReport:
    listed = None
    if runspaces is not None:
        listed = [Runspace(id_, id_, state, creation_time=AT) for id_, state in runspaces.items()]
    return HostReport(HOST, listed, error, 0.1, 1, AT)


def told(snapshot: FleetSnapshot, seen: HostReport) -> list[str]:
    return [
        f"{type(event).__name__}{f' {event.runspace.id}' if hasattr(event, 'runspace') else ''}"
        for event in changes(snapshot, seen)
    ]


def test_what_is_told() -> None:
    snapshot = FleetSnapshot()
    assert told(snapshot, report({"a": "ready"})) == []
    assert told(snapshot, report({"a": "ready"})) == []
    assert told(snapshot, report({"a": "ready", "b": "creating"})) == ["RunspaceCreated b"]
    assert told(snapshot, report({"a": "error", "b": "ready"})) == ["RunspaceFailed a", "RunspaceReady b"]
    assert told(snapshot, report({"c": "ready", "d": "error", "e": "active"})) == [
        "RunspaceGone a",
        "RunspaceGone b",
        "RunspaceCreated c",
        "RunspaceReady c",
        "RunspaceCreated d",
        "RunspaceFailed d",
        "RunspaceCreated e",
        "RunspaceChanged e",
    ]
    down = report(None, NotSentError("no"))
    assert told(snapshot, down) == ["HostDown"]
    assert told(snapshot, down) == []
    assert told(snapshot, report(None, HostSkippedError("no"))) == []
    assert told(snapshot, report(None, HostMissingError("no"))) == []
    assert told(snapshot, report({"f": "creating"}))[:4] == [
        "HostUp",
        "RunspaceGone c",
        "RunspaceGone d",
        "RunspaceGone e",
    ]
    assert snapshot.hosts["a"].seen == AT


def test_a_host_that_is_down_from_the_start() -> None:
    snapshot = FleetSnapshot()
    assert told(snapshot, report(None, NotSentError("no"))) == ["HostDown"]
    assert told(snapshot, report({"a": "ready"})) == ["HostUp"]
    assert told(snapshot, report({})) == ["RunspaceGone a"]


@given(
    st.lists(
        st.one_of(st.none(), st.dictionaries(st.sampled_from("abcd"), st.sampled_from(STATES), max_size=4)),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_events_lead_from_each_report_to_the_next_and_a_snapshot_may_come_between_any_two(
    history: list[dict[str, str] | None], chance: random.Random
) -> None:
    snapshot = FleetSnapshot()
    known: dict[str, str] | None = None
    up: bool | None = None
    for found in history:
        seen = report(found, None if found is not None else NotSentError("no"))
        first = known is None
        pending = changes(snapshot, seen)
        while (event := next(pending, None)) is not None:
            match event:
                case HostUp():
                    assert up is False
                    up = True
                case HostDown():
                    assert up is not False
                    up = False
                case RunspaceCreated(runspace=runspace):
                    assert known is not None
                    assert runspace.id not in known
                    known[runspace.id] = "creating"
                case RunspaceReady(runspace=runspace):
                    assert known is not None
                    known[runspace.id] = "ready"
                case RunspaceFailed(runspace=runspace):
                    assert known is not None
                    known[runspace.id] = "error"
                case RunspaceChanged(runspace=runspace):
                    assert known is not None
                    known[runspace.id] = str(runspace.state)
                case RunspaceGone(runspace=runspace):
                    assert known is not None
                    del known[runspace.id]
            if chance.random() < 0.3:
                # Whoever starts again here is told the rest, and nothing twice.
                saved = FleetSnapshot.from_json(snapshot.to_json())
                assert saved == snapshot.copy() == pickle.loads(pickle.dumps(snapshot))
                snapshot = saved
                pending = changes(snapshot, seen)
        if found is not None:
            up = True
            if first:
                known = dict(found)
            assert known == found


def test_a_snapshot_keeps_everything_known_and_refuses_what_is_none() -> None:
    runspace = Runspace(
        "a",
        "n",
        "error",
        error_details=ErrorDetails(500, "no pod"),
        run_vc_connection_script=True,
        creation_time=AT + timedelta(microseconds=1),
    )
    snapshot = FleetSnapshot()
    list(changes(snapshot, HostReport(HOST, [runspace], None, 0.1, 1, AT)))
    list(
        changes(
            snapshot, HostReport(Target("b", "https://b.example", AUTH), None, NotSentError("n"), 0, 1, AT)
        )
    )
    text = snapshot.to_json()
    assert "sentinel" not in text
    assert FleetSnapshot.from_json(text) == snapshot
    for bad in ("{", "[" * 9999, "[]", "{}", json.dumps({**json.loads(text), "hosts": {"a": {}}})):
        with pytest.raises(ValueError, match="the text is not a "):
            FleetSnapshot.from_json(bad)


@pytest.mark.parametrize(
    "wrong",
    [
        {"up": "no"},
        {"url": 5},
        {"seen": "yesterday"},
        {"seen": "2026-11-26T00:00:00"},
        {"runspaces": {"r-1": {"name": "x"}}},
        {"runspaces": {"r-1": {"id": "r-2"}}},
        {"runspaces": {"r-1": {"id": "r-1", "creation_time": "yesterday"}}},
    ],
)
def test_a_snapshot_that_was_edited_wrongly_is_refused(wrong: dict[str, object]) -> None:
    host = {"runspaces": {"r-1": {"id": "r-1"}}, "up": True, "seen": AT.isoformat()}
    document = json.loads(FleetSnapshot().to_json())
    assert FleetSnapshot.from_json(json.dumps({**document, "hosts": {"a": host}})).hosts["a"].up
    with pytest.raises(InvalidArgumentValueError, match="the text is not a whole"):
        FleetSnapshot.from_json(json.dumps({**document, "hosts": {"a": host | wrong}}))


def test_a_snapshot_that_was_cut_short_is_refused() -> None:
    with pytest.raises(InvalidArgumentValueError, match="the text is not a srs_vsphere fleet snapshot"):
        FleetSnapshot.from_json(FleetSnapshot().to_json()[:-1])


# Journal.


def test_a_journal_remembers_and_drops_a_line_that_was_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    with Journal(file, "job") as journal:
        journal.begin("a", "x-1")
        journal.end("a", "succeeded")
        journal.begin("bé", "x-2")
    whole = file.read_bytes()
    with file.open("ab") as more:
        more.write(b'{"host": "c", "beg')
    with Journal(file, "job") as journal:
        assert (journal.begun, journal.ended) == ({"a": "x-1", "bé": "x-2"}, {"a": "succeeded"})
        assert file.read_bytes() == whole
        journal.end("bé", "failed")
    with pytest.raises(ValueError, match="closed"):
        journal.begin("c", "x-3")
    with pytest.raises(ValueError, match="line 1: this is the journal of another script"):
        Journal(file, "other")
    file.write_bytes(whole + b"{}\n")
    with pytest.raises(ValueError, match="line 5: this is no line of a journal"):
        Journal(file, "job")
    file.write_bytes(whole + b"[" * 9999 + b"\n")
    with pytest.raises(ValueError, match="line 5: this is no line of a journal"):
        Journal(file, "job")
    file.write_text("name,url\n")
    with pytest.raises(ValueError, match="line 1: this is no"):
        Journal(file, "job")
    with pytest.raises(OSError, match=r".+"):
        Journal(tmp_path / "none" / "journal", "job")


def test_a_journal_on_a_disk_that_was_full_for_a_while_is_still_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "journal"
    disk = FullDisk(file, 3, monkeypatch)
    with Journal(file, "job") as journal:
        journal.begin("a", "x-1")
        journal.begin("b", "x-2")
        with pytest.raises(OSError, match="journal") as caught:
            journal.begin("c", "x-3")
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(file))
        # The script has run: its result is not to be lost for this.
        journal.end("a", "succeeded")
        assert journal.problem is not None
        disk.left = 1
        journal.end("b", "succeeded")
    monkeypatch.undo()
    with Journal(file, "job") as journal:
        assert (journal.begun, journal.ended) == ({"a": "x-1", "b": "x-2"}, {"b": "succeeded"})
        assert journal.problem is None
    with pytest.raises(OSError, match="no room"):
        FullDisk(tmp_path / "no room", -1, monkeypatch)
        Journal(tmp_path / "no room", "job")


@pytest.mark.parametrize("content", [b"my notes", b'{"format": "srs_vsphere fleet journal 2'])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    # It has no line that is whole, and so nothing that a crash of a journal could have cut off.
    file = tmp_path / "notes"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="line 1: this is no srs_vsphere fleet journal"):
        Journal(file, "job")
    assert file.read_bytes() == content


def test_a_journal_whose_first_line_was_cut_off_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    Journal(file, "job").close()
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    Journal(file, "job").close()
    assert file.read_bytes() == whole


def test_two_runs_do_not_share_a_journal(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    with Journal(file, "job") as journal:
        journal.begin("a", "x-1")
        with pytest.raises(ValueError, match="another run has this journal open"):
            Journal(file, "job")
        journal.end("a", "succeeded")
    with Journal(file, "job") as journal:
        assert journal.ended == {"a": "succeeded"}


def test_a_journal_does_without_locks_where_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lock(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(journal_module, "lock", lock)
    with Journal(tmp_path / "journal", "job") as journal:
        journal.begin("a", "x-1")
    assert "could not be locked against other runs" in caplog.text


def test_a_job_is_its_script_and_the_names_of_its_parameters() -> None:
    assert job_of("a", {"p": "sentinel"}) == job_of("a", {"p": "other"}) != job_of("a", {"q": "sentinel"})
    assert job_of("a", None) != job_of("b", None)
