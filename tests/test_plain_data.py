"""Models are frozen, hashable, and plain data to whoever stores or sends them."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime

import attrs
import pytest

from srs_vsphere import (
    About,
    ArgumentScript,
    ArgumentScriptTemplate,
    ErrorDetails,
    ErrorRecord,
    InvalidArgumentError,
    InvalidArgumentTypeError,
    PSDocument,
    Runspace,
    RunspaceState,
    ScriptExecution,
    ScriptOutcome,
    ScriptResult,
    StreamGap,
    StreamRecord,
    StreamType,
    WebConsole,
    converter,
    from_dict,
    to_dict,
)

TIME = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
RUNSPACE = Runspace("pcli-1", "n", RunspaceState.ERROR, ErrorDetails(500, "no pod"), True, None, TIME)
MODELS = [
    RUNSPACE,
    About("SRS", "VMware", "1.0", "1"),
    ArgumentScript("Get-VM"),
    ArgumentScriptTemplate("vm", placeholders=["id", "server"]),
    PSDocument("System.Int32", ["System.IComparable"], {"a": [1, None]}),
    ScriptExecution("7", "n", "unheard of", reason="r", start_time=TIME),
    ErrorRecord("m", TIME, StreamType.ERROR, 3, "1/0", stack=("at <ScriptBlock>, line 3",)),
    StreamGap(StreamType.ERROR, 3, TIME),
    StreamRecord("m", TIME, StreamType.WARNING),
    WebConsole("wc-1", 7, None, TIME),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_there_and_back(model):
    data = to_dict(model)
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {member.name for member in attrs.fields(type(model))}
    assert from_dict(type(model), data) == model
    assert pickle.loads(pickle.dumps(model)) == model
    assert hash(model) == hash(from_dict(type(model), data))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        model.id = "another"


def test_what_plain_data_looks_like():
    assert to_dict(RUNSPACE) == {
        "id": "pcli-1",
        "name": "n",
        "state": "error",
        "error_details": {"code": 500, "error_message": "no pod", "details": None},
        "run_vc_connection_script": True,
        "vc_connection_script_id": None,
        "creation_time": "2026-01-02T03:04:05.678000+00:00",
    }
    assert type(to_dict(RUNSPACE)["state"]) is str
    result = ScriptResult(ScriptOutcome.SUCCEEDED, [{"at": 1}], warnings=[StreamRecord("w", TIME)])
    assert json.loads(json.dumps(to_dict(result)))["warnings"][0]["message"] == "w"


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidArgumentTypeError, match="not dict"):
        to_dict({})
    with pytest.raises(InvalidArgumentError, match=r"data is no Runspace.*id"):
        from_dict(Runspace, {"id": None})


def test_hooks_of_ones_own_change_nothing_for_others():
    own = converter()
    own.register_unstructure_hook(datetime, datetime.timestamp)
    assert own.unstructure(RUNSPACE)["creation_time"] == TIME.timestamp()
    assert to_dict(RUNSPACE)["creation_time"] == TIME.isoformat()


def test_pydantic_takes_them():
    pydantic = pytest.importorskip("pydantic", reason="only who uses it has it")
    lists = pydantic.TypeAdapter(list[Runspace])
    assert lists.validate_python([RUNSPACE]) == [RUNSPACE]
    assert lists.validate_json(lists.dump_json([RUNSPACE])) == [RUNSPACE]
    assert json.loads(lists.dump_json([RUNSPACE]))[0]["error_details"] == to_dict(RUNSPACE)["error_details"]
    for mode in ("serialization", "validation"):
        text = json.dumps(lists.json_schema(mode=mode))
        assert '"creation_time"' in text
        assert '"error_message"' in text
    with pytest.raises(pydantic.ValidationError):
        lists.validate_python([{"name": "without an id"}])
    for model in MODELS:
        adapter = pydantic.TypeAdapter(type(model))
        assert adapter.validate_json(adapter.dump_json(model)) == model


def test_pydantic_is_not_loaded_for_others():
    code = "import sys; from srs_vsphere import *; to_dict(About()); print('pydantic_core' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
