"""A certificate that was refused before it could be seen: it is fetched once more, to be shown."""

from __future__ import annotations

import httpx

from srs_vsphere._service.call import Call
from srs_vsphere._service.certificate_failures import certificate_error
from srs_vsphere.certificate import CertificateError
from srs_vsphere.errors import NotSentError


async def describe_certificate(
    call: Call, error: CertificateError, http: httpx.AsyncClient, url: str, within: float
) -> CertificateError:
    """Return the error with the certificate that the server shows, if it shows one in time.

    The standard library hands a certificate out only after it was verified.

    Args:
        call: what was attempted.
        error: what is to be raised.
        http: what the request was sent with; a proxy, a mock or a program's own transport is not gone past.
        url: of the service.
        within: seconds it may take.
    """
    connects_directly = getattr(http, "connects_directly", None)
    if error.seen is not None or within <= 0 or connects_directly is None or not connects_directly():
        return error
    # Loaded on use: hardly any program comes here.
    from srs_vsphere._http.certificates import async_fetch_certificate

    try:
        seen = await async_fetch_certificate(url, timeout=within)
    except NotSentError:
        return error
    described = certificate_error(call, error.reason or "it was refused", seen)
    described.__cause__ = error.__cause__
    return described
