"""Logging in with a token that vCenter's token service gives for user name and password; the extra ``sso``.

The password goes to vCenter only, never to the Script Runtime Service. (pyvmomi's SSO module was weighed: it
gets holder-of-key tokens for registered solution users only, not for a user with a password, and keeps keys
in files.)
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from srs_vsphere._concurrency.forks import start_afresh_in_children
from srs_vsphere._service.ws_trust import TokenRequest, read_fault, read_token, token_request
from srs_vsphere._validation import check_seconds
from srs_vsphere.auth import BasicAuth, Secret
from srs_vsphere.errors import (
    AuthenticationError,
    InvalidArgumentTypeError,
    InvalidArgumentValueError,
    NotSentError,
    TransportError,
)
from srs_vsphere.secret import NeverCopied
from srs_vsphere.settings import Origin
from srs_vsphere.sign_auth import SignAuth
from srs_vsphere.tls import Tls

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_PATH: Final = "/sts/STSService"
#: A token is renewed when less than this part of its life is left.
_RENEWED_BEFORE: Final = 0.2


class SsoAuth(NeverCopied):
    """User name and password of vCenter's single sign-on, traded for a token that signs the logins.

    The token is kept until a fifth of its life is left, and is then got anew. One object may serve many
    clients.

    Args:
        username: vCenter single sign-on user, such as ``administrator@vsphere.local``.
        password: that user's password.
        sts_url: URL of vCenter, such as ``https://vc.example.com``, or of its token service.
        tls: how vCenter's certificate is checked; default `Tls()`.
        lifetime: seconds that a token is asked for; default 3600.
        timeout: seconds that vCenter may take for each step; default 30.
        proxied: whether a proxy stands before the Script Runtime Service; default as for `SignAuth`.

    Raises:
        InvalidArgumentTypeError: an argument is of the wrong kind.
        InvalidArgumentValueError: an argument makes no sense.
        RuntimeError: the ``cryptography`` package is not installed.
    """

    def __init__(
        self,
        username: str,
        password: str | Secret,
        sts_url: str,
        *,
        tls: Tls | None = None,
        lifetime: float = 3600.0,
        timeout: float = 30.0,
        proxied: bool | None = None,
    ) -> None:
        hidden = password if isinstance(password, Secret) else Secret(password)
        del password
        user = BasicAuth(username, hidden)
        if find_spec("cryptography") is None:
            raise RuntimeError("SsoAuth needs the extra: pip install srs-vsphere[sso]")
        check_seconds("lifetime", lifetime)
        check_seconds("timeout", timeout)
        if tls is not None and not isinstance(tls, Tls):
            raise InvalidArgumentTypeError(f"tls must be Tls, not {type(tls).__name__}")
        if tls is not None and tls.verify is False:
            raise InvalidArgumentValueError(
                "tls=Tls(verify=False) would show the password to anybody on the way: pin the certificate "
                'with Tls(thumbprint=...), or say Tls(verify="never")'
            )
        try:
            self._origin, self._url = _sts(sts_url)
        finally:
            # One with a password in it is refused, and a traceback would show this frame's variables.
            del sts_url
        self._user = user
        self._tls = Tls() if tls is None else tls
        self._lifetime = lifetime
        self._timeout = timeout
        self._proxied = proxied
        self._lock = threading.Lock()
        self._key: RSAPrivateKey | None = None
        self._current: SignAuth | None = None
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        start_afresh_in_children(self)

    def __repr__(self) -> str:
        # A traceback shows it before it is made, if an argument is refused.
        user, url = getattr(self, "_user", None), getattr(self, "_url", None)
        username = None if user is None else user.username
        return f"SsoAuth(username={username!r}, password=Secret('***'), sts_url={url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise InvalidArgumentTypeError(
            "a password and a key are not pickled: create the credentials anew in the other process"
        )

    def start_afresh(self) -> None:
        """Forget that a token may be being got, in a process that was forked meanwhile."""
        self._lock = threading.Lock()

    @property
    def username(self) -> str:
        """The user name."""
        return self._user.username

    def credentials(self) -> SignAuth:
        """Return a token that is good for a while; it blocks while vCenter is asked for a new one.

        Raises:
            AuthenticationError: vCenter refuses the credentials, or gives no usable token.
            TransportError: vCenter cannot be reached.
        """
        with self._lock:
            now = datetime.now(UTC)
            if self._current is None or now >= self._renew_at:
                self._current = self._ask(now)
                self._renew_at = now + (self._current.expires - now) * (1 - _RENEWED_BEFORE)
            return self._current

    def _ask(self, now: datetime) -> SignAuth:
        from srs_vsphere._codec.rsa_key import make_rsa_key, self_signed, signature

        key = self._key = self._key or make_rsa_key()
        request = TokenRequest(
            self._user.username,
            self._user.password,
            self_signed(key, now, now + timedelta(seconds=self._lifetime)),
            now,
            self._lifetime,
        )
        message = token_request(request, lambda text: signature(key, text, "sha256"))
        response = self._post(message)
        token = read_token(response.text)
        if token is None or response.status_code != 200:
            reason = read_fault(response.text) or f"HTTP {response.status_code} without a token"
            raise self._refused(reason)
        try:
            return SignAuth(token, key, proxied=self._proxied)
        except InvalidArgumentValueError as error:
            raise self._refused(error.message) from None

    def _post(self, message: Secret) -> httpx.Response:
        import httpx

        from srs_vsphere._http.address import Address
        from srs_vsphere._http.httpx_transport import HttpxTransport
        from srs_vsphere._http.proxies import environment_proxy
        from srs_vsphere._http.tls_context import ssl_context

        context = ssl_context(self._tls, self._origin)
        cause: str
        try:
            # As the service is reached: proxies by the same rules, and a certificate about to expire is told.
            transport = HttpxTransport(
                context, environment_proxy(Address.of(self._origin)), keep_alive=0.0, max_connections=1
            )
            with httpx.Client(transport=transport, timeout=self._timeout, trust_env=False) as client:
                return client.post(
                    self._url,
                    content=message.reveal().encode(),
                    headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            sent, cause = False, f"{type(error).__name__}: {error}"
        except httpx.HTTPError as error:
            sent, cause = True, f"{type(error).__name__}: {error}"
        # Not from within, since the frames of the HTTP library hold the message and with it the password.
        kind = TransportError if sent else NotSentError
        raise kind(
            "no token from vCenter's token service",
            host=self._origin.host,
            cause=cause,
            advice="Check sts_url, the network, and tls: vCenter's certificate is checked as well.",
        )

    def _refused(self, reason: str) -> AuthenticationError:
        return AuthenticationError(
            f"vCenter's token service gave no token: {reason}",
            host=self._origin.host,
            advice="Check user name, password, sts_url, and this machine's clock.",
        )


def _sts(url: object) -> tuple[Origin, str]:
    if not isinstance(url, str):
        raise InvalidArgumentTypeError(f"sts_url must be text, not {type(url).__name__}")
    parts = urlsplit(url)
    asked = f"{parts.scheme}://{parts.netloc}"
    path = parts.path if parts.path not in {"", "/"} else _PATH
    del url, parts
    try:
        origin = Origin.parse(asked)
    except ValueError:
        del asked
        raise InvalidArgumentValueError(
            "sts_url must be such as https://vc.example.com or https://vc.example.com/sts/STSService/vsphere.local"
        ) from None
    if not origin.secure:
        raise InvalidArgumentValueError("sts_url must begin with https://: it is sent the password")
    return origin, origin.url + path
