"""How values are shown: as text, as the service's JSON documents, and as data of structured output."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere.simulator.objects.display import show
from srs_vsphere.simulator.objects.documents import documents
from srs_vsphere.simulator.objects.json_output import structured
from srs_vsphere.simulator.objects.values import (
    Char,
    EnumValue,
    Hashtable,
    Int64,
    OrderedDictionary,
    Version,
)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        ([None], ""),
        (["  a  ", "   ", 2], "a  \n   \n2"),
        ([True, 2.0, 2.5, 1e20, Decimal("1.10")], "True\n2\n2.5\n1E+20\n1.10"),
        ([[1, [2]]], "1\nSystem.Object[]"),
        ([{"a": 1, "b": "x"}], "a b\n- -\n1 x"),
        ([{"a": 1}, {"a": 10, "b": 2}], "a\n -\n 1\n10"),
        ([{"name": "x", "n": [1, 2]}, {"name": "long", "n": None}], "name n\n---- -\nx    {1, 2}\nlong"),
        ([{"a": 1}, "s", {"b": 2}], "a\n-\n1\ns\n\nb\n-\n2"),
        ([{"Name": "x", "Size": 1.5, "On": True}], "Name Size   On\n---- ----   --\nx    1.50 True"),
        ([{"n": 0.125}, {"n": 10.0}], "n\n    -\n 0.13\n10.00"),
        ([1e15, 1e16, 0.0001, 0.00001, 10 / 3], "1E+15\n1E+16\n0.0001\n1E-05\n3.33333333333333"),
        ([dict.fromkeys("abcde", 1)], "a : 1\nb : 1\nc : 1\nd : 1\ne : 1"),
        ([Hashtable({"a": 1})], f"Name{' ' * 27}Value\n----{' ' * 27}-----\na{' ' * 30}1"),
        ([datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)], "Thursday, 02 January 2020 03:04:05"),
        ([datetime(13, 1, 2, 3, 4, 5, tzinfo=UTC)], "Wednesday, 02 January 0013 03:04:05"),
        ([timedelta(days=1, seconds=5, microseconds=10)], "1.00:00:05.0000100"),
        ([EnumValue("E", "One", 1), UUID(int=1), Version("1.2")], f"One\n{UUID(int=1)}\n1.2"),
    ],
)
def test_the_text_of_output(values, text):
    assert "\n".join(line.rstrip() if "-" in line else line for line in show(values).split("\n")) == text


def test_a_table_is_eighty_columns_wide_and_no_more():
    lines = show([{"one": "a" * 90, "two": "b"}]).split("\n")

    assert lines[0] == "one"
    assert lines[2] == "a" * 79 + "…"


@pytest.mark.parametrize(
    ("value", "type_name", "content"),
    [
        ("x", "System.String", "x"),
        (1, "System.Int32", 1),
        (Int64(1), "System.Int64", 1),
        (2**40, "System.Int64", 2**40),
        (2**70, "System.Numerics.BigInteger", 2**70),
        (2.5, "System.Double", 2.5),
        (float("-inf"), "System.Double", "-Infinity"),
        (Decimal("1.1"), "System.Decimal", 1.1),
        (True, "System.Boolean", True),
        (Char("c"), "System.Char", "c"),
        (datetime(2013, 3, 3, 12, tzinfo=UTC), "System.DateTime", "2013-03-03T12:00:00.0000000Z"),
        (EnumValue("System.DayOfWeek", "Monday", 1), "System.DayOfWeek", {"value__": 1}),
        (Hashtable({"a": 1, "d": {"x": 1}}), "System.Collections.Hashtable", {"a": 1, "d": ""}),
        (
            {"b": [1], "a": None, "c": Hashtable()},
            "System.Management.Automation.PSCustomObject",
            {"a": None, "b": "System.Object[]", "c": "System.Collections.Hashtable"},
        ),
        (
            Version("1.2.3"),
            "System.Version",
            {"Build": 3, "Major": 1, "MajorRevision": -1, "Minor": 2, "MinorRevision": -1, "Revision": -1},
        ),
    ],
)
def test_documents(value, type_name, content):
    [text] = documents(value)

    document = json.loads(text)
    assert list(document) == ["TypeName", "Interfaces", "Value"]
    assert (document["TypeName"], document["Value"]) == (type_name, content)
    assert text.startswith('{\n  "TypeName": "')


def test_an_object_has_no_interfaces_and_other_values_have_some():
    assert json.loads(documents({"a": 1})[0])["Interfaces"] is None
    assert "System.IComparable" in json.loads(documents(1)[0])["Interfaces"]
    assert "System.IConvertible" in json.loads(documents(EnumValue("E", "A", 0))[0])["Interfaces"]


def test_an_array_is_one_document_for_each_element():
    assert [json.loads(text)["Value"] for text in documents([1, "a", None])] == [1, "a"]


def test_bytes_are_one_document_for_each_of_them():
    found = [json.loads(text) for text in documents(b"\0\1")]

    assert [(document["TypeName"], document["Value"]) for document in found] == [
        ("System.Byte", 0),
        ("System.Byte", 1),
    ]


def test_durations_have_all_their_units():
    [text] = documents(timedelta(seconds=-90, milliseconds=-1))

    value = json.loads(text)["Value"]
    assert (value["Minutes"], value["Seconds"], value["Milliseconds"]) == (-1, -30, -1)
    assert (value["Ticks"], value["TotalMinutes"]) == (-900010000, -90.001 / 60)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_data_stay_data_in_structured_output(value):
    assert structured(value, 1) == value


def test_an_ordered_dictionary_shows_itself_and_not_its_entries():
    assert json.loads(documents(OrderedDictionary({"a": 1, "b": 2}))[0])["Value"]["Count"] == 2
