"""What PowerShell knows of an error finds its record."""

import json

from srs_vsphere._codec.structured_output import PowerShellError, structured
from srs_vsphere._service.error_details import described, reason_record, without_reason
from srs_vsphere.models import ErrorRecord, StreamRecord, StreamType
from tests.recorded_exchanges import shared_file

SCRIPT = "'a'\n  Get-Item /nosuch\n'b'"
WRAPPER = "at <ScriptBlock><End>, <No file>: line 60"


def error(message, line=2, **more):
    return PowerShellError(message, trace=f"at <ScriptBlock>, <No file>: line {line}\n{WRAPPER}", **more)


def record(message):
    return StreamRecord(message, None, StreamType.ERROR)


def test_a_record_gets_all_that_is_known():
    known = error("no", id="I,C", category="ObjectNotFound", target="/nosuch", type="System.Exception")
    (found,) = described([record("no")], [known], SCRIPT)
    assert found == ErrorRecord(
        "no",
        None,
        StreamType.ERROR,
        line=2,
        script_line="Get-Item /nosuch",
        error_id="I,C",
        category="ObjectNotFound",
        target="/nosuch",
        exception_type="System.Exception",
        stack=("at <ScriptBlock>, <No file>: line 2",),
    )


def test_records_are_matched_by_message_and_order():
    errors = [error("handled", 1), error("a", 2), error("b", 3), error("a", 4), error("a", 5)]
    found = described([record("a"), record("a"), record("unknown"), record("a")], errors)
    assert [(each.message, each.line) for each in found] == [("a", 2), ("a", 4), ("unknown", None), ("a", 5)]
    assert found[2] == ErrorRecord("unknown", None, StreamType.ERROR)
    assert {each.script_line for each in found} == {None}


def test_the_line_is_the_innermost_one_in_the_script():
    own = ("at f, <No file>: line 3", "at <ScriptBlock>, <No file>: line 9")
    stack = ("at Get-Thing, /opt/module.psm1: line 77", *own)
    (found,) = described([record("no")], [PowerShellError("no", trace="\n".join([*stack, WRAPPER]))], SCRIPT)
    assert (found.line, found.script_line, found.stack) == (3, "'b'", stack)


def test_a_line_that_the_script_lacks_is_a_number_only():
    (found,) = described([record("no")], [error("no", 99)], SCRIPT)
    assert (found.line, found.script_line) == (99, None)


def test_the_reason_is_the_last_error_that_it_tells_of():
    errors = [error("boom", 1), error("boom", 2), error("other", 3)]
    found = reason_record("System.Management.Automation.RuntimeException: boom\n   at X", errors, SCRIPT)
    assert found is not None
    assert (found.message, found.line, found.time) == ("boom", 2, None)
    assert reason_record("ParseException: At line:1 char:5", errors) is None
    assert reason_record(None, errors) is None
    assert reason_record("x", [error("")]) is None


BINDING = "System.Management.Automation.ParameterBindingException: Cannot process: q.\n   at X"


def test_a_binding_error_appears_once():
    once = [ErrorRecord("before"), ErrorRecord("Cannot process: q.")]
    assert without_reason(once, BINDING) == once[:1]
    # Of another message, or written by the script itself.
    assert without_reason(once[:1], BINDING) == once[:1]
    own = [ErrorRecord("Cannot process: q.", stack=("at f",))]
    assert without_reason(own, BINDING) == own
    assert without_reason(once, "RuntimeException: Cannot process: q.") == once
    assert without_reason([], BINDING) == without_reason([], None) == []


def test_the_recorded_errors():
    exchanges = json.loads(shared_file("api/recorded-results.json").read_text())["exchanges"]
    bodies = {e["label"]: e["response"]["body"] for e in exchanges}
    lines = {e["label"]: json.loads(e["request"]["body"] or "{}") for e in exchanges if "start" in e["label"]}
    records = [StreamRecord(r["message"]) for r in json.loads(bodies["an error on the way: error"])]
    errors = structured(json.loads(bodies["an error on the way: output"])).errors
    script = lines["an error on the way: start"]["script_parameters"][0]["value"]
    (found,) = described(records, errors, script)
    assert (found.line, found.script_line, found.category) == (2, "Get-Item /nosuch", "ObjectNotFound")
    assert found.error_id == "PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand"
    assert found.stack == ("at <ScriptBlock>, <No file>: line 2",)
    handled = structured(json.loads(bodies["a handled error: output"])).errors
    records = [StreamRecord(r["message"]) for r in json.loads(bodies["a handled error: error"])]
    assert len(handled) == 2
    assert [each.message for each in described(records, handled)] == ["bad"]
    rest = structured(json.loads(bodies["throw, the rest: output"]))
    assert (rest.values, rest.ended) == ([1, 2], True)
    failure = reason_record(json.loads(bodies["throw: ended"])["reason"], rest.errors)
    assert failure is not None
    assert (failure.message, failure.line, failure.error_id) == ("boom", 1, "boom")
    missing = [ErrorRecord(r["message"]) for r in json.loads(bodies["missing parameter: error"])]
    reason = json.loads(bodies["missing parameter: ended"])["reason"]
    assert without_reason(missing, reason) == []
    rest = structured(json.loads(bodies["missing parameter, the rest: output"]))
    (known,) = described(missing, rest.errors)
    assert known.stack == ()
    assert without_reason([known], reason) == []
