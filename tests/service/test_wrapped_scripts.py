"""The user's script travels whole inside one of ours, and ours are the tried ones."""

import json
import subprocess
import sys
import zipfile

import pytest
from psrpcore.types import deserialize_clixml

from srs_vsphere._service.service_scripts import service_script
from srs_vsphere._service.wrapped_scripts import as_text, as_values, rest_of
from srs_vsphere.models import Switch
from tests.recorded_exchanges import ROOT, shared_file

NAMES = ["argument-script", "parameter-value", "structured-output", "structured-rest", "text-output"]


@pytest.mark.parametrize("name", NAMES)
def test_the_scripts_are_the_tried_ones(name):
    assert service_script(name).split() == shared_file(f"api/{name}.ps1").read_text("utf-8").split()


def test_what_is_sent_is_what_was_recorded():
    exchanges = json.loads(shared_file("api/recorded-results.json").read_text())["exchanges"]
    recorded = {}
    for exchange in exchanges:
        body = json.loads(exchange["request"]["body"] or "null")
        if body and "script" in body:
            recorded[exchange["label"]] = body
    sent = as_values("if (", None, 1, "run-1")
    body = recorded["syntax error: start"]
    assert sent.script.strip() == body["script"].strip()
    assert sent.parameters == body["script_parameters"]
    assert rest_of("run-1").strip() == recorded["syntax error, the rest: start"]["script"].strip()
    text = as_text("1; throw 'boom'", None, 4096)
    body = recorded["text, throw: start"]
    assert (text.script.strip(), text.parameters, text.run) == (
        body["script"].strip(),
        body["script_parameters"],
        None,
    )


def test_the_users_script_travels_as_a_parameter():
    for sent in (
        as_values("param($a) $a", {"a": 1, "f": Switch()}, 5, "run-1"),
        as_text("param($a) $a", {"a": 1, "f": Switch()}, 120),
    ):
        assert sent.parameters == [
            {"name": "__s", "value": "param($a) $a"},
            {"name": "a", "value": 1},
            {"name": "f"},
        ]
        assert not {"DEPTH", "RUN", "WIDTH"} & set(sent.script.replace("'", " ").split())
    assert " 64 5 }" in as_values("1", None, 5, "run-1").script
    assert "-Width 120\n" in as_text("1", None, 120).script


def test_the_rest_is_asked_for_by_the_name_of_the_run():
    assert "'run-1'" in as_values("1", None, 1, "run-1").script
    assert "'run-1'" in rest_of("run-1")


def test_a_script_that_looks_like_a_date_travels_as_clixml():
    (script,) = as_values("2020-01-02T03:04:05Z", None, 1, "run-1").parameters
    assert script["script"] == service_script("parameter-value")
    assert deserialize_clixml(script["value"], None) == ["2020-01-02T03:04:05Z"]


def test_no_try_stands_around_the_users_script():
    # In PowerShell a try reaches into what it calls and would end scripts that survive their own errors.
    for script in (as_values("1", None, 1, "run-1").script, as_text("1", None, 80).script):
        assert "try" not in script[script.index(". $__srs.script") :]


def test_the_wheel_contains_the_scripts(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"srs_vsphere/_service/scripts/{name}.ps1" for name in NAMES} <= names
