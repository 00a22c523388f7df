"""Finds the recorded exchanges of the real service and other shared files.

They are beside the checkout, or where SRS_SHARED points.
"""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_file(name: str) -> Path:
    """Return a file of the shared folder, or skip where it is absent."""
    path = _shared() / name
    if not path.is_file():
        pytest.skip(f"no file {path}")
    return path


def _shared() -> Path:
    return Path(os.environ.get("SRS_SHARED") or ROOT.parent / "shared")


def folder() -> Path:
    recorded = _shared() / "api" / "recorded"
    if not recorded.is_dir():
        pytest.skip(f"no recorded exchanges at {recorded}")
    return recorded


def exchanges(*names: str) -> list[dict]:
    """Return the exchanges of the named files, of all files without a name."""
    paths = [folder() / f"{name}.json" for name in names] or sorted(folder().glob("*.json"))
    return [exchange for path in paths for exchange in json.loads(path.read_text())["exchanges"]]


def header(exchange: dict, name: str) -> str | None:
    for key, value in exchange["response"]["headers"]:
        if key.lower() == name:
            return value
    return None
