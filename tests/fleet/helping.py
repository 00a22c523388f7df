"""Fleets for tests: simulated hosts, and targets that lead to them."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from anyio import CancelScope, to_thread

from srs_vsphere import BasicAuth
from srs_vsphere.fleet import Target
from srs_vsphere.simulator import SimFleet

USERS = {"alice": "sesame-7Qx"}
AUTH = BasicAuth("alice", USERS["alice"])


def targets_of(fleet: SimFleet) -> list[Target]:
    return [Target(host.name, host.url, AUTH, labels={"port": str(host.port)}) for host in fleet.hosts]


@asynccontextmanager
async def simulated(hosts: int, **options: object) -> AsyncIterator[SimFleet]:
    """Serve hosts from a thread of their own, on any event loop."""
    fleet = SimFleet(hosts, **{"users": USERS, **options})
    await to_thread.run_sync(fleet.__enter__)
    try:
        yield fleet
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(fleet.__exit__, None, None, None)


class FullDisk:
    """A disk with room for some lines of one file, and a half.

    Args:
        file: the file.
        lines: how many.
        monkeypatch: undoes it.
    """

    def __init__(self, file: Path, lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = lines
        opened: Callable[..., object] = Path.open

        def open_it(path: Path, mode: str = "r", **options: object) -> object:
            return _OnDisk(path, self) if path == file and mode == "ab" else opened(path, mode, **options)

        monkeypatch.setattr(Path, "open", open_it)


class _OnDisk(io.FileIO):
    def __init__(self, path: Path, disk: FullDisk) -> None:
        super().__init__(path, "ab")
        self._disk = disk

    def write(self, line: bytes) -> int:
        self._disk.left -= 1
        if self._disk.left < -1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(line if self._disk.left >= 0 else line[: len(line) // 2])
