"""A result is put together from what the service tells, and loses nothing of it."""

import json

import pytest
from attrs import define

from srs_vsphere._codec.into_classes import maker
from srs_vsphere._codec.models import WireError
from srs_vsphere._service.script_output import CollectedScript, OutputReader, ReadOutput
from srs_vsphere.models import (
    PSDocument,
    ScriptExecution,
    ScriptExecutionState,
    StreamGap,
    StreamRecord,
    StreamType,
)
from srs_vsphere.results import LEFT_EARLY, ScriptOutcome


@define
class Machine:
    name: str
    cpus: int


def document(value):
    return json.dumps({"TypeName": "System.String", "Interfaces": None, "Value": json.dumps(value)})


def last(*values, errors=()):
    return document({"end": list(values), "errors": list(errors)})


GOOD = {"name": "a", "cpus": 2}
BAD = {"name": "b", "cpus": 2.5}


def test_text_and_documents():
    assert OutputReader("text").read(["a", None, "b"]) == ReadOutput("a\nb", "a\nb")
    assert OutputReader("text").read(None).output == ""
    documents = [PSDocument("System.Int32", [], 5)]
    read = OutputReader("raw").read(['{"TypeName":"System.Int32","Interfaces":null,"Value":5}'])
    assert (read.output, read.ended) == (documents, None)


def test_values():
    read = OutputReader("json").read([document([1, 2]), last(3.5)])
    assert (read.output, read.data, read.misfits, read.ended) == ([1, 2, 3.5], [1, 2, 3.5], (), True)


def test_the_rest_is_joined_but_the_script_did_not_end():
    error = {"message": "boom"}
    read = OutputReader("json").read([document([1])], [last(2, errors=[error])])
    assert (read.output, read.ended) == ([1, 2], False)
    assert [each.message for each in read.errors] == ["boom"]
    # Nothing was asked for, or nothing was told.
    assert OutputReader("json").read([document([1])], []).output == [1]


def test_objects_that_fit():
    read = OutputReader("json", maker(Machine)).read([last(GOOD, {**GOOD, "cpus": 2.0})])
    assert read.output == [Machine("a", 2), Machine("a", 2)]
    assert (read.data, read.misfits) == ([GOOD, {**GOOD, "cpus": 2.0}], ())


def test_what_does_not_fit_loses_nothing():
    texts = [document([GOOD, BAD]), last("web-01")]
    read = OutputReader("json", maker(Machine)).read(texts)
    assert read.output == read.data == [GOOD, BAD, "web-01"]
    assert type(read.data[1]["cpus"]) is float
    assert read.misfits == (
        "object 1.cpus: a number where a whole number was expected: 2.5",
        "object 2: a text where an object was expected: 'web-01'",
    )
    kept = OutputReader("json", maker(Machine), keep=True).read(texts)
    assert kept.output == [Machine("a", 2), BAD, "web-01"]
    assert kept.misfits == read.misfits


def test_what_the_service_does_not_document_is_refused():
    for choice in ("raw", "json"):
        with pytest.raises(WireError):
            OutputReader(choice).read(["5"])


def collected(state, read, reason=None, followed=(), **more):
    execution = ScriptExecution("1", state=state, reason=reason)
    return CollectedScript(execution, list(followed), read, "1\n2", **more).result()


def test_a_script_that_left_early():
    left = OutputReader("json").read([document([1])])
    result = collected(ScriptExecutionState.SUCCESS, left)
    assert (result.outcome, result.left_early) == (ScriptOutcome.SUCCEEDED, LEFT_EARLY)
    assert all(word in LEFT_EARLY for word in ("`exit`", "`break`", "`throw`"))
    # One that failed or was stopped says so already; text does not tell.
    for state in (ScriptExecutionState.ERROR, ScriptExecutionState.CANCELED):
        assert collected(state, left).left_early is None
    assert collected(ScriptExecutionState.SUCCESS, OutputReader("text").read([""])).left_early is None
    ended = OutputReader("json").read([last(1)])
    assert collected(ScriptExecutionState.SUCCESS, ended).left_early is None
    assert collected(ScriptExecutionState.SUCCESS, left, lost=True).left_early is None


def test_streams_gaps_and_errors():
    followed = [
        StreamRecord("w", None, StreamType.WARNING),
        StreamGap(StreamType.WARNING, 3),
        StreamRecord("no", None, StreamType.ERROR),
    ]
    trace = "at <ScriptBlock>, <No file>: line 2\nat <ScriptBlock><End>, <No file>: line 60"
    read = OutputReader("json").read([last(errors=[{"message": "no", "trace": trace}])])
    result = collected(ScriptExecutionState.SUCCESS, read, followed=followed, lost_streams=1)
    assert (result.outcome, result.lost_records) == (ScriptOutcome.SUCCEEDED_WITH_ERRORS, 4)
    assert [record.message for record in result.warnings] == ["w"]
    assert [(error.message, error.line, error.script_line) for error in result.errors] == [("no", 2, "2")]
    assert result.failure is None


def test_a_failed_scripts_reason_is_known_too():
    trace = "at <ScriptBlock>, <No file>: line 2\nat <ScriptBlock><End>, <No file>: line 60"
    rest = [last(1, errors=[{"message": "boom", "trace": trace, "id": "boom"}])]
    read = OutputReader("json").read([], rest)
    result = collected(ScriptExecutionState.ERROR, read, "RuntimeException: boom\n   at X")
    assert (result.outcome, result.output, result.reason) == (
        ScriptOutcome.FAILED,
        [1],
        "RuntimeException: boom",
    )
    assert result.failure is not None
    assert (result.failure.line, result.failure.script_line, result.failure.error_id) == (2, "2", "boom")


def test_a_binding_error_appears_once_as_reason():
    followed = [StreamRecord("Cannot bind.", None, StreamType.ERROR)]
    reason = "System.Management.Automation.ParameterBindingException: Cannot bind.\n   at X"
    result = collected(ScriptExecutionState.ERROR, ReadOutput("", ""), reason, followed)
    assert (result.outcome, result.errors) == (ScriptOutcome.FAILED, [])
    assert result.reason == "System.Management.Automation.ParameterBindingException: Cannot bind."
