"""A user with a holder-of-key assertion, who signs requests as a SIGN login wants them."""

from __future__ import annotations

import base64
import gzip
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

ASSERTION = """<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0">
<saml2:Issuer>https://vc.example.test/websso/SAML2/Metadata/vsphere.local</saml2:Issuer>
<saml2:Subject><saml2:NameID>{user}</saml2:NameID>
<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key">
<saml2:SubjectConfirmationData><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml2:SubjectConfirmationData>
</saml2:SubjectConfirmation></saml2:Subject>
<saml2:Conditions NotBefore="2026-01-01T00:00:00Z" NotOnOrAfter="2026-01-02T00:00:00Z"/>
</saml2:Assertion>"""
ALGORITHMS = {"RSA-SHA256": hashes.SHA256(), "RSA-SHA384": hashes.SHA384(), "RSA-SHA512": hashes.SHA512()}


class Signer:
    """Somebody with a key and an assertion that confirms it."""

    def __init__(self, user="Administrator@VSPHERE.LOCAL"):
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, self._key.public_key(), 1)
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        encoded = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
        self._assertion = ASSERTION.format(user=user, certificate=encoded)

    def token(self):
        return base64.b64encode(gzip.compress(self._assertion.encode())).decode()

    def signature(self, nonce, host, port, digest, algorithm="RSA-SHA256", path="/api/auth/login"):
        text = "".join(f"{line}\n" for line in (nonce, "POST", path, host, port)).encode() + digest + b"\n"
        return base64.b64encode(self._key.sign(text, padding.PKCS1v15(), ALGORITHMS[algorithm])).decode()

    def header(self, nonce, host, port, digest, algorithm="RSA-SHA256"):
        parameters = {
            "token": self.token(),
            "nonce": nonce,
            "bodyhash": base64.b64encode(digest).decode(),
            "signature_alg": algorithm,
            "signature": self.signature(nonce, host, port, digest, algorithm),
        }
        return "SIGN " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
