"""TLS servers on loopback with certificates of every kind, that count what reaches them."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from srs_vsphere import Certificate
from tests.joining import join_all

ABOUT = b'{"name":"Script Runtime Service for vSphere","vendor":"V","version":"1","api_version":"1.0.0"}'


@frozen
class Identity:
    """A certificate with its key and the certificates to send along."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def seen(self) -> Certificate:
        return Certificate.from_der(self.der)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def context(self, folder, maximum: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        file = folder / f"{self.certificate.serial_number}.pem"
        file.write_bytes(
            self.key_pem
            + self.pem
            + b"".join(one.public_bytes(serialization.Encoding.PEM) for one in self.chain)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if maximum is not None:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore"):
                context.minimum_version = maximum
                context.maximum_version = maximum
        context.load_cert_chain(file)
        return context


def identity(
    name: str = "srs.test",
    *,
    names: tuple[str, ...] = ("localhost", "127.0.0.1"),
    issuer: Identity | None = None,
    days: float = 300,
    authority: bool = False,
) -> Identity:
    """Make a certificate; without an issuer it is signed by itself. An authority has no keyUsage."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bücher, Inc."),
        ]
    )
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + timedelta(days=days)) - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), False)
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    signed = builder.sign(key if issuer is None else issuer.key, hashes.SHA256())
    return Identity(key, signed)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


class TlsServer:
    """Answers each request as `about`; the n-th connection meets the n-th context, or the last."""

    def __init__(self, *contexts: ssl.SSLContext) -> None:
        self.contexts = contexts
        self.connections = 0
        self.received = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[ssl.SSLSocket] = []
        self._threads: list[threading.Thread] = []
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                context = self.contexts[min(self.connections, len(self.contexts) - 1)]
                self.connections += 1
                # The handshake waits for the client: closing must find the socket before.
                with contextlib.suppress(OSError, ValueError), plain:
                    sock = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
                    thread = threading.Thread(target=self._play, args=(sock,), daemon=True)
                    self._open.append(sock)
                    self._threads.append(thread)
                    thread.start()

    def _play(self, sock: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError, ValueError), sock:
            sock.do_handshake()
            while data := sock.recv(65536):
                self.received += data
                sock.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                    b"X-SRS-API-KEY: 00000000-0000-0000-0000-000000000001\r\n\r\n%b" % (len(ABOUT), ABOUT)
                )

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        # Only then no more connections come.
        join_all([self._serving])
        for sock in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        join_all(self._threads)


@contextlib.contextmanager
def tls_server(*contexts: ssl.SSLContext) -> Iterator[TlsServer]:
    server = TlsServer(*contexts)
    try:
        yield server
    finally:
        server.close()
