"""Each command, run as a program: what it writes where, and what it leaves on the service."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx
import pytest
import yaml

from srs_vsphere import BasicAuth, SrsClient
from srs_vsphere.simulator import Fault, ScriptReply, SimServer, StreamMessage, SystemClock
from tests.cli.running import STRICT, Shell


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_about_needs_no_credentials(srs, server):
    about = json.loads(srs.ok("about", "-o", "json", without=("SRS_USERNAME", "SRS_PASSWORD")))
    assert about["name"] == "Script Runtime Service for vSphere"
    assert server.requests == (("GET", "/api/about"),)
    assert srs.ok("about").splitlines()[0] == "name         Script Runtime Service for vSphere"


def test_login_says_whether_the_credentials_are_right(srs, simulator):
    refused = srs("login", SRS_PASSWORD="wrong")
    assert refused.returncode == 4
    assert refused.stderr.startswith("srs: auth.login on 127.0.0.1")
    assert refused.stderr.count("\n") == 1
    assert srs("login").stderr == "logged in\n"
    simulator.restart()
    assert srs("login", "-q").stderr == ""
    assert simulator.session_count == 1
    # The session that is kept does not stand in for a password that was typed, and stays.
    typed = srs("login", "--password-stdin", stdin="wrong\n")
    assert (typed.returncode, typed.stderr.count("\n")) == (4, 1)
    assert srs("login", "--password-stdin", stdin="sesame-7Qx\n").returncode == 0
    assert simulator.session_count == 1


def test_logout(srs):
    assert srs("logout").returncode == 0


def test_runspaces_are_listed_in_every_form(srs, simulator):
    first = simulator.add_runspace(name="nächtlich")
    second = simulator.add_runspace(
        name="broken", state="error", error_details={"code": 500, "error_message": "no pod"}
    )
    table = srs.ok("runspace", "ls").splitlines()
    assert table[0].split() == ["ID", "NAME", "STATE", "CREATED", "ERROR"]
    assert table[1].split()[:3] == [first, "nächtlich", "ready"]
    assert table[2].endswith("no pod")
    listed = json.loads(srs.ok("runspace", "ls", "-o", "json"))
    assert [runspace["id"] for runspace in listed] == [first, second]
    assert listed[1]["error_details"]["error_message"] == "no pod"
    assert listed[0]["creation_time"].endswith("+00:00")
    assert lines(srs.ok("runspace", "ls", "-o", "ndjson")) == listed
    assert yaml.safe_load(srs.ok("runspace", "ls", "-o", "yaml")) == listed
    assert srs.ok("-o", "name", "runspace", "ls") == f"{first}\n{second}\n"


def test_runspaces_are_filtered(srs, simulator):
    first = simulator.add_runspace(name="nightly-1")
    broken = simulator.add_runspace(name="nightly-2", state="error")
    simulator.add_runspace(name="other")
    assert srs.ok("runspace", "ls", "-o", "name", "--name", "nightly*").split() == [first, broken]
    assert srs.ok("runspace", "ls", "-o", "name", "--state", "error").split() == [broken]
    assert srs.ok("runspace", "ls", "-o", "name", "--older", "10m") == ""
    assert srs.ok("runspace", "ls", "-o", "name", "--older", "9999999d") == ""
    assert srs.ok("runspace", "ls", "-o", "name", "--older", "1ms").split()[:2] == [first, broken]


def test_a_runspace_is_found_by_id_and_by_name(srs, simulator):
    known = simulator.add_runspace(name="mine")
    by_name = srs.ok("runspace", "get", "mine", "-o", "json")
    assert srs.ok("runspace", "get", known, "-o", "json") == by_name
    assert json.loads(by_name)["id"] == known


def test_a_runspace_is_created_and_ready(srs, simulator):
    created = json.loads(srs.ok("runspace", "create", "mine", "--vcenter", "-o", "json"))
    assert (created["name"], created["state"]) == ("mine", "ready")
    assert list(simulator.runspaces) == [created["id"]]
    assert json.loads(srs.ok("runspace", "create", "--no-wait", "-o", "json"))["state"] == "creating"


def test_a_runspace_that_fails_is_not_kept(srs, simulator):
    simulator.fail_pod()
    assert srs("runspace", "create").returncode != 0
    refused = ScriptReply(records=[StreamMessage("error", "The server refused.")])
    simulator.on_script(lambda run: True, refused, system=True)
    unconnected = srs("runspace", "create", "--vcenter")
    assert unconnected.returncode == 1
    assert "is not connected to vCenter: The server refused." in unconnected.stderr
    assert not simulator.runspaces


def test_no_room_is_exit_code_5_and_can_be_waited_for(srs, simulator):
    simulator.fill_quota()
    assert srs("runspace", "create").returncode == 5
    refused = srs("runspace", "create", "--wait-quota", "100ms")
    assert refused.returncode == 5
    assert "--wait-quota" in refused.stderr


def test_runspaces_are_removed(srs, simulator):
    kept = simulator.add_runspace(name="kept")
    one, two, three = (simulator.add_runspace(name=name) for name in ("old", "nightly-1", "nightly-2"))
    asked = srs("runspace", "rm", "old")
    assert asked.returncode == 2
    assert asked.stderr.startswith("srs: --yes: ")
    shown = srs("runspace", "rm", "--name", "nightly*", "--dry-run", "-o", "name")
    assert (shown.returncode, shown.stdout.split()) == (0, [two, three])
    assert len(simulator.runspaces) == 4
    assert srs.ok("runspace", "rm", "--yes", "old", one, "old", "-o", "name").split() == [one]
    assert srs.ok("runspace", "rm", "-y", "--name", "nightly*", "-o", "name").split() == [two, three]
    assert list(simulator.runspaces) == [kept]
    assert srs.ok("runspace", "rm", "-y", "--all", "-o", "name").split() == [kept]


def test_removing_goes_on_after_a_failure(srs, simulator):
    first, second = (simulator.add_runspace(name=name) for name in ("a", "b"))
    simulator.fail_deletion()
    done = srs("runspace", "rm", "--yes", "--all", "-o", "name")
    assert done.returncode == 1
    assert done.stdout.split() == [second]
    assert first not in simulator.runspaces or "srs: " in done.stderr


def test_a_script_runs_and_leaves_nothing(srs, simulator):
    done = srs("--no-session", "run", "-c", "'héllo'; Write-Warning 'careful'; Write-Host 'by the way'")
    assert (done.returncode, done.stdout) == (0, "héllo\n")
    assert sorted(done.stderr.splitlines()) == ["by the way", "warning: careful"]
    assert not simulator.runspaces
    assert simulator.session_count == 0


def test_a_scripts_end_is_the_exit_code(srs, simulator):
    failed = srs("run", "-c", "throw 'no such VM'")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("srs: the script failed: ")
    partly = srs("run", "-c", "Write-Error 'half'; 7")
    assert (partly.returncode, partly.stdout) == (3, "7\n")
    assert partly.stderr == "error: half\nsrs: the script succeeded with errors\n"
    assert srs("run", "-c", "Write-Error 'half'; 7", "--no-streams").returncode == 0


@pytest.mark.parametrize("clock", [SystemClock()], ids=["real time"])
def test_a_script_that_takes_too_long_is_stopped(srs, simulator):
    simulator.on_script("forever", ScriptReply(duration=3000))
    simulator.add_runspace(name="here")
    done = srs("run", "-c", "forever", "--runspace", "here", "--timeout", "2s")
    assert done.returncode == 8
    assert done.stderr.count("\n") == 1
    assert "2 s" in done.stderr


@pytest.mark.parametrize("form", ["json", "ndjson", "yaml"])
def test_the_whole_result_as_data(srs, form):
    done = srs("run", "-c", "Write-Warning 'careful'; 7", "-o", form)
    result = yaml.safe_load(done.stdout) if form == "yaml" else json.loads(done.stdout)
    assert (result["outcome"], result["output"]) == ("succeeded", "7")
    assert result["warnings"][0]["message"] == "careful"
    assert result["execution"]["state"] == "success"
    assert done.stderr == ""


def test_values_as_json(srs):
    assert json.loads(srs.ok("run", "-c", "1; 'two'", "--format", "json")) == [1, "two"]
    raw = json.loads(srs.ok("run", "-c", "'two'", "--format", "raw"))
    assert raw[0]["type_name"] == "System.String"


def test_parameters_arrive(srs, simulator, tmp_path):
    (tmp_path / "text.txt").write_bytes("aus Datei".encode("utf-16"))
    done = srs(
        *("run", "-c", "param($A, $B, $C, $D) $A, $B, $C, $D", "--format", "json"),
        *("-p", "A=x=1", "-p", "B:=[1, 2]", "-p", "C=@text.txt", "--text", "D=@as it is"),
    )
    assert done.returncode == 0, done
    assert json.loads(done.stdout) == ["x=1", [1, 2], "aus Datei", "@as it is"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_script_from_a_file_and_from_standard_input(srs, tmp_path, encoding):
    content = "'grüß Gott'".encode(encoding)
    (tmp_path / "script.ps1").write_bytes(content)
    assert srs.ok("run", "script.ps1") == "grüß Gott\n"
    assert srs.ok("run", "-", stdin=content) == "grüß Gott\n"


def test_a_runspace_is_kept(srs, simulator):
    done = srs("run", "-c", "7", "--keep")
    assert done.stdout == "7\n"
    (kept,) = simulator.runspaces
    assert done.stderr == f"keeping runspace {kept}\n"
    again = srs.ok("run", "-c", "8", "--runspace", kept)
    assert again == "8\n"
    assert list(simulator.runspaces) == [kept]


def test_scripts_are_listed_and_looked_at(srs, simulator):
    srs("run", "-c", "'put out'")
    (listed,) = json.loads(srs.ok("script", "ls", "-o", "json"))
    assert listed["state"] == "success"
    assert srs.ok("script", "ls").splitlines()[1].startswith(listed["id"])
    assert json.loads(srs.ok("script", "get", listed["id"], "-o", "json")) == listed
    assert srs.ok("script", "output", listed["id"]) == "put out\n"
    assert json.loads(srs.ok("script", "output", listed["id"], "-o", "json")) == ["put out"]


def test_a_script_is_followed(srs, simulator):
    runspace = simulator.add_runspace(name="here")
    simulator.on_script("talk", ScriptReply(records=[StreamMessage("warning", "careful")]))
    srs("run", "-c", "talk", "--runspace", runspace)
    (talked,) = json.loads(srs.ok("script", "ls", "-o", "json"))
    followed = srs("follow", talked["id"])
    assert (followed.returncode, followed.stdout) == (0, "warning: careful\n")
    assert followed.stderr == "the script ended with state success\n"
    record = json.loads(srs("follow", talked["id"], "-o", "ndjson").stdout)
    assert (record["stream"], record["message"]) == ("warning", "careful")
    assert json.loads(srs("follow", talked["id"], "-o", "json", "-q").stdout) == [record]


def test_a_script_is_canceled(srs, server, simulator):
    simulator.on_script("forever", ScriptReply(duration=3000))
    runspace = simulator.add_runspace()
    with SrsClient(server.url, auth=BasicAuth("alice", "sesame-7Qx")) as client:
        running = client.script_executions.create(runspace, "forever").id
        canceled = json.loads(srs.ok("script", "cancel", "--wait", running, "-o", "json"))
        assert canceled["state"] == "canceled"
        asked = srs("script", "cancel", running)
        assert (asked.returncode, asked.stderr) == (0, "it was asked to stop\n")
        followed = srs("follow", running)
        assert followed.returncode == 1


def test_templates(srs):
    names = srs.ok("template", "ls", "-o", "name").split()
    assert len(names) == 33
    template = json.loads(srs.ok("template", "get", "vm-by-id-server-name", "-o", "json"))
    assert template["placeholders"] == ["id", "server"]
    rendered = srs.ok("template", "render", "vm-by-id-server-name", "-p", "id=vm-1", "-p", "server=vc'1")
    assert rendered == "Get-VM -Id 'vm-1' -Server 'vc''1'\n"
    script = srs.ok(
        "template", "render", "-o", "json", "vm-by-id-server-name", "-p", "id=a", "-p", "server=b"
    )
    assert json.loads(script)["script"].startswith("Get-VM")


def test_web_consoles(srs, simulator, server):
    created = json.loads(srs.ok("console", "create", "-o", "json"))
    assert created["url"] == f"{server.url}/{created['id']}"
    assert srs.ok("console", "ls", "-o", "name").split() == [created["id"]]
    assert created["url"] in srs.ok("console", "ls")
    assert srs("console", "rm", created["id"]).returncode == 2
    assert srs.ok("console", "rm", "--yes", created["id"], "-o", "name").split() == [created["id"]]
    assert simulator.web_console_count == 0


def test_an_error_of_the_service_is_a_line_and_its_exit_code(srs, server, nowhere):
    missing = srs("script", "get", "12345678-1234-1234-1234-123456789012")
    assert missing.returncode == 6
    assert missing.stderr.count("\n") == 1
    server.faults.add(Fault(operation="runspaces.list", status=500))
    assert srs("runspace", "ls").returncode == 1
    down = srs("about", "--url", nowhere, "--timeout", "1s")
    assert down.returncode == 7
    assert "Nothing was sent" in down.stderr
    told = srs("about", "--url", nowhere, "--timeout", "1s", "-v")
    assert told.stderr.startswith(down.stderr[:20])
    assert "Traceback" in srs("about", "--url", nowhere, "--timeout", "1s", "-vv").stderr
    server.faults.add(Fault(operation="about", delay=3000))
    assert srs("about", "--timeout", "2s").returncode == 8


def test_the_simulator_is_a_command(tmp_path):
    done = Shell(None, tmp_path)("simulator", "--hosts", "0")
    assert (done.returncode, done.stderr) == (2, "srs-simulator: --hosts must be 1 or more, not 0\n")


def test_commands_share_one_session(srs, simulator, server):
    created = srs.ok("runspace", "create", "mine", "-o", "name").strip()
    srs.ok("runspace", "ls")
    assert server.requests.count(("POST", "/api/auth/login")) == 1
    assert ("POST", "/api/auth/logout") not in server.requests
    assert simulator.session_count == 1
    assert list(simulator.runspaces) == [created]
    assert srs("logout").returncode == 0
    assert simulator.session_count == 0


def test_a_session_of_its_own_ends_with_the_command(srs, simulator, server):
    srs.ok("--no-session", "runspace", "ls")
    assert simulator.session_count == 0
    srs.ok("runspace", "ls", SRS_API_KEY=login(server), without=("SRS_PASSWORD",))
    assert simulator.session_count == 1


def login(server):
    response = httpx.post(f"{server.url}/api/auth/login", auth=("alice", "sesame-7Qx"))
    return response.headers["x-srs-api-key"]


def test_a_password_comes_from_standard_input_or_a_file(srs, tmp_path):
    assert srs("login", "--password-stdin", stdin="sesame-7Qx\n", without=("SRS_PASSWORD",)).returncode == 0
    (tmp_path / "password").write_text("sesame-7Qx\n")
    (tmp_path / "password").chmod(0o600)
    words = ("login", "--no-session", "--username", "bob")
    assert srs(*words, SRS_PASSWORD_FILE="password", without=("SRS_PASSWORD",)).returncode == 0
    refused = srs("login", "--no-session", "--password-stdin", stdin="wrong\n")
    assert refused.returncode == 4
    assert "wrong" not in refused.stderr
    garbled = srs("about", "--password-stdin", stdin=b"\xff\n")
    assert (garbled.returncode, garbled.stdout) == (2, "")
    assert garbled.stderr == "srs: --password-stdin: it is not utf-8\n"


def test_a_profile_names_the_service(srs, server, tmp_path):
    config = tmp_path / ".config" / "srs" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[profiles.lab]\nurl = "{server.url}"\nusername = "bob"\npassword = "sesame-7Qx"\n')
    config.chmod(0o600)
    done = Shell(None, tmp_path)("runspace", "ls", "--profile", "lab", XDG_CONFIG_HOME=str(config.parents[1]))
    assert done.returncode == 0, done


def test_a_certificate_is_shown_pinned_and_trusted(simulator, tmp_path):
    pytest.importorskip("cryptography", reason="the simulator's certificate is made with it")
    with SimServer(simulator, tls=True) as server:
        srs = Shell(server.url, tmp_path)
        untrusted = srs("runspace", "ls")
        assert untrusted.returncode == 4
        assert "srs cert --pin" in untrusted.stderr
        assert (
            f"with this line in a known-hosts file: {server.url.removeprefix('https://')} "
            in untrusted.stderr
        )
        shown = json.loads(srs.ok("cert", "-o", "json"))
        assert shown["subject"] == shown["issuer"]
        assert shown["pem"].startswith("-----BEGIN CERTIFICATE-----")
        assert "BEGIN" not in srs.ok("cert")
        assert srs("cert", "--pin").returncode == 2
        assert srs("runspace", "ls").returncode == 4
        pinned = srs("cert", "--pin", "--yes", "-o", "name")
        assert (pinned.returncode, pinned.stdout) == (0, f"{shown['sha256']}\n")
        assert pinned.stderr.startswith("it is trusted by ")
        srs.ok("runspace", "ls")
        other = Shell(server.url, tmp_path / "other")
        other.home.mkdir()
        other.ok("runspace", "ls", "--thumbprint", shown["sha1"])
        other.ok("runspace", "ls", "--ca-file", server.ca_file)
        warned = other("runspace", "ls", "--insecure", "--no-session", options=())
        assert warned.returncode == 4
        assert warned.stderr.startswith("srs: warning: the certificate of 127.0.0.1")
        assert "pin the certificate with `srs cert --pin`; or give --insecure twice." in warned.stderr
        trusting = other("runspace", "ls", "--insecure", "--insecure", "--no-session", options=())
        assert trusting.returncode == 0


#: Without what Windows lacks.
WINDOWS = (*STRICT, "-m", "tests.without_posix")


def test_it_runs_where_the_system_is_windows(srs, simulator):
    simulator.add_runspace(name="here")
    # The session file looks at the system's real name.
    assert "here" in srs.ok("--no-session", "runspace", "ls", options=WINDOWS)
    assert srs.ok("--no-session", "run", "-c", "7", options=WINDOWS) == "7\n"
    (srs.home / "hosts.csv").write_text(f"name,url\none,{srs.url}\n")
    polled = json.loads(srs.ok("fleet", "poll", "-f", "hosts.csv", "-o", "json", options=WINDOWS))
    assert [runspace["name"] for runspace in polled[0]["runspaces"]] == ["here"]
    run = json.loads(srs.ok("fleet", "run", "-f", "hosts.csv", "-c", "7", "-o", "json", options=WINDOWS))
    assert run[0]["result"]["output"] == "7"


#: What no command needs that only asks the service something.
UNUSED = (
    *("asyncio", "anyio.lowlevel", "anyio.to_thread", "subprocess", "tomllib", "html"),
    *("rich", "click", "pygments", "distributed", "cyclopts.completion", "cyclopts.help"),
    *("srs_vsphere._async", "srs_vsphere.simulator", "srs_vsphere.fleet", "srs_vsphere.events"),
    *("srs_vsphere.sign_auth", "srs_vsphere.results", "srs_vsphere.parameters", "srs_vsphere._codec.clixml"),
    *("srs_vsphere._sync.script_r", "srs_vsphere._sync.script_e", "srs_vsphere._sync.web_consoles"),
)


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (["--help"], ("httpx", "srs_vsphere._", "srs_vsphere.simulator", "srs_vsphere.fleet")),
        (["runspace", "ls", "--help"], ("httpx", "srs_vsphere._sync", "srs_vsphere.fleet")),
        (["about"], UNUSED),
        (["runspace", "ls"], UNUSED),
        (["--no-session", "runspace", "ls", "-o", "json"], tuple(set(UNUSED) - {"srs_vsphere.events"})),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_what_it_needs(srs, simulator, words, unused):
    """Starting is most of what a short command takes; this counts what is loaded, since times differ."""
    simulator.add_runspace()
    srs.ok("runspace", "ls")
    code = f"""
import sys
from srs_vsphere.cli.main import main
main({words!r})
print(*(name for name in sys.modules if name.startswith({unused!r})), file=sys.stderr)
"""
    # What measures coverage would load modules of its own.
    environment = {name: value for name, value in srs.environment().items() if "COVERAGE" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=srs.home, capture_output=True, text=True
    )
    assert done.returncode == 0, done
    loaded = done.stderr.splitlines()[-1].split()
    assert set(loaded) <= {"srs_vsphere._version", "srs_vsphere._lazy_names"}
