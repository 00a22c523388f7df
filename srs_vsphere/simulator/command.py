"""The simulator as a program.

::

    python -m srs_vsphere.simulator --hosts 200 --user alice:secret --quota 5 --tls \\
        --fault '{"operation": "runspaces.list", "probability": 0.01, "status": 503}' --seed 7 --json

It prints one line per host, its URL first, and serves until SIGTERM or SIGINT; then it ends with status 0. On
Windows these are Ctrl+C and Ctrl+Break.
Bad input and a taken port give a message and status 2, and nothing is left running.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

from srs_vsphere.simulator.clock import SystemClock
from srs_vsphere.simulator.fault_json import read_faults
from srs_vsphere.simulator.fault_plan import FaultPlan
from srs_vsphere.simulator.faults import Fault
from srs_vsphere.simulator.fleet import SimFleet, SimHost
from srs_vsphere.simulator.settings import Settings
from srs_vsphere.simulator.simulator import DEFAULT_USERS, UNKNOWN_SCRIPTS

_BAD_INPUT = 2
# After the wish to end, in seconds: long enough to end well, and then the system ends the program.
_GRACE = 30
_SIGNALS = ("SIGTERM", "SIGINT", "SIGBREAK")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve simulated hosts until told to stop.

    Args:
        arguments: the command line; default: the process's own.

    Returns:
        The exit status.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        fleet = _fleet(options)
        # add_reader, by which the listeners accept, is there on every system with this loop only.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(_serve(fleet, options, sys.stdout))
    except OSError as error:
        return _complain(error, error.strerror if error.filename is None else None)
    except (TypeError, ValueError, RuntimeError) as error:
        return _complain(error)
    return 0


def _complain(error: Exception, message: str | None = None) -> int:
    _say(f"srs-simulator: {message or str(error) or type(error).__name__}")
    return _BAD_INPUT


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse prints the whole usage first, and the message drowns in it.
        self.exit(_BAD_INPUT, f"srs-simulator: {message}; --help says more\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m srs_vsphere.simulator",
        description="Simulated Script Runtime Service hosts, on 127.0.0.1 only.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--hosts", type=int, default=1, metavar="N", help="how many hosts (default 1)")
    add("--port", type=int, default=0, help="port of the first host, the others follow (default: free ports)")
    add(
        "--user",
        action="append",
        default=[],
        metavar="NAME:PASSWORD",
        help="a user who may log in; repeatable (default: alice:secret and bob:secret)",
    )
    add("--quota", type=int, metavar="N", help="runspaces and web consoles of all users (default 5)")
    add("--runspaces", type=int, default=0, metavar="N", help="runspaces of the first user to begin with")
    add("--tls", action="store_true", help="speak TLS, with a self-signed certificate made on the fly")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="JSON",
        help="a fault, an array of them, or @file with either; repeatable",
    )
    add("--seed", type=int, default=0, help="of ids, keys and the dice of faults (default 0)")
    add("--speed", type=float, default=1.0, help="simulated seconds per real second (default 1)")
    add("--control", action="store_true", help="let faults be changed over HTTP, on a port of its own")
    add("--control-port", type=int, metavar="PORT", help="that port; implies --control (default: a free one)")
    add(
        "--powershell",
        nargs="?",
        const="pwsh",
        metavar="PROGRAM",
        help="run scripts for real, with your rights, by PowerShell 7 (default: pwsh)",
    )
    add(
        "--unknown-scripts",
        choices=UNKNOWN_SCRIPTS,
        default="succeed",
        help="what becomes of a script that is not understood (default: succeed, without output)",
    )
    add("--json", action="store_true", help="print one JSON object per host")
    return parser


def _fleet(options: argparse.Namespace) -> SimFleet:
    users = dict(_user(text) for text in options.user) or dict(DEFAULT_USERS)
    if len(users) < len(options.user):
        raise ValueError("--user: a user is there twice")
    if options.hosts < 1:
        raise ValueError(f"--hosts must be 1 or more, not {options.hosts}")
    if options.runspaces < 0:
        raise ValueError(f"--runspaces must be 0 or more, not {options.runspaces}")
    fleet = SimFleet(
        options.hosts,
        users=users,
        settings=Settings() if options.quota is None else Settings(quota=options.quota),
        clock=SystemClock(options.speed),
        seed=options.seed,
        faults=FaultPlan(_faults(options.fault), seed=options.seed),
        tls=options.tls,
        port=options.port,
        control=options.control or options.control_port is not None,
        control_port=options.control_port or 0,
        powershell=options.powershell,
        unknown_scripts=options.unknown_scripts,
    )
    for host in fleet.hosts:
        for number in range(options.runspaces):
            host.simulator.add_runspace(user=next(iter(users)), name=f"runspace-{number + 1}")
    return fleet


def _user(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not colon or not name or not password:
        # The text itself may be a password.
        raise ValueError("--user must be NAME:PASSWORD")
    return name, password


def _faults(texts: list[str]) -> list[Fault]:
    faults: list[Fault] = []
    for text in texts:
        try:
            faults += read_faults(Path(text[1:]).read_bytes() if text.startswith("@") else text)
        except (TypeError, ValueError) as error:
            raise ValueError(f"--fault: {error}") from None
    return faults


async def _serve(fleet: SimFleet, options: argparse.Namespace, out: TextIO) -> None:
    stop = asyncio.Event()
    with _told_to_stop(stop):
        async with fleet:
            out.writelines(_line(fleet, host, as_json=options.json) + "\n" for host in fleet.hosts)
            out.flush()
            if fleet.control_url is not None and not options.json:
                _say(f"faults are changed at {fleet.control_url}")
            if options.powershell is not None:
                program = options.powershell
                _say(f"scripts are run for real by {program}, with your rights; it listens on 127.0.0.1 only")
            await stop.wait()


@contextmanager
def _told_to_stop(stop: asyncio.Event) -> Generator[None]:
    """Set an event on a signal, within a ``with`` block; on every system, for not every loop has signals."""
    loop = asyncio.get_running_loop()
    # What the signal writes here wakes the loop up, and then Python calls the handler.
    wakeup, waker = socket.socketpair()
    wakeup.setblocking(False)
    waker.setblocking(False)

    def handle(*_: object) -> None:
        if sys.platform != "win32":
            signal.alarm(_GRACE)
        loop.call_soon_threadsafe(stop.set)

    loop.add_reader(wakeup, wakeup.recv, 64)
    former_waker = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    former = {
        number: signal.signal(number, handle)
        for number in (getattr(signal, name, None) for name in _SIGNALS)
        if number is not None
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        if sys.platform != "win32":
            signal.alarm(0)
        signal.set_wakeup_fd(former_waker)
        loop.remove_reader(wakeup)
        wakeup.close()
        waker.close()


def _line(fleet: SimFleet, host: SimHost, *, as_json: bool) -> str:
    facts = {
        "url": host.url,
        "name": host.name,
        "thumbprint": fleet.thumbprint,
        "ca_file": fleet.ca_file,
        "control": fleet.control_url,
    }
    given = {key: value for key, value in facts.items() if value is not None}
    if as_json:
        return json.dumps(given)
    extras = (f"{key}={given[key]}" for key in ("thumbprint", "ca_file") if key in given)
    return " ".join((host.url, host.name, *extras))
