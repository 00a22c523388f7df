"""Errors tell all they know in one line, survive pickling whole, and can be raised once more."""

import copy
import copyreg
import inspect
import pickle
import re

import pytest

import srs_vsphere
from srs_vsphere import errors
from srs_vsphere.errors import (
    DecodeError,
    Facts,
    InvalidRequestError,
    ServerError,
    SrsError,
    StreamInterruptedError,
    VCenterConnectionError,
    WaitTimeoutError,
)
from srs_vsphere.models import Runspace, RunspaceState, ScriptExecution, ScriptExecutionState, StreamRecord
from srs_vsphere.results import OutputMismatchError, ScriptFailedError, ScriptOutcome, ScriptResult

PUBLIC = [getattr(srs_vsphere, name) for name in srs_vsphere.__all__ if name.endswith("Error")]
WITH_RESULT = (OutputMismatchError, ScriptFailedError)
CLASSES = [cls for cls in PUBLIC if cls is not ScriptFailedError]
FACTS = Facts(
    operation="runspaces.get",
    host="srs.example:8443",
    status=500,
    code=1310,
    attempts=3,
    given_up="no retries left",
    cause="ReadTimeout: slow",
    details="X: at Y\n at Z",
    advice="Do this.",
)
#: What a class takes besides the facts.
MORE = {
    StreamInterruptedError: {"items_delivered": 7},
    DecodeError: {"items_delivered": 7},
    InvalidRequestError: {"fields": {"Name": ["too long", "too odd"], "": ["no body"]}},
    WaitTimeoutError: {"last": Runspace("pcli-1", state=RunspaceState.CREATING)},
    VCenterConnectionError: {"records": [StreamRecord("no vCenter")]},
}


def make(cls, **facts):
    more = dict(MORE.get(cls, {}))
    if cls in WITH_RESULT:
        names = inspect.signature(ScriptResult).parameters
        values = {
            "execution": ScriptExecution("1", state=ScriptExecutionState.ERROR),
            "outcome": ScriptOutcome.FAILED,
        }
        more["result"] = ScriptResult(**{name: values.get(name) for name in names})
    return cls("it broke", **more, **facts)


def state(error):
    return {name: value for name, value in vars(error).items() if name != "__notes__"}


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("facts", [{}, FACTS], ids=["bare", "full"])
def test_every_error_survives_pickling_and_copying(cls, facts, monkeypatch):
    # Dask, once imported, has exceptions of all kinds pickled in a way of its own.
    monkeypatch.delitem(copyreg.dispatch_table, cls, raising=False)
    error = make(cls, **facts)
    error.__cause__ = ValueError("below")
    error.add_note("noted")
    for other in (*(pickle.loads(pickle.dumps(error, version)) for version in range(6)), copy.copy(error)):
        assert type(other) is cls
        assert vars(other) == vars(error)
        assert (other.args, str(other), repr(other)) == (error.args, str(error), repr(error))
        # The cause's own words travel as a fact; the exception may be of any kind and stays behind.
        assert other.__cause__ is None


@pytest.mark.parametrize("cls", CLASSES)
def test_again_is_the_same_failure_for_another_caller(cls):
    error = make(cls, **FACTS)
    error.__cause__ = cause = ValueError("below")
    with pytest.raises(cls):
        raise error
    error.add_note("seen by the first caller")
    other = error.again()
    assert type(other) is cls
    assert state(other) == state(error)
    assert (str(other), other.args, other.__cause__) == (str(error), error.args, cause)
    assert other.__traceback__ is None
    assert not hasattr(other, "__notes__")
    other.add_note("seen by the second")
    assert error.__notes__ == ["seen by the first caller"]


@pytest.mark.parametrize("cls", CLASSES)
def test_the_text_is_one_line_that_says_what_where_and_what_next(cls):
    assert cls.advice.endswith(".")
    assert str(make(cls)) == f"it broke. {cls.advice}"
    assert str(make(cls, **FACTS)) == (
        "runspaces.get on srs.example:8443: it broke"
        " (HTTP 500, code 1310, 3 attempts, cause: ReadTimeout: slow). Given up: no retries left. Do this."
    )


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"host": "srs"}, "srs: it broke. "),
        ({"operation": "about"}, "about: it broke. "),
        ({"attempts": 1}, "it broke. "),
        ({"attempts": 2}, "it broke (2 attempts). "),
        ({"status": 0, "code": 0}, "it broke (HTTP 0, code 0). "),
        ({"cause": ""}, "it broke. "),
        ({"details": "secret\nstack"}, "it broke. "),
    ],
)
def test_what_is_not_known_is_left_out(facts, text):
    assert str(SrsError("it broke.", **facts)) == text + SrsError.advice


@pytest.mark.parametrize(
    "odd", ["\n", "\r\n  ", "\t", "\x1b[2J", "\x00", "\u2028", "\x85", "\u202e", "\ud800", "\x7f"]
)
def test_nothing_a_server_says_breaks_the_line_or_the_log(odd):
    text = str(ServerError(f"a{odd}b", cause=f"c{odd}d"))
    assert len(text.splitlines()) == 1
    assert text.isprintable()
    text.encode()


def test_a_servers_words_are_bounded_and_the_rest_stays():
    error = ServerError("x" * 10_000, operation="about", code=1, cause="y" * 10_000)
    assert len(str(error)) < 800
    assert re.fullmatch(rf"about: x+… \(code 1, cause: y+…\)\. {ServerError.advice}", str(error))
    assert len(error.message) == 10_000


def test_the_docstring_draws_the_tree():
    above, drawn = [], set()
    for line in errors.__doc__.splitlines():
        if found := re.match(r"    ([│ ├└─]*)([A-Z]\w+Error)\b", line):
            level = len(found[1]) // 4
            above[level:] = [found[2]]
            cls = getattr(srs_vsphere, found[2])
            assert cls.__base__.__name__ == (above[level - 1] if level else "Exception")
            drawn.add(cls)
    assert drawn == set(PUBLIC)


def test_defaults_are_not_shared():
    assert InvalidRequestError("x").fields is not InvalidRequestError("y").fields
    assert SrsError("x").advice == SrsError.advice
    assert (SrsError("x").attempts, StreamInterruptedError("x").items_delivered) == (0, 0)
