"""`run()`: one call, and a result that tells the truth about what came of the script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from attrs import define

from srs_vsphere import (
    ArgumentScript,
    DecodeError,
    NotFoundError,
    OutputMismatchError,
    PSDocument,
    RunspaceBusyError,
    ScriptFailedError,
    ScriptOutcome,
    ScriptParameter,
    StreamType,
    Switch,
)
from srs_vsphere.simulator import (
    ScriptCall,
    ScriptReply,
    SimServer,
    Simulator,
    StreamMessage,
    VirtualClock,
)
from tests._sync.helping import LeadingClock, make_client

CREATE = ("POST", "/api/runspaces")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def calls(simulator: Simulator) -> list[ScriptCall]:
    """The scripts called ``note``, as they arrived."""
    noted: list[ScriptCall] = []

    def note(call: ScriptCall) -> ScriptReply:
        noted.append(call)
        return ScriptReply()

    simulator.on_script("note", note)
    return noted


@define
class Machine:
    name: str
    cpus: int
    disks: list[float]



def test_text(server: SimServer, simulator: Simulator, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("'héllo'; 5; Write-Warning 'careful'")
        assert list(simulator.runspaces) == []
        (execution,) = client.script_executions.list()
    assert (result.outcome, result.output, result.reason) == (ScriptOutcome.SUCCEEDED, "héllo\n5", None)
    assert [(record.stream, record.message) for record in result.warnings] == [("warning", "careful")]
    assert result.errors == result.information == result.verbose == result.debug == []
    assert result.lost_records == 0
    assert result.duration == pytest.approx(0.01, abs=0.005)
    assert result.execution == execution
    result.raise_for_outcome()



def test_json(server: SimServer, simulator: Simulator, client_clock: LeadingClock) -> None:
    deep = {"a": {"b": {"c": [1, {"d": None}]}}}
    simulator.on_script("deep", ScriptReply(output=[deep, [1, 2], "x", 1.5, True, None]))
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("deep", output="json")
        assert result.output == [deep, [1, 2], "x", 1.5, True, None]
        # Data is whole whatever the depth, which is about .NET objects.
        assert (client.run("deep", output="json", depth=64)).output == result.output



def test_raw(server: SimServer, client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("'x'; 5", output="raw")
    assert [type(document) for document in result.output] == [PSDocument, PSDocument]
    assert [(document.type_name, document.value) for document in result.output] == [
        ("System.String", "x"),
        ("System.Int32", 5),
    ]



def test_into_classes(server: SimServer, simulator: Simulator, client_clock: LeadingClock) -> None:
    machines = [{"name": "a", "cpus": 2, "disks": [1, 2.5]}, {"name": "b", "cpus": 1, "disks": []}]
    simulator.on_script("machines", ScriptReply(output=machines))
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("machines", output="json", output_type=Machine)
        assert result.output == [Machine("a", 2, [1.0, 2.5]), Machine("b", 1, [])]
        with client.runspaces.open() as handle:
            with pytest.raises(
                OutputMismatchError, match=r"2 values do not fit output_type: object 0: an object"
            ) as caught:
                handle.run("machines", output="json", output_type=int)
            assert isinstance(caught.value, DecodeError)
            assert caught.value.result.outcome is ScriptOutcome.SUCCEEDED
            assert caught.value.result.output == machines
            assert len(caught.value.mismatches) == 2
            # That its output could not be read does not keep the runspace from the next.
            assert (handle.run("5")).output == "5"



def test_errors_in_the_stream_are_no_plain_success(
    server: SimServer, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("Write-Error 'no such VM'; 7", output="json")
        assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED_WITH_ERRORS, [7])
        assert [record.message for record in result.errors] == ["no such VM"]
        result.raise_for_outcome(allow_errors=True)
        with pytest.raises(ScriptFailedError, match="the first: no such VM") as caught:
            client.run("Write-Error 'no such VM'; 7", output="json", check=True)
    assert caught.value.result.output == [7]



def test_a_failed_script(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("1; throw 'no such VM'; 2", output="json")
        assert (result.outcome, result.output) == (ScriptOutcome.FAILED, [1])
        assert result.reason == "System.Management.Automation.RuntimeException: no such VM"
        assert "\n   at " in (result.reason_text or "")
        with pytest.raises(ScriptFailedError, match="no such VM") as caught:
            client.run("1; throw 'no such VM'", check=True)
        assert list(simulator.runspaces) == []
    # In format text the service keeps nothing of what came before.
    assert caught.value.result.output == ""



def test_a_canceled_script(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    simulator.on_script("stopped", ScriptReply(state="canceled"))
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("stopped")
    assert result.outcome is ScriptOutcome.CANCELED
    assert "The pipeline has been stopped" in (result.reason or "")


@pytest.mark.parametrize("output", ["text", "json"])

def test_values_arrive_as_given(
    server: SimServer, calls: list[ScriptCall], client_clock: LeadingClock, output: str
) -> None:
    class Colour(Enum):
        RED = "red"

    given = {
        "text": "it's \u2019 <b> _x0041_ \x01 \ud800",
        "empty": "",
        "date_like": "2026-01-02T03:04:05Z",
        "whole": 5,
        "large": 2**70,
        "fraction": 1.5,
        "infinite": float("inf"),
        "yes": True,
        "no": False,
        "exact": Decimal("1.10"),
        "uuid": UUID(int=5),
        "bytes": b"\0\xff",
        "list": [1, "a", None, [2]],
        "empty_list": [],
        "list_of_one": ["x"],
        "nested": {"a": {"b": [1, {"c": False}]}},
        "empty_dict": {},
    }
    time = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone(timedelta(hours=2)))
    special = {
        "time": time,
        "tuple": (1, 2),
        "colour": Colour.RED,
        "on": Switch(),
        "off": Switch(False),
        "argument": ArgumentScript("1 + 3"),
    }
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("note", parameters={**given, **special}, output=output)
    assert result.outcome is ScriptOutcome.SUCCEEDED
    arrived = dict(calls[0].parameters)
    assert {name: arrived[name] for name in given} == given
    for name in ("yes", "no"):
        assert arrived[name] is given[name]
    assert arrived["time"] == time.astimezone(UTC)
    assert arrived["tuple"] == [1, 2]
    assert (arrived["colour"], arrived["on"], arrived["off"], arrived["argument"]) == ("red", True, False, 4)
    assert calls[0].script == "note"



def test_raw_parameters(
    server: SimServer, calls: list[ScriptCall], client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        client.run("note", parameters=[ScriptParameter("list", [1, 2]), ScriptParameter("on")])
    assert calls[0].parameters == {"list": 1, "on": True}



def test_names(server: SimServer, calls: list[ScriptCall], client_clock: LeadingClock) -> None:
    with make_client(server.url, clock=client_clock) as client:
        client.run("note", name="nightly report")
        result = client.run("note")
    assert calls[0].name == "nightly report"
    assert calls[1].name == result.execution.name
    assert str(calls[1].name).startswith("srs-vsphere-")



def test_a_runspace_of_ones_own_is_used_and_left_alone(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        created = client.runspaces.create()
        ready = client.runspaces.wait_ready(created.id)
        client.run("$x = 5", runspace=ready)
        assert (client.run("$x + 1", runspace=ready.id)).output == "6"
        assert list(simulator.runspaces) == [ready.id]
        assert server.requests.count(CREATE) == 1
        with pytest.raises(NotFoundError):
            client.run("1", runspace="pcli-unknown")
        simulator.on_script("long", ScriptReply(duration=100))
        client.script_executions.create(ready.id, "long")
        with pytest.raises(RunspaceBusyError):
            client.run("1", runspace=ready)



def test_more_records_than_the_service_keeps(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    steady = [StreamMessage("warning", f"w{number}", at=number / 15) for number in range(200)]
    simulator.on_script("steady", ScriptReply(records=steady, duration=14))
    burst = [StreamMessage("verbose", f"v{number}", at=3) for number in range(120)]
    simulator.on_script("burst", ScriptReply(records=burst, duration=10))
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("steady")
        assert [record.message for record in result.warnings] == [f"w{number}" for number in range(200)]
        assert result.lost_records == 0
        result = client.run("burst")
    assert [record.message for record in result.verbose] == [f"v{number}" for number in range(70, 120)]
    assert result.lost_records >= 1



def test_all_streams_are_collected(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    messages = [StreamMessage(stream, f"{stream} {at}", at=at) for at in range(3) for stream in StreamType]
    simulator.on_script("talk", ScriptReply(records=messages, duration=3))
    with make_client(server.url, clock=client_clock) as client:
        result = client.run("talk")
    for stream, records in (
        (StreamType.ERROR, result.errors),
        (StreamType.WARNING, result.warnings),
        (StreamType.INFORMATION, result.information),
        (StreamType.VERBOSE, result.verbose),
        (StreamType.DEBUG, result.debug),
    ):
        assert [record.message for record in records] == [f"{stream} {at}" for at in range(3)]
        assert {record.stream for record in records} == {stream}



def test_a_connected_runspace(
    server: SimServer, simulator: Simulator, client_clock: LeadingClock
) -> None:
    with make_client(server.url, clock=client_clock) as client:
        assert (client.run("'x'", run_vc_connection_script=True)).output == "x"
        names = [execution.name for execution in client.script_executions.list(skip_system=False)]
    assert names[0] == "powerclivclogin"
    assert list(simulator.runspaces) == []
