"""From the command line, the environment and a profile to a client."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from srs_vsphere.auth import ApiKeyAuth, Auth, BasicAuth, Secret
from srs_vsphere.cli.options import Options
from srs_vsphere.cli.problems import UsageError
from srs_vsphere.tls import Tls

if TYPE_CHECKING:
    from srs_vsphere import SrsClient


def open_client(options: Options, *, needs_login: bool = True) -> SrsClient:
    """Make the client that a command works with.

    Args:
        options: the command's options; what they leave open comes from the environment.
        needs_login: whether the command needs credentials.

    Returns:
        The client, to be used in ``with``.

    Raises:
        UsageError: something is missing or makes no sense.
    """
    from srs_vsphere import RetryPolicy, SrsClient

    auth = credentials(options)
    url = service_url(options)
    if needs_login and auth is None:
        raise UsageError(
            "--username",
            "missing: give it or set SRS_USERNAME, and SRS_PASSWORD or --password-stdin beside it",
        )
    retry = RetryPolicy() if options.timeout is None else RetryPolicy(deadline=options.timeout)
    try:
        return SrsClient(url, auth=auth, tls=trust_settings(options), retry=retry)
    except (TypeError, ValueError) as error:
        raise UsageError("", str(error)) from error


def service_url(options: Options) -> str:
    """Return the address of the service.

    Args:
        options: the command's options.

    Raises:
        UsageError: there is none.
    """
    url = options.url or os.environ.get("SRS_URL")
    if not url:
        raise UsageError("--url", "missing: give it, such as https://srs.example.com, or set SRS_URL")
    return url


def credentials(options: Options) -> Auth | None:
    """Return the credentials; None if there are none.

    Args:
        options: the command's options.

    Raises:
        UsageError: half of them is missing, or they cannot be used.
    """
    username = options.username or os.environ.get("SRS_USERNAME")
    if options.password_stdin:
        return _basic(username, sys.stdin.readline().rstrip("\r\n"), "--password-stdin")
    if key := os.environ.get("SRS_API_KEY"):
        return _api_key(Secret(key))
    if path := os.environ.get("SRS_PASSWORD_FILE"):
        try:
            return _basic(
                username, Path(path).read_text(encoding="utf-8").rstrip("\r\n"), "SRS_PASSWORD_FILE"
            )
        except OSError as error:
            raise UsageError("SRS_PASSWORD_FILE", f"{path} cannot be read: {error.strerror}") from error
    if password := os.environ.get("SRS_PASSWORD"):
        return _basic(username, password, "SRS_PASSWORD")
    return None


def trust_settings(options: Options) -> Tls:
    """Return how the service's certificate is checked.

    Args:
        options: the command's options.

    Raises:
        UsageError: two settings exclude each other, or one makes no sense.
    """
    ca_file = options.ca_file or os.environ.get("SRS_CA_FILE")
    thumbprint = options.thumbprint or os.environ.get("SRS_THUMBPRINT")
    known_hosts = os.environ.get("SRS_KNOWN_HOSTS")
    try:
        if options.insecure:
            return Tls(verify="never")
        return Tls(
            ca_file=ca_file,
            thumbprint=thumbprint,
            known_hosts=tuple(known_hosts.split(os.pathsep)) if known_hosts and not thumbprint else None,
        )
    except (TypeError, ValueError) as error:
        raise UsageError("", str(error)) from error


def _api_key(key: Secret) -> ApiKeyAuth:
    try:
        return ApiKeyAuth(key)
    except (TypeError, ValueError) as error:
        raise UsageError("SRS_API_KEY", str(error)) from error


def _basic(username: str | None, password: str, source: str) -> BasicAuth:
    secret = Secret(password)
    # A traceback of the errors below shows this frame's variables.
    del password
    if not username:
        raise UsageError("--username", f"missing beside {source}: give it or set SRS_USERNAME")
    try:
        return BasicAuth(username, secret)
    except (TypeError, ValueError) as error:
        raise UsageError(source, str(error)) from error
