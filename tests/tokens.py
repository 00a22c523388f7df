"""Holder-of-key tokens as a token service gives them, with the keys that they confirm."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ASSERTION = """<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0">
<saml2:Issuer>https://vc.example.test/websso/SAML2/Metadata/vsphere.local</saml2:Issuer>
<saml2:Subject><saml2:NameID>{user}</saml2:NameID>
<saml2:SubjectConfirmation Method="{method}">
<saml2:SubjectConfirmationData><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml2:SubjectConfirmationData>
</saml2:SubjectConfirmation></saml2:Subject>
<saml2:Conditions NotBefore="{not_before}" NotOnOrAfter="{expires}"/>
</saml2:Assertion>"""


def assertion(certificate: bytes, *, user="Administrator@VSPHERE.LOCAL", seconds=600.0, method=HOLDER_OF_KEY):
    """An assertion that confirms a certificate's key."""
    now = datetime.now(UTC)
    return ASSERTION.format(
        user=user,
        method=method,
        certificate=base64.encodebytes(certificate).decode(),
        not_before=now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        expires=(now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )


@frozen
class Token:
    """A token, and the key that it confirms."""

    xml: str
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def pem(self, password: bytes | None = None) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(password))

    def pfx(self, password: bytes | None = None) -> bytes:
        return pkcs12.serialize_key_and_certificates(
            b"signing", self.key, self.certificate, None, _encryption(password)
        )


def make_token(key: object = None, **options) -> Token:
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = certify(key)
    return Token(assertion(certificate.public_bytes(Encoding.DER), **options), key, certificate)


def elliptic_key_pem() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certify(key) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


def _encryption(password):
    return NoEncryption() if password is None else BestAvailableEncryption(password)
