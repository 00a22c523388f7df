"""What a SIGN login signs, byte by byte, against vectors that were computed elsewhere."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from hypothesis import given
from hypothesis import strategies as st

from srs_vsphere._service.sign import (
    SignedHost,
    body_digest,
    packed_token,
    read_assertion,
    sign_header,
    signed_host,
    text_to_sign,
)
from tests.tokens import BEARER, make_token

NONCE = "1579529430238:737412601"
#: The public half of the key that the vectors were made with.
PUBLIC = RSAPublicNumbers(
    65537,
    0xDECBBEF199DC3B80185C613778F18DDC6398F3BAC4259DFB0402B471E5522044A34E6BD95E414857FADBBE080704FC719F0E59D911C695520FE198AFAEEE79133A659F753E7CEFD7D8809B529121FEC20F7FB8AEF0008032D8A5B4695176CD7AF7E1B4C4F95D2ED8367799B9CC9C71CB92CEAD6E06135940531DBBA53DC2E5282186711F91DFC9A3F92EA1082D10A1E93C741927A1BC306D9843745A6C2741549A26354AF2D46C81BF4A674401CCD1BC5BB2CCE6BB9B22CEF87CB6A273A015DA91F550F0FA7C8C50857F584D4F203D275CA659730A25E4DD151277E4E62BE8B19ADDD826B13EEF269B57ECAC54BEEF6BD10CCAE5A3B8B7CD943E3FE2DC604951,
).public_key()


@pytest.mark.parametrize(
    ("algorithm", "path", "where", "body", "message", "signature"),
    [
        (
            "RSA-SHA256",
            "/api/auth/login",
            SignedHost("srs.example.test", 443),
            b"",
            "313537393532393433303233383a3733373431323630310a504f53540a2f6170692f617574682f6c6f67696e0a7372732e6578"
            "616d706c652e746573740a3434330ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550a",
            "WXkOgCOl4p8qmYJKVIszk/QZ/1qC0CrMSbb4CgJAewsG/jgO++JJyU9UIPoVPMMYfD6a0xv0wT96O4OBpHKgltYDY5MnfM2lDA71"
            "vtBf5Nw7BqDgqyjpjACf6r2mvuOSz3IpL9cjOt50hkHTC2+Udpkbvk1LFEYJ9xm9qGfojJplaT1XMfMp4kCM2osQV0qA3TP7tm0i"
            "44IAFjjshvopw3pC9Io4pmA3TlnvI/Nlm5nK7AN9lZjsCbeRxJakqLJ1YR2aRiRu+nhjZdnxeU6hZPz3Vd+wLBMqFyWc83O/jXNF"
            "4ADtRrCHiuaiSI5AepdQye8kOuy30V6ULiocKmNtOg==",
        ),
        (
            "RSA-SHA384",
            "/api/sessions",
            SignedHost("localhost", 80),
            b"{'body':'test'}",
            "313537393532393433303233383a3733373431323630310a504f53540a2f6170692f73657373696f6e730a6c6f63616c686f73"
            "740a38300a88e60deead55aa1c92a4416dfd4de16e3b475b10541f268d74d7a02dfe25fa0637bc96c3b6143e9cb8f64c3916c4"
            "9f4e0a",
            "UQRIo8fx3FLy6aysdb+bEd4efAjEEk+cTQirNnYHBZm2N3tkzePi5p7DvUHWbVXpURQXa0Pw2tbIuRnj7VL0nSb/EvCUF+PvdrAI"
            "GKaoQzQpOIMFIhmSkLsTZYGFwlIs3oF2TqXMLdWWrc9+sb0asguy46GomK1Wr8rtnuDZkev2hSWba9QOMcM2D628Gxqm6rwjFDsH"
            "O9oCf6hWJer3NsM2UtlhfOxFrTCI4erIJQZQGBcu1aEAFVRP5xokVsBL6qtk6+YC4bVwETmXTkax12YUILx993uhSHxQi5k6TGcL"
            "a+FcnyCbPBIxq3M1vPsjd6qesSm+q7DUojoePM6ylg==",
        ),
        (
            "RSA-SHA512",
            "/api/auth/login",
            SignedHost("srs.example.test", 443),
            b"",
            None,
            "S4jZJ3q2yQgAV6vV1WsvsntXOYnmVnDeuC8OxE5PoZ/v4b+vcmujYaScn9XTSc+7MN/UGWd61pafcJCsZerHBU0X6BQ6ELl4ZAJ1"
            "9rM132J+7Im3tbwfE6apFL4wPa40wZEGuxYmysKlJFTnqSG5DFNtLFG7IJveuNUJXWUT0c3K+i9Maz54X/aAaNJZOU87YmxMuPCJ"
            "BSDu6IPTSBVskiSNzpvns82V2C5UGck6TCvhGu1Lf8CIhultbaxh0fGwCDXf9qYsJih9VLHWiiL51b7TG+b++t5zeoW+w0Ca4znA"
            "Ha4UxGBxKukpSJZ5bhPeQXD6pf/FfDKSM9NqL2ER/w==",
        ),
    ],
)
def test_the_vectors(algorithm, path, where, body, message, signature):
    text = text_to_sign(NONCE, "post", path, where, body_digest(body, algorithm))

    if message is None:
        assert len(text) == 131
        assert hashlib.sha256(text).hexdigest() == (
            "9b172f14076c3dd71004ed443885975c96eb03a963487419bad9c03f3d91f32f"
        )
    else:
        assert text.hex() == message
    digest = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[algorithm[-3:]]
    PUBLIC.verify(base64.b64decode(signature), text, PKCS1v15(), digest())


def test_the_vector_without_a_body():
    # The service's library knows requests without a body, and hashes nothing for them; the service does not.
    text = text_to_sign(NONCE, "POST", "/api/session", SignedHost("127.0.0.1", 80), b"")
    assert text == NONCE.encode() + b"\nPOST\n/api/session\n127.0.0.1\n80\n\n"
    assert len(text) == 56
    assert text.endswith(bytes.fromhex("38300a0a"))


@pytest.mark.parametrize(
    ("body", "algorithm", "digest"),
    [
        (b"", "RSA-SHA256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        (b"", "RSA-SHA384", "OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"),
        (b"{'body':'test'}", "RSA-SHA256", "c5vIcKOm06vML07rZuKQZZK2NBTZ6sdUqW7nQDoUZbE="),
        (b"{'body': 'test'}", "RSA-SHA256", "RQ7FEkzZOOAnavKw8TPC/Z8I6AWZyH+2cdqcHuXH3o0="),
    ],
)
def test_the_digests(body, algorithm, digest):
    assert base64.b64encode(body_digest(body, algorithm)).decode() == digest


@pytest.mark.parametrize(
    ("host", "secure", "proxied", "signed"),
    [
        # Straight to the service, which speaks no TLS and cannot know a port that the header does not name.
        ("127.0.0.1:5050", False, False, ("127.0.0.1", 5050)),
        ("srs.test", False, False, ("srs.test", 0)),
        ("[::1]:5050", False, False, ("[::1]", 5050)),
        ("[::1]", False, False, ("[::1]", 0)),
        # Through a proxy, which passes the whole header on.
        ("srs.example.test", True, True, ("srs.example.test", 443)),
        ("SRS.Example.Test", True, True, ("SRS.Example.Test", 443)),
        ("srs.example.test:8443", True, True, ("srs.example.test:8443", 8443)),
        ("srs.example.test", False, True, ("srs.example.test", 80)),
        ("[2001:db8::1]", True, True, ("[2001:db8::1]", 443)),
        ("[2001:db8::1]:8443", True, True, ("[2001:db8::1]:8443", 8443)),
    ],
)
def test_host_and_port_are_what_the_service_takes_them_for(host, secure, proxied, signed):
    assert signed_host(host, secure=secure, proxied=proxied) == signed


def test_the_header_is_as_the_service_wants_it():
    header = sign_header("dG9rZW4=", "123:654", b"\1\2\3", "RSA-SHA384", b"\4\5\6")
    assert header == (
        'SIGN token="dG9rZW4=", nonce="123:654", bodyhash="AQID", '
        'signature_alg="RSA-SHA384", signature="BAUG"'
    )


@given(st.binary(max_size=3000))
def test_a_token_is_packed_the_same_each_time(assertion):
    packed = packed_token(assertion)
    assert gzip.decompress(base64.b64decode(packed)) == assertion
    assert packed == packed_token(assertion)


def test_an_assertion_is_read():
    token = make_token(user=" Administrator@VSPHERE.LOCAL ")
    facts = read_assertion(token.xml.encode())
    assert facts.subject == "Administrator@VSPHERE.LOCAL"
    assert facts.not_on_or_after.tzinfo is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda xml: "", "SAML 2.0 assertion"),
        (lambda xml: "<a/>", "SAML 2.0 assertion"),
        (lambda xml: xml[:-5], "SAML 2.0 assertion"),
        (lambda xml: '<!DOCTYPE a [<!ENTITY b "c">]>' + xml, "document type"),
        (lambda xml: ('<!DOCTYPE a [<!ENTITY b "c">]>' + xml).encode("utf-16"), "document type"),
        (lambda xml: xml.replace("holder-of-key", "bearer"), "holder-of-key token"),
        (lambda xml: xml.replace("X509Certificate", "Other"), "holder-of-key token"),
        (lambda xml: xml.replace("NotOnOrAfter", "Other"), "until when"),
        (lambda xml: xml.replace("NameID", "Other"), "name its subject"),
        (lambda xml: xml.replace("MII", "!!!", 1), "certificate that cannot be read"),
    ],
)
def test_what_is_no_holder_of_key_token_is_refused(change, words):
    token = make_token()
    changed = change(token.xml)
    with pytest.raises(ValueError, match=words) as caught:
        read_assertion(changed if isinstance(changed, bytes) else changed.encode())
    assert str(caught.value).startswith("token")
    assert BEARER not in str(caught.value)
