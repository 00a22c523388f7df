"""SIGN logins: what is signed, and the header that carries the signature. No key and no clock is in here.

The service takes the header's text apart by simple rules: no value may hold a comma, a semicolon or a quote.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from typing import Final, NamedTuple

from srs_vsphere._host_and_port import split_port
from srs_vsphere.errors import InvalidArgumentValueError

#: The service's names for the algorithms, and the names of their digests.
DIGESTS: Final = {"RSA-SHA256": "sha256", "RSA-SHA384": "sha384", "RSA-SHA512": "sha512"}

_SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_HOLDER_OF_KEY: Final = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"


class SignedHost(NamedTuple):
    """Host and port as the service puts them into the text that it verifies.

    Args:
        host: the host.
        port: the port; 0 if the service cannot know it.
    """

    host: str
    port: int


def signed_host(host: str, *, secure: bool, proxied: bool) -> SignedHost:
    """Tell what the service takes for host and port of a request.

    Args:
        host: the ``Host`` header as it is sent.
        secure: whether it is sent over TLS.
        proxied: whether a proxy passes it on, as the appliance's ingress does, which tells the service the
            whole ``Host`` header and the scheme. The service itself speaks no TLS.
    """
    name, port = split_port(host)
    if proxied:
        return SignedHost(host, port or (443 if secure else 80))
    return SignedHost(name, port or 0)


def body_digest(body: bytes, algorithm: str) -> bytes:
    """Return the digest of a request's body, which is signed even if it is empty.

    Args:
        body: the body.
        algorithm: a name of `DIGESTS`.
    """
    return hashlib.new(DIGESTS[algorithm], body).digest()


def text_to_sign(nonce: str, method: str, path: str, where: SignedHost, digest: bytes) -> bytes:
    """Return the bytes that are signed.

    Args:
        nonce: milliseconds since 1970, a colon, and anything.
        method: HTTP method.
        path: the path as it is sent, without a query.
        where: host and port.
        digest: of the body.
    """
    lines = (nonce, method.upper(), path, where.host, str(where.port))
    return "".join(f"{line}\n" for line in lines).encode() + digest + b"\n"


def sign_header(token: str, nonce: str, digest: bytes, algorithm: str, signature: bytes) -> str:
    """Return the value of the ``Authorization`` header.

    Args:
        token: the assertion, as `packed_token` returns it.
        nonce: as it was signed.
        digest: of the body.
        algorithm: a name of `DIGESTS`.
        signature: over `text_to_sign`.
    """
    values = {
        "token": token,
        "nonce": nonce,
        "bodyhash": base64.b64encode(digest).decode("ascii"),
        "signature_alg": algorithm,
        "signature": base64.b64encode(signature).decode("ascii"),
    }
    return "SIGN " + ", ".join(f'{name}="{value}"' for name, value in values.items())


def packed_token(assertion: bytes) -> str:
    """Return an assertion in the form that the header takes.

    Args:
        assertion: the XML exactly as the token service gave it.
    """
    # Loaded on use, like the XML parser below: most programs never sign.
    import gzip

    return base64.b64encode(gzip.compress(assertion, mtime=0)).decode("ascii")


class AssertionFacts(NamedTuple):
    """What a client has to know of a holder-of-key assertion.

    Args:
        subject: the user.
        not_on_or_after: when it expires.
        certificate: the certificate whose key must sign, as DER.
    """

    subject: str
    not_on_or_after: datetime
    certificate: bytes


def read_assertion(xml: bytes) -> AssertionFacts:
    """Read a holder-of-key assertion.

    Raises:
        ValueError: it is none; the message begins with ``token`` and repeats nothing of it.
    """
    from xml.etree import ElementTree

    # Neither in its usual form nor in one with two bytes for each character.
    if b"<!" in xml or b"\0" in xml:
        raise InvalidArgumentValueError("token must be a SAML assertion in UTF-8, without a document type")
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314 - what could harm was refused above
    except ElementTree.ParseError:
        root = None
    if root is None or root.tag != f"{_SAML}Assertion":
        raise InvalidArgumentValueError(
            "token must be a SAML 2.0 assertion (XML), as the token service gives it"
        )
    confirmation = root.find(f"{_SAML}Subject/{_SAML}SubjectConfirmation")
    certificate = root.find(f"{_SAML}Subject//{_SAML}SubjectConfirmationData//{_SIGNATURE}X509Certificate")
    if confirmation is None or confirmation.get("Method") != _HOLDER_OF_KEY or certificate is None:
        raise InvalidArgumentValueError("token must be a holder-of-key token: a bearer token cannot sign")
    subject = root.findtext(f"{_SAML}Subject/{_SAML}NameID", "").strip()
    conditions = root.find(f"{_SAML}Conditions")
    expiry = None if conditions is None else _time(conditions.get("NotOnOrAfter"))
    if not subject or expiry is None:
        raise InvalidArgumentValueError("token must name its subject and until when it is valid")
    try:
        der = base64.b64decode("".join((certificate.text or "").split()), validate=True)
    except binascii.Error:
        raise InvalidArgumentValueError("token holds a certificate that cannot be read") from None
    return AssertionFacts(subject, expiry, der)


def _time(text: str | None) -> datetime | None:
    try:
        when = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when
