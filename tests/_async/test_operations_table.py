"""All twenty operations over a real socket: what the server sees, what comes back, and what is never sent."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from attrs import frozen

from srs_vsphere import (
    About,
    ArgumentScript,
    ArgumentScriptTemplate,
    AsyncSrsClient,
    Runspace,
    ScriptExecution,
    ScriptParameter,
    Secret,
    StreamRecord,
    Switch,
    WebConsole,
)
from srs_vsphere._service import operations
from srs_vsphere._service.operations import Operation
from srs_vsphere.simulator import SimServer, Simulator, VirtualClock
from tests._async.helping import AsyncLeadingClock, make_client


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@frozen
class Known:
    """Ids of what is there before each operation."""

    runspace: str
    script: str
    console: str
    template: str = "vm-by-id-server-name"


@frozen
class Row:
    name: str
    method: str
    path: str
    call: Callable[[AsyncSrsClient, Known], Awaitable[object]]
    #: The type of the result, or of each item in a list of them.
    result: type
    is_list: bool = False
    #: What is asked before, since the service does not check it.
    before: tuple[tuple[str, str], ...] = ()


NOTHING = type(None)
TEMPLATE = ("GET", "/api/argument-scripts/templates/{template}")
CONSOLE = ("GET", "/api/webconsoles/{console}")
SCRIPTS = "/api/script-executions"
TABLE = [
    Row("about", "GET", "/api/about", lambda client, _: client.about(), About),
    Row("login", "POST", "/api/auth/login", lambda client, _: client.login(), Secret),
    Row("logout", "POST", "/api/auth/logout", lambda client, _: client.logout(), NOTHING),
    Row("runspaces", "GET", "/api/runspaces", lambda client, _: client.runspaces.list(), Runspace, True),
    Row(
        "runspace",
        "GET",
        "/api/runspaces/{runspace}",
        lambda client, known: client.runspaces.get(known.runspace),
        Runspace,
    ),
    Row("new runspace", "POST", "/api/runspaces", lambda client, _: client.runspaces.create(), Runspace),
    Row(
        "delete runspace",
        "DELETE",
        "/api/runspaces/{runspace}",
        lambda client, known: client.runspaces.delete(known.runspace),
        NOTHING,
    ),
    Row("scripts", "GET", SCRIPTS, lambda client, _: client.script_executions.list(), ScriptExecution, True),
    Row(
        "all scripts",
        "GET",
        SCRIPTS,
        lambda client, _: client.script_executions.list(skip_system=False),
        ScriptExecution,
        True,
    ),
    Row(
        "script",
        "GET",
        SCRIPTS + "/{script}",
        lambda client, known: client.script_executions.get(known.script),
        ScriptExecution,
    ),
    Row(
        "new script",
        "POST",
        SCRIPTS,
        lambda client, known: client.script_executions.create(known.runspace, "1"),
        ScriptExecution,
    ),
    Row(
        "cancel",
        "POST",
        SCRIPTS + "/{script}/cancel",
        lambda client, known: client.script_executions.cancel(known.script),
        NOTHING,
    ),
    Row(
        "output",
        "GET",
        SCRIPTS + "/{script}/output",
        lambda client, known: client.script_executions.output(known.script),
        str,
        True,
    ),
    Row(
        "stream",
        "GET",
        SCRIPTS + "/{script}/streams/warning",
        lambda client, known: client.script_executions.records(known.script, "warning"),
        StreamRecord,
        True,
    ),
    Row(
        "templates",
        "GET",
        "/api/argument-scripts/templates",
        lambda client, _: client.argument_scripts.templates(),
        ArgumentScriptTemplate,
        True,
    ),
    Row(
        "template",
        *TEMPLATE,
        lambda client, known: client.argument_scripts.template(known.template),
        ArgumentScriptTemplate,
    ),
    Row(
        "argument script",
        "POST",
        "/api/argument-scripts/script",
        lambda client, known: client.argument_scripts.render(known.template, {"id": "vm-1", "server": "*"}),
        ArgumentScript,
        before=(TEMPLATE,),
    ),
    Row(
        "consoles", "GET", "/api/webconsoles", lambda client, _: client.web_consoles.list(), WebConsole, True
    ),
    Row("console", *CONSOLE, lambda client, known: client.web_consoles.get(known.console), WebConsole),
    Row(
        "new console",
        "POST",
        "/api/webconsoles",
        lambda client, _: client.web_consoles.create(wait=False),
        WebConsole,
    ),
    Row(
        "delete console",
        "DELETE",
        "/api/webconsoles/{console}",
        lambda client, known: client.web_consoles.delete(known.console),
        NOTHING,
        before=(CONSOLE,),
    ),
]


async def furnished(client: AsyncSrsClient, simulator: Simulator) -> Known:
    runspace = simulator.add_runspace(name="known")
    execution = await client.script_executions.create(runspace, "Write-Warning 'careful'; 'done'")
    await client.script_executions.wait(execution.id)
    console = await client.web_consoles.create()
    return Known(runspace, execution.id, console.id)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
@pytest.mark.anyio
async def test_an_operation(row: Row, server: SimServer, simulator: Simulator, clock: VirtualClock) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        known = await furnished(client, simulator)
        if row.name == "login":
            await client.logout()
        seen = len(server.requests)
        result = await row.call(client, known)
        sent = server.requests[seen:]
    expected = (*row.before, (row.method, row.path))
    assert sent == tuple(
        (method, path.format(runspace=known.runspace, script=known.script, **other(known)))
        for method, path in expected
    )
    if row.is_list:
        assert isinstance(result, list)
        assert result
        assert {type(item) for item in result} == {row.result}
    else:
        assert type(result) is row.result


def other(known: Known) -> dict[str, str]:
    return {"console": known.console, "template": known.template}


def test_the_table_has_every_operation() -> None:
    rows = [value for value in vars(operations).values() if isinstance(value, Operation)]
    rows += [operations.SCRIPT_EXECUTIONS_STREAMS["warning"]]
    wanted = {(operation.method, shape(operation.path)) for operation in rows}
    assert {(row.method, shape(row.path)) for row in TABLE} == wanted
    assert len(wanted) == 20


def shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path.partition("?")[0])


@pytest.mark.anyio
async def test_lists_stream_too(server: SimServer, simulator: Simulator, clock: VirtualClock) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        await furnished(client, simulator)
        for resource in (client.runspaces, client.script_executions, client.web_consoles):
            listed = await resource.list()
            async with resource.stream() as items:
                assert [item async for item in items] == listed
            assert len(listed) == 1


#: What makes no sense, who says so, and in which words.
REFUSED: list[tuple[Callable[[AsyncSrsClient], Awaitable[object]], type[Exception], str]] = [
    (lambda client: client.runspaces.get(" "), ValueError, "id"),
    (lambda client: client.runspaces.delete(".."), ValueError, "id"),
    (lambda client: client.runspaces.wait_ready(""), ValueError, "id"),
    (lambda client: client.runspaces.wait_ready("pcli-1", timeout=-1), ValueError, "timeout"),
    (lambda client: client.runspaces.create(""), ValueError, "name"),
    (lambda client: client.runspaces.create(run_vc_connection_script="false"), TypeError, "run_vc_conn"),
    (lambda client: client.runspaces.open(b"x"), TypeError, "name"),
    (lambda client: client.runspaces.open(run_vc_connection_script=0), TypeError, "run_vc_connection"),
    (lambda client: client.runspaces.open(timeout=float("nan")), ValueError, "timeout"),
    (lambda client: client.runspaces.open(wait_for_quota="1"), TypeError, "wait_for_quota"),
    (lambda client: client.script_executions.get(7), TypeError, "id"),
    (lambda client: client.script_executions.create("", "1"), ValueError, "id"),
    (lambda client: client.script_executions.create("pcli-1", "\n"), ValueError, "script"),
    (lambda client: client.script_executions.create("pcli-1", b"1"), TypeError, "script"),
    (lambda client: client.script_executions.create("pcli-1", "1", name=" "), ValueError, "name"),
    (
        lambda client: client.script_executions.create("pcli-1", "1", output="xml"),
        ValueError,
        "xml",
    ),
    (lambda client: client.script_executions.cancel(""), ValueError, "id"),
    (lambda client: client.script_executions.wait(""), ValueError, "id"),
    (lambda client: client.script_executions.wait("1", timeout="2"), TypeError, "timeout"),
    (lambda client: client.script_executions.output("."), ValueError, "id"),
    (lambda client: client.script_executions.records("", "error"), ValueError, "id"),
    (lambda client: client.script_executions.records("1", "progress"), ValueError, "progress"),
    (lambda client: client.script_executions.follow(""), ValueError, "id"),
    (lambda client: client.argument_scripts.template(""), ValueError, "id"),
    (lambda client: client.argument_scripts.render("", {}), ValueError, "id"),
    (lambda client: client.web_consoles.get(""), ValueError, "id"),
    (lambda client: client.web_consoles.create(timeout=-2), ValueError, "timeout"),
    (lambda client: client.web_consoles.delete(".."), ValueError, "id"),
    (lambda client: client.web_consoles.url(""), ValueError, "id"),
    (lambda client: client.run(""), ValueError, "script"),
    (lambda client: client.run(None), TypeError, "script"),
    (lambda client: client.run("1", output="xml"), ValueError, "output"),
    (lambda client: client.run("1", output="json", depth=0), ValueError, "depth"),
    (lambda client: client.run("1", output_type=int), ValueError, "output_type"),
    (lambda client: client.run("1", timeout=-1), ValueError, "timeout"),
    (lambda client: client.run("1", timeout=True), TypeError, "timeout"),
    (lambda client: client.run("1", check="no"), TypeError, "check"),
    (lambda client: client.run("1", name=""), ValueError, "name"),
    (lambda client: client.run("1", runspace=""), ValueError, "id"),
    (lambda client: client.run("1", runspace=5), TypeError, "runspace"),
    (lambda client: client.run("1", runspace="pcli-1", wait_for_quota=3), ValueError, "wait_for_quota"),
    (
        lambda client: client.run("1", runspace="pcli-1", run_vc_connection_script=True),
        ValueError,
        "run_vc_connection_script",
    ),
    (lambda client: client.run("1", paramters={}), TypeError, "paramters"),
    (lambda client: client.run("1", parameters={"x": None}), TypeError, r"parameters\['x'\]"),
    (lambda client: client.run("1", parameters={"x": object()}), TypeError, r"parameters\['x'\]"),
    (lambda client: client.run("1", parameters={"x": {"y": [1j]}}), TypeError, r"\['x'\]\['y'\]\[0\]"),
    (
        lambda client: client.run("1", parameters={"x": datetime(2026, 1, 2)}),
        ValueError,
        "time zone",
    ),  # what is refused
    (lambda client: client.run("1", parameters={"x": 1, "X": 2}), ValueError, "twice"),
    (lambda client: client.run("1", parameters={" ": 1}), ValueError, "blank"),
    (lambda client: client.run("1", parameters=[Switch()]), TypeError, "ScriptParameter"),
    (lambda client: client.run("1", parameters={"x": ScriptParameter("x", 1)}), TypeError, "list"),
    (lambda client: client.run("1", output="json", parameters={"__s": 1}), ValueError, "reserved"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED)
@pytest.mark.anyio
async def test_what_makes_no_sense_is_not_sent(
    server: SimServer,
    call: Callable[[AsyncSrsClient], Awaitable[object]],
    error: type[Exception],
    words: str,
) -> None:
    async with make_client(server.url) as client:
        with pytest.raises(error, match=words):
            await call(client)
    assert server.requests == ()


@pytest.mark.anyio
async def test_times_have_a_time_zone(server: SimServer, simulator: Simulator, clock: VirtualClock) -> None:
    async with make_client(server.url, clock=AsyncLeadingClock(clock)) as client:
        known = await furnished(client, simulator)
        execution = await client.script_executions.get(known.script)
        (record,) = await client.script_executions.records(known.script, "warning")
        console = await client.web_consoles.get(known.console)
    assert execution.start_time is not None
    assert record.time is not None
    assert console.creation_time is not None
    for time in (execution.start_time, record.time, console.creation_time):
        assert time.utcoffset() is not None
        assert time >= datetime(2026, 1, 1, tzinfo=UTC)
