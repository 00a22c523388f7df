"""Login on first need, one renewal, logout on leaving; and where the secrets do not show."""

from __future__ import annotations

import gc
import pickle
import traceback
import warnings

import httpx
import pytest

from srs_vsphere import (
    ApiKeyAuth,
    SrsClient,
    Auth,
    AuthenticationError,
    BasicAuth,
    InvalidRequestError,
    SrsError,
)
from srs_vsphere.simulator import Fault, SimServer, Simulator
from tests._sync.helping import AUTH, make_client

LOGIN = ("POST", "/api/auth/login")
LOGOUT = ("POST", "/api/auth/logout")
LIST = ("GET", "/api/runspaces")



def test_logs_in_on_first_need_and_out_on_leaving(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as client:
        assert server.requests == ()
        client.runspaces.list()
        client.runspaces.list()
        assert simulator.session_count == 1
    assert server.requests == (LOGIN, LIST, LIST, LOGOUT)
    assert simulator.session_count == 0
    server.wait_idle()



def test_login_and_logout_by_hand(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as client:
        client.logout()
        assert server.requests == ()
        client.login()
        client.login()
        assert server.requests == (LOGIN,)
        client.logout()
        client.logout()
        assert server.requests == (LOGIN, LOGOUT)
        client.runspaces.list()
        assert simulator.session_count == 1
    assert server.requests == (LOGIN, LOGOUT, LOGIN, LIST, LOGOUT)



def test_a_client_that_was_never_closed_says_so(server: SimServer) -> None:
    def warned(auth: Auth, *, log_out: bool = False) -> bool:
        with httpx.Client() as http_client:
            client = SrsClient(server.url, auth=auth, http_client=http_client)
            client.with_options(timeout=9).runspaces.list()
            if log_out:
                client.logout()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            # Only now, that no call refers to it any more.
            del client
            gc.collect()
        return f"a client of {server.url.removeprefix('http://')} was never closed" in "".join(map(str, told))

    with make_client(server.url) as other:
        assert warned(AUTH)
        # Nothing is left by these.
        assert not warned(AUTH, log_out=True)
        assert not warned(ApiKeyAuth(other.login()))



def test_a_forgotten_session_is_renewed_once(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as client:
        client.login()
        simulator.expire_sessions()
        created = client.runspaces.create("sent again, for a 401 comes before anything is done")
        assert [runspace.id for runspace in client.runspaces.list()] == [created.id]
        assert server.requests.count(LOGIN) == 2
        assert list(simulator.runspaces) == [created.id]



def test_a_second_401_is_the_callers(server: SimServer) -> None:
    with make_client(server.url) as client:
        with (
            server.faults.armed(Fault(operation="runspaces.list", stale_session=True)),
            pytest.raises(AuthenticationError) as caught,
        ):
            client.runspaces.list()
    assert caught.value.status == 401
    assert server.requests.count(LOGIN) == 2
    assert server.requests.count(LIST) == 2


@pytest.mark.parametrize("auth", [BasicAuth("alice", "wrong"), BasicAuth("nobody", "sesame-7Qx")])

def test_refused_credentials(server: SimServer, auth: BasicAuth) -> None:
    with make_client(server.url, auth=auth) as client:
        with pytest.raises(AuthenticationError) as caught:
            client.runspaces.list()
    assert (caught.value.operation, caught.value.status) == ("auth.login", 401)
    assert server.requests == (LOGIN,)



def test_without_credentials_nothing_is_sent(server: SimServer) -> None:
    with make_client(server.url, auth=None) as client:
        for use in (client.runspaces.list, client.login):
            with pytest.raises(AuthenticationError, match="no credentials"):
                use()
    assert server.requests == ()



def test_a_given_key_is_used_and_left_alone(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as owner:
        owner.login()
        key = owner._session._state.key
        assert key is not None
        with make_client(server.url, auth=ApiKeyAuth(key)) as guest:
            guest.login()
            assert guest.runspaces.list() == []
        assert simulator.session_count == 1
        simulator.expire_sessions()
        with make_client(server.url, auth=ApiKeyAuth(key.reveal())) as guest:
            with pytest.raises(AuthenticationError):
                guest.runspaces.list()
    assert server.requests.count(LOGIN) == 1



def test_a_failing_logout_hides_nothing(
    server: SimServer, everything_logged: pytest.LogCaptureFixture
) -> None:
    server.faults.add(Fault(operation="auth.logout", status=500))
    with make_client(server.url) as client:
        client.login()
        with pytest.raises(SrsError):
            client.logout()
    with pytest.raises(KeyError, match="the body's own"):
        with make_client(server.url) as client:
            client.login()
            raise KeyError("the body's own")
    with make_client(server.url) as client:
        client.login()
    assert "was not ended" in everything_logged.text
    server.wait_idle()



def test_logging_out_of_a_forgotten_session_is_fine(server: SimServer, simulator: Simulator) -> None:
    with make_client(server.url) as client:
        client.login()
        simulator.expire_sessions()
        client.logout()
    assert server.requests == (LOGIN, LOGOUT)



def test_a_redirect_is_not_followed(server: SimServer) -> None:
    with SimServer(Simulator(users={"alice": "sesame-7Qx"})) as elsewhere:
        target = (("Location", elsewhere.url + "/api/runspaces"),)
        server.faults.add(Fault(operation="runspaces.list", status=307, headers=target))
        with make_client(server.url) as client:
            with pytest.raises(InvalidRequestError, match="Redirects are not followed"):
                client.runspaces.list()
        assert elsewhere.traffic.accepted == 0


def everything_an_error_shows(error: SrsError) -> str:
    """Its tracebacks with all variables, but for the frame of the test, which knows the secrets."""
    shown = [pickle.dumps(error).decode("latin-1")]
    link: BaseException | None = error
    frames = error.__traceback__.tb_next if error.__traceback__ is not None else None
    while link is not None:
        shown += traceback.TracebackException(type(link), link, frames, capture_locals=True).format()
        shown.append(repr(vars(link)))
        link = link.__cause__ or link.__context__
        frames = link.__traceback__ if link is not None else None
    return "\n".join(shown)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="runspaces.list", status=500),
        Fault(operation="runspaces.list", reset="after"),
        Fault(operation="runspaces.list", stale_session=True),
        Fault(operation="runspaces.list", cut_after=1),
        Fault(operation="auth.login", status=503),
        Fault(operation="auth.login", status=401),
        Fault(operation="auth.login", reset="before"),
    ],
)

def test_secrets_show_nowhere(everything_logged: pytest.LogCaptureFixture, fault: Fault) -> None:
    auth = BasicAuth("alice", "s3cr3t-pa55")
    secrets = ["s3cr3t-pa55", auth.authorization().reveal().removeprefix("Basic ")]
    with SimServer(Simulator(users={"alice": "s3cr3t-pa55"})) as server:
        client = make_client(server.url, auth=auth)
        with server.faults.armed(fault), pytest.raises(SrsError) as caught:
            client.runspaces.list()
        if fault.operation == "runspaces.list":
            assert client._session._state.key is not None
            secrets.append(client._session._state.key.reveal())
        shown = [everything_an_error_shows(caught.value), everything_logged.text]
        shown += [repr(client), repr(vars(client)), repr(vars(client._session)), repr(auth)]
        client.close()
    for secret in secrets:
        assert not [text for text in shown if secret in text]
