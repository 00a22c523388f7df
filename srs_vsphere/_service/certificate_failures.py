"""A TLS handshake that failed for good: which certificate was seen, and what to do about it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from srs_vsphere.certificate import Certificate, CertificateError
from srs_vsphere.errors import NotSentError

if TYPE_CHECKING:
    from srs_vsphere._service.call import Call


class WrongThumbprint(ssl.SSLCertVerificationError):
    """The server's certificate is not the one that is trusted.

    Args:
        expected: thumbprint of the one that is.
        der: the certificate that the server showed.
    """

    def __init__(self, expected: str, der: bytes) -> None:
        super().__init__(1, f"the certificate's thumbprint is not {expected}")
        self.expected: str = expected
        self.der: bytes = der


def tls_error(call: Call, error: BaseException) -> NotSentError | None:
    """Return what is raised for a handshake that would fail again, or None for any other failure."""
    problem = _ssl_error(error)
    if problem is None:
        return None
    if isinstance(problem, WrongThumbprint):
        seen = Certificate.from_der(problem.der)
        return certificate_error(call, "another certificate", seen, problem.expected)
    if isinstance(problem, ssl.SSLCertVerificationError):
        reason: object = getattr(problem, "verify_message", None) or problem
        return certificate_error(call, str(reason).rstrip("."), None)
    if isinstance(problem, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        # The connection broke, as any other may.
        return None
    reason = (problem.reason or str(problem)).replace("_", " ").lower()
    return NotSentError(
        f"no TLS connection: {reason}",
        **call.facts(advice="Perhaps no TLS 1.2 or newer is spoken there: check URL and port."),
    )


def certificate_error(
    call: Call, reason: str, seen: Certificate | None, expected: str | None = None
) -> CertificateError:
    """Return the error for a certificate that is not trusted.

    Args:
        call: what was attempted.
        reason: why it is not trusted.
        seen: the certificate that the server showed, if that is known.
        expected: thumbprint of the one that is trusted, if it is a single one.
    """
    facts = call.facts()
    if expected is None:
        message = f"its certificate is not trusted: {reason}"
        if seen is not None:
            message += f"; seen {seen.subject or 'no subject'}, SHA-256 {seen.sha256}"
    else:
        message = f"its certificate is not the trusted one: expected {expected}"
        if seen is not None:
            thumbprint = seen.sha1 if len(expected) == len(seen.sha1) else seen.sha256
            message += f", seen {thumbprint} of {seen.subject or 'no subject'}"
    if seen is not None:
        facts["advice"] = (
            f'If that is the right server, pin it with Tls(thumbprint="{seen.sha256}")'
            f" or with this line in a known-hosts file: {seen.known_hosts_line(call.host)}"
        )
    return CertificateError(message, reason=reason, expected=expected, seen=seen, **facts)


def _ssl_error(error: BaseException | None) -> ssl.SSLError | None:
    # The HTTP library wraps it once or twice.
    for _ in range(8):
        if error is None or isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
