"""The project's own scripts around a user's script: the simulator does what they do on the real engine."""

from __future__ import annotations

import json

import pytest

from srs_vsphere._service.service_scripts import service_script
from srs_vsphere.simulator import ScriptReply, Simulator, StreamMessage, VirtualClock
from srs_vsphere.simulator.objects.values import EnumValue, PSCredential, SecureString
from tests.recorded_exchanges import shared_file
from tests.simulator.calling import Caller, ready_runspace
from tests.simulator.replaying import Replay, body_of

NOT_FOUND = "Cannot find path '/nosuch' because it does not exist."
#: What the script for structured output writes where objects were made for people.
FORMATTED = (
    "Format-Table, Format-List and their like make text for people. Their output is left out: take "
    'output="text", or Select-Object instead.'
)
#: What the simulator does not understand itself; a list stands for what comes out.
REGISTERED = {
    "1\nGet-Item /nosuch\n2": ScriptReply(output=[1, 2], records=[StreamMessage("error", NOT_FOUND)]),
    "try { 1/0 } catch { 'handled' }; Write-Error 'bad'; 3": ScriptReply(
        output=["handled", 3], records=[StreamMessage("error", "bad")]
    ),
    "param([System.Collections.Generic.List[string]]$p) $p.Count; $p": lambda call: ScriptReply(
        output=[len(call.parameters["p"]), *call.parameters["p"]]
    ),
    "param([securestring]$p) $p.Length; [pscredential]::new('u',$p).GetNetworkCredential().Password": (
        lambda call: ScriptReply(output=[len(call.parameters["p"].secret), call.parameters["p"].secret])
    ),
    "param([pscredential]$p) $p.UserName; $p.GetNetworkCredential().Password": lambda call: ScriptReply(
        output=[call.parameters["p"].user_name, call.parameters["p"].password.secret]
    ),
    "1; 'two'; $null; @{a=1;b=@(1,@{c=$true})}; [System.DayOfWeek]::Friday": ScriptReply(
        output=[1, "two", None, {"a": 1, "b": [1, {"c": True}]}, EnumValue("System.DayOfWeek", "Friday", 5)]
    ),
    "[pscustomobject]@{A=1} | Format-Table; 5": ScriptReply(
        output=[5], records=[StreamMessage("warning", FORMATTED)]
    ),
    "[pscustomobject]@{A='x'*60;B='y'*60;C='z'*60} | Format-Table": ScriptReply(
        output=[{"A": "x" * 60, "B": "y" * 60, "C": "z" * 60}]
    ),
    "Get-Process -Name nosuch -ErrorAction SilentlyContinue": ScriptReply(),
}


class ResultsReplay(Replay):
    """Compares what comes back through the scripts as values: where they are cut is a matter of time."""

    def compare(self, exchange, reply):
        theirs, ours = exchange["response"]["body"] or "", body_of(reply)
        if not exchange["request"]["path"].endswith("/output") or "TypeName" not in theirs + ours:
            return super().compare(exchange, reply)
        theirs, ours = result_of(json.loads(theirs)), result_of(json.loads(ours))
        if (
            theirs[1] is not None
            and ours[1] is not None
            and exchange["label"].startswith(("an error", "a handled"))
        ):
            # A behaviour does not know what else PowerShell keeps of an error.
            theirs, ours = ((found[0], found[1][-1]["message"]) for found in (theirs, ours))
        return [] if theirs == ours else [f"{ours} instead of {theirs}"]


def result_of(documents):
    """Return the values of some documents, and the errors if they came to the end."""
    values, errors = [], None
    for document in map(json.loads, documents):
        part = json.loads(document["Value"])
        values += part if isinstance(part, list) else part["end"]
        errors = errors if isinstance(part, list) else part["errors"]
    return values, errors


def test_the_scripts_do_what_they_did_on_the_real_engine():
    exchanges = json.loads(shared_file("api/recorded-results.json").read_text("utf-8"))["exchanges"]
    clock = VirtualClock()
    simulator = Simulator(users={"alice": "secret"}, clock=clock, seed=1)
    for script, reply in REGISTERED.items():
        simulator.on_script(script, reply)
    replay = ResultsReplay(simulator, clock)

    replay.play(exchanges)

    # That engine stood behind a gateway that names its runspaces in a way of its own.
    [difference] = replay.differences.pop("create")
    assert "does not look like" in difference
    assert replay.differences == {}
    assert simulator.refusals == ()
    simulator.assert_all_used()


class Runner:
    """Runs scripts through the project's own, in one runspace."""

    def __init__(self, alice, runspace):
        self.alice = alice
        self.runspace = runspace

    def run(self, script, *, name="run-1", depth=1, parameters=(), cancel_after=None):
        text = service_script("structured-output").replace("DEPTH", str(depth)).replace("RUN", name)
        sent = [{"name": "__s", "value": script}, *parameters]
        id = self.alice.run(self.runspace, text, script_parameters=sent, output_objects_format="json")
        if cancel_after is not None:
            self.alice.simulator.clock.advance(cancel_after)
            self.alice.call("POST", f"/api/script-executions/{id}/cancel")
        return self._finished(id)

    def rest(self, name="run-1"):
        script = service_script("structured-rest").replace("RUN", name)
        return self._finished(self.alice.run(self.runspace, script, output_objects_format="json"))

    def text(self, script, width):
        script_ = service_script("text-output").replace("WIDTH", str(width))
        execution = self.alice.run(
            self.runspace, script_, script_parameters=[{"name": "__s", "value": script}]
        )
        return self._done(execution), self.alice.output(execution)

    def _done(self, id):
        execution = self.alice.finish(id)
        self.alice.simulator.clock.advance(1)
        return execution

    def _finished(self, id):
        execution = self._done(id)
        return execution, *result_of(self.alice.output(id))


@pytest.fixture
def runner(alice, runspace):
    return Runner(alice, runspace)


def test_values_are_put_out_together_for_a_tenth_of_a_second(runner):
    script = "1; Start-Sleep -Milliseconds 50; 2; Start-Sleep -Milliseconds 60; 3; 4; 1..600"

    execution, values, errors = runner.run(script)

    assert (execution["state"], values, errors) == ("success", [1, 2, 3, 4, *range(1, 601)], [])
    parts = [json.loads(json.loads(text)["Value"]) for text in runner.alice.output(execution["id"])]
    assert [len(part) for part in parts] == [3, 500, 2]
    assert len(parts[-1]["end"]) == 101


def test_a_cancelled_script_tells_the_rest_once(runner):
    script = "1; Start-Sleep 1; 2; 3; Write-Error 'e'; Start-Sleep 60; 4"

    execution, values, errors = runner.run(script, cancel_after=2)

    assert (execution["state"], values, errors) == ("canceled", [1, 2], None)
    _, values, errors = runner.rest()
    assert (values, [error["message"] for error in errors]) == ([3], ["e"])
    assert runner.rest()[1:] == ([], None)


@pytest.mark.parametrize("script", ["'a'; exit 3", "'a'; break; 'b'", "'a'; throw 'boom'"])
def test_a_script_that_does_not_come_to_its_end_tells_the_rest(runner, script):
    _, values, errors = runner.run(script)
    assert (values, errors) == ([], None)

    assert runner.rest("another")[1:] == ([], None)
    assert runner.rest()[1] == ["a"]


def test_a_script_in_between_does_not_lose_the_rest(runner):
    runner.run("'a'; throw 'boom'")
    runner.text("'between'", 80)

    assert runner.rest()[1] == ["a"]


def test_the_rest_is_of_the_last_run_only(runner):
    runner.run("'a'; throw 'boom'")
    runner.run("if (")

    assert runner.rest()[1:] == ([], None)


def test_errors_are_told_with_all_that_powershell_knows(runner):
    script = "Write-Error 'silent' -ErrorAction SilentlyContinue\n\n1/0\nNo-Such-Thing\n'on'"

    execution, values, errors = runner.run(script)

    assert (execution["state"], values) == ("success", ["on"])
    assert [(error["id"], error["category"], error["target"]) for error in errors] == [
        ("Microsoft.PowerShell.Commands.WriteErrorException", "NotSpecified", ""),
        ("RuntimeException", "NotSpecified", ""),
        ("CommandNotFoundException", "ObjectNotFound", "No-Such-Thing"),
    ]
    assert [error["trace"].split("\n")[0] for error in errors] == [
        f"at <ScriptBlock>, <No file>: line {line}" for line in (1, 3, 4)
    ]
    assert len(runner.alice.messages(execution["id"], "error")) == 2


def test_a_wrapped_script_that_is_not_understood_fails_without_effects(runner):
    execution, values, errors = runner.run("'a'; $x = 1; Get-VM")

    assert execution["state"] == "error"
    assert execution["reason"].startswith("simulator: line 1: the command Get-VM is not understood")
    assert (values, errors) == ([], None)
    assert runner.rest()[1:] == ([], None)


def test_a_wrapped_script_that_is_not_understood_succeeds_if_asked_for():
    alice = Caller(Simulator(clock=VirtualClock(), unknown_scripts="succeed"))
    runner = Runner(alice, ready_runspace(alice))

    execution, values, errors = runner.run("'a'; Get-VM", parameters=[{"name": "p", "value": 1}])

    assert (execution["state"], values, errors) == ("success", [], [])


def test_a_behaviour_sees_the_script_inside_and_its_parameters(runner):
    machines = runner.alice.simulator.on_script(
        "Get-VM -Name $n", ScriptReply(output=[{"Name": "a", "Disks": [{"Gb": 1.5}]}, None, [1]])
    )

    _, values, errors = runner.run("Get-VM -Name $n", parameters=[{"name": "n", "value": "a"}])

    assert (values, errors) == ([{"Name": "a", "Disks": [{"Gb": 1.5}]}, None, [1]], [])
    [call] = machines.calls
    assert (call.script, call.parameters) == ("Get-VM -Name $n", {"n": "a"})


def test_a_behaviour_that_fails_is_among_the_errors_of_the_rest(runner):
    reply = ScriptReply(state="error", reason="no rights", records=[StreamMessage("error", "before")])
    runner.alice.simulator.on_script("Get-VM", reply)

    runner.run("Get-VM")

    _, values, errors = runner.rest()
    assert (values, [error["message"] for error in errors]) == ([], ["before", "no rights"])


@pytest.mark.parametrize(("width", "columns"), [(80, "A B"), (400, "A B C")])
def test_text_is_as_wide_as_asked(runner, width, columns):
    script = "[pscustomobject]@{A='x'*60;B='y'*60;C='z'*60}"

    execution, [text] = runner.text(script, width)

    assert execution["state"] == "success"
    assert text.split("\n")[0].split() == columns.split()


def test_an_argument_script_that_finds_nothing_fails_the_script(alice, runspace):
    alice.simulator.on_script(
        "Get-VM -Id 'x'", replies=[ScriptReply(output=[None]), ScriptReply(output=["vm"])]
    )
    script = service_script("argument-script").replace("SCRIPT", "Get-VM -Id 'x'")
    parameters = [{"name": "vm", "script": script}]

    failed = alice.finish(alice.run(runspace, "'ran'", script_parameters=parameters))
    alice.simulator.clock.advance(1)
    found = alice.run(runspace, "param($vm) $vm", script_parameters=parameters)

    assert failed["state"] == "error"
    assert (
        "System.Management.Automation.RuntimeException: the argument script found nothing" in failed["reason"]
    )
    alice.finish(found)
    assert alice.output(found) == ["vm"]


def carried(element):
    return f'<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">{element}</Objs>'


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ('<Obj RefId="0"><LST><Obj RefId="1"><LST><I32>1</I32></LST></Obj></LST></Obj>', [[1]]),
        ("<SS>7000e4003500</SS>", SecureString("pä5")),
        (
            '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCredential</T></TN><Props>'
            '<S N="UserName">u</S><SS N="Password">7000</SS></Props></Obj>',
            PSCredential("u", SecureString("p")),
        ),
    ],
)
def test_carried_values_become_arrays_and_secrets(alice, runspace, element, value):
    behaviour = alice.simulator.on_script("note", ScriptReply())
    parameter = {"name": "p", "value": carried(element), "script": service_script("parameter-value")}

    alice.run(runspace, "note", script_parameters=[parameter])

    [call] = behaviour.calls
    assert call.parameters == {"p": value}
    assert type(call.parameters["p"]) is type(value)
    assert "pä5" not in repr(call)
