"""What comes back from a script that puts out values is read strictly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere._codec.models import WireError
from srs_vsphere._codec.scalars import WrittenFloat
from srs_vsphere._codec.structured_output import PowerShellError, documents, structured
from srs_vsphere.models import PSDocument
from tests.recorded_exchanges import exchanges


def document(value):
    return json.dumps({"TypeName": "System.String", "Interfaces": None, "Value": json.dumps(value)}, indent=2)


json_of_any_depth = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(st.lists(st.lists(json_of_any_depth, max_size=5), max_size=4), st.lists(json_of_any_depth))
def test_values_of_any_depth_come_back(batches, last):
    output = [*map(document, batches), document({"end": last, "errors": []})]
    for digits in (False, True):
        read = structured(output, digits=digits)
        assert read.values == [value for batch in [*batches, last] for value in batch]
        assert (read.ended, read.errors) == (True, [])
        assert not structured(output[:-1]).ended


def test_a_value_that_looks_like_the_last_text_is_a_value():
    value = {"end": [1], "errors": []}
    read = structured([document([value])])
    assert (read.values, read.ended) == ([value], False)


def test_numbers_may_keep_the_digits_that_were_written():
    text = json.dumps({"Value": '[1.10,{"a":2.50,"b":1e3},5]'})
    first, members, whole = structured([text], digits=True).values
    assert [type(first), first.text, members["a"].text, members["b"].text] == [
        WrittenFloat,
        "1.10",
        "2.50",
        "1e3",
    ]
    assert (first, members["b"], whole, type(whole)) == (1.1, 1000.0, 5, int)
    assert type(structured([text]).values[0]) is float


def test_errors_are_told_at_the_end():
    told = {"message": "no", "id": "I", "category": "C", "target": None, "type": "T", "trace": "at a\nat b"}
    read = structured([document({"end": [], "errors": [told, {}]})])
    assert read.errors == [PowerShellError("no", "I", "C", "", "T", "at a\nat b"), PowerShellError()]


def test_output_may_lack():
    for output in (None, [], [None]):
        assert documents(output) == structured(output).values == []
        assert not structured(output).ended


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
        ('"[Infinity]"', "not JSON"),
        ('"5"', "is no list of values"),
        ('"{}"', "has no list of errors"),
        ('"{\\"errors\\":[]}"', "is no list of values"),
        ('"{\\"end\\":[],\\"errors\\":[5]}"', "an error that is no object"),
    ],
)
def test_values_are_read_strictly(value, message):
    with pytest.raises(WireError, match=message):
        structured([f'{{"Value":{value}}}'])


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
