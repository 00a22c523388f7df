"""Signed logins that the real service took or refused, made anew with a token of ours."""

from __future__ import annotations

import base64
import re

import pytest

from srs_vsphere._codec.rsa_key import signature
from srs_vsphere._service.sign import (
    DIGESTS,
    body_digest,
    packed_token,
    sign_header,
    signed_host,
    text_to_sign,
)
from srs_vsphere.simulator import Request
from tests.recorded_exchanges import exchanges
from tests.simulator.calling import simulated
from tests.tokens import make_token

#: When the simulator's virtual clock begins.
NOW = 1_767_225_600_000
AGES = {"nonce 3 minutes old": 180_000, "nonce 100 seconds old": 100_000, "nonce an hour ahead": -3_600_000}
SEPARATORS = {"separator semicolon": ";", "separator comma without space": ","}


@pytest.fixture(scope="module")
def token():
    return make_token()


def header(token, label, host, forwarded, body):
    """What a client sends in the case that a label tells of."""
    algorithm = (
        f"RSA-{found[0].replace('-', '')}" if (found := re.findall(r"SHA-\d+", label)) else "RSA-SHA256"
    )
    nonce = f"{NOW - AGES.get(label, 0)}:1751130301"
    digest = body_digest(b"" if "empty body hashed" in label else body, algorithm)
    where = signed_host(forwarded or host, secure=bool(forwarded), proxied=bool(forwarded))
    if "signed 443" in label:
        where = where._replace(port=443)
    if "host without port" in label:
        where = where._replace(host=where.host.partition(":")[0])
    if "lower case" in label:
        where = where._replace(host=where.host.lower())
    text = text_to_sign(nonce, "POST", "/api/auth/login", where, digest)
    signed = signature(token.key, text, DIGESTS[algorithm])
    if label == "wrong signature":
        signed = bytes(len(signed))
    packed = packed_token(token.xml.encode())
    made = sign_header(packed, nonce, digest, algorithm, signed)
    if label == "no body hash":
        made = made.replace(f' bodyhash="{base64.b64encode(digest).decode()}",', "")
    if label == "token in two chunks of the same name":
        made = made.replace(packed, f'{packed[:100]}", token="{packed[100:]}')
    return made.replace(", ", SEPARATORS.get(label, ", "))


def test_what_the_real_service_took_is_taken_and_no_more(token):
    logins = [one for one in exchanges("sign") if one["request"]["path"] == "/api/auth/login"]
    assert len(logins) > 20
    for exchange in logins:
        request, label = exchange["request"], exchange["label"]
        sent = {name.lower(): value for name, value in request["headers"]}
        host, forwarded = sent.get("host", "127.0.0.1"), sent.get("x-forwarded-host")
        body = (request["body"] or "").encode()
        service = simulated()
        if "act-as" in label:
            service.fail_act_as()
        sent["authorization"] = header(token, label, host, forwarded, body)
        sent["host"] = host

        reply = service.handle(Request("POST", "/api/auth/login", tuple(sent.items()), body))

        assert reply.status == exchange["response"]["status"], label
        keys = [name for name, _ in exchange["response"]["headers"] if name == "X-SRS-API-KEY"]
        assert [name for name, _ in reply.headers if name == "X-SRS-API-KEY"] == keys, label
