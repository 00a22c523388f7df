"""The TLS contexts of clients: whom they trust, and the check of a thumbprint within the handshake.

The check is part of the handshake of the context's own sockets, so that no transport can send a byte before
it, whether it is ours or httpx's.
"""

from __future__ import annotations

import hmac
import inspect
import re
import socket
import ssl
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

from srs_vsphere._http.known_hosts import known_thumbprint
from srs_vsphere._service.certificate_failures import WrongThumbprint
from srs_vsphere.certificate import thumbprint_like
from srs_vsphere.errors import InvalidArgumentValueError
from srs_vsphere.settings import Origin
from srs_vsphere.tls import InsecureTlsWarning, Tls

_PEM_BLOCK: Final = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----",
    re.DOTALL,
)
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")

_warned: set[str] = set()


class _CheckedObject(ssl.SSLObject):
    """TLS without a socket, as event loops use it."""

    def do_handshake(self) -> None:
        super().do_handshake()
        _check(self)


class _CheckedSocket(ssl.SSLSocket):
    """TLS on a blocking socket."""

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        _check(self)


class _NamingContext(ssl.SSLContext):
    """A context with the name that the server's certificate must have.

    Attributes:
        server_hostname: the name, if that is not the host connected to.
    """

    server_hostname: str | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        name = self._name(server_hostname)
        return super().wrap_bio(incoming, outgoing, server_side, name, session)

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        return super().wrap_socket(
            sock,
            server_side,
            do_handshake_on_connect,
            suppress_ragged_eofs,
            self._name(server_hostname),
            session,
        )

    def _name(self, name: str | bytes | None) -> str | bytes | None:
        if self.server_hostname is not None:
            return self.server_hostname
        # The dot at the end of a name is for resolvers; no certificate has it.
        return name.rstrip(".") if isinstance(name, str) else name and bytes(name).rstrip(b".")


class _Context(_NamingContext):
    """A context whose handshakes end with a check of our own.

    Attributes:
        thumbprint: of the one certificate that is trusted, or None.
    """

    sslobject_class = _CheckedObject
    sslsocket_class = _CheckedSocket
    thumbprint: str | None = None


def ssl_context(tls: Tls, origin: Origin) -> ssl.SSLContext:
    """Return the context for these settings.

    Clients that trust the same authorities share one, since making one takes 25 ms; one that trusts a single
    certificate takes 0.2 ms and 14 kB.

    Args:
        tls: the settings; files are read anew, so that a new client trusts what they hold now.
        origin: the service.

    Raises:
        OSError: a file cannot be read or used; the message names the argument.
        ValueError: a known-hosts file or `ca_data` cannot be understood.
    """
    if not origin.secure:
        return unused_context()
    if tls.context is not None:
        # One of a class of its own may check by itself, as ours do.
        if type(tls.context) is ssl.SSLContext and tls.context.verify_mode is ssl.CERT_NONE:
            _warn(origin.host)
        return tls.context
    thumbprint = tls.thumbprint or known_thumbprint(tls.known_hosts, origin.host)
    if thumbprint is not None or tls.verify is not True:
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.thumbprint = thumbprint
        context.server_hostname = tls.server_hostname
        _load_client_certificate(context, tls)
        if tls.verify is False:
            _warn(origin.host)
        return context
    # An own authority's file may be renewed under the same name, so its content makes the difference.
    authorities = (None if tls.ca_file is None else _read(tls.ca_file, "ca_file"), tls.ca_data)
    certificates = tuple(
        None if path is None else _read(path, argument)
        for path, argument in (
            (tls.client_certificate, "client_certificate"),
            (tls.client_key, "client_key"),
        )
    )
    return _verifying_context(tls, authorities, certificates)


@lru_cache(maxsize=32)
def _verifying_context(
    tls: Tls, authorities: tuple[bytes | None, str | None], client: tuple[bytes | None, ...]
) -> ssl.SSLContext:
    del client
    file, data = authorities
    if file is None and data is None:
        context = _system_context(tls.server_hostname)
    else:
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        context.server_hostname = tls.server_hostname
    if file is not None:
        # Neither an SSLError nor the system's own error says which file it was.
        try:
            context.load_verify_locations(cadata=_certificates(file.decode("latin-1")))
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OSError(None, f"ca_file cannot be used: {reason}", tls.ca_file) from error
    if data is not None:
        try:
            context.load_verify_locations(cadata=_certificates(data))
        except (ssl.SSLError, ValueError) as error:
            raise InvalidArgumentValueError(f"ca_data cannot be used: {error}") from None
    # Python 3.13 switched both: it refuses an own authority without keyUsage, and takes a server's own
    # certificate as authority. So that one file means the same on every version, the first is off and the
    # second is on.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _load_client_certificate(context, tls)
    return context


@lru_cache(maxsize=1)
def unused_context() -> ssl.SSLContext:
    """Return a context that trusts nobody, for clients that speak plain HTTP: loading no store is quick."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _system_context(server_hostname: str | None) -> ssl.SSLContext:
    """Trust what the system trusts: its own verifier where ``truststore`` is installed, else its files."""
    kind: Callable[[int], _NamingContext] = _Context
    # Of these files ``truststore`` would make no more, but load them anew for each connection, in 30 ms.
    if not _openssl_finds_files():
        with suppress(ImportError):
            import truststore

            # Made so because the two bases differ in what type checkers compare.
            bases: tuple[type, ...] = (_NamingContext, truststore.SSLContext)
            kind = cast("type[_NamingContext]", type("SystemTrust", bases, {}))
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.server_hostname = server_hostname
    if kind is _Context:
        context.load_default_certs()
    return context


def _openssl_finds_files() -> bool:
    """Whether OpenSSL verifies by the system's files: Windows and macOS have verifiers of their own."""
    if sys.platform in {"win32", "darwin"}:
        return False
    found = ssl.get_default_verify_paths()
    # Either is None where there is none. In a folder it finds only what is named by a hash.
    with suppress(OSError):
        return bool(found.cafile) or (
            bool(found.capath) and any(_HASHED.fullmatch(file.name) for file in Path(found.capath).iterdir())
        )
    return False


def _certificates(text: str) -> str:
    blocks = [found[0] for found in _PEM_BLOCK.finditer(text)]
    if not blocks:
        raise ValueError("it holds no certificate")
    return "\n".join(blocks)


def _read(path: str, argument: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise OSError(error.errno, f"{argument} cannot be used: {error.strerror}", path) from error


def _load_client_certificate(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.client_certificate is None:
        return
    password = tls.client_key_password
    try:
        # Without a password, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(
            tls.client_certificate, tls.client_key, "" if password is None else password.reveal()
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            error.errno,
            f"client_certificate or client_key cannot be used, or client_key_password is wrong: {reason}",
            tls.client_key or tls.client_certificate,
        ) from None


def _check(connection: ssl.SSLObject | ssl.SSLSocket) -> None:
    context = connection.context
    if not isinstance(context, _Context) or context.thumbprint is None:
        return
    der = connection.getpeercert(binary_form=True)
    if der is None:
        raise ssl.SSLCertVerificationError(1, "the server shows no certificate")
    if not hmac.compare_digest(thumbprint_like(context.thumbprint, der), context.thumbprint):
        raise WrongThumbprint(context.thumbprint, der)


def _warn(host: str) -> None:
    if host in _warned:
        return
    _warned.add(host)
    # Told of the program's own line, however deep in the package this is.
    level, frame = 1, inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("srs_vsphere."):
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"the certificate of {host} is not verified: pin it with Tls(thumbprint=...)",
        InsecureTlsWarning,
        stacklevel=level,
    )
