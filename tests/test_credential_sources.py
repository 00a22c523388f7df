"""Credentials that only name where the secret is: read at login, pickled without it, refused in one line."""

from __future__ import annotations

import os
import pickle
import sys

import keyring
import keyring.backend
import keyring.errors
import pytest

from srs_vsphere import AuthenticationError, BasicAuth, CredentialSource, EnvAuth, FileAuth, KeyringAuth

SECRET = "sentinel-password-7Qx"


def test_variables_are_read_at_each_login(monkeypatch):
    auth = EnvAuth()
    monkeypatch.setenv("SRS_USERNAME", "alice")
    monkeypatch.setenv("SRS_PASSWORD", SECRET)
    assert isinstance(auth, CredentialSource)
    assert auth.credentials() == BasicAuth("alice", SECRET)
    monkeypatch.setenv("SRS_PASSWORD", "renewed")
    assert auth.credentials() == BasicAuth("alice", "renewed")
    assert pickle.loads(pickle.dumps(auth)) == auth
    assert EnvAuth("A", "B") != auth


@pytest.mark.parametrize("missing", ["SRS_USERNAME", "SRS_PASSWORD"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(monkeypatch, missing, value):
    monkeypatch.setenv("SRS_USERNAME", "alice")
    monkeypatch.setenv("SRS_PASSWORD", SECRET)
    if value is None:
        monkeypatch.delenv(missing)
    else:
        monkeypatch.setenv(missing, value)
    with pytest.raises(AuthenticationError, match=f"{missing} is not set") as caught:
        EnvAuth().credentials()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_is_read_at_each_login(tmp_path, end):
    file = tmp_path / "password"
    auth = FileAuth("alice", file)
    file.write_bytes(f" {SECRET} {end}".encode())
    file.chmod(0o600)
    assert auth.credentials() == BasicAuth("alice", f" {SECRET} ")
    file.write_bytes(b"\xef\xbb\xbfrenewed\n")
    assert auth.credentials() == BasicAuth("alice", "renewed")
    assert pickle.loads(pickle.dumps(auth)) == auth


def test_a_file_of_a_group_is_taken_one_of_everybody_is_not(tmp_path):
    if os.name != "posix":
        pytest.skip("files have no owner there")
    file = tmp_path / "password"
    file.write_text(SECRET)
    file.chmod(0o640)
    assert FileAuth("alice", file).credentials()
    for mode in (0o644, 0o602):
        file.chmod(mode)
        with pytest.raises(AuthenticationError, match=r"everybody can read the file .*password"):
            FileAuth("alice", file).credentials()


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(AuthenticationError, match="missing cannot be read"):
        FileAuth("alice", tmp_path / "missing").credentials()
    for name, content in (("empty", b""), ("latin", b"\xff")):
        file = tmp_path / name
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(AuthenticationError, match=name):
            FileAuth("alice", file).credentials()


class Ring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self, held):
        self.held = held

    def get_password(self, service, username):
        if self.held is None:
            raise keyring.errors.KeyringLocked
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        raise NotImplementedError


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    ring = Ring({})
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_the_keyring_is_asked_at_each_login(ring):
    auth = KeyringAuth("alice")
    ring.held["srs-vsphere", "alice"] = SECRET
    assert auth.credentials() == BasicAuth("alice", SECRET)
    assert pickle.loads(pickle.dumps(auth)) == auth
    with pytest.raises(AuthenticationError, match="keyring set mine alice"):
        KeyringAuth("alice", "mine").credentials()
    ring.held = None
    with pytest.raises(AuthenticationError, match="Unlock the keyring"):
        auth.credentials()


def test_without_the_extra_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(RuntimeError, match=r"pip install srs-vsphere\[keyring\]"):
        KeyringAuth("alice")


@pytest.mark.parametrize("make", [lambda: EnvAuth(5), lambda: FileAuth(5, "a"), lambda: FileAuth("a", 5)])
def test_arguments_of_the_wrong_kind_are_refused(make):
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize("make", [lambda: EnvAuth(" "), lambda: FileAuth("", "a"), lambda: FileAuth("a", "")])
def test_blank_arguments_are_refused(make):
    with pytest.raises(ValueError, match="must not be blank"):
        make()
