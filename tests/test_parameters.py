"""Every value reaches the request in the form in which the service does not garble it."""

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import deserialize_clixml

from srs_vsphere._codec.models import dumps
from srs_vsphere.models import ArgumentScript, ScriptParameter, Switch
from srs_vsphere.parameters import CLIXML_SCRIPT, request_parameters
from tests.patience import patient


def only(value):
    (parameter,) = request_parameters({"p": value})
    assert parameter["name"] == "p"
    return parameter


class Size(Enum):
    SMALL = 1
    WHEN = "2020-01-02T03:04:05Z"
    NONE = None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "2020",
        "12:30",
        "Date(1)",
        "20200102",
        "T10",
        0,
        -5,
        2**63,
        -(2**70),
        2**1024 - 1,
        2.5,
        -0.0,
        1e300,
        True,
        False,
        "tab\t\0",
        "😀",
    ],
)
def test_scalars_travel_as_they_are(value):
    assert only(value) == {"name": "p", "value": value}


@pytest.mark.parametrize(
    "value",
    [
        "2020-01-02T03:04:05Z",
        "2020-01-02",
        " 2020-01-02T03:04:05",
        "\t2020-1-2 junk",
        "٢٠٢٠-01-02T03:04:05Z",
        "/Date(1198908717056)/",
        "/Date(x",
        "\ud800",
        [],
        [1],
        (),
        ["a", ["b"]],
        {},
        {"a": {"b": [None]}},
        b"",
        Decimal("1.10"),
        datetime(2020, 1, 2, tzinfo=UTC),
        UUID(int=7),
        math.inf,
        math.nan,
    ],
)
def test_what_the_service_garbles_travels_as_clixml(value):
    parameter = only(value)
    assert parameter["script"] == CLIXML_SCRIPT
    (back,) = deserialize_clixml(parameter["value"], None)
    if isinstance(value, float) and math.isnan(value):
        assert math.isnan(back)
    elif isinstance(value, tuple | list | dict):
        assert repr(back).replace("'", "") != ""
        assert len(back) == len(value)
    elif isinstance(value, UUID):
        assert str(back) == str(value)
    else:
        assert back == value


def test_the_parameter_script_keeps_a_list_whole():
    assert CLIXML_SCRIPT.startswith("param($argument) ,[")


def test_enums_travel_by_value():
    assert only(Size.SMALL) == {"name": "p", "value": 1}
    assert only(Size.WHEN)["script"] == CLIXML_SCRIPT


@patient
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.text()
        | st.integers(-(2**1024) + 1, 2**1024 - 1)
        | st.floats()
        | st.booleans()
        | st.lists(st.text())
        | st.binary(),
    )
)
def test_whatever_is_made_can_be_sent(parameters):
    body = json.loads(dumps(request_parameters(parameters)))
    assert [parameter["name"] for parameter in body] == list(parameters)
    assert all(isinstance(p["value"], str | int | float) for p in body)


@patient
@given(st.from_regex(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?\Z"))
def test_no_iso_time_travels_as_it_is(text):
    assert only(text)["script"] == CLIXML_SCRIPT


def test_switches():
    assert only(Switch()) == {"name": "p"}
    assert only(Switch(on=False)) == {"name": "p", "value": False}


def test_an_argument_script_is_sent_as_script():
    assert only(ArgumentScript("Get-VM")) == {"name": "p", "script": "Get-VM"}
    with pytest.raises(ValueError, match="without a script"):
        only(ArgumentScript(None))


def test_raw_parameters_pass_untouched():
    assert request_parameters(
        [
            ScriptParameter("a", [1, 2]),
            ScriptParameter("b", "2020-01-02T03:04:05Z", "param($argument) $argument"),
            ScriptParameter("c"),
            ScriptParameter("d", script="1+3"),
            ScriptParameter("e", False),
        ]
    ) == [
        {"name": "a", "value": [1, 2]},
        {"name": "b", "value": "2020-01-02T03:04:05Z", "script": "param($argument) $argument"},
        {"name": "c"},
        {"name": "d", "script": "1+3"},
        {"name": "e", "value": False},
    ]


def test_order_is_kept():
    assert [p["name"] for p in request_parameters({"z": 1, "a": 2, "m": [3]})] == ["z", "a", "m"]
    assert request_parameters(None) == request_parameters({}) == request_parameters([]) == []


@pytest.mark.parametrize("value", [None, Size.NONE])
def test_none_is_refused_with_what_to_do_instead(value):
    with pytest.raises(TypeError, match=r"parameters\['p'\] is None.*leave the parameter out"):
        only(value)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"": 1}, ValueError, "blank"),
        ({" \t": 1}, ValueError, "blank"),
        ({1: 1}, TypeError, "name must be text, not int"),
        ({"Name": 1, "nAME": 2}, ValueError, r"parameters\['nAME'\] is given twice"),
        ([ScriptParameter("a", 1), ScriptParameter("A", 2)], ValueError, "given twice"),
        ([ScriptParameter("", 1)], ValueError, "blank"),
        ([("a", 1)], TypeError, r"parameters\[0\] must be a ScriptParameter, not tuple"),
        ([None], TypeError, r"parameters\[0\] must be a ScriptParameter, not NoneType"),
        ("a=1", TypeError, r"parameters\[0\] must be a ScriptParameter, not str"),
        (iter([]), TypeError, "not list_iterator"),
        ({"p": ScriptParameter("p")}, TypeError, "give a list of them"),
        ({"p": {"a": Switch()}}, TypeError, r"parameters\['p'\]\['a'\] is of type Switch"),
        ({"p": object()}, TypeError, r"parameters\['p'\] is of type object"),
        ({"p": {1, 2}}, TypeError, r"parameters\['p'\] is of type set"),
        ({"p": 2**1025}, ValueError, "more than 1024 bits"),
        ({"p": datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)}, ValueError, "without a time zone"),
    ],
)
def test_refusals(parameters, error, message):
    with pytest.raises(error, match=message):
        request_parameters(parameters)


def test_reserved_names_are_refused():
    with pytest.raises(ValueError, match="reserved"):
        request_parameters({"__S": 1}, frozenset({"__s"}))


def test_a_secret_is_refused_without_being_shown():
    from srs_vsphere.auth import Secret

    with pytest.raises(TypeError) as caught:
        only(Secret("hunter2"))
    assert "hunter2" not in str(caught.value)
