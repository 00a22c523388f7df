"""`run(output="json")`: values as a real engine gave them, errors with their lines, and nothing lost."""

from __future__ import annotations

import enum
import io
import json
import logging
import pickle
import traceback
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypedDict
from uuid import UUID

import attrs
import cattrs
import pytest
from pydantic import BaseModel

from srs_vsphere import (
    ArgumentScript,
    Credential,
    ErrorRecord,
    OutputMismatchError,
    ScriptFailedError,
    ScriptOutcome,
    ScriptParameter,
    Secret,
    StreamRecord,
    WaitTimeoutError,
)
from srs_vsphere.simulator import (
    Fault,
    ScriptCall,
    ScriptReply,
    SimServer,
    Simulator,
    StreamMessage,
    VirtualClock,
)
from srs_vsphere.simulator.objects.values import EnumValue
from tests._async.helping import AsyncLeadingClock, make_client
from tests.recorded_exchanges import shared_file

START = ("POST", "/api/script-executions")
MONDAY = EnumValue("System.DayOfWeek", "Monday", 1)
#: What some scripts give that use more of PowerShell than the simulator understands.
VALUES: dict[str, object] = {
    "[System.DayOfWeek]::Monday": MONDAY,
    "@{e=[System.DayOfWeek]::Monday}": {"e": MONDAY},
    "[decimal]1": Decimal(1),
    "1.5d": Decimal("1.5"),
    "[char]'a'": "a",
    "'a'.ToCharArray()": "a",
    '"`u{1F389}"': "\N{PARTY POPPER}",
    "@{1='int key';'b'=2}": {1: "int key", "b": 2},
    "[guid]::Empty": UUID(int=0),
    "@{g=[guid]::Empty}": {"g": UUID(int=0)},
    "[timespan]'00:00:05'": timedelta(seconds=5),
    "Get-Date '2020-01-02'": datetime(2020, 1, 2),  # without a zone, as PowerShell has it too
    "[int64]::MaxValue": 2**63 - 1,
    "[uint64]::MaxValue": 2**64 - 1,
    "[math]::PI": 3.141592653589793,
    "[double]::NaN": float("nan"),
    ",[byte[]]::new(3)": b"\0\0\0",
}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class Power(enum.Enum):
    ON = "PoweredOn"


@attrs.define
class Machine:
    name: str
    cpus: int
    price: Decimal = Decimal(0)
    power: Power = attrs.field(default=Power.ON, alias="PowerState")
    uptime: timedelta | None = None
    tags: list[str] = attrs.field(factory=list)


class Row(TypedDict):
    name: str


class Model(BaseModel):
    name: str
    cpus: int


@pytest.mark.anyio
async def test_the_table_of_a_real_engine(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    table = json.loads(shared_file("api/structured-output.json").read_text("utf-8"))
    for script, value in VALUES.items():
        simulator.on_script(script, ScriptReply(output=[value]))
    same = refused = 0
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            for script, told in table.items():
                result = await handle.run(script, output="json")
                if (result.reason or "").startswith("simulator:"):
                    refused += 1
                    continue
                assert [result.outcome, result.output] == [told["outcome"], told["output"]], script
                assert [error.message for error in result.errors] == told.get("errors", []), script
                if "reason" in told:
                    assert result.reason == told["reason"], script
                same += 1
    assert same >= 35
    assert same + refused == len(table)
    simulator.assert_all_used()


@pytest.mark.anyio
async def test_errors_have_their_lines(server: SimServer, client_clock: AsyncLeadingClock) -> None:
    script = "1\nWrite-Error 'bad'\n2"
    async with make_client(server.url, clock=client_clock) as client:
        result = await client.run(script, output="json")
        text = await client.run(script)
    (error,) = result.errors
    assert isinstance(error, ErrorRecord)
    assert (error.message, error.line, error.script_line) == ("bad", 2, "Write-Error 'bad'")
    assert error.exception_type == "Microsoft.PowerShell.Commands.WriteErrorException"
    assert error.stack == ("at <ScriptBlock>, <No file>: line 2",)
    assert (result.outcome, result.output, result.failure) == (
        ScriptOutcome.SUCCEEDED_WITH_ERRORS,
        [1, 2],
        None,
    )
    # The service alone tells the message only.
    assert [(each.message, each.line, each.stack) for each in text.errors] == [("bad", None, ())]


@pytest.mark.anyio
async def test_a_script_that_throws_keeps_what_it_had(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            result = await handle.run("1\n2\nthrow 'boom'", output="json")
            assert (result.outcome, result.output, result.left_early) == (ScriptOutcome.FAILED, [1, 2], None)
            assert result.reason == "System.Management.Automation.RuntimeException: boom"
            assert result.failure is not None
            assert (result.failure.message, result.failure.line, result.failure.script_line) == (
                "boom",
                3,
                "throw 'boom'",
            )
            with pytest.raises(ScriptFailedError) as caught:
                await handle.run("1; throw 'boom'", output="json", check=True)
            assert caught.value.result.output == [1]
            # What was asked for between is no script of the caller's, and is over.
            assert (await handle.run("5", output="json")).output == [5]


@pytest.mark.parametrize("script", ["'a'; 'b'; exit 3; 'c'", "'a'; 'b'; break; 'c'"])
@pytest.mark.anyio
async def test_a_script_that_left_early_says_so(
    server: SimServer, client_clock: AsyncLeadingClock, script: str
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        result = await client.run(script, output="json", check=True)
        ended = await client.run("'a'", output="json")
    if (result.reason or "").startswith("simulator:"):
        pytest.skip("the simulator refuses this script")
    assert (result.outcome, result.output) == (ScriptOutcome.SUCCEEDED, ["a", "b"])
    assert result.left_early is not None
    assert all(word in result.left_early for word in ("`exit`", "`break`", "`throw`"))
    assert ended.left_early is None


@pytest.mark.anyio
async def test_without_the_rest_what_came_is_kept(
    server: SimServer, client_clock: AsyncLeadingClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "srs_vsphere")
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            with server.faults.armed(Fault(operation="script_executions.create", nth=2, times=1, status=503)):
                result = await handle.run("1; throw 'boom'", output="json")
            assert (result.outcome, result.output) == (ScriptOutcome.FAILED, [])
            assert (await handle.run("5")).output == "5"
    assert "had not put out when it was left are lost" in caplog.text


@pytest.mark.anyio
async def test_a_script_out_of_time_gives_what_it_had(
    server: SimServer, client_clock: AsyncLeadingClock
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        with pytest.raises(WaitTimeoutError) as caught:
            await client.run("'a'; Write-Warning 'w'; Start-Sleep 600; 'b'", output="json", timeout=60)
    assert caught.value.output == ["a"]
    assert [record.message for record in caught.value.records] == ["w"]


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.anyio
async def test_a_parameter_that_cannot_be_bound_appears_once(
    server: SimServer, client_clock: AsyncLeadingClock, output: str
) -> None:
    async with make_client(server.url, clock=client_clock) as client:
        result = await client.run("param([Parameter(Mandatory)]$q) $q", output=output)
    assert (result.outcome, result.errors) == (ScriptOutcome.FAILED, [])
    assert result.reason.endswith("one or more missing mandatory parameters: q.")


@pytest.mark.anyio
async def test_many_objects_come_in_batches(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    simulator.on_script("many", ScriptReply(output=[{"n": number} for number in range(1200)]))
    async with make_client(server.url, clock=client_clock) as client:
        result = await client.run("many", output="json")
        (execution,) = [e for e in await client.script_executions.list() if e.id == result.execution.id]
        documents = await client.script_executions.output(execution)
    assert result.output == [{"n": number} for number in range(1200)]
    assert len(documents) == 3


VM = {"Name": "a", "CPUs": 2.0, "price": 1.5, "powerstate": "PoweredOn", "uptime": "1.00:00:05", "tags": None}


@pytest.mark.anyio
async def test_into_classes_of_all_kinds(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    simulator.on_script("vm", ScriptReply(output=[VM]))
    simulator.on_script("sum", ScriptReply(output=[6.0]))
    made = Machine("a", 2, Decimal("1.5"), Power.ON, timedelta(days=1, seconds=5), [])
    converter = cattrs.Converter()
    converter.register_structure_hook(Machine, lambda value, _: Machine(value["Name"], 7))
    async with make_client(server.url, clock=client_clock) as client:
        assert (await client.run("vm", output="json", output_type=Machine)).output == [made]
        rows = await client.run("vm", output="json", output_type=Row)
        assert rows.output[0]["name"] == "a"
        models = await client.run("vm", output="json", output_type=Model)
        assert models.output == [Model(name="a", cpus=2)]
        plain = await client.run("vm", output="json", output_type=dict[str, object])
        assert plain.output == [VM]
        whole = await client.run("sum", output="json", output_type=int)
        assert (whole.output, type(whole.output[0])) == ([6], int)
        own = await client.run("vm", output="json", output_type=Machine, converter=converter)
        assert own.output == [Machine("a", 7)]
        optional = await client.run("$null", output="json", output_type=Machine | None)
        assert optional.output == [None]


@pytest.mark.anyio
async def test_a_mismatch_loses_nothing(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    values = [VM, {**VM, "CPUs": "many"}, "web-01"]
    messages = [StreamMessage("warning", "careful")]
    simulator.on_script("vms", ScriptReply(output=values, records=messages))
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            with pytest.raises(OutputMismatchError) as caught:
                await handle.run("vms", output="json", output_type=Machine)
            result = caught.value.result
            assert result.output == values
            assert (result.outcome, len(result.warnings)) == (ScriptOutcome.SUCCEEDED, 1)
            assert caught.value.mismatches == (
                "object 1.cpus: a text where a whole number was expected: 'many'",
                "object 2: a text where an object was expected: 'web-01'",
            )
            assert "2 values do not fit output_type: object 1.cpus" in str(caught.value)
            kept = await handle.run("vms", output="json", output_type=Machine, on_mismatch="keep")
            assert [type(each).__name__ for each in kept.output] == ["Machine", "dict", "str"]
            assert kept.mismatches == caught.value.mismatches
            # How it ended goes first, where that is to be checked.
            with pytest.raises(ScriptFailedError):
                await handle.run("'x'; throw 'no'", output="json", output_type=Machine, check=True)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"output": "json", "depth": 0}, ValueError, "depth must be from 1 to 64, not 0"),
        ({"output": "json", "depth": 65}, ValueError, "depth must be from 1 to 64"),
        ({"output": "json", "depth": True}, TypeError, "depth must be a whole number, not bool"),
        ({"output": "json", "depth": "8"}, TypeError, "depth must be a whole number, not str"),
        ({"output": "json", "depth": 1.5}, TypeError, "depth must be a whole number, not float"),
        ({"depth": 1}, ValueError, 'depth goes with output="json" only'),
        ({"output": "raw", "depth": 2}, ValueError, 'depth goes with output="json" only'),
        ({"width": 0}, ValueError, "width must be from 2 to"),
        ({"width": True}, TypeError, "width must be a whole number, not bool"),
        ({"width": "80"}, TypeError, "width must be a whole number, not str"),
        ({"output": "json", "width": 80}, ValueError, 'width goes with output="text" only'),
        ({"output_type": Machine}, ValueError, 'output_type goes with output="json" only'),
        ({"output": "json", "on_mismatch": "keep"}, ValueError, "on_mismatch goes with output_type only"),
        ({"output": "json", "output_type": int, "on_mismatch": "drop"}, ValueError, "on_mismatch must be"),
        ({"output": "json", "converter": cattrs.Converter()}, ValueError, "converter goes with output_type"),
        ({"output": "json", "output_type": int, "converter": 5}, TypeError, "converter must be a converter"),
        ({"output": "json", "output_type": Machine("a", 1)}, TypeError, "output_type: it is an instance of"),
        ({"output": "json", "output_type": Path("x")}, TypeError, "output_type: it is an instance of"),
        ({"output": "xml"}, ValueError, "output must be"),
        ({"parameters": {"__srs": 1}}, ValueError, "'__srs'.* is a reserved name"),
        ({"parameters": [ScriptParameter("__s", 1)]}, ValueError, "'__s'.* is a reserved name"),
        ({"parameters": {"p": {1: 1, "1": 2}}}, ValueError, "differs from another key"),
        ({"on_record": 5}, TypeError, "on_record must be a function, not int"),
        ({"on_record": print, "streams": False}, ValueError, "on_record needs the streams"),
    ],
)
@pytest.mark.anyio
async def test_bad_input_is_refused_by_name_before_anything_is_sent(
    server: SimServer, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    async with make_client(server.url) as client:
        with pytest.raises(error, match=message):
            await client.run("1", **arguments)
        with pytest.raises(error, match=message):
            await client.start("1", runspace="pcli-1", **arguments)
    assert not server.requests


@pytest.mark.anyio
async def test_text_is_as_wide_as_asked_for(server: SimServer, client_clock: AsyncLeadingClock) -> None:
    table = "[pscustomobject]@{A='x'*60;B='y'*60;C='z'*60}"
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            wide = (await handle.run(table)).output
            narrow = (await handle.run(table, width=100)).output
            bare = (await handle.run(table, width=None)).output
    assert all(sign * 60 in wide for sign in "xyz")
    assert "z" * 60 not in narrow
    assert "z" * 60 not in bare
    assert max(map(len, bare.splitlines())) <= 80


@pytest.mark.anyio
async def test_records_are_told_while_the_script_runs(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock, caplog: pytest.LogCaptureFixture
) -> None:
    messages = [StreamMessage("warning", f"w{at}", at=at) for at in range(5)]
    simulator.on_script("talk", ScriptReply(records=messages, duration=10))
    heard: list[tuple[str, float]] = []

    def note(record: StreamRecord) -> None:
        heard.append((record.message, client_clock.seconds))
        raise RuntimeError("a fault of the program's own")

    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            result = await handle.run("talk", on_record=note)
            ended = client_clock.seconds
    assert [message for message, _ in heard] == [record.message for record in result.warnings]
    assert heard[0][1] < ended - 4
    assert "on_record raised; the call goes on" in caplog.text


@pytest.mark.anyio
async def test_lists_are_arrays_and_nothing_found_fails(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    noted: list[ScriptCall] = []
    simulator.on_script("note", lambda call: noted.append(call) or ScriptReply())
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            joined = await handle.run("param($p) $p -join ','", parameters={"p": ["a", ["b"]]}, output="json")
            found = await handle.run("note", parameters={"p": ArgumentScript("1 + 3")})
            nothing = await handle.run("note", parameters={"VM": ArgumentScript("$null")})
            allowed = await handle.run("note", parameters={"VM": ArgumentScript("$null", allow_nothing=True)})
    assert joined.outcome in {ScriptOutcome.SUCCEEDED, ScriptOutcome.FAILED}
    assert found.outcome is ScriptOutcome.SUCCEEDED
    assert nothing.outcome is ScriptOutcome.FAILED
    assert "parameter 'VM'" in (nothing.reason or "")
    assert "found nothing" in (nothing.reason or "")
    assert allowed.outcome is ScriptOutcome.SUCCEEDED
    assert [call.parameters for call in noted] == [{"p": 4}, {"VM": True}]


def leaks(text: str) -> bool:
    return "hunter2" in text or "hunter2".encode("utf-16-le").hex() in text


@pytest.mark.parametrize("output", ["text", "json", "raw"])
@pytest.mark.anyio
async def test_secrets_arrive_and_are_nowhere_else(
    server: SimServer,
    simulator: Simulator,
    client_clock: AsyncLeadingClock,
    caplog: pytest.LogCaptureFixture,
    output: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    noted: list[ScriptCall] = []
    simulator.on_script("note", lambda call: noted.append(call) or ScriptReply(state="error", reason="no"))
    given = {"s": Secret("hunter2"), "c": Credential("u", Secret("hunter2")), "l": [Secret("hunter2")]}
    failures: list[BaseException] = []
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            result = await handle.run("note", parameters=given, output=output)
            for options in ({"check": True}, {"timeout": 0}):
                with pytest.raises(Exception, match=r".") as caught:
                    await handle.run("note", parameters=given, output=output, **options)
                failures.append(caught.value)
            for fault in (
                Fault(operation="script_executions.create", reset="before"),
                Fault(operation="script_executions.create", status=500),
                Fault(operation="script_executions.create", status=400),
            ):
                with server.faults.armed(fault), pytest.raises(Exception, match=r".") as caught:
                    await handle.run("note", parameters=given, output=output)
                failures.append(caught.value)
    secret, credential = noted[0].parameters["s"], noted[0].parameters["c"]
    assert type(secret).__name__ == "SecureString"
    assert type(credential).__name__ == "PSCredential"
    assert not leaks(repr(result))
    assert not leaks(pickle.dumps(result).decode("latin-1"))
    for failure in failures:
        shown = io.StringIO()
        traceback.TracebackException.from_exception(failure, capture_locals=True).print(file=shown)
        lines = [line for line in shown.getvalue().splitlines() if 'Secret("hunter2")' not in line]
        assert not leaks("\n".join(lines))
        assert not leaks(str(failure))
        assert not leaks(pickle.dumps(failure).decode("latin-1"))
    assert not leaks(caplog.text)


@pytest.mark.anyio
async def test_texts_become_what_they_stand_for(
    server: SimServer, simulator: Simulator, client_clock: AsyncLeadingClock
) -> None:
    time = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    simulator.on_script("time", ScriptReply(output=[time, None]))
    simulator.on_script("id", ScriptReply(output=[UUID(int=5)]))
    simulator.on_script("length", ScriptReply(output=[timedelta(days=1, seconds=5)]))
    async with make_client(server.url, clock=client_clock) as client:
        async with client.runspaces.open() as handle:
            times = await handle.run("time", output="json", output_type=datetime | None)
            ids = await handle.run("id", output="json", output_type=UUID)
            lengths = await handle.run("length", output="json", output_type=timedelta)
    assert times.output == [time, None]
    assert ids.output == [UUID(int=5)]
    assert lengths.output == [timedelta(days=1, seconds=5)]
