"""What a program's own type checker makes of this package; never run, only checked by mypy and pyright."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import TypedDict, assert_type
from uuid import UUID

import numpy
from attrs import define

from srs_vsphere import (
    About,
    ApiKeyAuth,
    ArgumentScript,
    ArgumentScriptTemplate,
    AsyncObjects,
    AsyncRunspaceHandle,
    AsyncSrsClient,
    AsyncStartedScript,
    BasicAuth,
    Credential,
    ErrorRecord,
    ParameterValue,
    PSDocument,
    Runspace,
    RunspaceState,
    ScriptExecution,
    ScriptFailedError,
    ScriptParameter,
    ScriptResult,
    Secret,
    SrsClient,
    StreamGap,
    StreamRecord,
    Switch,
    WebConsole,
)


@define
class Machine:
    name: str


class Row(TypedDict):
    name: str


class Colour(Enum):
    RED = "red"


async def results_of_run(client: AsyncSrsClient) -> None:
    assert_type(await client.run("x"), ScriptResult[str])
    assert_type(await client.run("x", output="text", timeout=5.0, check=True), ScriptResult[str])
    assert_type(await client.run("x", output="json"), ScriptResult[list[object]])
    assert_type(await client.run("x", output="json", depth=3, name="n"), ScriptResult[list[object]])
    assert_type(await client.run("x", output="json", output_type=Machine), ScriptResult[list[Machine]])
    assert_type(await client.run("x", output="json", output_type=Row), ScriptResult[list[Row]])
    assert_type(await client.run("x", output="json", output_type=int), ScriptResult[list[int]])
    assert_type(await client.run("x", output="raw"), ScriptResult[list[PSDocument]])
    assert_type(await client.run("x", width=None), ScriptResult[str])
    assert_type(
        await client.run("x", output="json", output_type=Machine, on_mismatch="keep"),
        ScriptResult[list[object]],
    )
    assert_type(await client.run("x", output="json", output_type=Machine | None), ScriptResult[list[object]])
    assert_type(
        await client.script_executions.result("1", output="json", output_type=Machine),
        ScriptResult[list[Machine]],
    )
    started = await client.start("x", runspace="pcli-1", output="json", output_type=Machine)
    assert_type(started, AsyncStartedScript[list[Machine]])
    assert_type(await started.result(), ScriptResult[list[Machine]])
    assert_type(await started.wait(), ScriptExecution)
    result = await client.run("x", output="json", output_type=Machine, runspace="pcli-1")
    assert_type(result.output[0].name, str)
    assert_type(result.errors, list[ErrorRecord])
    assert_type(result.duration, float | None)
    # A result of something is a result of an object, for whoever handles results of all kinds.
    anything: ScriptResult[object] = result
    assert_type(anything.reason, str | None)


async def results_of_a_handle(client: AsyncSrsClient) -> None:
    async with client.runspaces.open("name", run_vc_connection_script=True, wait_for_quota=60) as handle:
        assert_type(handle, AsyncRunspaceHandle)
        assert_type(handle.runspace, Runspace)
        assert_type(await handle.run("x"), ScriptResult[str])
        assert_type(await handle.run("x", output="json"), ScriptResult[list[object]])
        assert_type(await handle.start("x"), AsyncStartedScript[str])
        assert_type(await handle.run("x", output="json", output_type=Machine), ScriptResult[list[Machine]])
        assert_type(await handle.run("x", output="raw", parameters={"a": 1}), ScriptResult[list[PSDocument]])


async def what_run_refuses(client: AsyncSrsClient, handle: AsyncRunspaceHandle) -> None:
    # An ignore that nothing needs is an error of its own to mypy: each of these is refused.
    await client.run("x", output="xml")  # type: ignore[call-overload]
    await client.run("x", output_type=Machine)  # type: ignore[call-overload]
    await client.run("x", depth=2)  # type: ignore[call-overload]
    await client.run("x", paramters={})  # type: ignore[call-overload]
    await client.run("x", parameters={"x": object()})  # type: ignore[dict-item]
    await client.run("x", parameters={"x": None})  # type: ignore[dict-item]
    await handle.run("x", runspace="pcli-1")  # type: ignore[call-overload]


async def what_a_parameter_may_be(client: AsyncSrsClient) -> None:
    parameters: dict[str, ParameterValue] = {
        "text": "x",
        "whole": 1,
        "fraction": 1.5,
        "flag": True,
        "exact": Decimal("1.1"),
        "time": datetime.now(UTC),
        "id": UUID(int=1),
        "bytes": b"x",
        "date": date(2020, 1, 2),
        "time of day": time(3, 4),
        "duration": timedelta(seconds=5),
        "path": PurePosixPath("/etc"),
        "secret": Secret("x"),
        "credential": Credential("u", Secret("x")),
        "numpy": numpy.int64(5),
        "enum": Colour.RED,
        "list": [1, "a", None, [2]],
        "tuple": (1, 2),
        "mapping": {"a": {"b": [1, None]}},
        "switch": Switch(),
        "script": ArgumentScript("Get-VM"),
    }
    await client.run("x", parameters=parameters)
    await client.run("x", parameters={"a": 1})
    await client.run("x", parameters={"a": 1, "b": "x", "c": [1]})
    await client.run("x", parameters=[ScriptParameter("a", 1), ScriptParameter("b", script="1 + 3")])
    texts: Mapping[str, str] = {"a": "x"}
    await client.run("x", parameters=texts)
    names: list[str] = ["a"]
    await client.run("x", parameters={"names": names})


async def resources(client: AsyncSrsClient) -> None:
    assert_type(await client.about(), About)
    assert_type(await client.runspaces.list(), list[Runspace])
    assert_type(await client.runspaces.get("pcli-1"), Runspace)
    assert_type((await client.runspaces.get("pcli-1")).state, RunspaceState | str | int | None)
    assert_type(await client.runspaces.create(), Runspace)
    assert_type(await client.runspaces.wait_ready("pcli-1", timeout=None), Runspace)
    async with client.runspaces.stream() as runspaces:
        assert_type(runspaces, AsyncObjects[Runspace])
        async for runspace in runspaces:
            assert_type(runspace, Runspace)
    assert_type(await client.script_executions.list(), list[ScriptExecution])
    created = await client.script_executions.create("pcli-1", "x", output="raw", parameters={"a": 1})
    assert_type(created, ScriptExecution)
    assert_type(await client.script_executions.wait(created.id, cancel_on_exit=True), ScriptExecution)
    assert_type(await client.script_executions.output(created.id), list[str])
    assert_type(await client.script_executions.records(created.id, "error"), list[StreamRecord])
    async for item in client.script_executions.follow(created.id):
        assert_type(item, StreamRecord | StreamGap)
    assert_type(await client.argument_scripts.templates(), list[ArgumentScriptTemplate])
    assert_type(await client.argument_scripts.render("x", {"id": ["a", "b"], "server": "*"}), ArgumentScript)
    assert_type(await client.argument_scripts.render("x", [{"id": "a"}, {"id": "b"}]), ArgumentScript)
    assert_type(await client.web_consoles.create(wait=False), WebConsole)
    assert_type(client.web_consoles.url("wc1"), str)


async def entering() -> None:
    async with AsyncSrsClient("https://srs.example.com", auth=BasicAuth("a", "b")) as client:
        assert_type(client, AsyncSrsClient)
    with SrsClient("https://srs.example.com", auth=ApiKeyAuth("key")) as sync_client:
        assert_type(sync_client, SrsClient)


def the_sync_twin(client: SrsClient) -> None:
    assert_type(client.run("x"), ScriptResult[str])
    assert_type(client.run("x", output="json", output_type=Machine), ScriptResult[list[Machine]])
    assert_type(client.run("x", output="raw"), ScriptResult[list[PSDocument]])
    assert_type(client.runspaces.list(), list[Runspace])
    with client.runspaces.open() as handle:
        assert_type(handle.run("x", output="json"), ScriptResult[list[object]])
    for item in client.script_executions.follow("1"):
        assert_type(item, StreamRecord | StreamGap)


def errors(error: ScriptFailedError) -> None:
    assert_type(error.result, ScriptResult[object])
    assert_type(error.code, int | None)
