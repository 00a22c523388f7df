"""What an import costs in a fresh interpreter, beside that of httpx."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.benchmarks.generated import Peers
from tests.benchmarks.measuring import cores, in_turns, median, pin
from tests.benchmarks.results import Bound, Result, Table

_MOST = 1.25
_HTTPX = "import httpx"
_PACKAGE = "import srs_vsphere"
_STATEMENTS = (
    _HTTPX,
    _PACKAGE,
    "from srs_vsphere import AsyncSrsClient",
    "from srs_vsphere import SrsClient",
    "from srs_vsphere.models import Runspace",
    "import aiohttp",
)
_PROGRAM = """
import time
before = time.process_time()
{statement}
print(time.process_time() - before)
"""


def run(peers: Peers, *, quick: bool) -> Result:
    """Measure."""
    del peers
    pin(cores()[0])
    contenders = {statement: _measured(statement) for statement in _STATEMENTS if _works(statement)}
    costs = {name: median(values) for name, values in in_turns(7 if quick else 15, contenders).items()}
    table = Table("Importing in a fresh interpreter, bytecode at hand", ("", "CPU ms", f"to {_HTTPX}"))
    for name, cost in costs.items():
        table.rows.append((name, f"{cost * 1e3:.1f}", f"{cost / costs[_HTTPX]:.2f}"))
    bound = Bound(f"{_PACKAGE} to {_HTTPX}", costs[_PACKAGE] / costs[_HTTPX], _MOST)
    return Result("importing", [table], [bound], {"cpu_seconds": costs})


def _works(statement: str) -> bool:
    done = subprocess.run([sys.executable, "-c", statement], check=False, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def _measured(statement: str) -> Callable[[], float]:
    program = _PROGRAM.format(statement=statement)

    def measure() -> float:
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        return float(done.stdout)

    return measure
