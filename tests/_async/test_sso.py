"""A password that goes to vCenter only, and the token that logs in with the service."""

from __future__ import annotations

import copy
import pickle
import sys
from datetime import UTC, datetime

import pytest

from srs_vsphere import AuthenticationError, NotSentError, Secret, SsoAuth, Tls
from tests._async.helping import make_client
from tests.sts_stand_in import FAULT, Sts, sts_server
from tests.tls_server import Identity, identity

pytestmark = pytest.mark.anyio

PASSWORD = "secret & <more>"


@pytest.fixture(scope="module")
def vcenter() -> Identity:
    return identity("vcenter")


@pytest.fixture
def sts() -> Sts:
    return Sts()


@pytest.fixture
def sts_url(sts, vcenter, tmp_path):
    with sts_server(sts, vcenter.context(tmp_path)) as url:
        yield url


@pytest.fixture
def tls(vcenter):
    return Tls(thumbprint=vcenter.seen.sha256)


async def test_a_token_logs_in_and_serves_many_logins(server, sts, sts_url, tls):
    auth = SsoAuth("alice", PASSWORD, sts_url, tls=tls)
    for _ in range(2):
        async with make_client(server.url, auth=auth) as client:
            made = await client.runspaces.create("of alice")
            assert made.id in [runspace.id for runspace in await client.runspaces.list()]
    assert sts.paths == ["/sts/STSService"]


async def test_a_token_is_renewed_before_it_expires(sts, sts_url, tls):
    auth = SsoAuth("alice", PASSWORD, f"{sts_url}/sts/STSService/vsphere.local", tls=tls)
    first = auth.credentials()
    assert auth.credentials() is first
    left = first.expires - datetime.now(UTC)
    assert auth._renew_at < datetime.now(UTC) + left * 0.9
    auth._renew_at = datetime.now(UTC)
    assert auth.credentials() is not first
    assert sts.paths == ["/sts/STSService/vsphere.local"] * 2


async def test_a_refusal_is_told_in_vcenters_words(server, sts_url, tls):
    auth = SsoAuth("alice", "sentinel-wrong-7Qx", sts_url, tls=tls)
    async with make_client(server.url, auth=auth) as client:
        with pytest.raises(AuthenticationError, match="gave no token: Invalid credentials") as caught:
            await client.runspaces.list()
    assert not server.requests
    traceback = caught.value.__traceback__
    while traceback is not None:
        if "tests" not in traceback.tb_frame.f_code.co_filename:
            assert "sentinel-wrong" not in repr(traceback.tb_frame.f_locals)
        traceback = traceback.tb_next


@pytest.mark.parametrize(
    ("response", "words"),
    [
        ((500, FAULT.format("The time now is\n not right")), "The time now is not right"),
        ((404, "<html>no such page</html>"), "HTTP 404 without a token"),
        ((200, "<a:Assertion xmlns:a='b'>no such thing</a:Assertion>"), "token must be a SAML 2.0 assertion"),
    ],
)
async def test_what_is_no_token_is_said_so(sts, sts_url, tls, response, words):
    sts.response = response
    with pytest.raises(AuthenticationError, match=words):
        SsoAuth("alice", PASSWORD, sts_url, tls=tls).credentials()


async def test_a_token_that_lives_too_short_is_refused(sts, sts_url, tls):
    sts.seconds = -5
    with pytest.raises(AuthenticationError, match="token has expired"):
        SsoAuth("alice", PASSWORD, sts_url, tls=tls).credentials()


async def test_the_password_goes_to_a_verified_vcenter_only(sts, sts_url, nowhere):
    for auth in (
        SsoAuth("alice", "sentinel-7Qx", sts_url),
        SsoAuth("alice", "sentinel-7Qx", nowhere.replace("http:", "https:")),
    ):
        with pytest.raises(NotSentError, match="no token from vCenter") as caught:
            auth.credentials()
        assert "sentinel" not in str(caught.value)
        assert caught.value.__context__ is None
    assert not sts.paths


async def test_nothing_shows_the_password(sts_url):
    auth = SsoAuth("alice", Secret("sentinel-7Qx"), sts_url)
    assert "sentinel" not in repr(auth) + repr(vars(auth))
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(auth)
    assert copy.copy(auth) is copy.deepcopy(auth) is auth


async def test_vcenter_is_reached_without_the_proxy_that_is_excluded(sts, sts_url, tls, monkeypatch, nowhere):
    auth = SsoAuth("alice", PASSWORD, sts_url, tls=tls)
    monkeypatch.setenv("https_proxy", nowhere)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(NotSentError, match="no token from vCenter"):
        auth.credentials()
    assert not sts.paths
    # A network, which httpx's own reading does not know.
    monkeypatch.setenv("no_proxy", "127.0.0.0/8")
    assert auth.credentials().username == "alice"


def test_a_forked_process_waits_for_no_thread_of_its_parents(sts_url, tls):
    auth = SsoAuth("alice", PASSWORD, sts_url, tls=tls)
    with auth._lock:
        auth.start_afresh()
        assert auth.credentials().username == "alice"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"sts_url": 5}, TypeError, "sts_url must be text"),
        ({"sts_url": "vc.example.com"}, ValueError, "sts_url must be such as"),
        ({"sts_url": "http://vc.example.com"}, ValueError, "sts_url must begin with https"),
        ({"username": ""}, ValueError, "username"),
        ({"password": ""}, ValueError, "password"),
        ({"lifetime": 0}, ValueError, "lifetime"),
        ({"timeout": "soon"}, TypeError, "timeout"),
        ({"tls": 5}, TypeError, "tls must be Tls"),
        ({"tls": Tls(verify=False)}, ValueError, "verify=False"),
    ],
)
def test_bad_arguments_are_named(arguments, error, words):
    good = {"username": "alice", "password": PASSWORD, "sts_url": "https://vc.example.com"}
    with pytest.raises(error, match=words) as caught:
        SsoAuth(**{**good, **arguments})
    assert PASSWORD not in str(caught.value)


def test_without_the_extra_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(RuntimeError, match=r"pip install srs-vsphere\[sso\]"):
        SsoAuth("alice", PASSWORD, "https://vc.example.com")
