"""Commands on the service itself and the session with it."""

from __future__ import annotations

from attrs import evolve

from srs_vsphere.cli.connection import open_client
from srs_vsphere.cli.console import say
from srs_vsphere.cli.options import DEFAULTS, Shared
from srs_vsphere.cli.showing import View, show_one
from srs_vsphere.models import About

_ABOUT: View[About] = View(columns=(), name=lambda about: about.name or "")


def about(*, options: Shared = DEFAULTS) -> None:
    """Show the service's name and versions; this needs no credentials."""
    with open_client(options, needs_login=False) as client:
        show_one(client.about(), _ABOUT, options)


def login(*, options: Shared = DEFAULTS) -> None:
    """Log in now; the commands that follow share the session."""
    if options.password_stdin:
        # A session that is kept says nothing of the password that was typed.
        with open_client(evolve(options, no_session=True)) as client:
            client.login()
        options = evolve(options, password_stdin=False)
    with open_client(options) as client:
        # A kept session may have ended: what is asked with it tells, and renews it.
        client.runspaces.list()
    say("logged in", options)


def logout(*, options: Shared = DEFAULTS) -> None:
    """End the session that commands share; the service removes its runspaces within a minute or two."""
    with open_client(options) as client:
        client.logout()
    say("logged out", options)
