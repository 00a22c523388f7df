"""What the encoder writes, an independent decoder of PowerShell's format reads back the same."""

import math
from collections import OrderedDict
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from psrpcore.types import PSDict, PSInt, PSInt64, PSList, PSUInt64, deserialize_clixml

from srs_vsphere._codec import clixml
from srs_vsphere._codec.clixml import encode
from srs_vsphere.auth import Secret
from srs_vsphere.models import Credential

SECRET = "{http://schemas.microsoft.com/powershell/2004/04}SS"


def naive(year):
    return datetime(year, 1, 2, tzinfo=UTC).replace(tzinfo=None)


def decoded(value):
    (result,) = deserialize_clixml(encode(value), None)
    return plain(result)


def plain(value):
    """Strip the decoder's own classes, and join surrogate pairs, which UTF-16 cannot tell apart."""
    if value is None or type(value) is bool:
        return value
    if isinstance(value, PSDict | dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, PSList | list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, str):
        return str(value).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if isinstance(value, datetime):
        return datetime.fromtimestamp(0, UTC) + (value - datetime.fromtimestamp(0, UTC))
    for kind in (int, float, Decimal, UUID, bytes):
        if isinstance(value, kind):
            return kind(str(value)) if kind is UUID else kind(value)
    return value


# All of Unicode, surrogates and controls included, with what looks like an escape made likely.
texts = st.text(st.characters() | st.sampled_from("_xX0aF \r\n\t\0\ud83d\ude00😀<&>\"'")) | st.sampled_from(
    ["_x0041_", "_X005f_", "__x000A_", "_x005F_x", "_", "_x", "  ", "\u00a0", "\ufffe\uffff", "]]>", "<!--"]
)
scalars = (
    texts
    | st.integers(-(2**96) + 1, 2**96 - 1)
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.decimals(-(10**15), 10**15, places=8)
    | st.datetimes(timezones=st.just(UTC) | st.timezones(), min_value=naive(1000), allow_imaginary=False)
    | st.uuids()
    | st.binary()
)
keys = st.text("abcxyz_ éß", max_size=6).map(str.lower) | st.integers(-(2**70), 2**70)
values = st.recursive(
    scalars | st.none(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=5)
    ),
    max_leaves=20,
)


@given(values)
def test_whatever_is_given_arrives(value):
    assume(value is not None)
    assert decoded(value) == plain(value)


@given(st.timedeltas(-timedelta(days=10_000_000), timedelta(days=10_000_000)))
def test_durations_arrive(value):
    (back,) = deserialize_clixml(encode(value), None)
    assert back == value


@given(st.dates())
def test_dates_are_midnights_without_a_zone(value):
    (element,) = ElementTree.fromstring(encode(value))
    assert datetime.fromisoformat(element.text) == datetime.combine(value, time())


@given(texts.filter(bool), texts.filter(str.strip))
def test_secrets_arrive(secret, user):
    root = ElementTree.fromstring(encode([Secret(secret), Credential(user, secret)]))
    found = [
        bytes.fromhex(element.text).decode("utf-16-le", "surrogatepass") for element in root.iter(SECRET)
    ]
    assert found == [plain(secret)] * 2


@given(texts)
def test_texts_are_well_formed_xml_and_arrive(text):
    ElementTree.fromstring(encode(text))
    assert decoded(text) == plain(text)


@given(texts)
def test_no_text_is_left_to_the_mercy_of_xml_whitespace(text):
    content = ElementTree.fromstring(encode(text))[0].text or ""
    assert not content or content.strip()
    assert not any(ord(c) < 32 for c in content)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\0", "_x0000_"),
        ("a\nb", "a_x000A_b"),
        ("\ud800", "_xD800_"),
        ("_x0041_", "_x005F_x0041_"),
        ("_X0041_", "_x005F_X0041_"),
        ("_y", "_y"),
        ("  ", "_x0020__x0020_"),
        ("<&>", "&lt;&amp;&gt;"),
        ("😀", "😀"),
        ("", ""),
    ],
)
def test_escapes(text, written):
    assert f"<S>{written}</S></Objs>" in encode(text)


@pytest.mark.parametrize(
    ("value", "element"),
    [
        (2**31 - 1, "<I32>2147483647</I32>"),
        (-(2**31), "<I32>-2147483648</I32>"),
        (2**31, "<I64>2147483648</I64>"),
        (-(2**63), "<I64>-9223372036854775808</I64>"),
        (2**63, "<U64>9223372036854775808</U64>"),
        (2**64, "<D>18446744073709551616</D>"),
        (-(2**63) - 1, "<D>-9223372036854775809</D>"),
        (True, "<B>true</B>"),
        (math.inf, "<Db>INF</Db>"),
        (-math.inf, "<Db>-INF</Db>"),
        (math.nan, "<Db>NaN</Db>"),
        (0.1, "<Db>0.1</Db>"),
        (Decimal("1.10"), "<D>1.10</D>"),
        (Decimal("-0.00"), "<D>0</D>"),
        (Decimal("1E+3"), "<D>1000</D>"),
        (Decimal("1." + "0" * 40), "<D>1</D>"),
        (Decimal(2**96 - 1), f"<D>{2**96 - 1}</D>"),
        (
            datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
            "<DT>2020-01-02T01:04:05.000000Z</DT>",
        ),
        (b"\0\1", "<BA>AAE=</BA>"),
        (bytearray(b"a"), "<BA>YQ==</BA>"),
        (UUID(int=1), "<G>00000000-0000-0000-0000-000000000001</G>"),
    ],
)
def test_elements(value, element):
    assert element in encode(value)


def test_numbers_decode_to_the_types_that_hold_them():
    (result,) = deserialize_clixml(encode([1, 2**40, 2**63]), None)
    assert [type(item) for item in result] == [PSInt, PSInt64, PSUInt64]


def test_a_list_and_a_mapping_in_full():
    assert encode({"a": [1, None]}) == (
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        '<Obj RefId="0"><TN RefId="0"><T>System.Collections.Hashtable</T><T>System.Object</T></TN><DCT><En>'
        '<S N="Key">a</S>'
        '<Obj N="Value" RefId="1"><TN RefId="1"><T>System.Collections.ArrayList</T><T>System.Object</T></TN>'
        "<LST><I32>1</I32><Nil/></LST></Obj>"
        "</En></DCT></Obj></Objs>"
    )


class Colour(Enum):
    RED = "red"
    PAIR = (1, "two")
    NOTHING = None


class Level(IntEnum):
    LOW = 3


class Word(StrEnum):
    HI = "hi"


def test_enums_travel_by_value():
    assert decoded([Colour.RED, Colour.PAIR, Level.LOW, Word.HI, Colour.NOTHING]) == [
        "red",
        [1, "two"],
        3,
        "hi",
        None,
    ]
    assert decoded({Word.HI: 1, Level.LOW: 2}) == {"hi": 1, 3: 2}


def test_any_mapping_will_do():
    assert decoded(MappingProxyType({"a": OrderedDict(b=1)})) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("value", "error", "place"),
    [
        (None, TypeError, "parameters['p'] must not be None"),
        (Colour.NOTHING, TypeError, "parameters['p'] must not be None"),
        ({"a": [0, 1, {"k": {1, 2}}]}, TypeError, "parameters['p']['a'][2]['k'] is of type set"),
        (object(), TypeError, "parameters['p'] is of type object"),
        ([timedelta.max], ValueError, "parameters['p'][0] is longer than a .NET TimeSpan"),
        ([Secret("")], ValueError, "parameters['p'][0] is an empty secret"),
        ([1j], TypeError, "parameters['p'][0] is of type complex"),
        ([naive(2020)], ValueError, "parameters['p'][0] is a time without a time zone"),
        (
            datetime(9999, 12, 31, 23, 30, tzinfo=timezone(-timedelta(hours=1))),
            ValueError,
            "outside the years",
        ),
        ([2**96], ValueError, "parameters['p'][0] is a whole number of more"),
        ([Decimal("NaN")], ValueError, "parameters['p'][0] is NaN"),
        ([Decimal("Infinity")], ValueError, "parameters['p'][0] is Infinity"),
        ([Decimal(2**96)], ValueError, "parameters['p'][0] has more digits"),
        ([Decimal("1E+999999")], ValueError, "parameters['p'][0] is too large"),
        ([Decimal("1E-29")], ValueError, "parameters['p'][0] is too large or too small"),
        ([Decimal("1." + "1" * 29)], ValueError, "parameters['p'][0] has more digits"),
        ({None: 1}, TypeError, "parameters['p'] has None for a key"),
        ({(1, 2): 1}, TypeError, "the key parameters['p'][tuple] is of type tuple"),
        ({"a": 1, "A": 2}, ValueError, "parameters['p']['A'] differs from another key"),
        ({"a": 1, Colour.RED: 2, "RED": 3}, ValueError, "parameters['p']['RED'] differs"),
    ],
)
def test_refusals_name_the_place(value, error, place):
    with pytest.raises(error) as caught:
        encode(value, "parameters['p']")
    assert place in str(caught.value)


def test_cycles_are_refused_and_repeats_are_not():
    loop = [1]
    loop.append({"again": loop})
    with pytest.raises(ValueError, match=r"value\[1\]\['again'\] contains itself"):
        encode(loop)
    shared = [1]
    assert decoded([shared, shared, {"a": shared}]) == [[1], [1], {"a": [1]}]


def test_depth_is_limited():
    def nest(levels):
        value = 1
        for _ in range(levels):
            value = [value]
        return value

    assert decoded(nest(clixml.MAX_DEPTH)) == nest(clixml.MAX_DEPTH)
    with pytest.raises(ValueError, match="nested deeper than 32"):
        encode(nest(clixml.MAX_DEPTH + 1))


def test_a_refusal_never_shows_the_value():
    class Hidden:
        def __repr__(self):
            return "hunter2"

    with pytest.raises(TypeError) as caught:
        encode({"a": Hidden(), Hidden(): 1})
    assert "hunter2" not in str(caught.value)
