"""What a transport's exception means: whether the request was sent, and an error that holds no request."""

import pickle

import httpx
import pytest

from srs_vsphere._service import failures, operations
from srs_vsphere._service.call import Call
from srs_vsphere._service.retry_decision import Sent
from srs_vsphere.errors import NotSentError, OutcomeUnknownError, ResponseTimeoutError, TransportError

REQUEST = httpx.Request("POST", "https://srs/api/runspaces", headers={"X-SRS-API-KEY": "hunter2"})
BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
SLOW = (httpx.ReadTimeout, httpx.WriteTimeout)
BROKEN = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError, httpx.DecodingError)


class Picky(httpx.TransportError):
    """As a user's own transport may raise it."""

    def __init__(self, code, *, request):
        super().__init__(f"code {code}", request=request)
        self.headers = request.headers


def call_of(operation):
    return Call(operation, operation.path, "srs", deadline=9.0, seconds=120.0, attempts=2)


@pytest.mark.parametrize(
    ("kind", "sent", "message"),
    [
        *[(kind, Sent.NO, "no connection to the service") for kind in BEFORE],
        *[(kind, Sent.MAYBE, "the service did not respond in time") for kind in SLOW],
        *[(kind, Sent.MAYBE, "the connection broke before the response was whole") for kind in BROKEN],
    ],
)
@pytest.mark.parametrize("operation", [operations.RUNSPACES_GET, operations.RUNSPACES_CREATE])
def test_transport_exceptions(kind, sent, message, operation):
    failure = failures.of_transport(call_of(operation), kind("it broke", request=REQUEST))
    error = failure.error
    assert (failure.outcome.sent, failure.outcome.status, error.message) == (sent, None, message)
    repeatable = ResponseTimeoutError if kind in SLOW else TransportError
    unknown = repeatable if operation.idempotent else OutcomeUnknownError
    assert type(error) is (NotSentError if sent is Sent.NO else unknown)
    assert (error.operation, error.host, error.attempts) == (operation.name, "srs", 2)
    assert error.cause == f"{kind.__name__}: it broke"
    assert type(error.__cause__) is kind
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError("it broke", request=REQUEST),
        httpx.HTTPStatusError("it broke", request=REQUEST, response=httpx.Response(500, request=REQUEST)),
        Picky(5, request=REQUEST),
    ],
)
def test_a_bare_copy_holds_no_request(error):
    try:
        raise error
    except httpx.HTTPError as caught:
        bare = failures.bare(caught)
    assert type(bare) is type(error)
    assert (str(bare), bare.args) == (str(error), (str(error),))
    assert bare.__traceback__ is bare.__cause__ is bare.__context__ is None
    with pytest.raises(RuntimeError):
        _ = bare.request
    assert "hunter2" not in repr(vars(bare))


def test_a_cause_without_words_is_named():
    failure = failures.of_transport(call_of(operations.ABOUT), httpx.ReadTimeout(""))
    assert failure.error.cause == "ReadTimeout"


def test_the_deadline_leaves_the_outcome_unknown():
    failure = failures.of_deadline(call_of(operations.RUNSPACES_CREATE))
    assert failure.outcome.sent is Sent.MAYBE
    assert isinstance(failure.error, OutcomeUnknownError)
    assert failure.error.message == "no response within the deadline of 120 s"
    assert (failure.error.cause, failure.error.__cause__) == (None, None)
    assert type(failures.of_deadline(call_of(operations.ABOUT)).error) is ResponseTimeoutError


def test_facts_of_a_call():
    assert call_of(operations.ABOUT).facts(status=500) == {
        "operation": "about",
        "host": "srs",
        "attempts": 2,
        "status": 500,
    }


def test_a_call_shows_no_body():
    call = Call(operations.RUNSPACES_CREATE, "/api/runspaces", "srs", 9.0, 120.0, b"hunter2")
    assert "hunter2" not in repr(call)
    assert "/api/runspaces" in repr(call)
