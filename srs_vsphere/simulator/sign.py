"""SIGN logins: an assertion of the token service, and a signature with the key that it confirms.

As the service does, this looks at the signature over the request only, neither at the assertion's own
signature nor at how long it is valid.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from xml.etree import ElementTree

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate

from srs_vsphere.simulator.exchange import Request

_PARAMETER = re.compile(r'(nonce|token|bodyhash|signature_alg|signature)="([\x20-\x7e]+)"')
_NONCE = re.compile(r"(\d+):[^:]+")
_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "RSA-SHA256": hashes.SHA256(),
    "RSA-SHA384": hashes.SHA384(),
    "RSA-SHA512": hashes.SHA512(),
}
#: An assertion is some kilobytes; more than this is not unpacked.
_MOST_BYTES = 1 << 20


class _RefusedError(ValueError):
    """A login is refused; the service says no more."""


def verify(request: Request, now: int, nonce_age: float) -> str | None:
    """Return the user whom a request's ``Authorization`` header logs in, or None.

    Args:
        request: the request.
        now: the time, in milliseconds since 1970.
        nonce_age: how old the nonce may be, in seconds.
    """
    try:
        return _verify(request, now, nonce_age)
    except (_RefusedError, KeyError, InvalidSignature, UnsupportedAlgorithm, ValueError, OSError, zlib.error):
        return None


def _verify(request: Request, now: int, nonce_age: float) -> str:
    parameters = _parameters(request.header("authorization") or "")
    nonce = _NONCE.fullmatch(parameters["nonce"])
    # A nonce of the future is as good as any.
    if nonce is None or now - int(nonce.group(1)) > nonce_age * 1000:
        raise _RefusedError("nonce")
    algorithm = _ALGORITHMS[parameters["signature_alg"]]
    user, key = _assertion(parameters["token"])
    digest = hashlib.new(algorithm.name, _body(request)).digest()
    if base64.b64decode(parameters["bodyhash"], validate=True) != digest:
        raise _RefusedError("body")
    signature = base64.b64decode(parameters["signature"], validate=True)
    key.verify(signature, _signed(request, parameters["nonce"], digest), PKCS1v15(), algorithm)
    return user


def _parameters(header: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for piece in re.split("[,;]", header.removeprefix("SIGN")):
        match = _PARAMETER.fullmatch(piece.strip())
        if match is not None:
            # A long value comes in pieces of the same name.
            parameters[match.group(1)] = parameters.get(match.group(1), "") + match.group(2)
    return parameters


def _assertion(token: str) -> tuple[str, RSAPublicKey]:
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text = unpack.decompress(base64.b64decode(token, validate=True), _MOST_BYTES).decode()
    if "<!" in text or unpack.unconsumed_tail:
        raise _RefusedError("assertion")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - what could harm was refused above
    except ElementTree.ParseError:
        raise _RefusedError("assertion") from None
    subject = root.find(f"{_SAML}Subject/{_SAML}NameID")
    conditions = root.find(f"{_SAML}Conditions")
    confirmation = root.find(f"{_SAML}Subject/{_SAML}SubjectConfirmation")
    certificate = root.find(f".//{_SAML}SubjectConfirmationData//{_DSIG}X509Certificate")
    if subject is None or conditions is None or confirmation is None or certificate is None:
        raise _RefusedError("assertion")
    if not (root.get("ID") and conditions.get("NotBefore") and conditions.get("NotOnOrAfter")):
        raise _RefusedError("assertion")
    key = load_der_x509_certificate(base64.b64decode(certificate.text or "")).public_key()
    if not isinstance(key, RSAPublicKey) or not subject.text:
        raise _RefusedError("key")
    return subject.text.strip(), key


def _body(request: Request) -> bytes:
    return request.body.decode("utf-8-sig", "replace").encode()


def _signed(request: Request, nonce: str, digest: bytes) -> bytes:
    path = request.target.partition("?")[0]
    host, port = _host_and_port(request)
    lines = (nonce, request.method.upper(), path, host, port)
    return "".join(f"{line}\n" for line in lines).encode() + digest + b"\n"


def _host_and_port(request: Request) -> tuple[str, str]:
    name, port = _parted(request.header("host") or "")
    if not port:
        port = {"https": "443", "http": "80"}.get(request.header("x-forwarded-proto") or "", "0")
    return request.header("x-forwarded-host") or name, port


def _parted(host: str) -> tuple[str, str]:
    # An IPv6 address is full of colons, so its brackets decide.
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdigit() else (host, "")
