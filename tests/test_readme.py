"""The README's Python runs as it stands, but for the address and the credentials."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from srs_vsphere.simulator import SimServer, Simulator

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("block", BLOCKS, ids=range(1, len(BLOCKS) + 1))
def test_the_readme_runs(block: str, tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the simulator's certificate is made with it")
    simulator = Simulator(users={"administrator@vsphere.local": "secret"})
    simulator.add_runspace(user="administrator@vsphere.local", name="here")
    with SimServer(simulator, tls=True) as server:
        assert server.ca_file is not None
        block = block.replace("https://srs.example.com", server.url).replace("srs.pem", server.ca_file)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block],
            env={"SSL_CERT_FILE": server.ca_file, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert simulator.session_count == 0
