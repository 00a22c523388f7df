"""A self-signed certificate for a server on loopback, made on the fly."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen

_NAMES = ("localhost",)
_ADDRESSES = ("127.0.0.1", "::1")


@frozen
class Certificate:
    """A certificate with its key, valid for ``localhost`` and ``127.0.0.1``.

    Args:
        pem: the certificate, which a client may be told to trust.
        key: its private key, as PEM.
        thumbprint: SHA-256 of the certificate, as pairs of hexadecimal digits with colons between.
    """

    pem: bytes
    key: bytes
    thumbprint: str

    def context(self) -> ssl.SSLContext:
        """Return a server's TLS context with this certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(self.key + self.pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def save(self) -> Path:
        """Write the certificate, without its key, to a new temporary file.

        Returns:
            Its path; the caller deletes it.
        """
        with tempfile.NamedTemporaryFile(prefix="srs-simulator-", suffix=".pem", delete=False) as file:
            file.write(self.pem)
        return Path(file.name)


def make_certificate() -> Certificate:
    """Make a certificate that lasts a day.

    Raises:
        RuntimeError: the ``cryptography`` package is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise RuntimeError("tls needs the cryptography package: pip install cryptography") from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "srs simulator")])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(text) for text in _NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in _ADDRESSES]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        pem=certificate.public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        thumbprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
    )
