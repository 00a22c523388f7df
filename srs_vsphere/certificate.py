"""A server's certificate, as it is shown to a person who decides whether to trust it."""

from __future__ import annotations

import hashlib
import ssl
from datetime import datetime
from typing import Unpack

from attrs import field, frozen

from srs_vsphere._codec.x509 import read_certificate
from srs_vsphere._host_and_port import split_port
from srs_vsphere.errors import Facts, InvalidArgumentValueError, NotSentError


@frozen(kw_only=True)
class Certificate:
    """A server's certificate.

    Args:
        subject: who it was issued to, such as ``CN=srs.example.com``.
        issuer: who issued it; the same as `subject` if it is self-signed.
        names: host names and addresses that it is valid for.
        not_before: from when it is valid.
        not_after: until when it is valid.
        sha1: SHA-1 thumbprint, as vCenter shows it: pairs of hexadecimal digits with colons between.
        sha256: SHA-256 thumbprint in the same form.
        pem: the certificate itself, which `Tls` takes as ``ca_data``.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    sha1: str
    sha256: str
    pem: str = field(repr=False)

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Read a certificate in its binary form.

        Args:
            der: the certificate.

        Raises:
            ValueError: it is not a certificate.
        """
        return cls(
            **read_certificate(der)._asdict(),
            sha1=_pairs(hashlib.sha1(der, usedforsecurity=False).digest()),
            sha256=_pairs(hashlib.sha256(der).digest()),
            pem=ssl.DER_cert_to_PEM_cert(der),
        )

    def has_thumbprint(self, thumbprint: str) -> bool:
        """Whether this is its thumbprint.

        Args:
            thumbprint: SHA-256 or SHA-1, with or without colons, in any case.

        Raises:
            ValueError: it is neither.
        """
        return normal_thumbprint(thumbprint) in {self.sha256, self.sha1}

    def known_hosts_line(self, host: str) -> str:
        """Return the line that makes it trusted in a known-hosts file.

        Args:
            host: host and perhaps port of the server.
        """
        return f"{host_and_port(host)} {self.sha256}"


class CertificateError(NotSentError):
    """The server's certificate is not one that is trusted; not a byte of the request was sent.

    Args:
        message: what happened.
        reason: why it is not trusted.
        expected: thumbprint of the certificate that is trusted, if it is a single one.
        seen: the certificate that the server showed, if that is known.
        **facts: as for `SrsError`.
    """

    advice = "Look at it with fetch_certificate(url); if it is right, pin it with Tls(thumbprint=...)."

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        expected: str | None = None,
        seen: Certificate | None = None,
        **facts: Unpack[Facts],
    ) -> None:
        super().__init__(message, **facts)
        self.reason: str | None = reason
        self.expected: str | None = expected
        self.seen: Certificate | None = seen


def host_and_port(host: str) -> str:
    """Write a host as a known-hosts file names it: lower case, always with its port.

    Args:
        host: host and perhaps port, such as ``srs.example.com`` or ``[::1]:8443``.
    """
    name, port = split_port(host)
    return f"{name.rstrip('.').lower()}:{443 if port is None else port}"


def thumbprint_like(expected: str, der: bytes) -> str:
    """Return a certificate's thumbprint of the same kind as another.

    Args:
        expected: a thumbprint in the form of `normal_thumbprint`.
        der: the certificate.
    """
    if len(expected) == _SHA1_LENGTH:
        return _pairs(hashlib.sha1(der, usedforsecurity=False).digest())
    return _pairs(hashlib.sha256(der).digest())


def normal_thumbprint(text: str) -> str:
    """Write a thumbprint as pairs of upper-case digits with colons between.

    Args:
        text: SHA-256 or SHA-1, with or without colons, in any case.

    Raises:
        ValueError: it is neither.
    """
    digits = text.strip().replace(":", "").upper()
    try:
        digest = bytes.fromhex(digits)
    except ValueError:
        raise InvalidArgumentValueError(
            "thumbprint must be hexadecimal digits, with or without colons"
        ) from None
    if len(digits) not in {40, 64}:
        raise InvalidArgumentValueError(
            "thumbprint must be a SHA-256 (64 hexadecimal digits) or a SHA-1 (40), "
            f"with or without colons, not {len(digits)} digits"
        )
    return _pairs(digest)


#: 20 pairs of digits, and what is between them.
_SHA1_LENGTH = 59


def _pairs(digest: bytes) -> str:
    return digest.hex(":").upper()
