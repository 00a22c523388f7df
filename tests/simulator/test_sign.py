"""SIGN logins."""

from __future__ import annotations

import base64
import hashlib
import sys

import pytest

from srs_vsphere.simulator import Request
from tests.simulator.calling import Caller, simulated

pytest.importorskip("cryptography", reason="SIGN logins need the cryptography package")

from tests.simulator.signing import Signer

NOW = 1_767_225_600_000
EMPTY = hashlib.sha256(b"").digest()
LOGIN = "/api/auth/login"


@pytest.fixture(scope="module")
def signer():
    return Signer()


def login(service, authorization, host="srs.example.test:443", body=b"", **headers):
    sent = [("host", host), ("authorization", authorization), *headers.items()]
    return service.handle(
        Request("POST", LOGIN, tuple((name.replace("_", "-"), value) for name, value in sent), body)
    )


def test_a_signed_login_opens_a_session_of_the_assertions_user(service, signer):
    reply = login(service, signer.header(f"{NOW}:1", "srs.example.test", "443", EMPTY))

    assert reply.status == 200
    caller = Caller(service)
    caller.key = dict(reply.headers)["X-SRS-API-KEY"]
    caller.create_runspace()
    service.add_runspace(user="Administrator@VSPHERE.LOCAL")
    assert len(caller.get("/api/runspaces")[1]) == 2


@pytest.mark.parametrize(("age", "status"), [(120_000, 200), (120_001, 401), (-86_400_000, 200)])
def test_a_nonce_may_be_two_minutes_old_or_of_the_future(service, signer, age, status):
    authorization = signer.header(f"{NOW - age}:1", "srs.example.test", "443", EMPTY)

    assert login(service, authorization).status == status


def test_the_nonce_ages_with_the_clock(service, signer):
    authorization = signer.header(f"{NOW}:1", "srs.example.test", "443", EMPTY)
    service.clock.advance(119)
    assert login(service, authorization).status == 200
    service.clock.advance(2)
    assert login(service, authorization).status == 401


@pytest.mark.parametrize(
    ("host", "headers", "signed"),
    [
        ("a.test:8443", {}, ("a.test", "8443")),
        ("A.test", {}, ("A.test", "0")),
        ("a.test", {"x_forwarded_proto": "http"}, ("a.test", "80")),
        ("a.test", {"x_forwarded_proto": "https", "x_forwarded_host": "b.test"}, ("b.test", "443")),
        ("[::1]:5050", {}, ("[::1]", "5050")),
        ("[::1]", {}, ("[::1]", "0")),
    ],
)
def test_host_and_port_are_those_that_were_sent(service, signer, host, headers, signed):
    assert login(service, signer.header(f"{NOW}:1", *signed, EMPTY), host, **headers).status == 200
    other = (signed[0] + "x", signed[1])
    assert login(service, signer.header(f"{NOW}:1", *other, EMPTY), host, **headers).status == 401


@pytest.mark.parametrize("algorithm", ["RSA-SHA256", "RSA-SHA384", "RSA-SHA512"])
def test_the_body_is_signed_too(service, signer, algorithm):
    body = '{"a":"é"}'.encode()
    digest = hashlib.new(algorithm[4:], body).digest()
    authorization = signer.header(f"{NOW}:1", "srs.example.test", "443", digest, algorithm)

    assert login(service, authorization, body=body).status == 200
    assert login(service, authorization, body=b"\xef\xbb\xbf" + body).status == 200
    assert login(service, authorization, body=b"").status == 401


def changed(authorization, name, value):
    before, _, rest = authorization.partition(f'{name}="')
    return f'{before}{name}="{value}"{rest[rest.index(chr(34)) + 1 :]}'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonce", "1"),
        ("nonce", f"{NOW}:"),
        ("nonce", f"{NOW}:1:2"),
        ("signature_alg", "RSA-SHA1"),
        ("signature", "AAAA"),
        ("signature", "%"),
        ("bodyhash", "AAAA"),
        ("token", "AAAA"),
        ("token", "%"),
        ("token", base64.b64encode(b"no gzip").decode()),
    ],
)
def test_a_header_with_a_wrong_part_is_refused(service, signer, name, value):
    authorization = signer.header(f"{NOW}:1", "srs.example.test", "443", EMPTY)

    reply = login(service, changed(authorization, name, value))

    assert reply.status == 401
    assert [header for header, _ in reply.headers] == ["WWW-Authenticate"]


@pytest.mark.parametrize("name", ["nonce", "token", "bodyhash", "signature_alg", "signature"])
def test_a_header_without_a_part_is_refused(service, signer, name):
    authorization = signer.header(f"{NOW}:1", "srs.example.test", "443", EMPTY)

    assert login(service, authorization.replace(name, "other")).status == 401


@pytest.mark.parametrize(
    "assertion",
    ["", "<a/>", "<a", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "x" * (2 << 20)],
)
def test_what_is_no_assertion_is_refused(service, signer, assertion):
    import gzip

    token = base64.b64encode(gzip.compress(assertion.encode())).decode()
    authorization = signer.header(f"{NOW}:1", "srs.example.test", "443", EMPTY)

    assert login(service, changed(authorization, "token", token)).status == 401


def test_a_login_may_be_refused_after_its_session_was_made(service, signer):
    service.fail_act_as()

    reply = login(service, signer.header(f"{NOW}:1", "srs.example.test", "443", EMPTY))

    assert reply.status == 401
    headers = dict(reply.headers)
    assert set(headers) == {"WWW-Authenticate", "X-SRS-API-KEY"}
    assert (
        service.handle(
            Request("GET", "/api/runspaces", (("x-srs-api-key", headers["X-SRS-API-KEY"]),))
        ).status
        == 200
    )


def test_without_cryptography_a_signed_login_is_refused(signer, monkeypatch):
    monkeypatch.delitem(sys.modules, "srs_vsphere.simulator.sign", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)

    reply = login(simulated(), signer.header(f"{NOW}:1", "srs.example.test", "443", EMPTY))

    assert reply.status == 401
