"""Requests for holder-of-key tokens (WS-Trust 1.3), as vCenter's token service takes them; no I/O.

What is signed is written here in exclusive canonical form already: name spaces where they are used, no white
space, no empty-element tags. So its text is its own canonical form, and no XML library is needed.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from srs_vsphere.auth import Secret

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_UTILITY: Final = f"{_OASIS}-wssecurity-utility-1.0.xsd"
_SECURITY: Final = f"{_OASIS}-wssecurity-secext-1.0.xsd"
_BASE64: Final = f"{_OASIS}-soap-message-security-1.0#Base64Binary"
_X509: Final = f"{_OASIS}-x509-token-profile-1.0#X509v3"
_TRUST: Final = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_CANONICAL: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_ISSUE: Final = f"{_TRUST}/Issue"

#: Of the token service's own words, no more than this is shown.
_LONGEST_FAULT: Final = 200
_ASSERTION: Final = re.compile(r"<((?:[\w.-]+:)?Assertion)[\s>].*</\1\s*>", re.DOTALL)
_FAULT: Final = re.compile(r"<faultstring[^>]*>(.*?)</faultstring>", re.DOTALL)


class TokenRequest(NamedTuple):
    """What a token is asked for with.

    Args:
        username: the user.
        password: the user's password.
        certificate: the certificate whose key the token is to confirm, as DER.
        now: the time.
        lifetime: seconds that the token is to be valid.
    """

    username: str
    password: Secret
    certificate: bytes
    now: datetime
    lifetime: float


def token_request(request: TokenRequest, sign: Callable[[bytes], bytes]) -> Secret:
    """Return the SOAP message that asks for a token; it holds the password.

    Args:
        request: what is asked for.
        sign: signs bytes with the certificate's key (RSA, SHA-256).
    """
    created, soon = _time(request.now), _time(request.now + timedelta(seconds=60))
    expires = _time(request.now + timedelta(seconds=request.lifetime))
    timestamp = (
        f'<u:Timestamp xmlns:u="{_UTILITY}" u:Id="_time">'
        f"<u:Created>{created}</u:Created><u:Expires>{soon}</u:Expires></u:Timestamp>"
    )
    body = (
        f'<s:Body xmlns:s="{_SOAP}" xmlns:u="{_UTILITY}" u:Id="_body">'
        f'<t:RequestSecurityToken xmlns:t="{_TRUST}">'
        "<t:TokenType>urn:oasis:names:tc:SAML:2.0:assertion</t:TokenType>"
        f"<t:RequestType>{_ISSUE}</t:RequestType>"
        f"<t:Lifetime><u:Created>{created}</u:Created><u:Expires>{expires}</u:Expires></t:Lifetime>"
        '<t:Renewing Allow="false" OK="false"></t:Renewing>'
        # The service trades it for a token of its own to act as the user with.
        "<t:Delegatable>true</t:Delegatable>"
        f"<t:KeyType>{_TRUST}/PublicKey</t:KeyType>"
        f"<t:SignatureAlgorithm>{_RSA_SHA256}</t:SignatureAlgorithm>"
        '<t:UseKey Sig="_signature"></t:UseKey>'
        "</t:RequestSecurityToken></s:Body>"
    )
    signed = (
        f'<d:SignedInfo xmlns:d="{_DSIG}">'
        f'<d:CanonicalizationMethod Algorithm="{_CANONICAL}"></d:CanonicalizationMethod>'
        f'<d:SignatureMethod Algorithm="{_RSA_SHA256}"></d:SignatureMethod>'
        f"{_reference('_body', body)}{_reference('_time', timestamp)}</d:SignedInfo>"
    )
    signature = base64.b64encode(sign(signed.encode())).decode("ascii")
    certificate = base64.b64encode(request.certificate).decode("ascii")
    # In one expression, since a traceback shows what has a name.
    return Secret(
        f'<s:Envelope xmlns:s="{_SOAP}"><s:Header>'
        f'<o:Security xmlns:o="{_SECURITY}" xmlns:u="{_UTILITY}">{timestamp}'
        f"<o:UsernameToken><o:Username>{escape(request.username)}</o:Username>"
        f"<o:Password>{escape(request.password.reveal())}</o:Password></o:UsernameToken>"
        f'<o:BinarySecurityToken EncodingType="{_BASE64}" ValueType="{_X509}" u:Id="_key">{certificate}'
        "</o:BinarySecurityToken>"
        f'<d:Signature xmlns:d="{_DSIG}" Id="_signature">{signed}'
        f"<d:SignatureValue>{signature}</d:SignatureValue><d:KeyInfo><o:SecurityTokenReference>"
        f'<o:Reference URI="#_key" ValueType="{_X509}"></o:Reference>'
        "</o:SecurityTokenReference></d:KeyInfo></d:Signature></o:Security></s:Header>"
        f"{body}</s:Envelope>"
    )


def read_token(response: str) -> Secret | None:
    """Return the assertion that a response holds, exactly as it stands there, or None."""
    # Not parsed and written anew, since the token service has signed these very bytes.
    found = _ASSERTION.search(response)
    return None if found is None else Secret(found[0])


def read_fault(response: str) -> str | None:
    """Return why a response is a refusal, in the token service's words, or None."""
    found = _FAULT.search(response)
    return None if found is None else " ".join(found[1].split())[:_LONGEST_FAULT]


def _reference(id: str, canonical: str) -> str:
    digest = base64.b64encode(hashlib.sha256(canonical.encode()).digest()).decode("ascii")
    return (
        f'<d:Reference URI="#{id}"><d:Transforms>'
        f'<d:Transform Algorithm="{_CANONICAL}"></d:Transform></d:Transforms>'
        f'<d:DigestMethod Algorithm="{_SHA256}"></d:DigestMethod>'
        f"<d:DigestValue>{digest}</d:DigestValue></d:Reference>"
    )


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"
