"""The simulator's CLIXML decoder against the client's encoder and against what PowerShell writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere._codec.clixml import encode
from srs_vsphere.simulator.clixml import ClixmlError, decode
from srs_vsphere.simulator.objects.values import ArrayList, Char, Hashtable, PsObject, type_name

START = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'

scalars = (
    st.text()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.uuids()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC))
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(st.none() | inner) | st.dictionaries(st.text(min_size=1), st.none() | inner),
    max_leaves=10,
)


@given(values)
def test_what_the_client_encodes_is_decoded(value):
    try:
        text = encode(value)
    except ValueError:
        # Names that differ in their letter case only, and the like.
        return

    assert decode(text) == [value]


@pytest.mark.parametrize(
    ("element", "value", "kind"),
    [
        ("<S>a_x000A_b_x005F_x_xD83D__xDE00_</S>", "a\nb_x😀", "System.String"),
        ("<S/>", "", "System.String"),
        ("<C>65</C>", Char("A"), "System.Char"),
        ("<By>5</By>", 5, "System.Byte"),
        ("<U16>5</U16>", 5, "System.UInt16"),
        ("<I16>-5</I16>", -5, "System.Int16"),
        ("<SB>-5</SB>", -5, "System.SByte"),
        ("<U32>5</U32>", 5, "System.UInt32"),
        ("<U64>5</U64>", 5, "System.UInt64"),
        ("<D>1.10</D>", Decimal("1.10"), "System.Decimal"),
        ("<Db>2.5</Db>", 2.5, "System.Double"),
        ("<TS>-P1DT2H3M4.5S</TS>", -timedelta(days=1, hours=2, minutes=3, seconds=4.5), "System.TimeSpan"),
        ("<TS>PT9S</TS>", timedelta(seconds=9), "System.TimeSpan"),
        (
            "<DT>2020-01-02T03:04:05.1234567Z</DT>",
            datetime(2020, 1, 2, 3, 4, 5, 123456, UTC),
            "System.DateTime",
        ),
        (f"<G>{UUID(int=1)}</G>", UUID(int=1), "System.Guid"),
        ("<BA>AAE=</BA>", b"\0\1", "System.Byte[]"),
        (
            '<Obj RefId="0"><LST><I32>1</I32><Nil/></LST></Obj>',
            ArrayList([1, None]),
            "System.Collections.ArrayList",
        ),
        (
            '<Obj RefId="0"><DCT><En><S N="Key">k</S><I32 N="Value">1</I32></En></DCT></Obj>',
            Hashtable(k=1),
            "System.Collections.Hashtable",
        ),
        (
            '<Obj RefId="1"><Props><S N="A">1</S></Props><MS><I64 N="B">2</I64></MS></Obj>',
            PsObject(A="1", B=2),
            "System.Management.Automation.PSCustomObject",
        ),
        ('<Obj RefId="0"><ToString>Monday</ToString><I32>1</I32></Obj>', 1, "System.Int32"),
        ('<Obj RefId="0"><ToString>only text</ToString></Obj>', "only text", "System.String"),
    ],
)
def test_what_powershell_writes_is_decoded(element, value, kind):
    [decoded] = decode(f"{START}{element}</Objs>")

    assert (decoded, type_name(decoded)) == (value, kind)


def test_several_values_and_references():
    text = f'{START}<Nil/><Obj RefId="3"><LST><S>a</S></LST></Obj><Ref RefId="3"/></Objs>'

    assert decode(text) == [None, ["a"], ["a"]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<Objs",
        f"{START}<Unknown/></Objs>",
        f"{START}<I32>x</I32></Objs>",
        f"{START}<TS>soon</TS></Objs>",
        f'{START}<Ref RefId="1"/></Objs>',
        f"{START}<D>x</D></Objs>",
        f"{START}{'<Obj><LST>' * 2000}{'</LST></Obj>' * 2000}</Objs>",
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><Objs><S>&a;</S></Objs>',
        f'{START}<Obj RefId="0"><DCT><En><S N="Key">k</S></En></DCT></Obj></Objs>',
    ],
)
def test_what_is_no_clixml_is_refused(text):
    with pytest.raises(ClixmlError):
        decode(text)
