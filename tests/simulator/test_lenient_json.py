"""The service's JSON reader."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere.simulator.lenient_json import JsonError, parse

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_json_is_read_as_json(value, indent, ascii_only):
    assert parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only)).value() == value


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    node = None
    with suppress(JsonError):
        node = parse(text)
    assert node is None or node.kind in {"object", "array", "string", "number", "boolean", "null"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a':1,}", {"a": 1}),
        ("[1,2,]", [1, 2]),
        ("{a:1, $b_2: 2}", {"a": 1, "$b_2": 2}),
        ("/* x */ // y\n [/**/1]", [1]),
        ("1 and more", 1),
        ("[0x1F, -1.5e3, .5, undefined]", [31, -1500.0, 0.5, None]),
        (r"'\u00e9\ud83d\ude00\'\/'", "é😀'/"),
        ('{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_more_than_json_is_read(text, value):
    assert parse(text).value() == value


def test_numbers_that_are_none_are_read():
    assert math.isnan(parse("NaN").value())
    assert parse("[Infinity, -Infinity]").value() == [math.inf, -math.inf]


@pytest.mark.parametrize("text", ["", " \n", "// x", "/* x"])
def test_nothing_is_nothing(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{\n"a":\n ?',
            "Unexpected character encountered while parsing value: ?. Path 'a', line 3, position 2.",
        ),
        ('{"a":[1,{"b":?', "Unexpected character encountered while parsing value: ?. Path 'a[1].b', line 1"),
        ("[1", "Unexpected end when deserializing array. Path '[1]'"),
        ('{"a":', "Unexpected end when reading JSON. Path 'a'"),
        ("{?", "Invalid property identifier character: ?. Path ''"),
        (r'"\q"', r"Bad JSON escape sequence: \q. Path ''"),
        (r'"\u12"', r"Invalid Unicode escape sequence: \u12"),
        ("[" + "1" * 400, "JSON integer 1"),
        ("[" * 100_000, "The reader's MaxDepth of 150 has been exceeded."),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text, message):
    with pytest.raises(JsonError) as caught:
        parse(text)

    assert str(caught.value).startswith(message)


def test_a_large_text_is_read_in_time_that_grows_with_it():
    # With a position that costs more the further on it is, this would take minutes.
    text = json.dumps([{"n": "x" * 50}] * 3_000, indent=1)

    assert len(parse(text).elements) == 3_000
