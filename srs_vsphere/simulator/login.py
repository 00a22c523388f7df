"""Login: credentials for an API key."""

from __future__ import annotations

from attrs import frozen

from srs_vsphere.simulator.agenda import Agenda
from srs_vsphere.simulator.conditions import Conditions
from srs_vsphere.simulator.exchange import Reply, Request
from srs_vsphere.simulator.sessions import Sessions
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.users import Users


def _challenge(settings: Settings) -> tuple[str, str]:
    sign = f'SIGN realm="{settings.realm}",service="SRS endpoint",sts="{settings.sts_url}"'
    return ("WWW-Authenticate", f'Basic realm="SRS endpoint",{sign}')


@frozen(eq=False)
class Login:
    """Answers logins.

    Args:
        users: who may log in with a password.
        sessions: where sessions begin.
        agenda: tells the time.
        conditions: what goes wrong.
        settings: how old a nonce may be, and what the challenge says.
    """

    users: Users
    sessions: Sessions
    agenda: Agenda
    conditions: Conditions
    settings: Settings

    def answer(self, request: Request) -> Reply:
        """Answer a login.

        Args:
            request: the request.
        """
        if (request.header("authorization") or "").startswith("SIGN"):
            return self._with_sign(request)
        user = self.users.from_basic(request)
        return Reply(401, (_challenge(self.settings),)) if user is None else Reply(200, (self._open(user),))

    def _open(self, user: str) -> tuple[str, str]:
        return ("X-SRS-API-KEY", self.sessions.open(user).key)

    def _with_sign(self, request: Request) -> Reply:
        try:
            from srs_vsphere.simulator.sign import verify
        except ImportError:
            return Reply(401, (_challenge(self.settings),))
        user = verify(request, self.agenda.unix_milliseconds(), self.settings.nonce_age)
        if user is None:
            return Reply(401, (_challenge(self.settings),))
        key = self._open(user)
        if self.conditions.take("act_as_error") is not None:
            # The session is there already when the service asks for the token on the user's behalf.
            return Reply(401, (_challenge(self.settings), key))
        return Reply(200, (key,))
