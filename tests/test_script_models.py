"""Models of scripts, streams, consoles and argument scripts decode whatever was recorded."""

import json
from datetime import UTC, datetime

import pytest

from srs_vsphere._codec.models import WireError, structurer
from srs_vsphere.models import (
    ArgumentScript,
    ArgumentScriptTemplate,
    OutputFormat,
    Runspace,
    ScriptExecution,
    ScriptExecutionState,
    StreamRecord,
    StreamType,
    WebConsole,
    WebConsoleState,
)
from tests.recorded_exchanges import exchanges

FILES = ("script_executions", "argument_scripts", "web_consoles", "faults")


def model_for(path):
    parts = path.partition("?")[0].strip("/").split("/")[1:]
    if parts[0] == "script-executions":
        if "streams" in parts:
            return StreamRecord
        return None if parts[-1] in {"output", "cancel"} else ScriptExecution
    if parts[0] == "runspaces":
        return Runspace
    if parts[0] == "webconsoles":
        return WebConsole
    if parts[:2] == ["argument-scripts", "templates"]:
        return ArgumentScriptTemplate
    if parts[:2] == ["argument-scripts", "script"]:
        return ArgumentScript
    return None


def test_every_recorded_body_decodes_and_loses_nothing():
    seen = {}
    for exchange in exchanges(*FILES):
        response, path = exchange["response"], exchange["request"]["path"]
        cls = model_for(path)
        if cls is None or response["status"] not in {200, 202} or not response["body"]:
            continue
        document = json.loads(response["body"])
        for item in document if isinstance(document, list) else [document]:
            decoded = structurer(cls)(item)
            seen[cls] = seen.get(cls, 0) + 1
            for name, value in item.items():
                if name in {"template_id", "template_placeholder_value_list"}:
                    assert not hasattr(decoded, name)
                elif name == "error_details":
                    assert decoded.error_details.code == value["code"]
                elif name == "time" or name.endswith("_time"):
                    assert getattr(decoded, name).tzinfo is not None
                else:
                    member = getattr(decoded, name)
                    # Models can be hashed, so that lists are tuples.
                    assert (list(member) if isinstance(member, tuple) else member) == value, exchange["label"]
    models = {ScriptExecution, StreamRecord, WebConsole, ArgumentScriptTemplate, ArgumentScript, Runspace}
    assert set(seen) == models
    assert seen[ScriptExecution] > 100


def test_a_stuck_record_was_recorded():
    stuck = []
    for exchange in exchanges("faults"):
        if exchange["label"] == "unreachable later: ended":
            stuck.append(structurer(ScriptExecution)(json.loads(exchange["response"]["body"])))
    assert [(e.stuck, e.ended, e.id, e.state) for e in stuck] == [
        (True, False, "", ScriptExecutionState.RUNNING)
    ]


def test_a_format_may_be_a_number_and_a_state_unknown():
    read = structurer(ScriptExecution)
    assert read({"id": "a", "output_objects_format": 5}).output_objects_format == 5
    assert read({"id": "a", "output_objects_format": "json"}).output_objects_format is OutputFormat.JSON
    queued = read({"id": "a", "state": "queued"})
    assert (queued.state, queued.ended, queued.stuck) == ("queued", False, False)


@pytest.mark.parametrize("state", ["success", "error", "canceled"])
def test_three_states_are_ends(state):
    assert structurer(ScriptExecution)({"id": "a", "state": state}).ended


def test_an_id_that_is_there_must_be_text():
    for wrong in ("", 7, None):
        with pytest.raises(WireError):
            structurer(ScriptExecution)({"id": wrong})


def test_a_reason_stays_out_of_repr():
    execution = structurer(ScriptExecution)({"id": "a", "reason": "X: y\n at z"})
    assert execution.reason == "X: y\n at z"
    assert "at z" not in repr(execution)


def test_stream_records_take_what_comes():
    read = structurer(StreamRecord)
    assert read({}) == StreamRecord("", None)
    assert read({"message": "", "time": "2026-11-24T02:18:50.95962Z"}).time == datetime(
        2026, 11, 24, 2, 18, 50, 959620, tzinfo=UTC
    )
    assert read({"message": None}).message == ""
    with pytest.raises(WireError):
        read({"message": 5})


def test_console_states_are_open():
    read = structurer(WebConsole)
    assert read({"id": "wc1", "state": "available"}).state is WebConsoleState.AVAILABLE
    assert read({"id": "wc1", "state": "napping"}).state == "napping"
    with pytest.raises(WireError):
        read({"state": "creating"})


def test_streams_are_the_services_five():
    assert [str(s) for s in StreamType] == ["information", "error", "warning", "debug", "verbose"]
