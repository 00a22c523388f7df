"""JSON is taken strictly: what the standard library lets pass is refused, and depth is told exactly."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srs_vsphere._codec.strict_json import MAX_DEPTH, find_too_deep, loads, loads_text

TEXTS = st.text(st.sampled_from('[]{},:"\\a ')) | st.text()
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=20,
)


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[1,-2.5e3,true,false,null,"\\u00e9"]}',
        b"\xef\xbb\xbf[]",
        b" \t\r\n0 ",
        '"é☺\U0001f600"'.encode(),
        b'"\\ud800"',
    ],
)
def test_json_is_parsed(body):
    assert loads(body) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "Expecting value"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b'{"a":Infinity}', "Infinity is not JSON"),
        (b"[1,]", "line 1"),
        (b"[1] [2]", "Extra data"),
        (b"{'a':1}", "property name"),
        (b'"\xff"', "utf-8"),
        (b'"\xed\xa0\x80"', "utf-8"),
        ('"é"'.encode("latin-1"), "utf-8"),
        ("[]".encode("utf-16"), "utf-8"),
        (b"[" * 101, "deeper than 100"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper than 100"),
        # Brackets within strings make up for none outside of them.
        (b'["]",' * 50_000 + b"0" + b"]" * 50_000, "deeper than 100"),
        (b'{"}":' * 101 + b"0" + b"}" * 101, "deeper than 100"),
    ],
)
def test_what_is_no_json_is_a_value_error(body, complaint):
    with pytest.raises(ValueError, match=complaint):
        loads(body)


@settings(max_examples=50)
@given(VALUES, st.sampled_from([None, 1]), st.integers(0, 4))
def test_depth_is_told_exactly(value, indent, limit):
    text = json.dumps(value, indent=indent, separators=(",", ":"))
    at = find_too_deep(text, limit)
    assert (at is None) == (depth(value) <= limit)
    if at is not None:
        assert text[at] in "[{"
        # Whatever comes after it, the place is the same, and what is before it is not too deep.
        assert find_too_deep(text[: at + 1], limit) == at
        assert find_too_deep(text[:at], limit) is None


@given(st.text(st.sampled_from('[]{},:"\\a ')), st.integers(0, 3))
def test_depth_of_nonsense_is_told_too(text, limit):
    at = find_too_deep(text, limit)
    assert at is None or text[at] in "[{"


def test_the_deepest_that_is_allowed():
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert loads(text.encode()) == json.loads(text)
    with pytest.raises(ValueError, match="deeper"):
        loads_text(f"[{text}]")


def test_wide_is_not_deep():
    values = [{"a": {"b": []}, "c": "[{" * 200}] * 1000
    assert loads(json.dumps(values).encode()) == values
