"""RSA keys: read from PEM or PKCS#12, compared with a certificate, signed with. Needs ``cryptography``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from cryptography.x509 import (
    CertificateBuilder,
    Name,
    NameAttribute,
    load_der_x509_certificate,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

from srs_vsphere.errors import InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.secret import Secret

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class HiddenBytes:
    """Bytes that no repr shows, made from what a caller gave for them.

    Args:
        argument: the caller's name for it.
        given: bytes, text or a secret.
    """

    __slots__ = ("_argument", "_given")

    def __init__(self, argument: str, given: object) -> None:
        self._argument = argument
        self._given = given

    def bytes(self) -> bytes:
        """Return the bytes themselves.

        Raises:
            TypeError: neither bytes nor text were given.
        """
        if isinstance(self._given, Secret):
            return self._given.reveal().encode("utf-8", "surrogateescape")
        if isinstance(self._given, str):
            return self._given.encode("utf-8", "surrogateescape")
        if isinstance(self._given, bytes):
            return self._given
        raise InvalidArgumentTypeError(
            f"{self._argument} must be text or bytes, not {type(self._given).__name__}"
        )


def load_rsa_key(data: HiddenBytes, password: HiddenBytes | None) -> RSAPrivateKey:
    """Read a private key.

    Args:
        data: PEM, PKCS#12 or DER.
        password: what it is encrypted with, if it is.

    Raises:
        ValueError: it cannot be read, or is not an RSA key.
    """
    for found in _keys(data, password):
        if isinstance(found, RSAPrivateKey):
            return found
        if found is not None:
            raise InvalidArgumentValueError("key must be an RSA key: the service verifies no other")
    hint = "key is encrypted (pass password), or" if password is None else "password is wrong, or key is"
    raise InvalidArgumentValueError(f"{hint} no private key as PEM or PKCS#12")


def confirms(certificate: bytes, key: RSAPrivateKey) -> bool:
    """Whether a certificate belongs to a key.

    Args:
        certificate: the certificate, as DER.
        key: the key.
    """
    try:
        public = load_der_x509_certificate(certificate).public_key()
    except ValueError:
        return False
    return isinstance(public, RSAPublicKey) and public.public_numbers() == key.public_key().public_numbers()


def signature(key: RSAPrivateKey, text: bytes, digest: str) -> bytes:
    """Sign a text (RSASSA-PKCS1-v1_5).

    Args:
        key: the key.
        text: the text.
        digest: ``sha256``, ``sha384`` or ``sha512``.
    """
    return key.sign(text, PKCS1v15(), _HASHES[digest])


def _keys(data: HiddenBytes, password: HiddenBytes | None) -> Iterator[object]:
    word: Callable[[], bytes | None] = (lambda: None) if password is None else password.bytes
    for kind in ("pem",) if b"-----BEGIN" in data.bytes() else ("pkcs12", "der"):
        try:
            match kind:
                case "pem":
                    yield load_pem_private_key(data.bytes(), word())
                case "pkcs12":
                    yield load_key_and_certificates(
                        data.bytes(), None if password is None else password.bytes()
                    )[0]
                case _:
                    yield load_der_private_key(data.bytes(), word())
        except (ValueError, TypeError):
            # A wrong password is a ValueError, one that is missing or not needed a TypeError.
            continue


def make_rsa_key() -> RSAPrivateKey:
    """Make a key of 2048 bits, which takes a tenth of a second or two."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def self_signed(key: RSAPrivateKey, not_before: datetime, not_after: datetime) -> bytes:
    """Return a certificate for a key, signed by itself, as DER.

    Args:
        key: the key.
        not_before: from when it is valid.
        not_after: until when it is valid.
    """
    name = Name([NameAttribute(NameOID.COMMON_NAME, "srs_vsphere")])
    builder = CertificateBuilder(name, name, key.public_key(), random_serial_number(), not_before, not_after)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
