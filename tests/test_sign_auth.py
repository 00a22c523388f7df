"""A token and its key: what fits together logs in, what does not is refused in one line without a secret."""

from __future__ import annotations

import base64
import copy
import pickle
import sys
import time

import pytest

from srs_vsphere import AuthenticationError, Secret, SignAuth
from srs_vsphere.simulator import Request
from srs_vsphere.simulator.sign import verify
from tests.tokens import Token, elliptic_key_pem, make_token

PASSWORD = "the-key-password"


@pytest.fixture(scope="module")
def token() -> Token:
    return make_token()


def verified(header: Secret, host: str, **headers: str) -> str | None:
    sent = [("host", host), ("authorization", header.reveal()), *headers.items()]
    request = Request(
        "POST",
        "/api/auth/login",
        tuple((name.replace("_", "-"), value) for name, value in sent),
    )
    return verify(request, time.time_ns() // 1_000_000, 120)


@pytest.mark.parametrize("algorithm", ["RSA-SHA256", "RSA-SHA384", "RSA-SHA512"])
def test_a_signed_login_is_taken(token, algorithm):
    auth = SignAuth(token.xml, token.pem(), algorithm=algorithm)
    direct = auth.authorization("POST", "/api/auth/login", "127.0.0.1:5050", secure=False)
    assert verified(direct, "127.0.0.1:5050") == "Administrator@VSPHERE.LOCAL" == auth.username
    host = "srs.example.test:8443"
    proxied = auth.authorization("POST", "/api/auth/login", host, secure=True)
    assert verified(proxied, host, x_forwarded_host=host, x_forwarded_proto="https")
    assert not verified(proxied, host)


def test_whether_a_proxy_is_there_can_be_said(token):
    auth = SignAuth(token.xml, token.pem(), proxied=True)
    header = auth.authorization("POST", "/api/auth/login", "srs.test", secure=False)
    assert verified(header, "srs.test", x_forwarded_host="srs.test", x_forwarded_proto="http")


def test_each_login_has_a_nonce_of_its_own(token):
    auth = SignAuth(token.xml, token.pem())
    headers = {auth.authorization("POST", "/", "srs.test", secure=True).reveal() for _ in range(5)}
    assert len(headers) == 5


@pytest.mark.parametrize("form", ["pem", "pfx"])
@pytest.mark.parametrize("password", [None, PASSWORD, PASSWORD.encode(), Secret(PASSWORD)])
def test_keys_of_every_form_are_read(token, form, password, tmp_path):
    key = getattr(token, form)(None if password is None else PASSWORD.encode())
    assert SignAuth(token.xml, key, password=password).username == "Administrator@VSPHERE.LOCAL"
    (tmp_path / "token.xml").write_text(token.xml)
    (tmp_path / "key").write_bytes(key)
    if not isinstance(password, bytes):
        assert SignAuth.from_files(tmp_path / "token.xml", tmp_path / "key", password=password).username


def test_a_key_of_the_library_and_hidden_ones_are_taken(token):
    assert SignAuth(token.xml.encode(), token.key).username
    assert SignAuth(Secret(token.xml), Secret(token.pem().decode())).username


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"token": 5}, TypeError, "token must be text or bytes"),
        ({"key": 5}, TypeError, "key must be text or bytes"),
        ({"key": b"no key"}, ValueError, "key is encrypted .* no private key as PEM or PKCS#12"),
        ({"key": "encrypted"}, ValueError, "key is encrypted"),
        ({"key": "encrypted", "password": "wrong"}, ValueError, "password is wrong"),
        ({"key": "pfx", "password": "wrong"}, ValueError, "password is wrong"),
        ({"key": "elliptic"}, ValueError, "key must be an RSA key"),
        ({"key": "other"}, ValueError, "key does not belong to token"),
        ({"algorithm": "RSA-SHA1"}, ValueError, "algorithm must be one of"),
        ({"token": "expired"}, ValueError, "token has expired at"),
    ],
)
def test_refusals_name_the_argument_and_show_no_secret(token, arguments, error, words):
    made = {
        "encrypted": token.pem(PASSWORD.encode()),
        "pfx": token.pfx(PASSWORD.encode()),
        "elliptic": elliptic_key_pem(),
        "other": make_token().pem(),
        "expired": make_token(token.key, seconds=-1).xml,
    }
    given = {"token": token.xml, "key": token.pem(), **arguments}
    given = {
        name: made.get(value, value) if isinstance(value, str) else value for name, value in given.items()
    }
    given.setdefault("algorithm", "RSA-SHA256")
    with pytest.raises(error, match=words) as caught:
        SignAuth(given.pop("token"), given.pop("key"), **given)
    traceback = caught.value.__traceback__
    while traceback is not None:
        if "srs_vsphere" in traceback.tb_frame.f_code.co_filename.replace("tests", ""):
            shown = repr(traceback.tb_frame.f_locals)
            assert "PRIVATE KEY" not in shown
            assert "saml2:" not in shown
            assert "'wrong'" not in shown
        traceback = traceback.tb_next


def test_a_token_that_has_expired_since_is_not_sent(token, monkeypatch):
    auth = SignAuth(make_token(token.key, seconds=60).xml, token.pem())
    object.__setattr__(auth, "expires", make_expired())
    with pytest.raises(AuthenticationError, match="the SAML token has expired"):
        auth.authorization("POST", "/", "srs.test", secure=True)


def make_expired():
    from datetime import UTC, datetime

    return datetime(2020, 1, 1, tzinfo=UTC)


def test_nothing_shows_token_or_key(token):
    auth = SignAuth(token.xml, token.pem())
    header = auth.authorization("POST", "/", "srs.test", secure=True)
    for shown in (repr(auth), str(auth), repr(header), f"{auth}"):
        assert token.xml[:20] not in shown
        assert base64.b64encode(b"\x1f\x8b").decode()[:3] not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(auth)
    assert copy.copy(auth) is copy.deepcopy(auth) is auth


def test_without_the_extra_it_says_so(token, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.rsa", None)
    with pytest.raises(RuntimeError, match=r"pip install srs-vsphere\[sign\]"):
        SignAuth(token.xml, token.pem())
