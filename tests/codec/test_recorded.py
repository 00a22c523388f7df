"""Every body that the real service answered well with decodes to what it holds, member by member."""

import json
import re
from datetime import datetime, timedelta, timezone

import attrs
import pytest

from srs_vsphere._codec import strict_json
from srs_vsphere._codec.json_array import JsonArrayDecoder
from srs_vsphere._codec.models import structurer
from srs_vsphere.auth import Secret, check_key
from srs_vsphere.models import About, ErrorDetails, Runspace, ScriptExecution, StreamRecord
from tests.recorded_exchanges import exchanges, header

MODELS = [
    (r"/api/about/?", About),
    (r"/api/runspaces(/[^/]+)?", Runspace),
    (r"/api/script-executions(/[^/]+)?", ScriptExecution),
    (r"/api/script-executions/[^/]+/streams/\w+", StreamRecord),
    (r"/api/script-executions/[^/]+/output", None),
]
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?([+-])(\d\d):(\d\d)")


def model_for(path):
    path = path.partition("?")[0].lower()
    (model,) = [model for pattern, model in MODELS if re.fullmatch(pattern, path)]
    return model


def time_of(text):
    """Read a time of the service by its own rules."""
    *parts, fraction, sign, hours, minutes = TIME.fullmatch(text).groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    microseconds = int((fraction or "0").ljust(6, "0")[:6])
    return datetime(*map(int, parts), microseconds, tzinfo=timezone(offset))


def assert_holds(model, recorded):
    """Every member that was recorded is there as it was, and every other is None or empty."""
    members = {field.name for field in attrs.fields(type(model))}
    assert set(recorded) <= members
    for name in members:
        value = getattr(model, name)
        if name not in recorded:
            assert value in (None, ""), name
        elif name == "time" or name.endswith("_time"):
            assert value == time_of(recorded[name])
            assert value.utcoffset() is not None
        elif name == "error_details":
            assert isinstance(value, ErrorDetails)
            assert_holds(value, recorded[name])
        else:
            assert value == recorded[name]
            assert type(value) is type(recorded[name]) or isinstance(value, str)


def listed(body, size):
    decoder = JsonArrayDecoder()
    items = [item for at in range(0, len(body), size) for item in decoder.feed(body[at : at + size])]
    while more := decoder.close():
        items += more
    return items


@pytest.mark.parametrize(("file", "least"), [("runspaces", 25), ("auth", 3)])
def test_every_recorded_body_holds_what_was_recorded(file, least):
    seen = set()
    count = 0
    for exchange in exchanges(file):
        response = exchange["response"]
        if response["status"] not in {200, 202} or not response["body"]:
            continue
        count += 1
        body = response["body"].encode()
        recorded = json.loads(body)
        model = model_for(exchange["request"]["path"])
        assert header(exchange, "content-type") == "application/json; charset=utf-8"
        seen.add(model)
        if isinstance(recorded, dict):
            assert_holds(structurer(model)(strict_json.loads(body)), recorded)
            continue
        for size in (1, 7, 4096):
            items = listed(body, size)
            assert items == recorded
            if model is not None:
                for item, expected in zip(map(structurer(model), items), recorded, strict=True):
                    assert_holds(item, expected)
    assert count >= least
    assert Runspace in seen


def test_every_recorded_key_is_a_key():
    keys = [header(exchange, "x-srs-api-key") for exchange in exchanges("runspaces", "auth")]
    keys = [key for key in keys if key is not None]
    assert len(keys) >= 5
    for key in keys:
        assert check_key(Secret(key)).reveal() == key
