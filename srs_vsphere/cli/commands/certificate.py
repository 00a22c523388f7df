"""The command that looks at the server's certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from srs_vsphere._validation import words_of
from srs_vsphere.cli.connection import known_hosts_file, settings
from srs_vsphere.cli.console import confirm, say
from srs_vsphere.cli.data import members_of
from srs_vsphere.cli.options import DEFAULTS, Shared
from srs_vsphere.cli.problems import UsageError
from srs_vsphere.cli.showing import View, show_one

if TYPE_CHECKING:
    from srs_vsphere import Certificate
    from srs_vsphere.profiles import FoundSettings


def cert(
    *,
    pin: bool = False,
    known_hosts: Path | None = None,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"))] = False,
    options: Shared = DEFAULTS,
) -> None:
    """Show the server's certificate, without judging it and without sending a request.

    Args:
        pin: trust it from now on: write its thumbprint into the known-hosts file, once you have said yes.
        known_hosts: that file; default SRS_KNOWN_HOSTS, the profile's, or srs/known_hosts beside config.toml.
        yes: do not ask.
    """
    from srs_vsphere import fetch_certificate, trust

    found = settings(options, needs_login=False)
    url = found.url
    view: View[Certificate] = View(
        columns=(),
        name=lambda certificate: certificate.sha256,
        # A table is for a person: the certificate itself is in all other forms.
        data=lambda certificate: {
            name: value
            for name, value in members_of(certificate).items()
            if name != "pem" or options.output != "table"
        },
    )
    path = _file(known_hosts, found) if pin else None
    timeout = options.timeout or 10.0
    try:
        if path is None:
            show_one(fetch_certificate(url, timeout=timeout), view, options)
            return

        def ask(certificate: Certificate) -> bool:
            show_one(certificate, view, options)
            return confirm("Trust this certificate from now on", yes=yes)

        path.parent.mkdir(parents=True, exist_ok=True)
        trust(url, path, confirm=ask, timeout=timeout)
    except (TypeError, ValueError) as error:
        raise UsageError("", words_of(error)) from error
    say(f"it is trusted by {path}", options)


def _file(given: Path | None, found: FoundSettings) -> Path:
    return Path(given or next(iter(found.tls.known_hosts), known_hosts_file()))
