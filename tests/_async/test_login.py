"""Logging in with credentials of every kind, and what a refused login leaves behind: nothing."""

from __future__ import annotations

import inspect
import threading
from datetime import UTC, datetime, timedelta
from unittest import mock

import anyio
import pytest

from srs_vsphere import (
    ApiKeyAuth,
    AsyncSrsClient,
    AuthenticationError,
    BasicAuth,
    CredentialSource,
    EnvAuth,
    FileAuth,
    NotFoundError,
    NotSentError,
    RetryPolicy,
    Secret,
    SignAuth,
    Tls,
)
from srs_vsphere._service.clock_skew import clock_skew
from srs_vsphere.simulator import Fault
from tests._async.helping import AUTH, HURRIED, make_client
from tests.tls_server import identity, tls_server
from tests.tokens import make_token

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def token():
    return make_token()


async def test_the_key_of_a_login_resumes_the_session_elsewhere(server):
    async with make_client(server.url) as client:
        key = await client.login()
        assert isinstance(key, Secret)
        assert await client.login() is key
        made = await client.runspaces.create("ours")
        async with AsyncSrsClient(server.url, auth=ApiKeyAuth(key)) as other:
            assert (await other.login()).reveal() == key.reveal()
            assert [runspace.id for runspace in await other.runspaces.list()] == [made.id]
        assert await client.runspaces.list()


@pytest.mark.parametrize("algorithm", ["RSA-SHA256", "RSA-SHA384", "RSA-SHA512"])
async def test_a_signed_login_opens_a_session_of_the_tokens_user(server, simulator, token, algorithm):
    simulator.add_runspace(user="Administrator@VSPHERE.LOCAL", name="theirs")
    auth = SignAuth(token.xml, token.pem(), algorithm=algorithm)
    async with make_client(server.url, auth=auth) as client:
        assert [runspace.name for runspace in await client.runspaces.list()] == ["theirs"]


async def test_each_attempt_of_a_signed_login_has_a_nonce_of_its_own(server, token, monkeypatch):
    made = []
    sign = SignAuth.authorization

    def authorization(*args, **options):
        made.append(sign(*args, **options))
        return made[-1]

    monkeypatch.setattr(SignAuth, "authorization", authorization)
    with server.faults.armed(Fault(operation="auth.login", times=2, status=503)):
        async with make_client(server.url, auth=SignAuth(token.xml, token.pem())) as client:
            await client.login()
    assert len(made) == len(set(made)) == 3


async def test_a_key_that_comes_with_a_refusal_is_logged_out(server, simulator, token):
    simulator.fail_act_as()
    async with make_client(server.url, auth=SignAuth(token.xml, token.pem())) as client:
        with pytest.raises(AuthenticationError, match="delegatable") as caught:
            await client.runspaces.list()
        assert simulator.session_count == 0
    assert caught.value.status == 401
    assert server.requests == (("POST", "/api/auth/login"), ("POST", "/api/auth/logout"))


class Vault:
    """A program's own source, which counts how often it is asked, and in which thread."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.threads = []

    def credentials(self):
        self.threads.append(threading.get_ident())
        return self.answers[min(len(self.threads), len(self.answers)) - 1]


async def test_a_source_of_ones_own_is_asked_at_each_login(server, simulator):
    vault = Vault(BasicAuth("alice", "sesame-7Qx"), BasicAuth("bob", "sesame-7Qx"))
    assert isinstance(vault, CredentialSource)
    simulator.add_runspace(user="bob", name="of bob")
    async with make_client(server.url, auth=vault) as client:
        assert await client.runspaces.list() == []
        assert await client.runspaces.list() == []
        await client.logout()
        assert [runspace.name for runspace in await client.runspaces.list()] == ["of bob"]
    assert len(vault.threads) == 2
    here = threading.get_ident()
    # The async client asks in a worker thread, since a vault may take its time.
    assert all((thread != here) == inspect.iscoroutinefunction(client.login) for thread in vault.threads)


async def test_a_source_that_returns_something_else_is_refused(server):
    async with make_client(server.url, auth=Vault("alice:sesame-7Qx")) as client:
        with pytest.raises(TypeError, match="must return BasicAuth or SignAuth, not str") as caught:
            await client.runspaces.list()
    assert "sesame-7Qx" not in str(caught.value)
    assert not server.requests


async def test_no_credentials_before_the_deadline_are_said_so(server):
    if not inspect.iscoroutinefunction(AsyncSrsClient.login):
        return  # A thread waits for as long as its vault makes it.

    class Sleeping:
        async def credentials(self):
            await anyio.sleep_forever()

    async with make_client(server.url, auth=Sleeping(), retry=RetryPolicy(deadline=0.05)) as client:
        with pytest.raises(NotSentError, match="no credentials before the deadline"):
            await client.runspaces.list()


def answering(credentials):
    """A coroutine function, in both twins of this file."""
    return getattr(mock, "Async" + "Mock")(return_value=credentials)


async def test_a_source_may_be_async_in_the_async_client_only(server):
    credentials = answering(AUTH)
    async with make_client(
        server.url, auth=mock.Mock(credentials=credentials, spec=["credentials"])
    ) as client:
        if inspect.iscoroutinefunction(client.login):
            assert await client.runspaces.list() == []
        else:
            with pytest.raises(TypeError, match="must not be async"):
                await client.runspaces.list()


async def test_variables_and_files_log_in(server, monkeypatch, tmp_path):
    monkeypatch.setenv("SRS_USERNAME", "alice")
    monkeypatch.setenv("SRS_PASSWORD", "sesame-7Qx")
    file = tmp_path / "password"
    file.write_text("sesame-7Qx\n")
    file.chmod(0o600)
    for auth in (EnvAuth(), FileAuth("bob", file)):
        async with make_client(server.url, auth=auth) as client:
            assert await client.runspaces.list() == []
    monkeypatch.delenv("SRS_PASSWORD")
    async with make_client(server.url, auth=EnvAuth()) as client:
        with pytest.raises(AuthenticationError, match="SRS_PASSWORD is not set") as caught:
            await client.runspaces.list()
    assert caught.value.operation == "runspaces.list"
    assert caught.value.host in server.url


async def test_a_password_is_not_sent_to_a_server_that_nobody_verified(tmp_path, recwarn):
    with tls_server(identity().context(tmp_path)) as server:
        with pytest.raises(ValueError, match="verify=False"):
            AsyncSrsClient(server.url, auth=AUTH, tls=Tls(verify=False))
        client = AsyncSrsClient(server.url, auth=Vault(AUTH), tls=Tls(verify=False), retry=HURRIED)
        async with client:
            assert (await client.about()).vendor == "V"
            before = server.received
            with pytest.raises(AuthenticationError, match="the password was not sent"):
                await client.runspaces.list()
            assert server.received == before
        async with AsyncSrsClient(server.url, auth=AUTH, tls=Tls(verify="never"), retry=HURRIED) as client:
            assert await client.login()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, None), (29, None), (-29, None), (3600, "3600 s ahead of"), (-200, "200 s behind")],
)
def test_a_wrong_clock_is_told(seconds, words):
    there = datetime(2026, 1, 1, tzinfo=UTC)
    told = clock_skew("Thu, 01 Jan 2026 00:00:00 GMT", there + timedelta(seconds=seconds))
    assert told is None if words is None else words in told


def test_no_date_tells_nothing():
    now = datetime.now(UTC)
    assert clock_skew(None, now) is clock_skew("soon", now) is None


async def test_the_error_of_a_signed_login_tells_of_a_wrong_clock(server, token):
    headers = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    fault = Fault(operation="auth.login", times=1, status=401, headers=headers)
    with server.faults.armed(fault):
        async with make_client(server.url, auth=SignAuth(token.xml, token.pem())) as client:
            with pytest.raises(AuthenticationError, match="set the clock"):
                await client.login()


@pytest.mark.parametrize("auth", [BasicAuth, EnvAuth, "alice:sesame-7Qx", object()])
def test_what_is_no_credentials_is_refused(server, auth):
    with pytest.raises(TypeError, match="auth must be BasicAuth") as caught:
        AsyncSrsClient(server.url, auth=auth)
    assert "sesame-7Qx" not in str(caught.value)


async def test_a_source_may_be_used_by_calls_at_once(server):
    vault = Vault(AUTH)
    async with make_client(server.url, auth=vault) as client:
        with pytest.raises(NotFoundError):
            await client.runspaces.get("pcli-none")
    assert len(vault.threads) == 1
