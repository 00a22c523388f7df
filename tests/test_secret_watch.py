"""What looks for secrets in all that the suite lets out finds each kind of leak, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

LEAKS = """
import logging
import pickle
import subprocess
import sys

import pytest

from srs_vsphere import BasicAuth, RequestEnded, SrsClient, SrsError
from srs_vsphere._service import session_file
from srs_vsphere.simulator import SimServer, Simulator, VirtualClock

PASSWORD = "open-sesame"
#: What a test keeps until its end.
KEPT = []

@pytest.fixture
def client():
    with SimServer(Simulator(users={"alice": PASSWORD}, clock=VirtualClock(auto=True))) as server:
        with SrsClient(server.url, auth=BasicAuth("alice", PASSWORD)) as client:
            yield client

def test_nothing(client):
    assert client.runspaces.list() == []

def test_log(client):
    logging.getLogger("some.other").debug("took %s", client.login().reveal())

def test_script_in_log(client):
    client.run("'a script of some length'")
    logging.getLogger("srs_vsphere").debug("it ran 'a script of some length'")

def test_printed(client):
    print(client._session._auth.authorization().reveal())

def test_program(client):
    key = client.login().reveal()
    subprocess.run([sys.executable, "-c", f"print({key!r})"], capture_output=True)

def test_pickle(client):
    pickle.dumps({"password": PASSWORD})

def test_error(client):
    with pytest.raises(SrsError):
        raise SrsError(f"not {PASSWORD}")

def test_variable(client):
    with pytest.raises(TypeError):
        SrsClient("https://srs.test", auth=BasicAuth("alice", PASSWORD), timeouts=PASSWORD)

def test_event(client):
    client._session.sender.observer.tell(RequestEnded(operation=PASSWORD, host="h", attempt=1, seconds=1.0))

def test_span(client):
    with client._session.sender.observer.span("srs.run", {"srs.operation": PASSWORD}):
        pass

def test_repr(client):
    client.login()
    KEPT.append(RequestEnded(operation=client.login().reveal(), host="h", attempt=1, seconds=1.0))

def test_file(client, tmp_path, monkeypatch):
    file = session_file.SessionFile(str(tmp_path / "keys"), "h")
    file.save("alice", client.login())
    (tmp_path / "keys").chmod(0o644)

def test_file_of_its_user(client, tmp_path):
    session_file.SessionFile(str(tmp_path / "keys"), "h").save("alice", client.login())

@pytest.mark.lets_out("it is to show how")
def test_on_purpose(client):
    print(PASSWORD)
"""
FINE = {"nothing", "on_purpose", "file_of_its_user", *(["file"] if os.name != "posix" else [])}


def test_each_kind_of_leak_is_found(tmp_path: Path) -> None:
    program = tmp_path / "test_leaks.py"
    program.write_text(LEAKS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.secret_watch", "-p", "no:cacheprovider", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=110,
    )
    found = set(re.findall(r"^ERROR .*::test_(\w+)", done.stdout, re.MULTILINE))
    assert found == set(re.findall(r"^def test_(\w+)", LEAKS, re.MULTILINE)) - FINE, done.stdout
    assert " failed" not in done.stdout
