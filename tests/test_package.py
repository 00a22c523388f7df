"""The package's names: all of them resolve, each from its one home, and loading the package loads little."""

import ast
import graphlib
import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import pytest

import srs_vsphere
from srs_vsphere import models

SOURCE = Path(srs_vsphere.__file__)


def imports_for_type_checkers(source=SOURCE):
    modules = {}
    for statement in ast.parse(source.with_suffix(".pyi").read_text(encoding="utf-8")).body:
        assert isinstance(statement, ast.ImportFrom)
        (alias,) = statement.names
        # Only this form exports a name from a stub.
        assert alias.asname == alias.name
        modules[alias.name] = statement.module
    return modules


def modules_after(code):
    """Return what a fresh interpreter has loaded after running the code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=SOURCE.parents[1], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def loaded(modules, *packages):
    return [name for name in modules if name in packages or name.startswith(tuple(f"{p}." for p in packages))]


@pytest.mark.parametrize("name", srs_vsphere.__all__)
def test_every_public_name_resolves(name):
    value = getattr(srs_vsphere, name)
    assert vars(srs_vsphere)[name] is value
    if name != "__version__":
        assert value is getattr(importlib.import_module(srs_vsphere._MODULES[name]), name)
        # An alias of types has no docstring of its own.
        assert inspect.getdoc(value) or name in {"Auth", "Event"}


def test_type_checkers_and_the_interpreter_see_the_same():
    modules = {**srs_vsphere._MODULES, "__version__": "srs_vsphere._version"}
    assert imports_for_type_checkers() == modules
    assert sorted(srs_vsphere.__all__) == sorted(modules)
    assert len(set(srs_vsphere.__all__)) == len(srs_vsphere.__all__)


def test_the_models_load_on_use():
    assert imports_for_type_checkers(Path(models.__file__)) == models._MODULES
    for name, module in models._MODULES.items():
        assert getattr(models, name) is getattr(importlib.import_module(module), name)
    assert dir(models) == sorted(models._MODULES)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = models.nonsense


def test_star_import_and_dir():
    namespace = {}
    exec("from srs_vsphere import *", namespace)
    assert set(srs_vsphere.__all__) <= set(namespace)
    assert dir(srs_vsphere) == sorted(srs_vsphere.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'srs_vsphere' has no attribute 'nonsense'"):
        _ = srs_vsphere.nonsense
    with pytest.raises(ImportError):
        exec("from srs_vsphere import nonsense")


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import srs_vsphere; srs_vsphere.__version__",
            ["httpx", "cattrs", "attr", "anyio", "asyncio", "ssl"],
        ),
        (
            "from srs_vsphere import Runspace, NotFoundError, RetryPolicy, Timeouts, Tls, BasicAuth",
            ["httpx", "cattrs"],
        ),
        ("from srs_vsphere import AsyncSrsClient", ["cattrs", "srs_vsphere._sync"]),
        (
            "from srs_vsphere import SrsClient",
            ["cattrs", "asyncio", "srs_vsphere._async", "srs_vsphere.results"],
        ),
        ("from srs_vsphere import Runspace", ["srs_vsphere.models.script_execution"]),
    ],
)
def test_only_what_is_used_is_loaded(code, absent):
    modules = modules_after(code)
    assert "srs_vsphere" in modules
    assert loaded(modules, *absent, "srs_vsphere.simulator", "trio", "pytest", "cryptography") == []


def test_the_package_is_typed():
    assert SOURCE.with_name("py.typed").exists()


RUN = """
import anyio
from srs_vsphere import *
from srs_vsphere import AsyncSrsClient, BasicAuth, SrsClient
from srs_vsphere.simulator import SimServer, Simulator, VirtualClock

AUTH = BasicAuth("alice", "sesame-7Qx")

async def main(url):
    async with AsyncSrsClient(url, auth=AUTH) as client:
        return (await client.run("'x'")).output

with SimServer(Simulator(users={"alice": "sesame-7Qx"}, clock=VirtualClock(auto=True))) as server:
    with SrsClient(server.url, auth=AUTH) as client:
        print(client.run("'x'").output, anyio.run(main, server.url))
"""


def interpreter(version):
    """Return a Python of this version: this one, one on the path, or one that was installed beside this."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    beside = sorted(Path(sys.base_prefix).parent.glob(f"{version}.*/bin/python"))
    for command in (shutil.which(f"python{version}"), *beside):
        # Some that are on the path only say that they are not there.
        if command is not None and subprocess.run([command, "-V"], capture_output=True).returncode == 0:
            return command
    pytest.skip(f"Python {version} is not installed")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_all_names_and_a_script_without_a_warning(version):
    # What the package needs is written in Python, so every version can take it from here.
    places = dict.fromkeys(Path(module.__file__).parents[1] for module in (srs_vsphere, anyio, httpx))
    done = subprocess.run(
        [interpreter(version), "-W", "error", "-c", RUN],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, places)),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "x x\n", "")


def package_imports():
    """Return which modules of the package each one imports: when loaded, on use, or for type checkers."""
    root = SOURCE.parent
    names = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph = {}
    for name, path in names.items():
        found = set()
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.Import):
                found |= {alias.name for alias in statement.names}
            elif isinstance(statement, ast.ImportFrom):
                assert statement.level == 0, name
                found.add(statement.module)
                found |= {f"{statement.module}.{alias.name}" for alias in statement.names}
        graph[name] = (found & set(names)) - {name}
        # A package and what it takes from its own modules are one.
        if path.name == "__init__.py":
            graph[name] = {target for target in graph[name] if not target.startswith(f"{name}.")}
    return graph


def test_no_circle_in_the_import_graph():
    graph = package_imports()
    assert len(graph) > 50
    sorter = graphlib.TopologicalSorter(graph)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


#: From the lowest to the highest; each may use those below it, and its own.
ROOMS = ["models _codec", "_service", "_concurrency", "_http", "_async _sync", "fleet", "cli"]


def test_no_room_uses_a_higher_one():
    floor = {room: number for number, rooms in enumerate(ROOMS) for room in rooms.split()}
    for name, targets in package_imports().items():
        own = floor.get(name.split(".")[1]) if "." in name else None
        if own is not None:
            higher = [t for t in targets if "." in t and floor.get(t.split(".")[1], 0) > own]
            assert higher == [], name


def test_what_the_service_means_is_pure():
    for room in ("models", "_codec", "_service"):
        for path in (SOURCE.parent / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), path
