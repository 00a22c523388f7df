"""Logging in with a SAML token of vCenter's single sign-on, and a signature instead of a password."""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from srs_vsphere._service.sign import (
    DIGESTS,
    body_digest,
    packed_token,
    read_assertion,
    sign_header,
    signed_host,
    text_to_sign,
)
from srs_vsphere.errors import AuthenticationError, InvalidArgumentTypeError, InvalidArgumentValueError
from srs_vsphere.secret import NeverCopied, Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SignAlgorithm = Literal["RSA-SHA256", "RSA-SHA384", "RSA-SHA512"]

_ADVICE: Final = "Get a new token from the token service (SsoAuth does that by itself)."


@frozen(init=False, repr=False, eq=False)
class SignAuth(NeverCopied):
    """A SAML holder-of-key token, and the RSA key that signs each login; the extra ``sign``.

    Args:
        token: the assertion's XML, exactly as the token service gave it.
        key: the private key that the token confirms: PEM, PKCS#12, or a key of the ``cryptography`` package.
        password: what the key is encrypted with, if it is.
        algorithm: ``RSA-SHA256``, ``RSA-SHA384`` or ``RSA-SHA512``; default the first.
        proxied: whether a proxy stands before the service, as on the appliance; default: if the URL begins
            with ``https``.

    Raises:
        TypeError: an argument is of the wrong kind.
        ValueError: the token is not a holder-of-key token or has expired, the key cannot be read or belongs
            to another token; the message names the argument.
        RuntimeError: the ``cryptography`` package is not installed.
    """

    username: str
    expires: datetime
    algorithm: str
    proxied: bool | None
    _token: Secret
    _key: RSAPrivateKey

    def __init__(
        self,
        token: str | bytes | Secret,
        key: bytes | str | Secret | RSAPrivateKey,
        *,
        password: str | bytes | Secret | None = None,
        algorithm: SignAlgorithm = "RSA-SHA256",
        proxied: bool | None = None,
    ) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

            from srs_vsphere._codec.rsa_key import HiddenBytes, confirms, load_rsa_key
        except ImportError:
            raise RuntimeError("SignAuth needs the extra: pip install srs-vsphere[sign]") from None
        # Hidden at once, since a traceback of an error below shows this frame's variables.
        xml = HiddenBytes("token", token)
        hidden = key if isinstance(key, RSAPrivateKey) else HiddenBytes("key", key)
        word = None if password is None else HiddenBytes("password", password)
        del token, key, password
        if algorithm not in DIGESTS:
            raise InvalidArgumentValueError(
                f"algorithm must be one of {', '.join(DIGESTS)}, not {algorithm!r}"
            )
        facts = read_assertion(xml.bytes())
        if facts.not_on_or_after <= datetime.now(UTC):
            raise InvalidArgumentValueError(
                f"token has expired at {facts.not_on_or_after.isoformat()}. {_ADVICE}"
            )
        loaded = load_rsa_key(hidden, word) if isinstance(hidden, HiddenBytes) else hidden
        if not confirms(facts.certificate, loaded):
            raise InvalidArgumentValueError("key does not belong to token: the token confirms another key")
        set_field = object.__setattr__
        set_field(self, "username", facts.subject)
        set_field(self, "expires", facts.not_on_or_after)
        set_field(self, "algorithm", algorithm)
        set_field(self, "proxied", proxied)
        set_field(self, "_token", Secret(packed_token(xml.bytes())))
        set_field(self, "_key", loaded)

    @classmethod
    def from_files(
        cls,
        token_file: str | os.PathLike[str],
        key_file: str | os.PathLike[str],
        *,
        password: str | Secret | None = None,
        algorithm: SignAlgorithm = "RSA-SHA256",
        proxied: bool | None = None,
    ) -> SignAuth:
        """Read token and key from files.

        Args:
            token_file: the assertion's XML.
            key_file: the private key, as PEM or PKCS#12 (``.pfx``, ``.p12``).
            password: as for the class.
            algorithm: as for the class.
            proxied: as for the class.

        Raises:
            OSError: a file cannot be read.
            ValueError: see the class.
            RuntimeError: see the class.
        """
        return cls(
            Path(token_file).read_bytes(),
            Path(key_file).read_bytes(),
            password=password,
            algorithm=algorithm,
            proxied=proxied,
        )

    def __repr__(self) -> str:
        return (
            f"SignAuth(username={getattr(self, 'username', None)!r}, token=Secret('***'), key=Secret('***'))"
        )

    def __reduce__(self) -> tuple[object, ...]:
        raise InvalidArgumentTypeError(
            "a token and its key are not pickled: create the credentials anew in the other process"
        )

    def authorization(self, method: str, path: str, host: str, *, secure: bool, body: bytes = b"") -> Secret:
        """Return the value of an ``Authorization`` header, with a nonce of its own.

        Args:
            method: HTTP method.
            path: path of the request, without a query.
            host: the ``Host`` header as it is sent.
            secure: whether the request goes over TLS.
            body: the request's body.

        Raises:
            AuthenticationError: the token has expired.
        """
        if self.expires <= datetime.now(UTC):
            raise AuthenticationError(
                f"the SAML token has expired at {self.expires.isoformat()}", advice=_ADVICE
            )
        from srs_vsphere._codec.rsa_key import signature

        proxied = secure if self.proxied is None else self.proxied
        nonce = f"{time.time_ns() // 1_000_000}:{secrets.randbits(31)}"
        digest = body_digest(body, self.algorithm)
        text = text_to_sign(nonce, method, path, signed_host(host, secure=secure, proxied=proxied), digest)
        signed = signature(self._key, text, DIGESTS[self.algorithm])
        return Secret(sign_header(self._token.reveal(), nonce, digest, self.algorithm, signed))
