"""Clients that generators make of the service's description, to be measured beside ours.

The description here is a small one of our own: one operation, with the members and types of the published
one. ``--spec FILE`` takes the published one instead.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from attrs import define

OPENAPI_GENERATOR = "openapi-generator"
OPENAPI_PYTHON_CLIENT = "openapi-python-client"

_PROGRAMS = {
    # This package is a jar, and a function that starts it with the Java of another package or the machine's.
    OPENAPI_GENERATOR: "import sys, openapi_generator_cli as it; sys.exit(it.run(sys.argv[1:]).returncode)",
    OPENAPI_PYTHON_CLIENT: "from openapi_python_client.cli import app; app()",
}

_TEXT = {"type": "string", "nullable": True}
_ERROR = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"code": {"type": "integer", "format": "int32"}, "error_message": _TEXT, "details": _TEXT},
}
_RUNSPACE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": _TEXT,
        "id": _TEXT,
        "state": {"$ref": "#/components/schemas/RunspaceState"},
        "error_details": {"$ref": "#/components/schemas/ErrorDetails"},
        "run_vc_connection_script": {"type": "boolean"},
        "vc_connection_script_id": _TEXT,
        "creation_time": {"type": "string", "format": "date-time"},
    },
}


def _response(description: str, schema: dict[str, object]) -> dict[str, object]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_SPEC = {
    "openapi": "3.0.1",
    "info": {"title": "Runspaces", "version": "1.0"},
    "paths": {
        "/api/runspaces": {
            "get": {
                "tags": ["runspaces"],
                "operationId": "list-runspaces",
                "security": [{"apiKeyAuth": []}],
                "responses": {
                    "200": _response(
                        "all", {"type": "array", "items": {"$ref": "#/components/schemas/Runspace"}}
                    ),
                    "401": _response("no key", {"$ref": "#/components/schemas/ErrorDetails"}),
                    "500": _response("failed", {"$ref": "#/components/schemas/ErrorDetails"}),
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Runspace": _RUNSPACE,
            "RunspaceState": {"type": "string", "enum": ["ready", "active", "creating", "error"]},
            "ErrorDetails": _ERROR,
        },
        "securitySchemes": {"apiKeyAuth": {"type": "apiKey", "name": "X-SRS-API-KEY", "in": "header"}},
    },
}


@define
class Peers:
    """The generated clients there are.

    Args:
        folder: where they are; to be put on the path of imports.
        missing: why the others are not there, by name.
    """

    folder: str
    missing: dict[str, str]

    def load(self, module: str) -> ModuleType:
        """Import a module of one of them, such as ``srs_openapi_generator.models.runspace``."""
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        return importlib.import_module(module)

    def has(self, name: str) -> bool:
        """Say whether it is there."""
        return name not in self.missing


def generate(folder: Path, spec: Path | None) -> Peers:
    """Let the generators write their clients.

    Args:
        folder: an empty one.
        spec: the service's description; default a small one of our own.
    """
    text = json.dumps(_SPEC) if spec is None else spec.read_text()
    (folder / "spec.json").write_text(text)
    missing: dict[str, str] = {}
    for name, package, needs, command in (
        (
            OPENAPI_GENERATOR,
            "srs_openapi_generator",
            ("openapi_generator_cli", "aiohttp", "aiohttp_retry", "pydantic", "dateutil"),
            "generate -g python --library asyncio -i spec.json -o . --package-name srs_openapi_generator",
        ),
        (
            OPENAPI_PYTHON_CLIENT,
            "srs_openapi_python_client",
            ("openapi_python_client", "httpx", "attrs"),
            "generate --meta none --path spec.json --output-path srs_openapi_python_client",
        ),
    ):
        absent = [module for module in needs if importlib.util.find_spec(module) is None]
        if absent:
            missing[name] = f"not installed: {', '.join(absent)}"
            continue
        log = folder / f"{package}.log"
        with log.open("w") as output:
            program = [sys.executable, "-c", _PROGRAMS[name], *command.split()]
            subprocess.run(program, check=False, stdout=output, stderr=output, cwd=folder)
        if not (folder / package).is_dir():
            missing[name] = f"it wrote nothing: {(log.read_text().strip() or 'no output').splitlines()[-1]}"
    return Peers(str(folder), missing)
