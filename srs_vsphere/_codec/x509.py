"""What an X.509 certificate says of itself, read from DER.

The standard library decodes a certificate only after it was verified, and a self-signed one is shown to a
person precisely because it was not. Nothing here decides whom to trust, and whoever made the certificate may
have put anything into it: what no terminal should be sent is written as Python escapes it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

_SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"
_ATTRIBUTES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
#: Bytes; none in use comes near, and reading one takes the square of its length.
_LONGEST_OID: Final = 128
_TEXT_ENCODINGS: Final = {20: "latin-1", 28: "utf-32-be", 30: "utf-16-be"}

_SEQUENCE: Final = 0x30
_OID: Final = 0x06
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_DNS_NAME: Final = 0x82
_IP_ADDRESS: Final = 0x87


class CertificateFields(NamedTuple):
    """What was read.

    Args:
        subject: who it was issued to, such as ``CN=srs.example.com, O=Example``.
        issuer: who issued it.
        names: host names and addresses that it is valid for.
        not_before: from when it is valid.
        not_after: until when it is valid.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


def read_certificate(der: bytes) -> CertificateFields:
    """Read a certificate.

    Raises:
        ValueError: it is not a certificate.
    """
    try:
        parts, issuer, validity, subject = _to_be_signed(der)
        return CertificateFields(
            subject=_name(subject),
            issuer=_name(issuer),
            names=tuple(_alternative_names(parts)),
            not_before=_time(*validity[0]),
            not_after=_time(*validity[1]),
        )
    except (IndexError, UnicodeDecodeError, OverflowError):
        raise ValueError("not an X.509 certificate") from None


def read_not_after(der: bytes) -> datetime:
    """Read only until when a certificate is valid.

    Raises:
        ValueError: it is not a certificate.
    """
    try:
        _, _, validity, _ = _to_be_signed(der)
        return _time(*validity[1])
    except (IndexError, UnicodeDecodeError):
        raise ValueError("not an X.509 certificate") from None


_Element = tuple[int, bytes]


def _to_be_signed(der: bytes) -> tuple[list[_Element], bytes, list[_Element], bytes]:
    parts = list(_elements(_content(_first(_content(_first(der), _SEQUENCE)), _SEQUENCE)))
    # Version, which may be missing; serial number; signature algorithm; issuer; validity; subject.
    start = 1 if parts[0][0] == _VERSION else 0
    issuer, validity, subject = (_content(part, _SEQUENCE) for part in parts[start + 2 : start + 5])
    return parts, issuer, list(_elements(validity)), subject


def _elements(data: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        tag = data[at]
        length = data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("not an X.509 certificate")
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise ValueError("not an X.509 certificate")
        yield tag, data[at : at + length]
        at += length


def _first(data: bytes) -> _Element:
    return next(_elements(data), (0, b""))


def _content(element: _Element, tag: int) -> bytes:
    if element[0] != tag:
        raise ValueError("not an X.509 certificate")
    return element[1]


def _name(sequence: bytes) -> str:
    attributes: list[str] = []
    for _, relative in _elements(sequence):
        for _, attribute in _elements(relative):
            kind, value = list(_elements(attribute))[:2]
            oid = _oid(_content(kind, _OID))
            text = value[1].decode(_TEXT_ENCODINGS.get(value[0], "utf-8"), "replace")
            attributes.append(f"{_ATTRIBUTES.get(oid, oid)}={_printable(text)}")
    return ", ".join(attributes)


def _alternative_names(parts: list[_Element]) -> Iterator[str]:
    for tag, content in parts:
        if tag != _EXTENSIONS:
            continue
        for _, extension in _elements(_content(_first(content), _SEQUENCE)):
            fields = list(_elements(extension))
            if _oid(_content(fields[0], _OID)) != _SUBJECT_ALTERNATIVE_NAME:
                continue
            for kind, value in _elements(_content(_first(fields[-1][1]), _SEQUENCE)):
                if kind == _DNS_NAME:
                    yield _printable(value.decode("ascii", "replace"))
                elif kind == _IP_ADDRESS:
                    yield str(ipaddress.ip_address(value))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text
    )


def _oid(data: bytes) -> str:
    if len(data) > _LONGEST_OID:
        raise ValueError("not an X.509 certificate")
    numbers: list[int] = []
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        # Two digits of the year, 1950 to 2049 (RFC 5280, 4.1.2.5.1).
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not an X.509 certificate")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
