"""Every error the service was recorded to give, and those it is known to give, find their class."""

import json
import pickle

import pytest

from srs_vsphere import errors
from srs_vsphere._service.api_errors import error_for
from tests.recorded_exchanges import exchanges, header

JSON = "application/json; charset=utf-8"


def error_of(status, body=b"", content_type=JSON, operation="runspaces.get"):
    return error_for(operation, "srs.example:443", status, content_type if body else None, body, 1)


def coded(code, status=500, details=None, message="told so", **kinds):
    body = {"code": code, "error_message": message} | ({"details": details} if details else {})
    return error_of(status, json.dumps(body).encode(), **kinds)


def expected(status, code, body):
    """The class for a recorded error, written down apart from the table that is tested."""
    if status == 401:
        return errors.AuthenticationError
    if code is None:
        return errors.InvalidRequestError if status < 500 else errors.ServerError
    if code in {2020, 2060}:
        return errors.QuotaExceededError
    if code == 1310:
        return errors.RunspaceBusyError
    if code == 1025:
        return errors.OutcomeUnknownError
    if code == 2031:
        return errors.RunspaceNotReadyError
    if code in {1040, 2030, 2070, 4010} or (code, status) == (500, 404) or "doesn't have run" in body:
        return errors.NotFoundError
    return errors.ServerError


def test_every_recorded_error():
    seen = 0
    for exchange in exchanges():
        response = exchange["response"]
        status, text = response["status"], response["body"] or ""
        if 200 <= status < 300:
            continue
        seen += 1
        code = json.loads(text).get("code") if text.startswith("{") else None
        error = error_for("x.y", "h", status, header(exchange, "content-type"), text.encode(), 1)
        assert type(error) is expected(status, code, text), exchange["label"]
        assert (error.status, error.code) == (status, code), exchange["label"]
        assert "stack trace" not in str(error), exchange["label"]
        assert "   at " not in str(error), exchange["label"]
        if text.startswith('{"errors"'):
            assert error.fields == json.loads(text)["errors"], exchange["label"]
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.details) == (type(error), str(error), error.details)
    assert seen > 100


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2020, errors.QuotaExceededError),
        (2060, errors.QuotaExceededError),
        (1310, errors.RunspaceBusyError),
        (2031, errors.RunspaceNotReadyError),
        (2030, errors.NotFoundError),
        (1040, errors.NotFoundError),
        (2070, errors.NotFoundError),
        (4010, errors.NotFoundError),
        (1025, errors.OutcomeUnknownError),
        (1400, errors.ServerError),
        (1500, errors.ServerError),
        (9999, errors.ServerError),
    ],
)
@pytest.mark.parametrize("status", [500, 400, 409])
def test_the_code_decides_not_the_status(code, kind, status):
    error = coded(code, status)
    assert type(error) is kind
    assert (error.status, error.code, error.message) == (status, code, "told so")


def test_cancel_of_an_unknown_script_is_not_found():
    assert type(coded(500, 404, operation="script_executions.cancel")) is errors.NotFoundError
    assert type(coded(500, 500)) is errors.ServerError


def test_an_unknown_code_with_404_is_not_found():
    assert type(coded(7777, 404)) is errors.NotFoundError


@pytest.mark.parametrize(
    ("details", "kind"),
    [
        ('X: User "a" doesn\'t have running runspaces', errors.NotFoundError),
        ('X: User "a" doesn\'t have runspace with id "b"', errors.NotFoundError),
        ("X: kill failed", errors.ServerError),
        (None, errors.ServerError),
    ],
)
def test_deletion_that_failed_is_told_from_an_unknown_runspace(details, kind):
    assert type(coded(2040, 500, details, operation="runspaces.delete")) is kind


def test_status_0_keeps_what_the_service_said():
    error = coded(1000, 0, "Trace", message="Error calling Post: Connection refused")
    assert type(error) is errors.ServerError
    assert (error.status, error.code, error.details) == (0, 1000, "Trace")
    assert "list()" in str(error)


def test_status_0_without_a_body():
    assert type(error_of(0)) is errors.ServerError


def test_refused_login_and_refused_key_advise_differently():
    login = error_of(401, operation="auth.login")
    other = error_of(401)
    assert type(login) is type(other) is errors.AuthenticationError
    assert "password" in str(login)
    assert "log in again" in str(other)


def test_router_404_is_not_a_missing_resource():
    error = error_of(404)
    assert type(error) is errors.InvalidRequestError
    assert "URL" in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequestError),
        (403, errors.AuthenticationError),
        (404, errors.InvalidRequestError),
        (405, errors.InvalidRequestError),
        (413, errors.InvalidRequestError),
        (415, errors.InvalidRequestError),
        (418, errors.InvalidRequestError),
        (308, errors.InvalidRequestError),
        (429, errors.TooManyRequestsError),
        (500, errors.ServerError),
        (502, errors.ServerError),
        (503, errors.ServerError),
        (504, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_pages_of_a_proxy(status, kind):
    page = b"<html>\n<head><title>Bad\n &amp; worse</title></head><body>secret-looking</body></html>"
    error = error_of(status, page, "text/html")
    assert type(error) is kind
    assert "Bad & worse" in error.message
    assert "secret-looking" not in str(error)
    assert "secret-looking" in error.details
    assert type(error_of(status)) is kind


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{broken", JSON),
        (b"\xff\xfe", JSON),
        (b"[1]", JSON),
        (b"null", JSON),
        (b"[" * 100_000, JSON),
        (b'{"code":NaN}', JSON),
        (b"plain words", "text/plain"),
        (b"plain words", None),
        (b"{}", JSON),
        (b'{"code":true,"error_message":7}', JSON),
        (b'{"errors":[1],"title":2}', JSON),
        (b'{"errors":{"a":"b","c":[1,null,"d"]}}', JSON),
    ],
)
def test_nonsense_never_raises(body, content_type):
    error = error_for("a.b", "h", 500, content_type, body, 3)
    assert type(error) is errors.ServerError
    assert error.code is None
    assert error.attempts == 3
    assert len(str(error)) < 1000


def test_fields_keep_only_text():
    error = error_of(400, b'{"errors":{"a":"b","c":[1,null,"d"],"":["e"]},"title":"Bad."}')
    assert isinstance(error, errors.InvalidRequestError)
    assert error.fields == {"c": ["d"], "": ["e"]}
    assert error.message == "Bad: c: d; e"


def test_problem_of_another_json_type():
    error = error_of(415, b'{"title":"Unsupported Media Type","status":415}', "application/problem+json")
    assert error.message == "Unsupported Media Type"


def test_a_trace_within_the_message_moves_to_details():
    error = coded(1500, 500, message="Boom: it broke\n   at Some.Method() in X.cs\n   at Other()")
    assert error.message == "Boom: it broke"
    assert "Some.Method" not in str(error)
    assert "Some.Method" in error.details


def test_details_are_bounded():
    assert len(error_of(502, b"<p>" + b"x" * 1_000_000, "text/html").details) <= 20_000
