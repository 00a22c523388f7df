"""Looking at a server's certificate before anything is sent to it, and remembering it as trusted."""

from __future__ import annotations

import inspect
import os
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from anyio.streams.tls import TLSAttribute

from srs_vsphere._host_and_port import split_port
from srs_vsphere._http.blocking_connection import BlockingConnection
from srs_vsphere._http.blocking_dialing import dial_blocking
from srs_vsphere._http.known_hosts import known_thumbprint, remember
from srs_vsphere._validation import check_seconds
from srs_vsphere.certificate import Certificate, CertificateError
from srs_vsphere.errors import InvalidArgumentValueError, NotSentError
from srs_vsphere.settings import Origin


def fetch_certificate(url: str, *, timeout: float = 10.0) -> Certificate:
    """Return the certificate that a server shows, without judging it and without sending a request.

    Args:
        url: scheme, host and perhaps port, such as ``https://srs.example.com``.
        timeout: seconds it may take; default 10.

    Raises:
        NotSentError: no TLS connection came about.
        ValueError: the URL is not of that form, or not ``https``, or the timeout is not positive.
    """
    try:
        origin = _origin(url)
    finally:
        # One with a password in it is refused, and a traceback would show this frame's variables.
        del url
    check_seconds("timeout", timeout)
    host, port = _address(origin)
    end = time.monotonic() + timeout
    try:
        connection = BlockingConnection(dial_blocking(host, port, end))
        try:
            tls = connection.start_tls(_looking_context(), host.rstrip("."), end)
            der = tls.getpeercert(binary_form=True)
        finally:
            connection.close()
    except (OSError, UnicodeError) as error:
        raise _unreachable(origin, error) from None
    return _read(origin, der)


async def async_fetch_certificate(url: str, *, timeout: float = 10.0) -> Certificate:
    """Return the certificate that a server shows, without blocking the event loop; see `fetch_certificate`.

    Args:
        url: scheme, host and perhaps port, such as ``https://srs.example.com``.
        timeout: seconds it may take; default 10.

    Raises:
        NotSentError: no TLS connection came about.
        ValueError: the URL is not of that form, or not ``https``, or the timeout is not positive.
    """
    try:
        origin = _origin(url)
    finally:
        # One with a password in it is refused, and a traceback would show this frame's variables.
        del url
    check_seconds("timeout", timeout)
    host, port = _address(origin)
    try:
        with anyio.fail_after(timeout):
            stream = await anyio.connect_tcp(
                host,
                port,
                ssl_context=_looking_context(),
                tls_hostname=host.rstrip("."),
                tls_standard_compatible=False,
            )
            der = stream.extra_attributes[TLSAttribute.peer_certificate_binary]()
            await anyio.aclose_forcefully(stream)
    except (OSError, UnicodeError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        raise _unreachable(origin, error) from None
    return _read(origin, der)


def trust(
    url: str,
    known_hosts: str | os.PathLike[str],
    *,
    confirm: Callable[[Certificate], bool],
    timeout: float = 10.0,
) -> Certificate:
    """Have a person confirm a server's certificate, and write it into a known-hosts file.

    A certificate that the file already has is not asked about again.

    Args:
        url: scheme, host and perhaps port, such as ``https://srs.example.com``.
        known_hosts: the file, which `Tls` takes as ``known_hosts``; it and its folder are made if missing.
        confirm: called with the certificate; says whether to trust it.
        timeout: seconds that fetching it may take; default 10.

    Returns:
        The certificate.

    Raises:
        CertificateError: it was not confirmed.
        NotSentError: no TLS connection came about.
        OSError: the file cannot be read or written.
        ValueError: the URL or the file cannot be understood.
    """
    try:
        origin = _origin(url)
    finally:
        del url
    certificate = fetch_certificate(origin.url, timeout=timeout)
    if not _is_known(origin, known_hosts, certificate):
        _keep(origin, known_hosts, certificate, confirmed=confirm(certificate))
    return certificate


async def async_trust(
    url: str,
    known_hosts: str | os.PathLike[str],
    *,
    confirm: Callable[[Certificate], bool | Awaitable[bool]],
    timeout: float = 10.0,
) -> Certificate:
    """Have a person confirm a server's certificate, without blocking the event loop; see `trust`.

    Args:
        url: scheme, host and perhaps port, such as ``https://srs.example.com``.
        known_hosts: the file, which `Tls` takes as ``known_hosts``; it and its folder are made if missing.
        confirm: called with the certificate; says whether to trust it. May be async.
        timeout: seconds that fetching it may take; default 10.

    Returns:
        The certificate.

    Raises:
        CertificateError: it was not confirmed.
        NotSentError: no TLS connection came about.
        OSError: the file cannot be read or written.
        ValueError: the URL or the file cannot be understood.
    """
    try:
        origin = _origin(url)
    finally:
        del url
    certificate = await async_fetch_certificate(origin.url, timeout=timeout)
    if not _is_known(origin, known_hosts, certificate):
        confirmed = confirm(certificate)
        _keep(
            origin,
            known_hosts,
            certificate,
            confirmed=await confirmed if inspect.isawaitable(confirmed) else confirmed,
        )
    return certificate


def _origin(url: str) -> Origin:
    try:
        origin = Origin.parse(url)
    finally:
        del url
    if not origin.secure:
        raise InvalidArgumentValueError("url must begin with https://: there is no certificate without TLS")
    return origin


def _address(origin: Origin) -> tuple[str, int]:
    name, port = split_port(origin.host)
    return name.strip("[]"), port or 443


def _looking_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _read(origin: Origin, der: bytes | None) -> Certificate:
    try:
        return Certificate.from_der(der or b"")
    except ValueError as error:
        raise _unreachable(origin, error) from None


def _unreachable(origin: Origin, error: Exception) -> NotSentError:
    cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return NotSentError("its certificate could not be fetched", host=origin.host, cause=cause)


def _is_known(origin: Origin, known_hosts: str | os.PathLike[str], certificate: Certificate) -> bool:
    path = os.fspath(known_hosts)
    known = known_thumbprint((path,), origin.host) if Path(path).exists() else None
    return known is not None and certificate.has_thumbprint(known)


def _keep(
    origin: Origin, known_hosts: str | os.PathLike[str], certificate: Certificate, *, confirmed: bool
) -> None:
    if confirmed is not True:
        raise CertificateError(
            "its certificate was not confirmed",
            seen=certificate,
            host=origin.host,
            advice="Nothing was written to the known-hosts file.",
        )
    remember(known_hosts, origin.host, certificate.sha256)
