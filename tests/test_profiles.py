"""A client from variables and profiles: argument before variable before profile, and one error for all."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from srs_vsphere import ApiKeyAuth, AsyncSrsClient, BasicAuth, EnvAuth, FileAuth, RetryPolicy, SrsClient, Tls
from srs_vsphere.profiles import config_file, find_settings
from tests.tls_server import identity

SECRET = "sentinel-password-7Qx"
CONFIG = """
[profiles.default]
url = "https://default.example.com"
username = "of-default"
password_file = "~/secret"
thumbprint = "{thumbprint}"
timeout = 30

[profiles.lab]
url = "https://lab.example.com"
api_key = "{secret}"
insecure = true
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("SRS_", "GOVC_")):
            monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture
def config():
    path = config_file()
    path.parent.mkdir(parents=True)
    path.write_text(CONFIG.format(thumbprint="ab" * 20, secret=SECRET))
    path.chmod(0o600)
    return path


def set_all(monkeypatch, **settings):
    for name, value in settings.items():
        monkeypatch.setenv(f"SRS_{name.upper()}", value)


def test_variables_are_enough(monkeypatch):
    set_all(monkeypatch, url="https://srs.example.com", username="alice", password=SECRET, timeout="12.5")
    found = find_settings()
    assert found.url == "https://srs.example.com"
    assert found.auth == EnvAuth()
    assert found.tls == Tls()
    assert found.retry == RetryPolicy(deadline=12.5)


@pytest.mark.parametrize(
    ("settings", "auth"),
    [
        ({"username": "alice", "password_file": "/a"}, FileAuth("alice", "/a")),
        ({"api_key": "key"}, ApiKeyAuth("key")),
        ({"api_key": "key", "username": "alice"}, ApiKeyAuth("key")),
    ],
)
def test_credentials_of_every_kind(monkeypatch, settings, auth):
    set_all(monkeypatch, url="https://srs.example.com", **settings)
    assert find_settings().auth == auth


@pytest.mark.parametrize(
    ("settings", "tls"),
    [
        ({"ca_file": "/a"}, Tls(ca_file="/a")),
        ({"ca_file": "/a", "known_hosts": "/b"}, Tls(ca_file="/a", known_hosts="/b")),
        ({"thumbprint": "AB" * 32}, Tls(thumbprint="ab" * 32)),
        ({"known_hosts": os.pathsep.join(["/b", "/c"])}, Tls(known_hosts=("/b", "/c"))),
        ({"insecure": "YES"}, Tls(verify=False)),
        ({"insecure": "never"}, Tls(verify="never")),
        ({"insecure": "0"}, Tls()),
        ({}, Tls(known_hosts="/govc")),
    ],
)
def test_trust_of_every_kind(monkeypatch, settings, tls):
    monkeypatch.setenv("GOVC_TLS_KNOWN_HOSTS", "/govc")
    set_all(monkeypatch, url="https://srs.example.com", **settings)
    assert find_settings(needs_auth=False).tls == tls


def test_a_profile_is_found_by_its_name_and_default_by_itself(monkeypatch, config):
    assert find_settings().url == "https://default.example.com"
    assert find_settings().auth == FileAuth("of-default", str(Path.home() / "secret"))
    assert find_settings().retry == RetryPolicy(deadline=30)
    assert find_settings(profile="lab").auth == ApiKeyAuth(SECRET)
    monkeypatch.setenv("SRS_PROFILE", "lab")
    assert find_settings().tls == Tls(verify=False)
    assert find_settings(profile="default").tls == Tls(thumbprint="AB" * 20)


def test_a_variable_goes_before_the_profile(monkeypatch, config):
    set_all(monkeypatch, password=SECRET, ca_file="/a", timeout="5")
    found = find_settings()
    assert found.auth == BasicAuth("of-default", SECRET)
    assert found.tls == Tls(ca_file="/a")
    assert found.retry == RetryPolicy(deadline=5)
    assert found.url == "https://default.example.com"


@pytest.mark.anyio
async def test_an_argument_goes_before_all(monkeypatch, config):
    set_all(monkeypatch, url="https://srs.example.com", timeout="no number", thumbprint="no thumbprint")
    set_all(monkeypatch, password=SECRET, api_key="key")
    given = {"auth": None, "tls": Tls(), "retry": RetryPolicy(attempts=2), "max_connections": 3}
    async with AsyncSrsClient.from_env(url="http://127.0.0.1:1", **given) as client:
        assert "http://127.0.0.1:1" in repr(client)
        assert client._session.sender.policy == RetryPolicy(attempts=2)
    with SrsClient.from_env(url="http://127.0.0.1:1", **given) as client:
        assert "http://127.0.0.1:1" in repr(client)


def problems(**options):
    with pytest.raises(ValueError, match=r".") as caught:
        find_settings(**options)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_one_error_names_all_that_is_missing():
    said = problems()
    for name in ("SRS_URL", "SRS_USERNAME", "SRS_PASSWORD", "SRS_PASSWORD_FILE", "SRS_API_KEY"):
        assert name in said


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"password": SECRET}, ["SRS_USERNAME is not set", "SRS_URL is not set"]),
        ({"username": "alice"}, ["SRS_PASSWORD is not set"]),
        (
            {"username": "a", "password": SECRET, "password_file": "/a"},
            ["SRS_PASSWORD and SRS_PASSWORD_FILE are set: two"],
        ),
        (
            {"username": "a", "password": SECRET, "api_key": SECRET},
            ["SRS_PASSWORD and SRS_API_KEY are set: two"],
        ),
        ({"api_key": f"{SECRET} \n"}, ["SRS_API_KEY: key must be printable ASCII"]),
        ({"ca_file": "/a", "thumbprint": "ab" * 32}, ["SRS_CA_FILE and SRS_THUMBPRINT: ", "exclude"]),
        ({"thumbprint": "abc"}, ["SRS_THUMBPRINT: thumbprint must be"]),
        ({"insecure": "perhaps"}, ["SRS_INSECURE: it must be true, false or never"]),
        ({"timeout": "soon"}, ["SRS_TIMEOUT must be a number of seconds"]),
        ({"timeout": "-1"}, ["SRS_TIMEOUT must be a number of seconds"]),
        ({"profile": "lab"}, ["profile 'lab' is not there: there is no file", "config.toml"]),
    ],
)
def test_what_is_wrong_is_named(monkeypatch, settings, words):
    set_all(monkeypatch, **settings)
    said = problems()
    assert all(word in said for word in words), said


def test_a_profile_that_does_not_exist_is_named_beside_those_that_do(config):
    said = problems(profile="laboratory")
    assert "profile 'laboratory' is not in" in said
    assert "which has default, lab" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("profiles = 5", "must hold tables such as [profiles.lab]"),
        ("[profiles]\nlab = 5", "must hold tables such as [profiles.lab]"),
        (f'[profiles.lab]\npassword = "{SECRET}', "is not TOML"),
        ('[profiles.default]\nurl = "https://a"\nusrname = "a"', "has 'usrname', which is no setting"),
        ('[profiles.default]\nurl = "https://a"\nusername = 5\npassword_file = "a"', "username must be text"),
        ('[profiles.default]\nurl = "https://a"\nthumbprint = 5', "thumbprint must be text"),
    ],
)
def test_a_file_that_makes_no_sense_is_named(config, content, words):
    config.write_text(content)
    assert words in problems()


def test_a_file_with_a_password_that_others_can_read_is_refused(config):
    if os.name != "posix":
        pytest.skip("files have no owner there")
    config.chmod(0o644)
    assert "holds a password, and others can read it: run chmod 600" in problems()
    config.write_text('[profiles.default]\nurl = "https://a"\napi_key = "b"')
    assert "others can read it" in problems()
    config.write_text('[profiles.default]\nurl = "https://a"\nusername = "a"\npassword_file = "b"')
    assert find_settings().url == "https://a"


def test_a_file_that_everybody_can_write_is_refused(config):
    if os.name != "posix":
        pytest.skip("files have no owner there")
    config.write_text('[profiles.default]\nurl = "https://a"\nusername = "a"\npassword_file = "b"')
    config.chmod(0o646)
    assert "everybody can write" in problems()
    assert "run chmod o-w" in problems()


@pytest.mark.parametrize(
    "line",
    ['pasword = "hunter2-7Qx"', "password = 72750117", 'api_key = ["hunter2-7Qx"]', "passwd = 72750117"],
)
def test_no_variable_of_a_refusal_shows_what_may_be_a_secret(config, line):
    config.write_text(f'[profiles.default]\nurl = "https://a"\nusername = "a"\n{line}')
    with pytest.raises(ValueError, match="default") as caught:
        find_settings()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    of_package = [part for part in shown.split("  File ") if "profiles.py" in part and "test_" not in part]
    assert of_package
    for part in of_package:
        assert "hunter2" not in part
        assert "72750117" not in part


def test_a_file_that_cannot_be_read_is_named(config):
    config.unlink()
    config.mkdir()
    assert "cannot be read" in problems()


@pytest.mark.parametrize(
    ("platform", "environ", "path"),
    [
        ("linux", {}, "home/.config/srs/config.toml"),
        ("linux", {"XDG_CONFIG_HOME": "xdg"}, "xdg/srs/config.toml"),
        ("darwin", {}, "home/Library/Application Support/srs/config.toml"),
        ("win32", {"APPDATA": "roaming"}, "roaming/srs/config.toml"),
        ("win32", {}, "home/AppData/Roaming/srs/config.toml"),
    ],
)
def test_the_file_is_in_the_platforms_folder(monkeypatch, platform, environ, path):
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    assert config_file(environ, platform) == Path(path)


def test_a_clean_process_needs_variables_only(server, tmp_path):
    script = (
        "import asyncio\n"
        "from srs_vsphere import AsyncSrsClient, SrsClient\n"
        "async def main():\n"
        "    async with AsyncSrsClient.from_env() as client:\n"
        "        print(len(await client.runspaces.list()))\n"
        "asyncio.run(main())\n"
        "with SrsClient.from_env() as client:\n"
        "    print(len(client.runspaces.list()))\n"
    )
    environ = {
        "SRS_URL": server.url,
        "SRS_USERNAME": "alice",
        "SRS_PASSWORD": "sesame-7Qx",
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    if "SYSTEMROOT" in os.environ:
        environ["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0"]


def test_certificates_that_cannot_be_read_are_named(monkeypatch, tmp_path):
    set_all(monkeypatch, url="https://srs.example.com", api_key="key", ca_file=str(tmp_path / "missing.pem"))
    with pytest.raises(OSError, match=r"ca_file cannot be used.*missing\.pem"):
        SrsClient.from_env()
    (tmp_path / "missing.pem").write_bytes(identity().pem)
    SrsClient.from_env().close()
