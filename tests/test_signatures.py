"""What `help()`, notebooks and autospec see: the real keywords, and what each is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from unittest.mock import create_autospec

import pytest

import srs_vsphere
from srs_vsphere import (
    ArgumentScripts,
    AsyncArgumentScripts,
    AsyncRunspaceHandle,
    AsyncRunspacePool,
    AsyncRunspaces,
    AsyncScriptExecutions,
    AsyncSrsClient,
    AsyncSrsFleet,
    AsyncWebConsoles,
    RunspaceHandle,
    RunspacePool,
    Runspaces,
    ScriptExecutions,
    SrsClient,
    SrsFleet,
    WebConsoles,
)

RUNNING = {"output", "name", "timeout", "check", "streams", "on_record"}


def public() -> Iterator[tuple[str, Callable[..., object]]]:
    """All functions and methods that users call, with their names."""
    for name in dir(srs_vsphere):
        found = getattr(srs_vsphere, name)
        if inspect.isfunction(found):
            yield name, found
        # The facts of errors are handed on; a protocol has no arguments of its own.
        if (
            not inspect.isclass(found)
            or issubclass(found, Exception)
            or getattr(found, "_is_protocol", False)
        ):
            continue
        for member, function in inspect.getmembers(found, callable):
            if not member.startswith("_") or (member == "__init__" and "__init__" in vars(found)):
                yield f"{name}.{member}", function


def test_nothing_hides_its_keywords() -> None:
    seen, hiding = 0, list[str]()
    for name, function in public():
        # Some members are of classes in C, as those of texts.
        with suppress(ValueError):
            signature = inspect.signature(function)
            seen += 1
            if any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
                hiding.append(f"{name}{signature}")
    assert seen > 200
    assert hiding == []


@pytest.mark.parametrize(
    ("function", "named"),
    [
        *((run.run, {"parameters", *RUNNING}) for run in (AsyncRunspaceHandle, RunspaceHandle)),
        *((run.start, {"parameters", *RUNNING}) for run in (AsyncRunspaceHandle, RunspaceHandle)),
        *((run.run, {"parameters", "runspace", *RUNNING}) for run in (AsyncSrsClient, SrsClient)),
        *((run.run, {"parameters", "wait_for_quota", *RUNNING}) for run in (AsyncSrsFleet, SrsFleet)),
        *((pool.map, RUNNING) for pool in (AsyncRunspacePool, RunspacePool)),
        *((made.from_env, {"profile", "auth", "tls", "retry"}) for made in (AsyncSrsClient, SrsClient)),
        (SrsFleet, {"targets", "concurrency", "retry"}),
    ],
)
def test_the_keywords_are_there(function: Callable[..., object], named: set[str]) -> None:
    assert named <= set(inspect.signature(function).parameters)
    assert "self" not in inspect.signature(SrsFleet).parameters


@pytest.mark.parametrize("kind", [AsyncSrsClient, SrsClient, AsyncSrsFleet, SrsFleet])
def test_autospec_knows_the_keywords(kind: type) -> None:
    double = create_autospec(kind, instance=True)
    made = double.run("1", parameters={}, streams="sparse")
    if inspect.iscoroutine(made):
        made.close()
    with pytest.raises(TypeError, match="paramters"):
        double.run("1", paramters={})


@pytest.mark.parametrize("kind", [AsyncSrsClient, SrsClient])
def test_resources_are_documented_properties(kind: type) -> None:
    for resource in ("runspaces", "script_executions", "argument_scripts", "web_consoles"):
        assert isinstance(getattr(kind, resource), property)
        assert inspect.getdoc(getattr(kind, resource))


RESOURCES = [
    (AsyncRunspaces, Runspaces, {"list", "get", "create", "delete", "wait", "stream"}),
    # The service forgets scripts by itself.
    (AsyncScriptExecutions, ScriptExecutions, {"list", "get", "create", "cancel", "wait", "stream"}),
    (AsyncArgumentScripts, ArgumentScripts, {"list", "get"}),
    (AsyncWebConsoles, WebConsoles, {"list", "get", "create", "delete", "wait", "stream"}),
]


@pytest.mark.parametrize(("kind", "twin", "verbs"), RESOURCES)
def test_resources_have_one_form_of_verbs(kind: type, twin: type, verbs: set[str]) -> None:
    assert verbs <= set(dir(kind))
    assert [name for name in dir(kind) if name[0] != "_"] == [name for name in dir(twin) if name[0] != "_"]


@pytest.mark.parametrize("kind", [kind for pair in RESOURCES for kind in pair[:2]])
def test_every_operation_takes_a_timeout(kind: type) -> None:
    for name, function in inspect.getmembers(kind, inspect.isfunction):
        # An address is put together without a call.
        if name[0] != "_" and name != "url":
            assert "timeout" in inspect.signature(function).parameters, name


@pytest.mark.parametrize(
    "function",
    [
        AsyncSrsClient.run,
        AsyncSrsClient.start,
        AsyncRunspaceHandle.run,
        AsyncRunspaceHandle.start,
        AsyncRunspacePool.map,
        AsyncSrsFleet.run,
        AsyncScriptExecutions.create,
        AsyncScriptExecutions.result,
    ],
)
def test_the_form_of_output_has_one_name(function: Callable[..., object]) -> None:
    assert "output" in inspect.signature(function).parameters


def test_a_runspace_and_a_console_are_waited_for_in_the_same_way() -> None:
    waits = [inspect.signature(kind.wait).parameters for kind in (AsyncRunspaces, AsyncWebConsoles)]
    assert [list(wait) for wait in waits] == [["self", "id", "timeout"]] * 2
    assert waits[0]["timeout"].default == waits[1]["timeout"].default == 660.0
