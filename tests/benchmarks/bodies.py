"""Lists of runspaces as the service writes them: compact, absent members left out, times to 100 ns."""

from __future__ import annotations

import json
import uuid

_NAMES = ("nightly", "Überprüfung é ☺", "inventory of the cluster", "patch")


def runspaces(count: int, first: int = 0) -> list[dict[str, object]]:
    """Return so many runspaces; half have names, one in twenty has failed."""
    return [_runspace(number) for number in range(first, first + count)]


def runspace_list(count: int) -> bytes:
    """Return the body of a list of so many."""
    return json.dumps(runspaces(count), ensure_ascii=False, separators=(",", ":")).encode()


def _runspace(number: int) -> dict[str, object]:
    key = f"pcli-{uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)}"
    runspace: dict[str, object] = {}
    if number % 2:
        runspace["name"] = f"{_NAMES[number // 2 % len(_NAMES)]} {number}"
    runspace["id"] = key
    runspace["state"] = "creating" if number % 7 == 3 else "ready"
    if number % 20 == 19:
        runspace["state"] = "error"
        problem = f"K8s Pod with ID '{key}' failed: ImagePullBackOff"
        runspace["error_details"] = {"code": 500, "error_message": problem, "details": f"Trace: {problem}"}
    runspace["run_vc_connection_script"] = number % 3 == 0
    if number % 3 == 0:
        runspace["vc_connection_script_id"] = str(uuid.UUID(int=number))
    minute, second = divmod(number % 3600, 60)
    runspace["creation_time"] = f"2026-11-24T02:{minute:02}:{second:02}.{number % 10**7:07}+00:00"
    return runspace
