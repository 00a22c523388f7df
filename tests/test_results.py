"""The outcome of a script is truthful, whatever the service calls its state."""

import json
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from srs_vsphere import errors
from srs_vsphere._codec.models import structurer
from srs_vsphere.errors import SrsError, VCenterConnectionError, WaitTimeoutError
from srs_vsphere.models import Runspace, ScriptExecution, ScriptExecutionState, StreamRecord, StreamType
from srs_vsphere.results import (
    LOST_REASON,
    ScriptFailedError,
    ScriptOutcome,
    ScriptResult,
    outcome_of,
    split_streams,
)
from tests.recorded_exchanges import exchanges

START = datetime(2026, 1, 2, tzinfo=UTC)
OOPS = StreamRecord("oops\nand more", START, StreamType.ERROR)


def execution(state, reason=None, **more):
    return ScriptExecution("id", state=ScriptExecutionState(state), reason=reason, **more)


def result(outcome, reason=None, errors=(), name=None):
    state = {"failed": "error", "lost": "error", "canceled": "canceled"}.get(outcome, "success")
    return ScriptResult(
        ScriptOutcome(outcome), "out", list(errors), execution=execution(state, reason, name=name)
    )


@pytest.mark.parametrize(
    ("state", "reason", "records", "outcome"),
    [
        ("success", None, [], "succeeded"),
        ("success", None, [OOPS], "succeeded_with_errors"),
        ("error", "X: y", [], "failed"),
        ("error", None, [OOPS], "failed"),
        ("error", f"{LOST_REASON}. Could be because", [], "lost"),
        ("error", f"System.Exception: {LOST_REASON}", [], "failed"),
        ("canceled", "X: The pipeline has been stopped.", [OOPS], "canceled"),
    ],
)
def test_outcomes(state, reason, records, outcome):
    assert outcome_of(execution(state, reason), records) is ScriptOutcome(outcome)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, None),
        (" \n", None),
        ("X: y\n   at Z", "X: y"),
        (
            "System.Management.Automation.ParseException: At line:1 char:5\n+ if (\n+     ~\n"
            "Missing condition in if statement after 'if ('.\n\nAt line:2 char:1\n+ )\n+ ~\nUnexpected.\n"
            "   at System.Management.Automation.Runspaces",
            "System.Management.Automation.ParseException: At line:1 char:5:"
            " Missing condition in if statement after 'if ('.",
        ),
        # Without the lines that show the place, nobody knows where the sentence is.
        ("ParseException: At line:1 char:5\n(stack trace omitted)", "ParseException: At line:1 char:5"),
        ("ParseException: At line:1 char:5\n+ if (\n+ ~", "ParseException: At line:1 char:5"),
        ("IncompleteParseException: Missing it.\n   at X", "IncompleteParseException: Missing it."),
    ],
)
def test_the_reason_is_one_line_and_holds_the_parsers_sentence(text, reason):
    assert result("failed", text).reason == reason


def test_a_stuck_record_is_lost_and_a_running_script_has_no_outcome():
    assert outcome_of(ScriptExecution(state=ScriptExecutionState.RUNNING), []) is ScriptOutcome.LOST
    with pytest.raises(ValueError, match="has not ended: its state is running"):
        outcome_of(execution("running"), [])
    with pytest.raises(ValueError, match="queued"):
        outcome_of(ScriptExecution("id", state="queued"), [])


def test_outcomes_of_every_recorded_script():
    read = structurer(ScriptExecution)
    seen = {}
    for exchange in exchanges("script_executions", "faults"):
        path, response = exchange["request"]["path"], exchange["response"]
        if response["status"] == 200 and path.rpartition("/")[0] == "/api/script-executions":
            script = read(json.loads(response["body"]))
            if script.ended or script.stuck:
                seen.setdefault(str(outcome_of(script, [])), []).append(exchange["label"])
    assert set(seen) == {"succeeded", "failed", "canceled", "lost"}
    assert sorted(seen["lost"]) == [
        "back to back: the first, after 10 tries to start the second at once",
        "deleted while running: ended after 2.0 s",
        "dies while running, json: ended after 2.0 s",
        "unreachable later: ended",
    ]


def test_reason_is_one_line_and_the_trace_is_kept_apart():
    failed = result("failed", "\nX.Y: boom\n   at Some.Where()\n")
    assert failed.reason == "X.Y: boom"
    assert "Some.Where" in failed.reason_text
    assert "Some.Where" not in repr(failed)
    assert result("succeeded").reason is None


def test_duration_is_the_servers():
    ended = execution("success", start_time=START, end_time=START + timedelta(seconds=1.5))
    assert ScriptResult(ScriptOutcome.SUCCEEDED, "", execution=ended).duration == 1.5
    assert result("succeeded").duration is None


def test_success_does_not_raise():
    result("succeeded").raise_for_outcome()
    result("succeeded_with_errors", errors=[OOPS]).raise_for_outcome(allow_errors=True)


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("succeeded_with_errors", "the script 'n' wrote an error, the first: oops and more"),
        ("failed", "the script 'n' failed: X: y"),
        ("canceled", "the script 'n' was canceled"),
        ("lost", "the script 'n' was lost: X: y"),
    ],
)
def test_anything_else_raises_with_the_result(outcome, text):
    it = result(outcome, "X: y\n   at Some.Where()", [OOPS], name="n")
    with pytest.raises(ScriptFailedError) as caught:
        it.raise_for_outcome()
    assert caught.value.result is it
    assert str(caught.value).startswith(text)
    assert "Some.Where" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.result, str(again)) == (it, str(caught.value))


FIFTY = [StreamRecord(f"e{number}", START, StreamType.ERROR) for number in range(25, 75)]


@pytest.mark.parametrize(
    ("it", "says", "never"),
    [
        (
            ScriptResult(ScriptOutcome.SUCCEEDED_WITH_ERRORS, "out", [OOPS]),
            "result.errors has them all, result.output its output.",
            "lost",
        ),
        (
            ScriptResult(ScriptOutcome.SUCCEEDED_WITH_ERRORS, "out", FIFTY, lost_records=25),
            "wrote 50 errors or more, the first that was kept: e25. It ran to its end: result.errors has"
            " those that were kept, result.output its output. At least 25 records were lost: the service",
            "them all",
        ),
        (
            ScriptResult(ScriptOutcome.SUCCEEDED_WITH_ERRORS, "out", lost_records=5),
            "wrote errors, which were lost",
            "them all",
        ),
        (
            ScriptResult(ScriptOutcome.FAILED, ""),
            "Nothing of its output was kept, result.reason_text has the stack trace.",
            "what came before",
        ),
        (
            ScriptResult(ScriptOutcome.FAILED, [1, 2]),
            "result.output has what came before, result.reason_text",
            "Nothing",
        ),
        (
            ScriptResult(ScriptOutcome.CANCELED, "", lost_records=1),
            "Nothing of its output was kept. At least 1 record was lost",
            "what came before",
        ),
        (ScriptResult(ScriptOutcome.CANCELED, [1]), "result.output has what came before.", "Nothing"),
    ],
)
def test_what_the_error_says_of_output_and_errors_is_true(it, says, never):
    with pytest.raises(ScriptFailedError) as caught:
        it.raise_for_outcome()
    assert says in str(caught.value)
    assert never not in str(caught.value)


def test_repr_and_table_tell_outcome_reason_and_counts():
    assert repr(ScriptResult(ScriptOutcome.SUCCEEDED, "")) == "ScriptResult(outcome='succeeded')"
    it = ScriptResult(
        ScriptOutcome.FAILED,
        [1, 2, 3],
        [OOPS],
        [OOPS, OOPS],
        lost_records=4,
        execution=execution(
            "error",
            "X: no <such> VM\n   at Some.Where()",
            name="night & day",
            start_time=START,
            end_time=START + timedelta(seconds=1.5),
        ),
    )
    assert repr(it) == (
        "ScriptResult(outcome='failed', reason='X: no <such> VM', objects=3, errors=1, warnings=2,"
        " lost_records=4)"
    )
    assert it._repr_html_() == (
        "<table><tr><th>script</th><td>night &amp; day</td></tr>"
        "<tr><th>outcome</th><td>failed</td></tr>"
        "<tr><th>reason</th><td>X: no &lt;such&gt; VM</td></tr>"
        "<tr><th>duration</th><td>1.5 s</td></tr>"
        "<tr><th>objects</th><td>3</td></tr>"
        "<tr><th>errors</th><td>1</td></tr>"
        "<tr><th>warnings</th><td>2</td></tr>"
        "<tr><th>lost_records</th><td>4</td></tr></table>"
    )


def test_repr_and_table_stay_short_and_escape_the_output():
    it = ScriptResult(
        ScriptOutcome.FAILED, "<b>" * 1000, execution=execution("error", "x" * 10_000, name="n")
    )
    assert "characters=3000" in repr(it)
    assert len(repr(it)) < 500
    assert "&lt;b&gt;" in it._repr_html_()
    assert "<b>" not in it._repr_html_()
    assert len(it._repr_html_()) < 3000


@pytest.mark.parametrize("outcome", ["failed", "canceled", "lost"])
def test_allowing_errors_allows_nothing_else(outcome):
    with pytest.raises(ScriptFailedError):
        result(outcome).raise_for_outcome(allow_errors=True)


def test_the_other_new_errors_carry_what_they_say_and_pickle():
    waited = WaitTimeoutError("not ready", last=Runspace("r"), operation="runspaces.wait_ready")
    refused = VCenterConnectionError("no vCenter", records=[OOPS])
    for error, name, value in [(waited, "last", Runspace("r")), (refused, "records", (OOPS,))]:
        for copy in (error, pickle.loads(pickle.dumps(error)), error.again()):
            assert isinstance(copy, SrsError)
            assert getattr(copy, name) == value
            assert str(copy) == str(error)
    assert WaitTimeoutError("x").last is None
    assert VCenterConnectionError("x").records == ()


def test_every_error_stands_in_the_tree_that_is_drawn():
    def below(cls):
        return {cls.__name__} | {name for sub in cls.__subclasses__() for name in below(sub)}

    drawn = {line.strip(" │├└─").split()[0] for line in errors.__doc__.splitlines() if "Error" in line[:40]}
    ours = {name for name in below(SrsError) if hasattr(errors, name)}
    assert ours <= drawn


def test_streams_are_split():
    warning = StreamRecord("w", START, StreamType.WARNING)
    split = split_streams([OOPS, warning, OOPS])
    assert split[StreamType.ERROR] == [OOPS, OOPS]
    assert split[StreamType.WARNING] == [warning]
    assert set(split) == set(StreamType)
