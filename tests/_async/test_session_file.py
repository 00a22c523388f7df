"""One session for many clients and processes, kept in a file of its user's own."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys

import pytest

from srs_vsphere import (
    ApiKeyAuth,
    AsyncSrsClient,
    AuthenticationError,
    BasicAuth,
    NotSentError,
    RetryPolicy,
    Secret,
)
from srs_vsphere._service import session_file
from srs_vsphere._service.session_file import SessionFile
from tests._async.helping import AUTH, HURRIED

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "session.json"


def connect(server, file, auth=AUTH, **options):
    return AsyncSrsClient(server.url, auth=auth, session_file=file, **{"retry": HURRIED, **options})


def logins(server):
    return server.requests.count(("POST", "/api/auth/login"))


async def test_the_next_client_goes_on_with_the_session(server, simulator, file):
    async with connect(server, file) as client:
        key = await client.login()
        await client.runspaces.create("ours")
    async with connect(server, file) as client:
        assert [runspace.name for runspace in await client.runspaces.list()] == ["ours"]
        assert await client.login() == key
    assert logins(server) == simulator.session_count == 1
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_stale_key_is_replaced_once_for_all(server, simulator, file):
    async with connect(server, file) as one, connect(server, file) as other:
        await one.runspaces.list()
        await other.runspaces.list()
        simulator.expire_sessions()
        await one.runspaces.list()
        await other.runspaces.list()
    assert logins(server) == 2


async def test_users_and_hosts_have_sessions_of_their_own(server, file):
    async with (
        connect(server, file) as client,
        connect(server, file, BasicAuth("bob", "sesame-7Qx")) as other,
    ):
        await client.runspaces.create("of alice")
        assert await other.runspaces.list() == []
    assert logins(server) == 2
    assert len(json.loads(file.read_text())) == 2


async def test_logging_out_ends_the_session_for_all(server, simulator, file):
    async with connect(server, file) as client:
        await client.login()
    async with connect(server, file) as client:
        await client.logout()
    assert simulator.session_count == 0
    assert json.loads(file.read_text()) == {}
    async with connect(server, file) as client:
        await client.logout()
        await client.runspaces.list()
    assert logins(server) == 2


def test_one_process_logs_in_while_the_others_wait(server, file):
    script = (
        "import sys\n"
        "from srs_vsphere import BasicAuth, SrsClient\n"
        "auth = BasicAuth('alice', 'sesame-7Qx')\n"
        "with SrsClient(sys.argv[1], auth=auth, session_file=sys.argv[2]) as client:\n"
        "    print(len(client.runspaces.list()))\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, server.url, str(file)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    try:
        assert [process.communicate(timeout=100)[0].strip() for process in running] == [b"0"] * 4
    finally:
        for process in running:
            process.kill()
    assert logins(server) == 1


async def test_a_lock_that_is_held_until_the_deadline_is_said_so(server, file):
    holder = SessionFile(str(file), "elsewhere")
    assert holder.try_lock()
    async with connect(server, file, retry=RetryPolicy(deadline=0.1)) as client:
        with pytest.raises(NotSentError, match="another process was logging in"):
            await client.runspaces.list()
    holder.unlock()
    holder.unlock()
    async with connect(server, file) as client:
        await client.runspaces.list()


async def test_logging_out_waits_for_whoever_writes(server, file):
    async with connect(server, file) as client:
        await client.login()
    holder = SessionFile(str(file), "elsewhere")
    assert holder.try_lock()
    async with connect(server, file) as client:
        with pytest.raises(NotSentError, match="another process was logging in"):
            await client.logout(timeout=0.1)
        assert len(json.loads(file.read_text())) == 1
        holder.unlock()
        await client.logout()
    assert json.loads(file.read_text()) == {}
    assert server.requests.count(("POST", "/api/auth/logout")) == 1


async def test_a_drive_without_locks_is_said_so(server, file, monkeypatch):
    def locking(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(session_file, "_lock", locking)
    async with connect(server, file) as client:
        with pytest.raises(AuthenticationError, match=r"session\.json cannot be locked .*No locks available"):
            await client.runspaces.list()
    assert not server.requests


async def test_a_link_in_the_locks_place_is_not_followed(server, file, tmp_path):
    if not hasattr(os, "O_NOFOLLOW"):
        pytest.skip("the system cannot open a file without following links")
    file.parent.mkdir()
    (file.parent / "session.json.lock").symlink_to(tmp_path / "made")
    async with connect(server, file) as client:
        with pytest.raises(AuthenticationError, match=r"session\.json cannot be locked"):
            await client.runspaces.list()
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"a": 5}', '{"a": "b\\n"}', "[" * 9999])
async def test_a_file_that_makes_no_sense_is_replaced(server, file, content):
    file.parent.mkdir()
    file.write_text(content)
    file.chmod(0o600)
    async with connect(server, file) as client:
        await client.runspaces.list()
    assert len(json.loads(file.read_text())) == 1


async def test_a_file_that_others_can_read_is_refused(server, file):
    if os.name != "posix":
        return
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o640)
    async with connect(server, file) as client:
        with pytest.raises(AuthenticationError, match=r"others can read or write .*session\.json"):
            await client.runspaces.list()
    assert not server.requests


async def test_a_file_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "file").write_text("")
    async with connect(server, tmp_path / "file" / "session.json") as client:
        with pytest.raises(AuthenticationError, match=r"session\.json cannot be locked"):
            await client.runspaces.list()


async def test_nothing_shows_the_key(server, file):
    async with connect(server, file) as client:
        key = await client.login()
        assert key.reveal() not in repr(client)
    shared = client._session._shared
    assert key.reveal() not in repr(vars(shared)) + repr(vars(shared._file))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"session_file": 5}, TypeError, "session_file must be a path"),
        ({"session_file": ""}, ValueError, "session_file must name a file"),
        ({"session_file": "a", "auth": None}, ValueError, "session_file needs auth"),
        ({"session_file": "a", "auth": ApiKeyAuth("key")}, ValueError, "session_file needs auth"),
        ({"session_file": "a", "auth": object}, TypeError, "auth must be"),
    ],
)
def test_bad_arguments_are_named(server, options, error, words):
    with pytest.raises(error, match=words):
        AsyncSrsClient(server.url, **{"auth": AUTH, **options})


def test_a_source_without_a_username_has_no_session_file(server):
    class Vault:
        def credentials(self):
            raise NotImplementedError

    with pytest.raises(ValueError, match="has a username"):
        AsyncSrsClient(server.url, auth=Vault(), session_file="a")


def test_a_key_that_was_replaced_is_not_forgotten(tmp_path):
    kept = SessionFile(str(tmp_path / "a"), "srs.test")
    kept.save("alice", Secret("new"))
    kept.forget("alice", Secret("old"))
    assert kept.load("alice") == Secret("new")
    assert SessionFile(str(tmp_path / "a"), "other.test").load("alice") is None
