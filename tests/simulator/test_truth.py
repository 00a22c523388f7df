"""Small scripts of which a real engine's results are known: each is right here or refused, none is wrong."""

from __future__ import annotations

import json
from collections import Counter

from srs_vsphere._service.service_scripts import service_script
from tests.recorded_exchanges import shared_file
from tests.simulator.calling import Caller, ready_runspace, simulated
from tests.simulator.test_service_scripts import result_of

OUTCOMES = {"success": "succeeded", "error": "failed"}
#: The records of these streams are compared; the truth has the first lines of errors only.
STREAMS = {"error": "errors", "warning": "warnings", "information": "information"}


class Ran:
    """What came of a script in the simulator."""

    def __init__(self, script, format):
        alice = Caller(simulated())
        runspace = ready_runspace(alice)
        members = {"output_objects_format": format}
        if format == "json":
            members["script_parameters"] = [{"name": "__s", "value": script}]
            script = service_script("structured-output").replace("DEPTH", "1").replace("RUN", "run-1")
        execution = alice.run(runspace, script, **members)
        found = alice.finish(execution)
        self.reason = found.get("reason")
        self.outcome = OUTCOMES[found["state"]]
        self.records = {name: alice.messages(execution, stream) for stream, name in STREAMS.items()}
        self.records["errors"] = [message.split("\n")[0] for message in self.records["errors"]]
        if self.records["errors"] and self.outcome == "succeeded":
            self.outcome = "succeeded_with_errors"
        if format == "text":
            [text] = alice.output(execution)
            self.output = "\n".join(line.rstrip() for line in text.split("\n")).strip()
            return
        alice.simulator.clock.advance(1)
        rest = service_script("structured-rest").replace("RUN", "run-1")
        told = alice.run(runspace, rest, output_objects_format="json")
        alice.finish(told)
        self.output = result_of(alice.output(execution) + alice.output(told))[0]

    @property
    def is_refused(self):
        return (self.reason or "").startswith("simulator: ")

    def differences(self, truth):
        expected = {"outcome": truth["outcome"], "output": truth.get("output", [])}
        expected |= {name: truth.get(name, []) for name in STREAMS.values()}
        got = {"outcome": self.outcome, "output": self.output, **self.records}
        if "reason" in truth:
            expected["reason"] = truth["reason"]
            got["reason"] = (self.reason or "").split("\n")[0]
        return {name: (got[name], expected[name]) for name in expected if not same(got[name], expected[name])}


def same(one, other):
    """Whether two JSON values are the same, 1 and 1.0 and true not being so."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def known(name):
    return json.loads(shared_file(f"api/{name}.json").read_text("utf-8"))


def test_what_is_not_right_is_refused():
    truth = known("powershell-truth")
    counts = Counter()
    wrong = {}
    for script, formats in truth.items():
        for format, expected in formats.items():
            ran = Ran(script, format)
            differences = {} if ran.is_refused else ran.differences(expected)
            counts["refused" if ran.is_refused else "wrong" if differences else "right"] += 1
            if differences:
                wrong[script, format] = differences

    assert wrong == {}
    # Refusing everything would be no help.
    assert counts["right"] >= 150


def test_structured_output_is_right_or_refused():
    wrong = {}
    for script, expected in known("structured-output").items():
        ran = Ran(script, "json")
        if "Format-Table" in script or "Format-List" in script:
            expected = expected | {"warnings": ran.records["warnings"][:1]}
        if not ran.is_refused and (differences := ran.differences(expected)):
            wrong[script] = differences

    assert wrong == {}
