"""JSON becomes models by the service's rules: nothing is taken for granted but an id, nothing is guessed."""

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import attrs
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere._codec import models
from srs_vsphere._codec.models import WireError, _careful_structurer, structurer
from srs_vsphere.models import About, ErrorDetails, Runspace, RunspaceState, ScriptExecution

runspace = structurer(Runspace)


class Fruit(StrEnum):
    APPLE = "apple"


@define
class Basket:
    """A model with everything that the service's own models may hold."""

    id: str
    names: list[str] = field(factory=list[str])
    fruit: Fruit | str | int | None = None
    details: ErrorDetails | None = None
    parts: list[ErrorDetails] = field(factory=list[ErrorDetails])


def test_absent_members_and_null_are_none():
    bare = runspace({"id": "pcli-1"})
    assert bare == Runspace("pcli-1", None, None, None, None, None, None)
    others = ("name", "state", "error_details", "run_vc_connection_script", "creation_time")
    assert runspace({"id": "pcli-1"} | dict.fromkeys(others)) == bare
    assert structurer(About)({}) == About(None, None, None, None)


def test_unknown_members_are_passed_over():
    assert runspace({"id": "pcli-1", "colour": {"deep": [1]}, "Name": "x"}) == Runspace("pcli-1")


def test_nested_details():
    details = {"code": 500, "error_message": "failed", "details": "at X", "more": 1}
    decoded = runspace({"id": "a", "state": "error", "error_details": details})
    assert decoded.error_details == ErrorDetails(500, "failed", "at X")
    assert "at X" not in repr(decoded)


@pytest.mark.parametrize(("word", "member"), [(member.value, member) for member in RunspaceState])
def test_known_states_are_members(word, member):
    assert runspace({"id": "a", "state": word}).state is member


@given(st.text() | st.integers())
def test_unknown_states_stay_what_they_are(value):
    state = runspace({"id": "a", "state": value}).state
    assert state == value
    assert type(state) is (RunspaceState if value in set(RunspaceState) else type(value))


@given(
    st.datetimes(),
    st.integers(0, 9_999_999),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["Z", "", "+00:00", "offset"]),
)
def test_times_are_aware_and_keep_their_offset(time, ticks, minutes, suffix):
    # The service trims a fraction's zeros, and the dot with them.
    text = time.strftime("%Y").zfill(4) + time.strftime("-%m-%dT%H:%M:%S")
    text += f".{ticks:07}".rstrip("0").rstrip(".")
    zone = UTC
    if suffix == "offset":
        zone = timezone(timedelta(minutes=minutes))
        suffix = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    decoded = runspace({"id": "a", "creation_time": text + suffix}).creation_time
    assert decoded == time.replace(microsecond=ticks // 10, tzinfo=zone)
    assert decoded.utcoffset() == zone.utcoffset(None)


def test_every_number_of_fraction_digits():
    for digits in range(8):
        text = "2026-11-24T02:18:14" + ("." + "1234567"[:digits] if digits else "") + "+02:00"
        time = runspace({"id": "a", "creation_time": text}).creation_time
        assert time.microsecond == int("1234567"[:digits].ljust(6, "0")[:6])
        assert time.astimezone(UTC).hour == 0


#: What a member must not be, by model and member.
WRONG = {
    (Runspace, "id"): (None, "", " \t", 5, ["a"]),
    (Runspace, "name"): (5, True, ["a"], {}),
    (Runspace, "state"): (True, 1.0, ["ready"], {}),
    (Runspace, "run_vc_connection_script"): (0, 1, "true", []),
    (Runspace, "creation_time"): (
        *("", "now", "2026-11-24", "20261124", "2026-W48-2", "2026-13-24T00:00:00", "2026-11-24 02:18:14"),
        *("2026-11-24T02:18:14+99:00", 1764000000, True, []),
    ),
    (Runspace, "error_details"): ("", "text", 5, [], ["code"]),
    (About, "version"): (1.0, 1, ["1"]),
    (ErrorDetails, "code"): ("500", 5.0, True),
    (Basket, "names"): ("abc", {"a": 1}, None, [None], [5]),
    (Basket, "parts"): ([{}, "x"], {}, [None]),
    (Basket, "fruit"): (1.5, False),
}


@pytest.mark.parametrize(
    ("cls", "member", "wrong"),
    [(cls, member, wrong) for (cls, member), wrongs in WRONG.items() for wrong in wrongs],
)
def test_a_wrong_type_is_an_error_that_names_the_member(cls, member, wrong):
    with pytest.raises(WireError) as caught:
        structurer(cls)({"id": "a", member: wrong})
    assert f"@ $.{member}" in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [None, 5, True, "id", [], ["id"], [{"id": "a"}]])
@pytest.mark.parametrize("cls", [Runspace, About])
def test_a_model_is_made_of_an_object_only(cls, value):
    with pytest.raises(WireError, match="an object expected"):
        structurer(cls)(value)


def test_the_id_is_required():
    with pytest.raises(WireError, match=r"required field missing @ \$\.id"):
        runspace({"name": "a"})


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(WireError, match=r"\$\.id.*\$\.name.*\$\.error_details\.details"):
        runspace({"name": 5, "error_details": {"details": 5}})


def test_lists_and_nested_models():
    value = {"names": ["b", "c"], "fruit": "apple", "details": {"code": 1}, "parts": [{}, {"code": 2}]}
    assert structurer(Basket)({"id": "a"} | value) == Basket(
        "a", ["b", "c"], Fruit.APPLE, ErrorDetails(1), [ErrorDetails(), ErrorDetails(2)]
    )
    assert structurer(Basket)({"id": "a"}) == Basket("a", [], None, None, [])


def test_a_structurer_is_made_once():
    assert structurer(Runspace) is runspace


def test_bodies_are_compact_ascii():
    body = models.dumps({"name": "é☺\ud800", "list": [1, None, True, 0.5]})
    assert body == b'{"name":"\\u00e9\\u263a\\ud800","list":[1,null,true,0.5]}'
    assert json.loads(body)["name"] == "é☺\ud800"


@pytest.mark.parametrize(
    ("value", "error"), [(float("nan"), ValueError), (float("inf"), ValueError), ({1, 2}, TypeError)]
)
def test_what_json_cannot_hold_is_not_sent(value, error):
    with pytest.raises(error):
        models.dumps({"value": value})


_ODD = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=1)
_MEMBER = {
    "id": st.text() | _ODD,
    "state": st.sampled_from(["ready", "creating", "error", "success", "new"]) | _ODD,
    "creation_time": st.datetimes(timezones=st.none() | st.just(UTC)).map(datetime.isoformat) | _ODD,
    "start_time": st.sampled_from(["2026-11-24", "2026-11-24T02:18:14.1234567+02:00", "24T"]) | _ODD,
    "error_details": st.fixed_dictionaries({"code": st.integers() | st.text()}) | _ODD,
}


@pytest.mark.parametrize("cls", [Runspace, ScriptExecution, About])
@given(data=st.data())
def test_the_short_way_makes_what_cattrs_makes(cls, data):
    members = {field.name: _MEMBER.get(field.name, _ODD) for field in attrs.fields(cls)}
    value = data.draw(st.fixed_dictionaries({}, optional=members))

    def made(structure):
        try:
            return structure(value)
        except WireError as error:
            return str(error)

    assert made(structurer(cls)) == made(_careful_structurer(cls))
