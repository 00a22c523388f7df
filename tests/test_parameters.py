"""Every value reaches the request in the form in which the service does not garble it."""

import copy
import io
import json
import logging
import math
import pickle
import traceback
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import PurePosixPath, PureWindowsPath
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import deserialize_clixml

from srs_vsphere._codec.models import dumps
from srs_vsphere._service.service_scripts import service_script
from srs_vsphere.auth import Secret
from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError, SrsError
from srs_vsphere.models import ArgumentScript, Credential, ScriptParameter, Switch
from srs_vsphere.parameters import RESERVED, request_parameters

PARAMETER_SCRIPT = service_script("parameter-value")


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
    assert parameter["script"] == PARAMETER_SCRIPT
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


def test_enums_travel_by_value():
    assert only(Size.SMALL) == {"name": "p", "value": 1}
    assert only(Size.WHEN)["script"] == PARAMETER_SCRIPT


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


@given(st.from_regex(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?\Z"))
def test_no_iso_time_travels_as_it_is(text):
    assert only(text)["script"] == PARAMETER_SCRIPT


def test_switches():
    assert only(Switch()) == {"name": "p"}
    assert only(Switch(on=False)) == {"name": "p", "value": False}


def test_an_argument_script_that_finds_nothing_fails():
    sent = only(ArgumentScript("\ufeffGet-VM 'SCRIPT'"))
    assert sent == {
        "name": "p",
        "script": service_script("argument-script").replace("SCRIPT\n", "Get-VM 'SCRIPT'\n"),
    }
    assert only(ArgumentScript("\ufeffGet-VM", allow_nothing=True)) == {"name": "p", "script": "Get-VM"}
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


@pytest.mark.parametrize("name", [*sorted(RESERVED), "__SRS"])
def test_names_that_the_scripts_around_a_users_script_use_are_refused(name):
    for parameters in ({name: 1}, [ScriptParameter(name, 1)]):
        with pytest.raises(InvalidArgumentValueError, match=f"parameters\\['{name}'\\] is a reserved name"):
            request_parameters(parameters)


def test_refusals_are_errors_of_this_package_too():
    with pytest.raises(InvalidArgumentTypeError) as wrong_type:
        only(None)
    with pytest.raises(InvalidArgumentValueError) as wrong_value:
        only(2**1025)
    for error, kind in ((wrong_type.value, TypeError), (wrong_value.value, ValueError)):
        assert isinstance(error, SrsError)
        assert isinstance(error, kind)
        assert str(error).endswith("Nothing was sent: correct the argument.")
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


class Place(StrEnum):
    LAB = "lab"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (np.int64(-5), -5),
        (np.uint8(200), 200),
        (np.float64(1.5), 1.5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.bool_(False), False),
        (np.str_("a"), "a"),
        (Place.LAB, "lab"),
        (PurePosixPath("/a/b"), "/a/b"),
        (PureWindowsPath("C:/a"), "C:\\a"),
    ],
)
def test_what_stands_for_a_plain_value_travels_as_that(value, sent):
    (parameter,) = json.loads(dumps([only(value)]))
    assert parameter == {"name": "p", "value": sent}
    assert type(parameter["value"]) is type(sent)


@pytest.mark.parametrize(
    ("value", "element"),
    [
        (date(2020, 1, 2), "<DT>2020-01-02T00:00:00</DT>"),
        (np.datetime64("2020-01-02"), "<DT>2020-01-02T00:00:00</DT>"),
        (time(3, 4, 5, 600), "<TS>P0DT3H4M5.000600S</TS>"),
        (timedelta(days=1, seconds=5), "<TS>P1DT0H0M5.000000S</TS>"),
        (-timedelta(days=1, hours=2, microseconds=1), "<TS>-P1DT2H0M0.000001S</TS>"),
        (timedelta(0), "<TS>P0DT0H0M0.000000S</TS>"),
        (np.timedelta64(90, "s"), "<TS>P0DT0H1M30.000000S</TS>"),
        (np.timedelta64(90_000, "ns"), "<TS>P0DT0H0M0.000090S</TS>"),
        (np.bytes_(b"a"), "<BA>YQ==</BA>"),
        ([PurePosixPath("/a"), np.int64(5), date(2020, 1, 2)], "<LST><S>/a</S><I32>5</I32><DT>2020-01-02T"),
        (PurePosixPath("2020-01-02"), "<S>2020-01-02</S>"),
        (Secret("pä5"), "<SS>7000e4003500</SS>"),
        (
            Credential("u", Secret("pä5")),
            '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCredential</T>'
            '<T>System.Object</T></TN><Props><S N="UserName">u</S>'
            '<SS N="Password">7000e4003500</SS></Props></Obj>',
        ),
        ({"a": [Credential("u", "p")]}, '<S N="UserName">u</S><SS N="Password">7000</SS>'),
    ],
)
def test_more_kinds_travel_as_clixml(value, element):
    parameter = only(value)
    assert parameter["script"] == PARAMETER_SCRIPT
    assert element in parameter["value"]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.datetime64("2020-01-02T03:04:05"), ValueError, "without a time zone"),
        (np.datetime64(1, "ns"), TypeError, "of type datetime64"),
        (np.timedelta64(1, "ns"), TypeError, "of type timedelta64"),
        ([np.datetime64("NaT", "s")], TypeError, "of type datetime64"),
        (np.array([1]), TypeError, "of type ndarray"),
        (np.complex128(1), TypeError, "of type complex"),
        (time(3, tzinfo=UTC), ValueError, "time of day with a time zone"),
        (timedelta.max, ValueError, "longer than a .NET TimeSpan"),
        (Secret(""), ValueError, "empty secret"),
        ({Secret("hunter2"): 1}, TypeError, r"Secret\('\*\*\*'\) for a key"),
        (
            {1: "a", "1": "b"},
            ValueError,
            r"parameters\['p'\]\['1'\] differs from another key in",
        ),
        ({"a": 1, "A": 2}, ValueError, "letter case"),
        ({1.0: 1, "1": 2}, ValueError, "or type only"),
        ({True: 1, "true": 2}, ValueError, "or type only"),
    ],
)
def test_refusals_of_more_kinds(value, error, message):
    with pytest.raises(error, match=message) as caught:
        only(value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", "p"), ValueError, "username must not be blank"),
        ((" ", Secret("p")), ValueError, "username must not be blank"),
        ((None, "p"), TypeError, "username must be text, not NoneType"),
        (("u", ""), ValueError, "password must not be empty"),
        (("u", 5), TypeError, "password must be text, not int"),
    ],
)
def test_a_credential_has_a_user_and_a_password(arguments, error, message):
    with pytest.raises(error, match=message):
        Credential(*arguments)


def leaks(text):
    """Say whether a text holds the secret, plain or as PowerShell's own form has it."""
    return "hunter2" in text or "hunter2".encode("utf-16-le").hex() in text


def test_no_repr_error_pickle_or_traceback_shows_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    credential = Credential("DOMAIN\\u", "hunter2")
    given = {"a": Secret("hunter2"), "b": credential, "c": [credential]}
    for value in (credential, given, request_parameters(given), dumps(request_parameters(given))):
        assert not leaks(repr(value))
        assert not leaks(f"{value!r:.10000}")
    assert leaks(str(dumps(request_parameters(given)), "ascii"))
    for value in (credential, given):
        with pytest.raises(TypeError, match="a secret is not pickled"):
            pickle.dumps(value)
    assert copy.deepcopy(credential) == credential
    for refused in ({**given, "d": object()}, {**given, "d": [Secret("hunter2"), {Secret("hunter2"): 1}]}):
        with pytest.raises(InvalidArgumentTypeError) as caught:
            request_parameters(refused)
        shown = io.StringIO()
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).print(file=shown)
        assert "Credential(username=" in shown.getvalue()
        assert not leaks(shown.getvalue())
        assert not leaks(pickle.dumps(caught.value).decode("latin-1"))
    with pytest.raises(ValueError, match="username") as bad:
        Credential(" ", "hunter2")
    shown = io.StringIO()
    trace = traceback.TracebackException.from_exception(bad.value, capture_locals=True)
    # The first frame is this test's own, which has the secret in its text.
    del trace.stack[0]
    trace.print(file=shown)
    assert not leaks(shown.getvalue())
    assert not leaks(caplog.text)
