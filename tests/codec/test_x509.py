"""Certificates read without a library say what the library says, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from srs_vsphere import Certificate
from srs_vsphere._codec.x509 import read_certificate, read_not_after
from tests.tls_server import identity

KEY = ec.generate_private_key(ec.SECP256R1())
OIDS = [NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.LOCALITY_NAME, NameOID.SURNAME]
LABELS = {NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATION_NAME: "O", NameOID.LOCALITY_NAME: "L"}

texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=40)
attributes = st.lists(st.tuples(st.sampled_from(OIDS), texts), min_size=1, max_size=4)
dates = st.datetimes(datetime(1951, 1, 1), datetime(2200, 1, 1)).map(lambda one: one.replace(microsecond=0))


def signed(subject, not_before, not_after, names=()):
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in subject])
    builder = (
        x509.CertificateBuilder(name, name, KEY.public_key(), 5)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if names:
        general = [x509.DNSName(one) for one in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(general), False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@settings(max_examples=60)
@given(attributes, dates, dates)
def test_what_was_written_is_read(subject, one, other):
    start, end = sorted((one, other))
    der = signed(subject, start, end, ("a.test", "*.b.test"))

    read = read_certificate(der)

    assert read.subject == ", ".join(
        f"{LABELS.get(oid, oid.dotted_string)}={''.join(map(escaped, text))}" for oid, text in subject
    )
    assert read.subject.isprintable()
    assert read.issuer == read.subject
    assert read.names == ("a.test", "*.b.test")
    assert read.not_before == start.replace(tzinfo=UTC)
    assert read.not_after == read_not_after(der) == end.replace(tzinfo=UTC)


def escaped(character):
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def test_nothing_that_a_terminal_obeys_is_shown():
    hostile = "srs\x1b[2J\r\nINFO all is well\u202e"
    der = signed([(NameOID.COMMON_NAME, hostile)], datetime(2026, 1, 1), datetime(2027, 1, 1))
    named = signed([(NameOID.COMMON_NAME, "a")], datetime(2026, 1, 1), datetime(2027, 1, 1), ("a\x1b.test",))
    assert read_certificate(der).subject == "CN=srs\\x1b[2J\\r\\nINFO all is well\\u202e"
    assert read_certificate(named).names == ("a\\x1b.test",)


def test_addresses_are_names_and_none_are_needed():
    der = identity(names=("::1", "10.0.0.1", "srs.test")).der
    assert read_certificate(der).names == ("::1", "10.0.0.1", "srs.test")
    assert read_certificate(identity(names=()).der).names == ()


@settings(max_examples=300)
@given(st.data())
def test_anything_else_is_a_value_error(data):
    der = bytearray(identity_der())
    kind = data.draw(st.sampled_from(["cut", "changed", "random"]))
    if kind == "cut":
        der = der[: data.draw(st.integers(0, len(der) - 1))]
    elif kind == "changed":
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    else:
        der = bytearray(data.draw(st.binary(max_size=200)))
    try:
        Certificate.from_der(bytes(der))
        read_not_after(bytes(der))
    except ValueError:
        pass


def emptied(der):
    """The same bytes, with one element after another emptied, however deep it lies."""
    parts, at = [], 0
    while at < len(der):
        tag, length, start = der[at], der[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start], "big")
        parts.append((tag, der[start : start + length]))
        at = start + length
    for number, (tag, content) in enumerate(parts):
        inner = list(emptied(content)) if tag in {0x30, 0x31, 0x04, 0xA0, 0xA3} and content[:1] != b"" else []
        for changed in (b"", *inner):
            yield b"".join(
                bytes([tag]) + b"\x82" + len(content).to_bytes(2, "big") + content
                for tag, content in (*parts[:number], (tag, changed), *parts[number + 1 :])
            )


def test_an_empty_element_is_a_value_error_or_missing():
    tried = list(emptied(identity_der()))
    assert len(tried) > 40
    for der in tried:
        for read in (Certificate.from_der, read_not_after):
            with contextlib.suppress(ValueError):
                read(der)


def element(tag, *contents):
    content = b"".join(contents)
    return bytes([tag]) + b"\x83" + len(content).to_bytes(3, "big") + content


def test_an_attribute_with_an_endless_name_is_refused_at_once():
    attribute = element(0x30, element(0x06, b"\xff" * 5_000_000), element(0x0C, b"srs"))
    name = element(0x30, element(0x31, attribute))
    time = element(0x17, b"260101000000Z")
    inner = element(0x30, element(0x02, b"\1"), element(0x30), name, element(0x30, time, time), name)
    assert read_not_after(element(0x30, inner)) == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"not an X\.509 certificate"):
        read_certificate(element(0x30, inner))


_made: list[bytes] = []


def identity_der():
    if not _made:
        _made.append(identity(names=("srs.test", "::1")).der)
    return _made[0]


def test_thumbprints_are_the_librarys():
    one = identity()
    seen = one.seen
    assert seen.sha256 == one.certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    assert seen.sha1 == one.certificate.fingerprint(hashes.SHA1()).hex(":").upper()
    assert seen.pem.encode() == one.pem
    assert seen.has_thumbprint(seen.sha1.lower())
    assert seen.has_thumbprint(seen.sha256.replace(":", ""))
    assert not seen.has_thumbprint("0" * 64)
    assert seen.not_after - datetime.now(UTC) > timedelta(days=299)
    assert "BEGIN" not in repr(seen)


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("srs.example.com", "srs.example.com:443"),
        ("SRS.example.com.:8443", "srs.example.com:8443"),
        ("[::1]", "[::1]:443"),
        ("[::1]:8443", "[::1]:8443"),
    ],
)
def test_the_line_for_a_known_hosts_file(host, line):
    seen = identity().seen
    assert seen.known_hosts_line(host) == f"{line} {seen.sha256}"
