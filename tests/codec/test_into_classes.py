"""Objects of a program's own classes: what becomes what, and what is said of what does not fit."""

from __future__ import annotations

import enum
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Generic, Literal, NewType, NotRequired, TypedDict, TypeVar
from uuid import UUID

import attrs
import cattrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator

from srs_vsphere._codec.into_classes import maker
from srs_vsphere._codec.scalars import Misfit, WrittenFloat, plain


class Power(enum.Enum):
    ON = "PoweredOn"
    OFF = "PoweredOff"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Bits(enum.Flag):
    HIDDEN = 2
    SYSTEM = 4


@attrs.define
class Disk:
    name: str
    size: float = 0.0


@attrs.define
class Machine:
    name: str
    cpus: int
    disks: list[Disk] = attrs.field(factory=list)
    power: Power | None = attrs.field(default=None, alias="PowerState")


@dataclass
class Host:
    name: str
    machines: dict[str, Machine] = field(default_factory=dict)
    _note: int = field(default=5, init=False)


class Row(TypedDict):
    name: str
    size: NotRequired[int]


@attrs.define
class Tree:
    name: str
    children: list[Tree] = attrs.field(factory=list)


T = TypeVar("T")


@attrs.define
class Box(Generic[T]):
    what: T
    more: list[T]


class Model(BaseModel):
    name: str
    took: timedelta | None = None
    price: Decimal = Decimal(0)
    power: Power = Power.OFF
    tags: list[str] = []
    host: Inner | None = None
    when: datetime | None = None
    by_name: dict[str, Inner] = {}
    aliased: int = Field(default=0, alias="NumCpu")


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    up: timedelta
    cpus: int = 0

    @field_validator("cpus")
    @classmethod
    def _few(cls, value: int) -> int:
        if value > 8:
            raise ValueError("too many")
        return value


Id = NewType("Id", str)


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [
        (int, 5, 5),
        (int, WrittenFloat("6.0"), 6),
        (int, 6.0, 6),
        (float, 5, 5.0),
        (float, WrittenFloat("1.10"), 1.1),
        (float, "NaN", math.nan),
        (float, "-Infinity", -math.inf),
        (bool, True, True),
        (str, "x", "x"),
        (Id, "x", "x"),
        (Annotated[str, "note"], "x", "x"),
        (None, None, None),
        (datetime, "2020-01-02T03:04:05", datetime(2020, 1, 2, 3, 4, 5)),  # none was given
        (datetime, "2020-01-02T03:04:05.1234567Z", datetime(2020, 1, 2, 3, 4, 5, 123456, UTC)),
        (
            datetime,
            "2020-01-02T03:04:05+02:00",
            datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
        ),
        (date, "2020-01-02T00:00:00", date(2020, 1, 2)),
        (date, "2020-01-02", date(2020, 1, 2)),
        (timedelta, "00:00:05", timedelta(seconds=5)),
        (timedelta, "-1.02:03:04.5000000", -timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        (timedelta, "00:00:00.0000001", timedelta(0)),
        (timedelta, "10675199.02:48:05.4775807", timedelta(10675199, 10085, 477580)),
        (UUID, "00000000-0000-0000-0000-000000000005", UUID(int=5)),
        (Decimal, WrittenFloat("1.10"), Decimal("1.10")),
        (Decimal, 5, Decimal(5)),
        (Decimal, 1.5, Decimal("1.5")),
        (Decimal, "1.10", Decimal("1.10")),
        (Power, "PoweredOn", Power.ON),
        (Power, "ON", Power.ON),
        (Power, "off", Power.OFF),
        (Level, 2, Level.HIGH),
        (Level, "Low", Level.LOW),
        (Bits, "Hidden, System", Bits.HIDDEN | Bits.SYSTEM),
        (Bits, "System", Bits.SYSTEM),
        (IPv4Address, "10.0.0.1", IPv4Address("10.0.0.1")),
        (IPv6Address, "::1", IPv6Address("::1")),
        (IPv4Network, "10.0.0.0/8", IPv4Network("10.0.0.0/8")),
        (IPv4Address | IPv6Address, "::1", IPv6Address("::1")),
        (PurePosixPath, "/etc", PurePosixPath("/etc")),
        (PureWindowsPath, "C:\\a", PureWindowsPath("C:\\a")),
        (PurePath, "a", PurePath("a")),
        (Path, "a", Path("a")),
        (bytes, [0, 255], b"\0\xff"),
        (int | None, None, None),
        (int | None, 5, 5),
        (datetime | str, "soon", "soon"),
        (list[int], None, []),
        (list[int], [1, 2.0], [1, 2]),
        (list, [1, {"a": WrittenFloat("1.5")}], [1, {"a": 1.5}]),
        (Sequence[str], ["a"], ["a"]),
        (tuple[int, ...], [1], (1,)),
        (set[int], [1, 1], {1}),
        (frozenset[int], None, frozenset()),
        (list[int] | None, None, None),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (Mapping[UUID, int], {"00000000-0000-0000-0000-000000000005": 1}, {UUID(int=5): 1}),
        (dict[str, object], {"a": [WrittenFloat("1.10")]}, {"a": [1.1]}),
        (dict[str, Any], {}, {}),
        (object, WrittenFloat("1.10"), 1.1),
        (Literal["a", 1], "a", "a"),
        (Literal["a", 1], 1, 1),
        (Machine, {"name": "a", "cpus": 2}, Machine("a", 2)),
        (Machine, {"NAME": "a", "CPUs": 2.0, "Disks": None}, Machine("a", 2)),
        (
            Machine,
            {"Name": "a", "cpus": 2, "disks": [{"name": "d", "size": 5}], "PowerState": "PoweredOn", "x": 1},
            Machine("a", 2, [Disk("d", 5.0)], Power.ON),
        ),
        (Machine, {"name": "a", "cpus": 2, "powerstate": None}, Machine("a", 2)),
        # A name as it is written comes before one in other letters.
        (Disk, {"Name": "x", "name": "a"}, Disk("a")),
        (Host, {"name": "h", "machines": {"m": {"name": "a", "cpus": 2}}}, Host("h", {"m": Machine("a", 2)})),
        (
            Row,
            {"Name": "a", "size": 1.0, "other": WrittenFloat("1.5")},
            {"name": "a", "size": 1, "other": 1.5},
        ),
        (Row, {"name": "a"}, {"name": "a"}),
        (Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", [Tree("b")])),
        (Box[Decimal], {"what": 1, "more": [WrittenFloat("2.50")]}, Box(Decimal(1), [Decimal("2.50")])),
        (Machine | None, None, None),
        (list[Machine], [{"name": "a", "cpus": 1}], [Machine("a", 1)]),
        (
            Model,
            {
                "Name": "a",
                "took": "1.00:00:05",
                "price": WrittenFloat("1.10"),
                "power": "ON",
                "tags": None,
                "host": {"UP": "00:01:00", "cpus": WrittenFloat("4.0")},
                "when": "2020-01-02T03:04:05",
                "by_name": {"a": {"up": "00:00:01"}},
                "numcpu": 3,
            },
            Model(
                name="a",
                took=timedelta(days=1, seconds=5),
                price=Decimal("1.10"),
                power=Power.ON,
                host=Inner(up=timedelta(minutes=1), cpus=4),
                when=datetime(2020, 1, 2, 3, 4, 5),  # as above
                by_name={"a": Inner(up=timedelta(seconds=1))},
                NumCpu=3,
            ),
        ),
        (list[Model] | None, [{"name": "a", "took": None}], [Model(name="a")]),
    ],
)
def test_what_becomes_what(kind, value, made):
    result = maker(kind)(value)
    if isinstance(made, float) and math.isnan(made):
        assert math.isnan(result)
        return
    assert result == made
    assert type(result) is type(made)
    assert repr(result) == repr(made)


def test_the_digits_that_were_written_are_gone_from_plain_values():
    value = plain({"a": [WrittenFloat("1.10")], "b": None})
    assert value == {"a": [1.1], "b": None}
    assert type(value["a"][0]) is float
    assert type(maker(float)(WrittenFloat("1.10"))) is float
    assert maker(Box[Decimal])({"what": WrittenFloat("1.10"), "more": []}).what.as_tuple().exponent == -2


def problems(kind, value, **options):
    with pytest.raises(Misfit) as caught:
        maker(kind, **options)(value)
    return [f"{place}: {problem}" for place, problem in caught.value.problems]


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (int, "5", [": a text where a whole number was expected: '5'"]),
        (int, 5.5, [": a number where a whole number was expected: 5.5"]),
        (int, True, [": a boolean where a whole number was expected: True"]),
        (int, None, [": null where a whole number was expected"]),
        (str, 5, [": a whole number where a text was expected: 5"]),
        (str, None, [": null where a text was expected"]),
        (bool, 1, [": a whole number where a boolean was expected: 1"]),
        (float, "x", [": a text where a number was expected: 'x'"]),
        (Decimal, "x", [": a text where a decimal number was expected: 'x'"]),
        (datetime, "20200102", [": a text where a time (ISO 8601) was expected: '20200102'"]),
        (date, 5, [": a whole number where a date (ISO 8601) was expected: 5"]),
        (timedelta, "5", [": a text where a duration ([-][d.]hh:mm:ss[.fffffff]) was expected: '5'"]),
        (UUID, "x", [": a text where a UUID was expected: 'x'"]),
        (IPv4Address, "x", [": a text where an address (IPv4Address) was expected: 'x'"]),
        (Power, 1, [": a whole number where one of ON, OFF (Power) was expected: 1"]),
        (Level, True, [": a boolean where one of LOW, HIGH (Level) was expected: True"]),
        (bytes, [1, 256], [": a list where a list of bytes was expected: [1, 256]"]),
        (Literal["a"], "b", [": a text where one of 'a' was expected: 'b'"]),
        (int | str, 1.5, [": a number where a whole number or a text was expected: 1.5"]),
        (int | None, "x", [": a text where a whole number was expected: 'x'"]),
        (list[int], 5, [": a whole number where a list was expected: 5"]),
        (list[int], [1, "x", None], ["[1]: a text where a whole number was expected: 'x'",
                                     "[2]: null where a whole number was expected"]),
        (dict[int, int], {"a": 1}, [": a text where a whole number as a key was expected: 'a'"]),
        (dict[str, int], {"a": "b"}, ["['a']: a text where a whole number was expected: 'b'"]),
        (dict, [], [": a list where an object was expected: []"]),
        (Machine, "web-01", [": a text where an object was expected: 'web-01'"]),
        (
            Machine,
            {"cpus": "many", "disks": [{"name": "a"}, {"name": 5, "size": "x"}]},
            [
                ": no member name, only: cpus, disks",
                ".cpus: a text where a whole number was expected: 'many'",
                ".disks[1].name: a whole number where a text was expected: 5",
                ".disks[1].size: a text where a number was expected: 'x'",
            ],
        ),
        (Row, {}, [": no member name, only: none"]),
        (Tree, {"name": "a", "children": ["b"]}, [".children[0]: a text where an object was expected: 'b'"]),
        (str, {"a": "x" * 200}, None),
        (Model, {"name": 5}, [".name: Input should be a valid string: 5"]),
        (Model, {"name": "a", "took": "soon"}, None),
        (Model, {"name": "a", "host": {"up": "00:00:01", "cpus": 9}}, [
            ".host.cpus: Value error, too many: 9",
        ]),
        (Model, "web-01", [": a text where an object was expected: 'web-01'"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_says_where_what_and_instead_of_what(kind, value, said):
    found = problems(kind, value)
    assert said is None or found == said
    assert all(len(problem) < 200 for problem in found)


def test_a_classs_own_validators_are_heard():
    @attrs.define
    class Even:
        number: int = attrs.field()

        @number.validator
        def _even(self, _, value):
            if value % 2:
                raise ValueError("must be even")

    assert maker(Even)({"number": 2}) == Even(2)
    assert problems(Even, {"number": 3}) == [
        ": an object where Even was expected: {'number': 3} (must be even)"
    ]


def test_a_members_own_converter_gets_the_value_as_it_is():
    @attrs.define
    class Loose:
        number: int = attrs.field(converter=int)

    assert maker(Loose)({"number": "5"}) == Loose(5)


class Thing:
    pass


@attrs.define
class WithThing:
    things: list[dict[str, Thing]]


@dataclass
class WithUnknown:
    name: str
    other: Missing  # noqa: F821 - a name that is not there


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Thing, "output_type: nothing can be made for Thing, a Thing: take an attrs class"),
        (WithThing, r"nothing can be made for WithThing.things\[\]\[\], a Thing"),
        (list[Thing], r"nothing can be made for list\[\], a Thing"),
        (Machine("a", 1), "output_type: it is an instance of Machine, not a class"),
        (5, "output_type: it is an instance of int, not a class"),
        ("Machine", "output_type: it is 'Machine', not a class"),
        (WithUnknown, r"the type of WithUnknown.other cannot be found: name 'Missing'"),
        (tuple[int, str], "is a tuple of several types"),
        (print, "not a class"),
    ],
)
def test_types_of_which_nothing_can_be_made_are_refused_before_anything_is_sent(kind, message):
    with pytest.raises(TypeError, match=message):
        maker(kind)


def test_a_converter_of_ones_own_does_it_all():
    converter = cattrs.Converter()
    converter.register_structure_hook(Thing, lambda value, _: (Thing, value))
    assert maker(Thing, converter)(WrittenFloat("1.10")) == (Thing, 1.1)
    assert maker(Machine, converter)({"name": "a", "cpus": "2"}) == Machine("a", 2)
    assert problems(Machine, {"name": "a"}, converter=converter) == [": required field missing @ .cpus"]
    assert problems(int, "x", converter=cattrs.Converter(detailed_validation=False)) == [
        ": ValueError: invalid literal for int() with base 10: 'x'"
    ]
    with pytest.raises(TypeError, match="converter must be a converter of cattrs, not dict"):
        maker(Machine, {})


def test_pydantic_is_loaded_by_nobody_else():
    import subprocess

    code = (
        "import sys, attrs\n"
        "from srs_vsphere._codec.into_classes import maker\n"
        "maker(list[int])([1])\n"
        "assert not {'pydantic', 'numpy', 'cattrs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


texts_of_durations = st.timedeltas(timedelta(days=-10_675_199), timedelta(days=10_675_198)).map(
    lambda length: (length, dotnet(length))
)


def dotnet(length):
    """Write a duration as .NET does."""
    total = abs(length)
    hours, rest = divmod(total.seconds, 3600)
    text = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    text = f"{total.days}.{text}" if total.days else text
    text = f"{text}.{total.microseconds:06}0" if total.microseconds else text
    return f"-{text}" if length < timedelta() else text


@given(texts_of_durations)
def test_durations_come_back(pair):
    length, text = pair
    assert maker(timedelta)(text) == length


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_decimals_keep_their_digits(number):
    assert str(maker(Decimal)(WrittenFloat(f"{number:f}"))) == f"{number:f}"


@given(st.datetimes(timezones=st.none() | st.just(UTC)))
def test_times_come_back(time):
    # PowerShell writes seven digits of a second.
    text = time.isoformat(timespec="microseconds")
    assert maker(datetime)(f"{text[:26]}0{text[26:]}") == time


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_any_value_fits_or_is_a_misfit(value):
    for kind in (Machine, Host, Row, Tree, Model, list[Machine], dict[str, Row], int | str, Machine | Row):
        make = maker(kind)
        with suppress(Misfit):
            make(value)
    assert maker(object)(value) == value
