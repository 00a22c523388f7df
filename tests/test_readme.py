"""What the README shows runs as it stands, but for the address and the credentials."""

from __future__ import annotations

import ast
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import srs_vsphere
from srs_vsphere.simulator import SimServer, Simulator, VirtualClock
from tests.pasting import WITH_PLUGIN

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PROGRAMS = [block for block in BLOCKS if "import pytest" not in block]
TESTS = [block for block in BLOCKS if "import pytest" in block]
SIMULATORS = re.findall(r"^(python -m srs_vsphere\.simulator .*)$", README, re.MULTILINE)


def test_there_are_blocks() -> None:
    assert len(PROGRAMS) >= 5
    assert TESTS
    assert SIMULATORS


@pytest.mark.parametrize("block", PROGRAMS, ids=range(1, len(PROGRAMS) + 1))
def test_the_readme_runs(block: str) -> None:
    pytest.importorskip("cryptography", reason="the simulator's certificate is made with it")
    simulator = Simulator(users={"administrator@vsphere.local": "secret"}, clock=VirtualClock(auto=True))
    simulator.add_runspace(user="administrator@vsphere.local", name="here")
    with SimServer(simulator, tls=True) as server:
        assert server.ca_file is not None
        block = block.replace("https://srs.example.com", server.url).replace("srs.pem", server.ca_file)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block],
            env={"SSL_CERT_FILE": server.ca_file, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            encoding="utf-8",
            timeout=100,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert simulator.session_count == 0


def test_the_first_block_needs_no_server_and_prints_what_it_says() -> None:
    (printed,) = re.findall(r"print\(.*\)  # (.*)", BLOCKS[0])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKS[0]],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (f"{printed}\n", "")


@pytest.mark.parametrize("block", TESTS, ids=range(1, len(TESTS) + 1))
def test_the_readmes_tests_can_be_pasted(block: str, tmp_path: Path) -> None:
    (tmp_path / "test_pasted.py").write_text(block, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *WITH_PLUGIN, "--strict-markers", "-Werror", "-q"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
    # Those of AnyIO run on asyncio and on trio.
    assert f"{block.count('def test_') + block.count('mark.anyio')} passed" in done.stdout


@pytest.mark.parametrize("line", SIMULATORS, ids=range(1, len(SIMULATORS) + 1))
def test_the_readmes_simulators_start_and_stop(line: str) -> None:
    _, *arguments = shlex.split(line)
    hosts = int(arguments[arguments.index("--hosts") + 1])
    with subprocess.Popen(
        [sys.executable, "-W", "error", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            urls = [process.stdout.readline().split()[0] for _ in range(hosts)]
            with httpx.Client() as http:
                statuses = [http.get(f"{url}/api/about").status_code for url in urls for _ in range(2)]
                assert statuses == [200, 503, *[200] * (len(statuses) - 2)]
                for url in urls:
                    assert http.post(f"{url}/api/auth/login", auth=("alice", "secret")).status_code == 200
            process.terminate()
            assert process.communicate(timeout=60) == ("", "")
        finally:
            process.kill()
    assert process.returncode == 0


def test_the_lines_for_credentials_and_trust_are_right() -> None:
    section = README.partition("## Credentials and trust")[2].partition("\n## ")[0]
    lines = [
        line.rpartition("`")[0].rpartition("`")[2] for line in section.splitlines() if line.endswith("` |")
    ]
    assert len(lines) == 14
    for line in lines:
        call = ast.parse(line, mode="eval").body
        if not isinstance(call, ast.Call):
            assert hasattr(srs_vsphere, line)
            continue
        function = eval(ast.unparse(call.func), {"__builtins__": {}}, PublicNames())
        given = {word.arg: None for word in call.keywords}
        inspect.signature(function).bind(*call.args, **given)


class PublicNames(dict[str, object]):
    """The package's names, which it loads on use."""

    def __missing__(self, name: str) -> object:
        return getattr(srs_vsphere, name)
