"""Any array in any pieces decodes as in one; whatever is no whole array is an error, never a short list."""

import itertools
import json
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srs_vsphere._codec import strict_json
from srs_vsphere._codec.json_array import JsonArrayDecoder, JsonArrayError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["},{", "]", '"},{"', "\\", "[{", "é☺\U0001f600", "\u2028"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
STYLES = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, None, 0, 2, "\t"]),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n", " :\t")]),
    }
)
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)
#: One byte at a time, odd pieces, all at once.
CHUNKINGS = [[1], [7, 2], [100_000]]

NESTED = (
    b'[{"a":[{"b":"},{"},{"c":-1.5e+3}]},{"d":"\\ud83d\\ude00 \xc3\xa9\xe2\x98\xba\xf0\x9f\x98\x80"}'
    b',true,null,12,"x"]'
)


def pieces(data, sizes):
    """Cut the data in pieces of these sizes, over and over."""
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


def decode(data, sizes=(100_000,)):
    """Return the elements handed out, and the error if there was one."""
    decoder, items = JsonArrayDecoder(), []
    try:
        for piece in pieces(data, sizes):
            items += decoder.feed(piece)
        while more := decoder.close():
            items += more
    except JsonArrayError as error:
        return items, error
    return items, None


def whole(data, sizes=(100_000,)):
    items, error = decode(data, sizes)
    assert error is None
    return items


@settings(max_examples=50)
@given(st.lists(VALUES, max_size=6), STYLES, SIZES)
def test_any_array_in_any_pieces(values, style, sizes):
    data = json.dumps(values, **style).encode()
    assert repr(whole(data, sizes)) == repr(json.loads(data))


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=3), min_size=1, max_size=5), SIZES)
def test_lists_of_objects_as_the_service_writes_them(values, sizes):
    data = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    assert repr(whole(data, sizes)) == repr(values)


@given(st.binary(max_size=6), st.integers(0, len(NESTED)), st.integers(0, 6), SIZES)
@example(b"]", 30, 0, [1])
def test_what_comes_of_a_broken_text_does_not_depend_on_its_pieces(noise, at, removed, sizes):
    data = NESTED[:at] + noise + NESTED[at + removed :]
    items, error = decode(data, sizes)
    at_once, same = decode(data)
    assert repr(items) == repr(at_once)
    assert (error is None) == (same is None)
    if error is not None:
        assert error.truncated == same.truncated
    else:
        assert repr(items) == repr(json.loads(data))


@pytest.mark.parametrize("sizes", CHUNKINGS)
@pytest.mark.parametrize(
    "data",
    [
        NESTED,
        b'\xef\xbb\xbf [\r\n{"a": [1, {"b": {}}]},\t{},\n "\\u00e9\\\\", -0.5E-1, false ] \n',
        b"[[],[[1]]]",
    ],
)
def test_cut_at_any_byte_is_never_a_short_list(data, sizes):
    values = whole(data, sizes)
    end = data.rindex(b"]")
    begin = data.index(b"[")
    for at in range(end + 1):
        items, error = decode(data[:at], sizes)
        assert items == values[: len(items)]
        assert error is not None, at
        # Nothing at all is not known to be part of something.
        assert error.truncated == (at > begin or data[:at] in {b"\xef", b"\xef\xbb"}), at
    for at in range(end + 1, len(data)):
        assert whole(data[:at], sizes) == values


@pytest.mark.parametrize("sizes", CHUNKINGS)
@pytest.mark.parametrize(
    ("data", "items", "complaint"),
    [
        # not an array
        (b"", [], "empty"),
        (b" \r\n\t", [], "empty"),
        (b"\xef\xbb\xbf", [], "empty"),
        (b'{"code":500}', [], "opening bracket"),
        (b"<html>\n[1]</html>", [], "opening bracket"),
        (b"null", [], "opening bracket"),
        (b"\xef\xbb\xbf\xef\xbb\xbf[]", [], "opening bracket"),
        # goes on after its end
        (b"[1][", [1], "nothing after"),
        (b'[{"a":1}],[{},{}]', [{"a": 1}], "nothing after"),
        (b"[]\xc3\xa9", [], "nothing after"),
        (b"[]\xc3", [], "half a character"),
        (b"[]\x00", [], "nothing after"),
        # wrong between elements
        (b'[{"a":1} {"b":2}]', [{"a": 1}], "comma"),
        (b"[1,]", [1], "Expecting value"),
        (b"[,1]", [], "Expecting value"),
        (b"[1:2]", [1], "comma"),
        (b"[}", [], "Expecting value"),
        # wrong within one
        (b"[1,x]", [1], "Expecting value"),
        (b"[1,nul]", [1], "Expecting value"),
        (b'[{"a":1},{"b" 1}]', [{"a": 1}], "':' delimiter"),
        (b'[{"a":1},{b:1},{"c":1}]', [{"a": 1}], "property name"),
        (b'[{"a":1},{"b":1 2},{"c":1}]', [{"a": 1}], "',' delimiter"),
        (b'[1,"\\x"]', [1], "escape"),
        (b'[1,"\\u12g4"]', [1], "escape"),
        (b'[1,"a\nb"]', [1], "control character"),
        (b"[1,.5]", [1], "Expecting value"),
        (b"[1,+5]", [1], "Expecting value"),
        (b"[1,01]", [1, 0], "comma"),
        (b"[1,'a']", [1], "Expecting value"),
        (b"[1,//\n2]", [1], "Expecting value"),
        (b'[{"a":1},{"a":NaN},{}]', [{"a": 1}], "N"),
        (b"[1,Infinity]", [1], "I"),
        (b"[1,-Infinity]", [1], "I"),
        (b"[1," + b"9" * 5000 + b"]", [1], "digits"),
        # not UTF-8
        (b'[{"a":1},{"b":"\xff"}]', [{"a": 1}], "not UTF-8"),
        (b'[1,"\xed\xa0\x80"]', [1], "not UTF-8"),
        (b'[1,"\xc0\x80"]', [1], "not UTF-8"),
        (b'[1,"\xe2\x98"]', [1], "not UTF-8"),
        (b"[1,2]\xff", [1, 2], "not UTF-8"),
        ("[1]".encode("utf-16"), [], "not UTF-8"),
        # too deep
        (b"[1," + b"[" * 100, [1], "nested deeper than 100"),
        (b'[1,{"a":' + b'{"a":[' * 50, [1], "nested deeper than 100"),
        (b"[1,2," + b"[" * 100_000 + b"]" * 100_000 + b",3]", [1, 2], "nested deeper than 100"),
        (b'[1,"]}",' + b'["]",' * 2000 + b"0" + b"]" * 2001, [1, "]}"], "nested deeper than 100"),
    ],
)
def test_faults_come_after_the_elements_before_them(data, items, complaint, sizes):
    if len(data) > 50_000 and sizes == [1]:
        sizes = [1000]
    got, error = decode(data, sizes)
    assert got == items
    assert error is not None
    assert complaint in str(error)
    assert error.truncated is False


@pytest.mark.parametrize("sizes", CHUNKINGS)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"":', "}"), ('{"]}":["}]",[', "]]}")])
def test_elements_may_be_99_levels_deep(opening, closing, sizes):
    times = 99 // len(closing)
    element = opening * times + "1" + closing * times
    data = f'[{{"first":1}},{element},{{"last":1}}]'.encode()
    assert whole(data, sizes) == json.loads(data)
    items, error = decode(data.replace(element.encode(), f"[{element}]".encode()), sizes)
    assert items == [{"first": 1}]
    assert "nested deeper" in str(error)


def test_siblings_do_not_make_it_deep():
    values = [[{"a": [[], [{}], "["]}] * 3 for _ in range(300)]
    assert whole(json.dumps(values).encode(), [5000]) == values


def test_a_fault_stays():
    decoder = JsonArrayDecoder()
    assert decoder.feed(b"[1,x") == [1]
    for _ in range(2):
        with pytest.raises(JsonArrayError, match="Expecting value"):
            decoder.feed(b"]")
        with pytest.raises(JsonArrayError, match="Expecting value"):
            decoder.close()


def test_a_small_element_is_there_with_its_last_byte():
    decoder = JsonArrayDecoder()
    for number in range(50):
        element = json.dumps({"number": number, "text": "x" * 60 * number}).encode()
        opening = b"," if number else b"["
        assert decoder.feed(opening + element[:-1]) == []
        assert decoder.feed(element[-1:]) == [json.loads(element)]


LONG = 300_000


@pytest.mark.parametrize(
    "element",
    [
        "x" * LONG,
        '"\\' * (LONG // 2),
        {"a": [{"b": 1}] * (LONG // 8)},
        {"a": [["[", "}"]] * (LONG // 8)},
        {f"key{number}": number for number in range(LONG // 20)},
        [number / 7 for number in range(LONG // 20)],
    ],
    ids=["string", "escapes", "objects", "brackets", "members", "numbers"],
)
@pytest.mark.parametrize("size", [200, 5000])
def test_work_is_linear_in_one_huge_element(element, size, monkeypatch):
    work = 0

    def counting(function, begins):
        def count(text, *rest):
            nonlocal work
            work += len(text) - (rest[0] if begins else 0)
            return function(text, *rest)

        return count

    for name, begins in (("parse", False), ("parse_one", True), ("find_too_deep", False)):
        monkeypatch.setattr(strict_json, name, counting(getattr(strict_json, name), begins))
    data = json.dumps([{"first": 1}, element, {"last": 1}], separators=(",", ":")).encode()
    assert whole(data, [size]) == [{"first": 1}, element, {"last": 1}]
    # A try costs three passes at most, its size doubles each time, and those below 4096 characters are cheap.
    assert work < 9 * len(data) + 4096 * 4096 / size * 2


def test_a_long_list_leaves_nothing_behind():
    element = b'{"name":"nightly","id":"pcli-1","state":"ready"}'
    decoder = JsonArrayDecoder()
    decoder.feed(b"[" + element)
    tracemalloc.start()
    try:
        for _ in range(1000):
            assert len(decoder.feed((b"," + element) * 10)) == 10
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    assert decoder.feed(b"]") == decoder.close() == []
