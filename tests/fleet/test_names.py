"""The fleet's names load what they need and no more, and stand for the same things everywhere."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import srs_vsphere
from srs_vsphere import fleet
from tests.test_package import loaded, modules_after

STUB = Path(fleet.__file__).with_suffix(".pyi")


@pytest.mark.parametrize("name", fleet.__all__)
def test_every_name_resolves(name: str) -> None:
    value = getattr(fleet, name)
    assert value is getattr(importlib.import_module(fleet._MODULES[name]), name)
    if name in srs_vsphere.__all__:
        assert value is getattr(srs_vsphere, name)


def test_the_tables_and_the_stub_agree() -> None:
    stub = {
        alias.name: statement.module
        for statement in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert stub == fleet._MODULES
    for name, module in srs_vsphere._MODULES.items():
        if module.startswith("srs_vsphere.fleet."):
            assert fleet._MODULES[name] == module
    assert dir(fleet) == fleet.__all__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fleet.nonsense


@pytest.mark.parametrize(
    "code",
    [
        "import srs_vsphere.fleet",
        "from srs_vsphere import HostSkippedError",
        "from srs_vsphere.fleet import Target, BreakerPolicy",
    ],
)
def test_only_what_is_used_is_loaded(code: str) -> None:
    modules = modules_after(code)
    assert loaded(modules, "httpx", "cattrs", "distributed", "dask", "srs_vsphere._async") == []


def test_engines_load_on_use() -> None:
    modules = modules_after("from srs_vsphere.fleet import AsyncSrsFleet, SrsFleet")
    assert loaded(modules, "cattrs", "distributed", "dask", "trio") == []
