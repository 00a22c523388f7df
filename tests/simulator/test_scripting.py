"""Replies that a test registers for scripts, and what scripts get as their parameters."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

import pytest

from srs_vsphere._codec.structured_output import structured as read_values
from srs_vsphere._service.wrapped_scripts import as_values, rest_of
from srs_vsphere.parameters import request_parameters
from srs_vsphere.simulator import ScriptCall, ScriptReply, Simulator, StreamMessage, VirtualClock
from tests.simulator.calling import Caller, ready_runspace

ECHO = "param($p) if ($null -eq $p) {'<null>'} else { \"$($p.GetType().FullName)|$($p -join ',')\" }"


def run(caller, runspace, script, **members):
    """Run a script to its end and return the execution and its output."""
    execution = caller.finish(caller.run(runspace, script, **members))
    caller.simulator.clock.advance(1)
    return execution, caller.output(execution["id"])


@pytest.mark.parametrize(
    "match", ["Get-VM", re.compile("get-(vm|vmhost)", re.IGNORECASE), lambda call: call.name == "n"]
)
def test_a_reply_is_found_by_text_by_pattern_or_by_a_question(alice, runspace, match):
    alice.simulator.on_script(match, ScriptReply(output=["vm-1", 2]))

    assert run(alice, runspace, " Get-VM\n", name="n")[1] == ["vm-1\n2"]
    assert run(alice, runspace, "'other'", name="m")[1] == ["other"]


def test_the_newest_behaviour_that_matches_counts(alice, runspace):
    alice.simulator.on_script("Get-VM", ScriptReply(output=["old"]))
    new = alice.simulator.on_script(re.compile("Get"), ScriptReply(output=["new"]))

    assert run(alice, runspace, "Get-VM")[1] == ["new"]
    new.remove()
    assert run(alice, runspace, "Get-VM")[1] == ["old"]


def test_a_reply_takes_its_time_and_writes_its_records(alice, runspace):
    alice.simulator.on_script(
        "work",
        ScriptReply(
            output=[{"Name": "vm-1"}],
            records=[
                StreamMessage("warning", "slow", at=1),
                StreamMessage("error", " "),
                StreamMessage("error", "e"),
            ],
            duration=10,
        ),
    )
    execution = alice.run(runspace, "work", output_objects_format="json")
    alice.simulator.clock.advance(9)
    assert alice.get(f"/api/script-executions/{execution}")[1]["state"] == "running"
    assert alice.messages(execution, "warning") == ["slow"]
    assert alice.messages(execution, "error") == ["e"]

    found = alice.finish(execution)

    start, end = (datetime.fromisoformat(found[name]) for name in ("start_time", "end_time"))
    assert (end - start).total_seconds() == pytest.approx(10.01)
    [document] = map(json.loads, alice.output(execution))
    assert document["Value"] == {"Name": "vm-1"}


@pytest.mark.parametrize(
    ("reply", "state", "reason"),
    [
        (
            ScriptReply(state="error", reason="boom"),
            "error",
            "System.Management.Automation.RuntimeException: boom\n",
        ),
        (ScriptReply(state="error", reason="My.Exception: boom"), "error", "My.Exception: boom\n"),
        (ScriptReply(state="error"), "error", "System.Management.Automation.RuntimeException: "),
        (
            ScriptReply(state="canceled"),
            "canceled",
            "System.Management.Automation.PipelineStoppedException: ",
        ),
        (ScriptReply(state="canceled", reason="enough"), "canceled", "enough"),
    ],
)
def test_a_reply_says_how_the_script_ends(alice, runspace, reply, state, reason):
    alice.simulator.on_script("work", reply)

    execution, output = run(alice, runspace, "work")

    assert (execution["state"], output) == (state, [""])
    assert execution["reason"].startswith(reason)


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (ScriptReply, {"state": "ready"}),
        (ScriptReply, {"duration": -1}),
        (StreamMessage, {"stream": "progress", "message": "m"}),
        (StreamMessage, {"stream": "error", "message": "m", "at": -1}),
    ],
)
def test_a_reply_that_cannot_be_is_refused(kind, members):
    with pytest.raises(ValueError, match="|".join(members)):
        kind(**members)


def test_a_reply_may_be_made_for_each_script(alice, runspace):
    calls = []

    def reply(call: ScriptCall) -> ScriptReply:
        calls.append(call)
        return ScriptReply(output=[call.parameters["n"] + 1])

    alice.simulator.on_script("add", reply)
    parameters = [{"name": "n", "value": 41}]

    assert run(alice, runspace, "add", name="x", script_parameters=parameters)[1] == ["42"]
    assert calls == [
        ScriptCall(
            script="add",
            parameters={"n": 41},
            name="x",
            user="alice@VSPHERE.LOCAL",
            runspace_id=runspace,
            output_objects_format="text",
        )
    ]


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("x", "x"),
        (2.5, 2.5),
        (False, False),
        (None, True),
        ([], True),
        ([[1, 2], 3], [1, 2]),
        ([None], True),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
        ("2020-01-02T03:04:05Z", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-13-02T03:04:05Z", "2020-13-02T03:04:05Z"),
        ({"d": "2020-01-02T03:04:05Z"}, {"d": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)}),
    ],
)
def test_parameters_arrive_as_the_service_hands_them_on(alice, runspace, value, got):
    calls = []
    alice.simulator.on_script("show", lambda call: calls.append(call) or ScriptReply())

    run(alice, runspace, "show", script_parameters=[{"name": "p", "value": value}])

    [call] = calls
    assert call.parameters == {"p": got}


@pytest.mark.parametrize(
    "value", [[1, 2], [], "2020-01-02T03:04:05Z", {"a": [None, {"b": "ü\n"}]}, [[]], b"\0\1"]
)
def test_carried_values_arrive_as_they_are(alice, runspace, value):
    calls = []
    alice.simulator.on_script("show", lambda call: calls.append(call) or ScriptReply())

    run(alice, runspace, "show", script_parameters=request_parameters({"p": value}))

    [call] = calls
    assert call.parameters == {"p": value}


def test_a_carrier_that_cannot_be_read_fails_the_script(alice, runspace):
    [parameter] = request_parameters({"p": [1]})

    execution, _ = run(alice, runspace, "1", script_parameters=[parameter | {"value": "<Objs"}])

    assert execution["state"] == "error"
    assert 'Exception calling "Deserialize"' in execution["reason"]


def test_a_parameter_script_may_be_answered_too(alice, runspace):
    reply = ScriptReply(output=["vm-1", "vm-2"], duration=2)
    alice.simulator.on_script(re.compile(r"^Get-VM -Id"), reply, parameter_scripts=True)
    parameters = [{"name": "vm", "script": "Get-VM -Id 'vm-1','vm-2' -Server 's'"}]

    execution = alice.run(runspace, "param($vm) $vm.Count", script_parameters=parameters)
    alice.simulator.clock.advance(1.9)
    assert alice.get(f"/api/script-executions/{execution}")[1]["state"] == "running"

    alice.finish(execution)
    assert alice.output(execution) == ["2"]


def test_a_parameter_script_that_fails_fails_the_script(alice, runspace):
    alice.simulator.on_script("lookup", ScriptReply(state="error", reason="no such object"))
    parameters = [{"name": "vm", "script": "lookup"}]

    execution, output = run(alice, runspace, "'never'", script_parameters=parameters)

    assert (execution["state"], output) == ("error", [""])
    # The service's own spelling.
    assert execution["reason"].startswith(
        "An error occurred durgin execution of argument transformation for parameter 'vm': "
        "System.Management.Automation.RuntimeException: no such object\n"
    )


def test_what_is_not_understood_fails_and_says_how_to_register_it(alice, runspace):
    alice.simulator.on_script("Get-VM", ScriptReply())
    alice.simulator.on_script(re.compile("Get-Data.*"), ScriptReply())

    execution, output = run(alice, runspace, "$x = 1\nWrite-Warning 'w'\nGet-VMHost | Measure-Object\n")

    assert (execution["state"], output) == ("error", [""])
    reason = execution["reason"]
    assert reason.startswith("simulator: line 3: the command Get-VMHost is not understood")
    assert "(registered: the pattern 'Get-Data.*', 'Get-VM')" in reason
    assert "simulator.on_script(" in reason
    assert alice.simulator.refusals == (reason,)


@pytest.mark.parametrize(
    "script",
    [
        "$x = 1; Write-Warning 'w'; 'out'; Start-Sleep 5; 'x'.ToUpper()",
        "$x = 1; Write-Error 'e'; 1/0; 'out'; foreach ($i in 1..3) { $i; if ($i -eq 2) { $i.Nonsense } }",
    ],
)
@pytest.mark.parametrize("format", ["text", "json"])
def test_a_script_that_turns_out_not_to_be_understood_has_no_effects(alice, runspace, script, format):
    execution, output = run(alice, runspace, script, output_objects_format=format)

    assert execution["state"] == "error"
    assert execution["reason"].startswith("simulator: line 1: .")
    assert output == ([""] if format == "text" else [])
    for stream in ("warning", "error"):
        assert alice.messages(execution["id"], stream) == []
    start, end = (datetime.fromisoformat(execution[name]) for name in ("start_time", "end_time"))
    assert (end - start).total_seconds() < 1
    assert run(alice, runspace, '"<$x>"')[1] == ["<>"]


def test_a_parameter_script_that_is_not_understood_fails_the_script(alice, runspace):
    parameters = [{"name": "vm", "script": "Get-VM -Id 'x'"}]

    execution, _ = run(alice, runspace, "'ran'", script_parameters=parameters)

    assert execution["state"] == "error"
    assert "the command Get-VM (in the script of the parameter vm) is not understood" in execution["reason"]


def test_an_unknown_command_is_what_it_is_in_powershell(alice, runspace):
    execution, output = run(alice, runspace, "No-Such-Command -x 1; 'on'")

    assert (execution["state"], output) == ("success", ["on"])
    [message] = alice.messages(execution["id"], "error")
    assert message.startswith("The term 'No-Such-Command' is not recognized as a name of a cmdlet")


def test_what_is_not_understood_succeeds_without_output_if_asked_for(caplog):
    simulator = Simulator(clock=VirtualClock(), unknown_scripts="succeed")
    alice = Caller(simulator)
    runspace = ready_runspace(alice)
    parameters = [{"name": "vm", "script": "Get-VM -Id 'x'"}]
    with caplog.at_level(logging.WARNING, logger="srs_vsphere.simulator"):
        execution, output = run(
            alice, runspace, "'a'; Get-VMHost | Measure-Object", script_parameters=parameters
        )

    assert (execution["state"], output, simulator.refusals) == ("success", [""], ())
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == 2
    assert logged[0].startswith("parameter script not recognised")
    assert logged[1].endswith("Get-VMHost | Measure-Object")


def test_there_are_two_ways_with_unknown_scripts():
    with pytest.raises(ValueError, match="unknown_scripts must be 'fail' or 'succeed', not 'ignore'"):
        Simulator(unknown_scripts="ignore")


def structured(caller, runspace, script, parameters=None):
    """Run a script as the client does for structured output."""
    sent = as_values(script, parameters, 1, "run-1")
    members = {"script_parameters": sent.parameters, "output_objects_format": "json"}
    execution, output = run(caller, runspace, sent.script, **members)
    read = read_values(output)
    if read.ended:
        return execution, read.values
    _, rest = run(caller, runspace, rest_of("run-1"), output_objects_format="json")
    return execution, read.values + read_values(rest).values


def test_a_wrapped_script_is_answered_as_itself(alice, runspace):
    calls = []

    def reply(call: ScriptCall) -> ScriptReply:
        calls.append(call)
        return ScriptReply(output=[{"Name": "vm-1", "Disks": [{"Gb": 40}]}, [1, [2]], None, "x"])

    alice.simulator.on_script("Get-VM -Name $name", reply)

    execution, values = structured(alice, runspace, "Get-VM -Name $name", {"name": ["a", "b"]})

    assert execution["state"] == "success"
    assert values == [{"Name": "vm-1", "Disks": [{"Gb": 40}]}, [1, [2]], None, "x"]
    assert [call.parameters for call in calls] == [{"name": ["a", "b"]}]


@pytest.mark.parametrize(
    ("script", "values"),
    [
        ("param($p) $p", [1, 2]),
        ("param($p) ,$p", [[1, 2]]),
        ("@{a=@{b=@(1,$null)}}; $null; 'x'", [{"a": {"b": [1, None]}}, None, "x"]),
        ("5l; 1e3; $true", [5, 1000.0, True]),
    ],
)
def test_a_wrapped_script_that_is_understood_runs(alice, runspace, script, values):
    assert structured(alice, runspace, script, {"p": [1, 2]})[1] == values


def test_a_wrapped_script_that_throws_keeps_what_it_had(alice, runspace):
    execution, values = structured(alice, runspace, "'before'; throw 'boom'")

    assert (execution["state"], values) == ("error", ["before"])
    assert structured(alice, runspace, "if (")[0]["state"] == "error"


def test_variables_stay_in_their_runspace(alice, runspace):
    other = ready_runspace(alice)
    run(alice, runspace, "$global:z = 42")

    assert run(alice, runspace, "$z")[1] == ["42"]
    assert run(alice, other, "$z")[1] == [""]


def test_the_type_of_a_parameter_stays_with_its_variable(alice, runspace):
    run(alice, runspace, "param([int]$n) $n", script_parameters=[{"name": "n", "value": 5}])

    assert run(alice, runspace, "$n")[1] == ["5"]
    assert run(alice, runspace, "$n = 'x'")[0]["reason"].startswith("simulator: line 1: an assignment to")
    assert run(alice, runspace, "param($n) $n = 'x'; $n")[1] == ["x"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "System.Int64|5"),
        (2**70, "System.Numerics.BigInteger|1180591620717411303424"),
        (2.0, "System.Double|2"),
        ("", "System.String|"),
        ({"a": 1, "b": {"c": 2}}, "System.Management.Automation.PSCustomObject|@{a=1; b=}"),
        ("2020-01-02T03:04:05Z", "System.DateTime|01/02/2020 03:04:05"),
    ],
)
def test_values_have_the_types_that_they_have_there(alice, runspace, value, text):
    assert run(alice, runspace, ECHO, script_parameters=[{"name": "p", "value": value}])[1] == [text]
