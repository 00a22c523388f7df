"""Credentials never show their secrets, whatever is done with them and however they are refused."""

import base64
import copy
import io
import json
import logging
import pickle
import pprint
import traceback

import attrs
import pytest

from srs_vsphere.auth import ApiKeyAuth, BasicAuth, Secret, check_key
from srs_vsphere.errors import SrsError

PASSWORD = "hunter2:☺"
KEY = "0a1b2c3d-key"


def seen_of(error):
    """Return all that a log with local variables can show of an error and those behind it."""
    texts = []
    pending = [error]
    while pending:
        error = pending.pop()
        texts += [repr(error), repr(error.args), repr(vars(error)), *getattr(error, "__notes__", [])]
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        # The test's own frames hold what it passes on.
        texts += [repr(frame.locals) for frame in shown.stack if "srs_vsphere" in frame.filename]
        pending += [other for other in (error.__cause__, error.__context__) if other is not None]
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("holder", "secret"),
    [
        (Secret(PASSWORD), PASSWORD),
        (BasicAuth("alice", PASSWORD), PASSWORD),
        (BasicAuth("alice", Secret(PASSWORD)), PASSWORD),
        (
            BasicAuth("alice", PASSWORD).authorization(),
            base64.b64encode(f"alice:{PASSWORD}".encode()).decode(),
        ),
        (ApiKeyAuth(KEY), KEY),
        (ApiKeyAuth(Secret(KEY)), KEY),
    ],
)
def test_nothing_shows_a_secret(holder, secret):
    stream = io.StringIO()
    record = logging.LogRecord("name", logging.ERROR, "path", 1, "%s %r %s", (holder, holder, [holder]), None)
    logging.StreamHandler(stream).handle(record)
    inside = {"auth": [holder]}
    for text in (
        repr(holder),
        str(holder),
        f"{holder}",
        f"{inside}",
        pprint.pformat(inside),
        repr(copy.deepcopy(inside)),
        json.dumps(inside, default=repr),
        stream.getvalue(),
    ):
        assert "***" in text
        assert secret not in text
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled") as caught:
            pickle.dumps(holder, protocol)
        assert secret not in seen_of(caught.value)
    if isinstance(holder, Secret):
        assert not hasattr(holder, "__dict__")
        with pytest.raises(TypeError, match="not pickled"):
            holder.__getstate__()
        with pytest.raises(TypeError):
            json.dumps(holder)


def test_copies_and_comparison():
    auth = BasicAuth("alice", PASSWORD)
    for same in (
        copy.copy(auth),
        copy.deepcopy(auth),
        attrs.evolve(auth),
        BasicAuth("alice", Secret(PASSWORD)),
    ):
        assert same == auth
        assert hash(same) == hash(auth)
        assert same.password.reveal() == PASSWORD
    secret = auth.password
    assert copy.copy(secret) is copy.deepcopy(secret) is secret
    assert attrs.evolve(auth, username="bob") != auth
    assert BasicAuth("alice", "other") != auth
    assert Secret("\ud800") == Secret("\ud800") != Secret("\ud801")
    assert Secret(PASSWORD) != PASSWORD
    assert ApiKeyAuth(KEY) == ApiKeyAuth(Secret(KEY)) != ApiKeyAuth("other")


def test_they_are_frozen():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        BasicAuth("alice", PASSWORD).password = Secret("other")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        ApiKeyAuth(KEY).key = Secret("other")


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "a:b:c"), ("ålice@VSPHERE.LOCAL", "ß☺\n"), (" a", " ")]
)
def test_the_header_is_utf8_before_base64(name, password):
    header = BasicAuth(name, password).authorization().reveal()
    scheme, _, rest = header.partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(rest).decode() == f"{name}:{password}"


def test_text_of_a_subclass_is_text():
    class Text(str):
        __slots__ = ()

    assert BasicAuth(Text("alice"), Text("secret")) == BasicAuth("alice", "secret")


def both(value):
    return [value, Secret(value)]


REFUSALS = [
    *[(BasicAuth, ("alice", value), TypeError, "password") for value in both(b"hunter2")],
    *[(BasicAuth, ("alice", value), TypeError, "password") for value in both(["hunter2"])],
    *[(BasicAuth, ("alice", value), ValueError, "password") for value in both("")],
    *[(BasicAuth, ("alice", value), ValueError, "password") for value in both("hunter2\udc80")],
    (BasicAuth, ("alice", None), TypeError, "password"),
    (BasicAuth, (b"hunter2", "hunter2"), TypeError, "username"),
    (BasicAuth, (Secret("hunter2"), "hunter2"), TypeError, "username"),
    (BasicAuth, (None, "hunter2"), TypeError, "username"),
    (BasicAuth, ("", "hunter2"), ValueError, "username"),
    (BasicAuth, (" \t", "hunter2"), ValueError, "username"),
    (BasicAuth, ("alice:hunter2", "hunter2"), ValueError, "username"),
    (BasicAuth, ("hunter2\ud800", "hunter2"), ValueError, "username"),
    (BasicAuth, ("alice:hunter2", b"hunter2"), TypeError, "password"),
    *[(ApiKeyAuth, (value,), TypeError, "key") for value in both(b"hunter2")],
    *[
        (ApiKeyAuth, (value,), ValueError, "key")
        for text in (
            "",
            "hunter2\r\nX: y",
            "hunter2 ",
            "hünter2 hunter2",
            "hunter2\x00",
            "hunter2\ud800",
            "hunter2\x7f",
        )
        for value in both(text)
    ],
    *[(check_key, (Secret(text),), ValueError, "key") for text in ("", "hunter2 hunter2", "hunter2\n")],
]


@pytest.mark.parametrize(("make", "arguments", "error", "named"), REFUSALS)
def test_a_refusal_names_the_argument_and_shows_nothing(make, arguments, error, named):
    with pytest.raises(error, match=rf"\b{named}\b") as caught:
        make(*arguments)
    assert isinstance(caught.value, SrsError)
    assert "hunter2" not in seen_of(caught.value)


def test_what_the_test_looks_through_would_show_a_secret():
    def careless(password):
        raise ValueError(len(password))

    careless.__code__ = careless.__code__.replace(co_filename="elsewhere/srs_vsphere/careless.py")
    with pytest.raises(ValueError, match="7") as caught:
        careless("hunter2")
    assert "hunter2" in seen_of(caught.value)


def test_a_good_key_comes_back():
    key = Secret(KEY)
    assert check_key(key) is key
    assert ApiKeyAuth(key).key is key


def test_a_password_is_pickled_only_if_its_maker_said_so():
    auth = BasicAuth("alice", PASSWORD, allow_pickle=True)
    again = pickle.loads(pickle.dumps({"auth": [auth]}))["auth"][0]
    assert again == auth == BasicAuth("alice", PASSWORD)
    assert again.password.reveal() == PASSWORD
    assert pickle.loads(pickle.dumps(again)) == auth
    assert copy.deepcopy(auth) is copy.copy(auth) is auth
    assert PASSWORD not in repr(again)
    with pytest.raises(TypeError, match="allow_pickle must be True or False"):
        BasicAuth("alice", PASSWORD, allow_pickle="yes")
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(auth.password)
    assert PASSWORD not in seen_of(caught.value)
