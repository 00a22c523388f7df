"""Everything the project runs: `nox -s demo`, `nox -s tests`, and what CI checks beside them."""

from __future__ import annotations

import os
import sys

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "sync", "tests", "lowest", "httpx2"]
nox.options.error_on_missing_interpreters = False

ALL_CORES = ("-n", "auto", "--dist", "worksteal", "--durations", "15")

#: What is not run again on httpx's own transport or with httpx2: programs in processes of their own, which
#: send as ever, and what sends nothing, or nothing that other tests do not send.
ONCE = [
    f"--ignore=tests/{each}"
    for each in (
        "cli",
        "fleet/test_chaos.py",
        "fleet/test_dask.py",
        "fleet/test_fleet_examples.py",
        "fleet/test_running.py",
        "simulator/test_command.py",
        "simulator/test_hostile_input.py",
        "simulator/test_powershell.py",
        "simulator/test_powershell_fixtures.py",
        "simulator/test_powershell_host.py",
        "simulator/test_pytest_plugin.py",
        "test_client_and_simulator.py",
        "test_examples.py",
        "test_forks.py",
        "test_interrupted_processes.py",
        "test_readme.py",
        "test_secret_watch.py",
        "test_without_posix.py",
    )
]

#: Those that are missing are skipped by name; the one that runs nox never is.
PYTHONS = sorted({"3.11", "3.12", "3.13", "3.14", f"{sys.version_info.major}.{sys.version_info.minor}"})

PROJECT = nox.project.load_toml("pyproject.toml")


#: In CI, the tests that failed are run a second time: one in thousands does not refuse a change by chance.
RERUN = "SRS_TEST_RERUN" in os.environ


def group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, name)


def run_tests(session: nox.Session, *command: str) -> None:
    try:
        session.run(*command)
    except CommandFailed:
        if not RERUN:
            raise
        session.warn("These tests failed; they are run once more, one after the other.")
        session.run(*command, "-n", "0", "--last-failed", "--last-failed-no-failures", "none")


@nox.session
def demo(session: nox.Session) -> None:
    """Run the main job against the embedded simulator: a streamed list, and a flaky server."""
    session.install(".")
    session.run("python", "examples/demo.py")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole suite on every Python that is installed."""
    session.install("-e", ".[simulator]", *group("test"))
    run_tests(session, "pytest", *(session.posargs or ALL_CORES))


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the whole suite, and say which lines no test reaches; it takes half as long again."""
    session.install("-e", ".[simulator]", *group("test"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or ALL_CORES))
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the suite on the oldest releases that the package allows, and on httpx's own transport.

    `nox -s lowest -- tests` leaves nothing out.
    """
    oldest = [requirement.replace(">=", "==") for requirement in PROJECT["project"]["dependencies"]]
    session.install("-e", ".[simulator]", *group("test"), *oldest)
    run_tests(session, "pytest", "--road", "httpx", *(session.posargs or (*ALL_CORES, *ONCE)))


@nox.session
def httpx2(session: nox.Session) -> None:
    """Run the suite with httpx2 in httpx's place."""
    session.install("-e", ".[simulator]", *group("test"))
    rest = session.posargs or (*ALL_CORES, *ONCE)
    run_tests(session, "python", "-m", "pytest", "-p", "tests.on_httpx2", *rest)


@nox.session
def secrets(session: nox.Session) -> None:
    """Run the suite, and look for its passwords, keys, tokens and scripts in all that it lets out."""
    session.install("-e", ".[simulator]", *group("test"))
    # The simulator's own tests send keys by hand, without the client.
    rest = session.posargs or (*ALL_CORES, "--ignore", "tests/simulator")
    session.run("python", "-m", "pytest", "-p", "tests.secret_watch", *rest)


@nox.session
def lint(session: nox.Session) -> None:
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    session.install(".[simulator]", *group("types"))
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "srs_vsphere", "--ignoreexternal")


@nox.session
def sync(session: nox.Session) -> None:
    """Write the sync twins; `nox -s sync -- --check` says whether they are as written."""
    session.run("python", ".ci/sync.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and memory beside the peers; `nox -s bench -- polling --quick` for a part of it."""
    session.install(".[simulator]", *group("bench"))
    session.run("python", "-m", "tests.benchmarks", *session.posargs)
