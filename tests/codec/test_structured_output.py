"""The wrapper goes out whole and recognisable; what comes back is read strictly."""

import json
from datetime import UTC, datetime

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import deserialize_clixml

from srs_vsphere._codec.models import WireError
from srs_vsphere._codec.structured_output import (
    MAX_DEPTH,
    WRAPPER,
    documents,
    json_values,
    structurer,
    wrapped,
    wrapper_depth,
)
from srs_vsphere._service.service_scripts import service_script
from srs_vsphere.models import PSDocument, ScriptParameter, Switch
from tests.patience import patient
from tests.recorded_exchanges import exchanges


def test_the_users_script_travels_as_a_parameter():
    script, parameters = wrapped("param($a) $a", {"a": 1, "f": Switch()}, 5)
    assert "-Depth 5 " in script
    assert "DEPTH" not in script
    assert parameters == [
        {"name": "__s", "value": "param($a) $a"},
        {"name": "a", "value": 1},
        {"name": "f"},
    ]


def test_a_script_that_looks_like_a_date_travels_as_clixml():
    _, (script,) = wrapped("2020-01-02T03:04:05Z", None)
    assert script["script"] == service_script("parameter-value")
    assert deserialize_clixml(script["value"], None) == ["2020-01-02T03:04:05Z"]


@pytest.mark.parametrize("name", ["__s", "__S", "__", "_"])
def test_names_that_would_hit_the_wrappers_own_parameter_are_refused(name):
    with pytest.raises(ValueError, match="reserved"):
        wrapped("1", {name: 1})
    with pytest.raises(ValueError, match="reserved"):
        wrapped("1", [ScriptParameter(name, 1)])


@pytest.mark.parametrize("depth", [1, 8, MAX_DEPTH])
def test_the_wrapper_is_recognised(depth):
    assert wrapper_depth(wrapped("1", None, depth)[0]) == depth


@pytest.mark.parametrize("depth", [0, -1, 100])
def test_depth_has_bounds(depth):
    with pytest.raises(ValueError, match="depth must be"):
        wrapped("1", None, depth)


def test_other_scripts_are_not_taken_for_the_wrapper():
    assert wrapper_depth("1") is None
    assert wrapper_depth(WRAPPER) is None
    assert wrapper_depth(wrapped("1", None)[0] + "2") is None


def test_no_try_stands_around_the_users_script():
    # In PowerShell a try reaches into what it calls and would end scripts that survive their own errors.
    script = WRAPPER[WRAPPER.index(". $__b") :]
    assert "try" not in script
    assert WRAPPER.index("catch { throw }") < WRAPPER.index(". $__b")


json_of_any_depth = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@patient
@given(st.lists(json_of_any_depth, max_size=5))
def test_values_of_any_depth_come_back(values):
    output = [
        json.dumps({"TypeName": "System.String", "Interfaces": None, "Value": json.dumps(value)}, indent=2)
        for value in values
    ]
    assert json_values(output) == values


def test_a_value_may_be_null_and_output_may_lack():
    assert json_values(['{"TypeName":"System.String","Interfaces":null,"Value":"null"}']) == [None]
    assert json_values(None) == json_values([]) == json_values([None]) == documents([None]) == []


def test_interfaces_come_in_three_shapes():
    read = documents(
        [
            '{"TypeName":"A","Interfaces":null,"Value":1}',
            '{"TypeName":"B","Interfaces":"I","Value":{"a":[null]}}',
            '{"TypeName":"C","Interfaces":["I","J"],"Value":null}',
        ]
    )
    assert read == [
        PSDocument("A", [], 1),
        PSDocument("B", ["I"], {"a": [None]}),
        PSDocument("C", ["I", "J"]),
    ]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (["{"], "output object 0 is not JSON"),
        (['{"Value":NaN}'], "not JSON"),
        (['{"Value":1}', "7"], "output object 1 is not a document"),
        (['{"TypeName":"A"}'], "not a document"),
        ([7], "not a text but of type int"),
        (["[" * 5000], "not JSON: nested deeper"),
    ],
)
def test_documents_are_read_strictly(output, message):
    with pytest.raises(WireError, match=message):
        documents(output)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('"{"', "value of output object 0 is not JSON"),
        ("5", "not a text but of type int"),
        ('"Infinity"', "not JSON"),
    ],
)
def test_values_are_read_strictly(value, message):
    with pytest.raises(WireError, match=message):
        json_values([f'{{"Value":{value}}}'])


def test_every_recorded_output_decodes():
    read = []
    for exchange in exchanges("script_executions", "faults"):
        response = exchange["response"]
        if not exchange["request"]["path"].endswith("/output") or response["status"] != 200:
            continue
        output = json.loads(response["body"])
        if any(text and text.startswith("{\n") for text in output):
            read += documents(output)
    kinds = {document.type_name for document in read}
    assert {"System.String", "System.Int64", "System.DateTime", "System.Collections.Hashtable"} <= kinds
    assert PSDocument("System.Management.Automation.PSCustomObject", [], {"outer": ""}) in read
    assert any(document.value == "before" for document in read)
    assert any(document.value == 9007199254740993 for document in read)


def test_json_text_made_by_a_recorded_script_is_read():
    (exchange,) = [
        e
        for e in exchanges("script_executions")
        if e["label"] == "json, json text made by the script: output"
    ]
    assert json_values(json.loads(exchange["response"]["body"])) == [{"a": {"b": [1, 2, {"c": 3}]}}]


@define
class Disk:
    size: float
    since: datetime | None = None


@define
class Vm:
    name: str
    on: bool
    disks: list[Disk]


def test_values_become_objects_of_a_users_class():
    value = {
        "name": "",
        "on": True,
        "disks": [{"size": 1, "since": "2013-03-03T12:00:00.0000000Z"}, {"size": 2.5, "more": 1}],
    }
    assert structurer(Vm)(value) == Vm(
        "", True, [Disk(1.0, datetime(2013, 3, 3, 12, tzinfo=UTC)), Disk(2.5, None)]
    )
    assert structurer(dict[str, int])({"a": 1}) == {"a": 1}
    assert structurer(int)(5) == 5


@pytest.mark.parametrize(
    "value",
    [
        {"name": None, "on": True, "disks": []},
        {"name": 5, "on": True, "disks": []},
        {"name": "a", "on": 1, "disks": []},
        {"name": "a", "on": True, "disks": [{"size": "1"}]},
        {"name": "a", "on": True, "disks": [{"size": True}]},
        {"name": "a", "on": True},
        {"name": "a", "on": True, "disks": [{"size": 1, "since": "yesterday"}]},
        [],
        None,
        "text",
    ],
)
def test_nothing_is_converted_on_a_guess(value):
    with pytest.raises(WireError):
        structurer(Vm)(value)
    with pytest.raises(WireError):
        structurer(int)("5")
